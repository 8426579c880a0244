"""Searching own and harvested datasets: words, variables and concepts, years, places, and who, how and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fairnode import vocabulary
from fairnode.discovery.entry import Entry
from fairnode.discovery.index import bring_up_to_date, entry_from, search_index
from fairnode.node import Node
from fairnode.store.search_index import Asked, Group

Found = Entry
"""A dataset that fits. `node` is the IRI of the node that publishes it."""

FACETS = ("organisation", "variables", "places", "regime", "unit", "access", "purposes", "keywords", "node")


@dataclass(frozen=True)
class Wanted:
    """What a dataset must have.

    Every word somewhere (in English or Dutch, or only its beginning), every variable, every concept
    (`exploitationForm=sexual`: that code or one below it), at least one of the years and places (the last
    part of an IRI, such as NLD), and, where they are given, this kind of organisation, unit, legal regime (an
    IRI, or its last part), purpose that may be asked for, and node. `synthetic` None means either.
    """

    words: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    organisation: str = ""
    concepts: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    unit: str = ""
    regime: str = ""
    purpose: str = ""
    node: str = ""
    persons: bool = False


@dataclass(frozen=True)
class Facet:
    """A way to narrow a search down: the values that occur, each with its number of datasets, most first."""

    name: str
    values: tuple[tuple[str, int], ...]


def search(node: Node, wanted: Wanted) -> list[Found]:
    """The published datasets of the whole network, as far as harvested, that fit; by title.

    Raises `NotFound` for a variable or code that the ontology has not.
    """
    asked = _asked(wanted)
    bring_up_to_date(node)
    return [entry_from(told) for told in search_index(node).find(asked)]


def search_page(node: Node, wanted: Wanted, size: int, offset: int = 0) -> tuple[list[Found], int]:
    """A page of what fits, the best fitting first where words are given, and how many fit in all."""
    asked = _asked(wanted)
    bring_up_to_date(node)
    found, number = search_index(node).page(asked, size, offset)
    return [entry_from(told) for told in found], number


def facets(found: Sequence[Found]) -> tuple[Facet, ...]:
    """What the datasets found can be narrowed down by, with counts; facets with one value for all left out."""
    told = []
    for name in FACETS:
        counts = Counter(value for entry in found for value in _values(entry, name))
        if counts and (len(counts) > 1 or max(counts.values()) < len(found)):
            values = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            told.append(Facet(name, tuple(values)))
    return tuple(told)


def _values(entry: Found, name: str) -> Iterable[str]:
    """The values of one dataset for a facet."""
    value = getattr(entry, name)
    return value if isinstance(value, tuple) else [value] if value else []


def _asked(wanted: Wanted) -> Asked:
    """What is wanted, in the terms of the index."""
    groups: list[Group] = [(("variable", vocabulary.variable(word).name),) for word in wanted.variables]
    groups += [_concept(told) for told in wanted.concepts]
    if wanted.places:
        groups.append(tuple(("place", place.rstrip("/#").rpartition("/")[2]) for place in wanted.places))
    for kind in ("organisation", "unit", "purpose", "node"):
        if getattr(wanted, kind):
            groups.append(((kind, getattr(wanted, kind)),))
    if wanted.regime:
        short = wanted.regime.removeprefix(vocabulary.HTPOL)
        groups.append((("regime", wanted.regime), ("regime", f"{vocabulary.HTPOL}{short}")))
    if wanted.persons:
        groups.append((("is", "persons"),))
    return Asked(wanted.words, tuple(groups), wanted.years)


def _concept(told: str) -> Group:
    """A concept `variable=notation`: datasets with it or a narrower one, or in which any may occur."""
    name, _, notation = told.partition("=")
    variable = vocabulary.variable(name)
    variable.within(notation)  # raises NotFound for a code that is none
    return (("concept", f"{variable.name}={notation}"), ("concept", f"{variable.name}=*"))
