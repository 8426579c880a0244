"""Searching own and harvested datasets: words, variables and concepts, years, places, and who, how and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fairnode import vocabulary
from fairnode.datasets.bindings import UNITS
from fairnode.discovery.entry import Entry
from fairnode.discovery.index import bring_up_to_date, entry_from, search_index
from fairnode.discovery.place import KEPT
from fairnode.node import Node
from fairnode.records.rows import Dataset, PeerRecord
from fairnode.store.search_index import Asked, Count, Group, Kind

Found = Entry
"""A dataset that fits. `node` is the IRI of the node that publishes it."""

FACETS = (
    "organisation",
    "variable",
    "year",
    "place",
    "regime",
    "unit",
    "access",
    "purpose",
    "keyword",
    "node",
)
"""By which a search is narrowed down; each is also a field of `Wanted`, or the singular of one."""


@dataclass(frozen=True)
class Wanted:
    """What a dataset must have.

    Every word somewhere (in English or Dutch, or only its beginning), every variable, every concept
    (`exploitationForm=sexual`: that code or one below it), at least one of the years and places (the last
    part of an IRI, such as NLD), and, where they are given, this kind of organisation, unit, legal regime (an
    IRI, or its last part), kind of access, purpose that may be asked for, keyword, and node. With
    `persons`, persons can be told apart; with `visitable`, its columns are bound and its policy permits some
    visit.
    """

    words: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    organisation: str = ""
    concepts: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    unit: str = ""
    regime: str = ""
    access: str = ""
    purpose: str = ""
    keyword: str = ""
    node: str = ""
    persons: bool = False
    visitable: bool = False


@dataclass(frozen=True)
class Facet:
    """A way to narrow a search down: the values that occur, each with its number of datasets, most first."""

    name: str
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Page:
    """A part of what was found, the number of all, and the facets of all (none unless they were asked for)."""

    found: tuple[Found, ...]
    number: int
    facets: tuple[Facet, ...] = ()


def search(node: Node, wanted: Wanted) -> list[Found]:
    """The published datasets of the whole network, as far as harvested, that fit; by title.

    Raises `NotFound` for a variable or code that the ontology has not.
    """
    asked = _asked(wanted)
    bring_up_to_date(node)
    return [entry_from(told) for told in search_index(node).find(asked)]


def found_at(node: Node, iri: str) -> Found | None:
    """What the index knows of one dataset."""
    bring_up_to_date(node)
    told = search_index(node).told(iri)
    return None if told is None else entry_from(told)


def record_at(node: Node, iri: str) -> bytes | None:
    """The record of a dataset as received, of this node or of another."""
    with node.store.read() as reader:
        own = reader.one(Dataset, iri=iri)
        if own is not None:
            return own.record if own.state == "published" else None
        other = reader.get(PeerRecord, iri)
    return other.record if other is not None and other.state in KEPT else None


def search_page(
    node: Node, wanted: Wanted, size: int, offset: int = 0, narrower: Mapping[str, Wanted] | None = None
) -> Page:
    """A page of what fits, the best fitting first where words are given, and how many fit in all.

    With `narrower` (searches by a name, may be empty) facets are counted over all that fits: the facets of
    `FACETS`, the concepts of each coded variable that is wanted, and the narrower searches as "algorithm". A
    facet with the same value for all is left out.
    """
    asked = _asked(wanted)
    bring_up_to_date(node)
    if narrower is None:
        seen = search_index(node).page(asked, size, offset)
    else:
        groups = {name: _asked(other).groups for name, other in narrower.items()}
        seen = search_index(node).page(asked, size, offset, Count(_kinds(wanted), groups))
    told = [Facet(begin.rstrip("=") or kind, values) for (kind, begin), values in seen.counts.items()]
    told += [Facet("algorithm", tuple(seen.also.items()))] if seen.also else []
    useful = (f for f in told if f.values and (len(f.values) > 1 or f.values[0][1] < seen.number))
    return Page(tuple(entry_from(found) for found in seen.told), seen.number, tuple(useful))


def _kinds(wanted: Wanted) -> tuple[Kind, ...]:
    """What is counted: every facet, and the concepts of the variables that are wanted."""
    names = [
        vocabulary.variable(name)
        for name in (*wanted.variables, *(c.partition("=")[0] for c in wanted.concepts))
    ]
    coded = dict.fromkeys(variable.name for variable in names if variable.kind == "coded")
    return (*((name, "") for name in FACETS), *(("concept", f"{name}=") for name in coded))


def _asked(wanted: Wanted) -> Asked:
    """What is wanted, in the terms of the index."""
    groups: list[Group] = [(("variable", vocabulary.variable(word).name),) for word in wanted.variables]
    groups += [_concept(told) for told in wanted.concepts]
    if wanted.places:
        groups.append(tuple(("place", place.rstrip("/#").rpartition("/")[2]) for place in wanted.places))
    for kind in ("organisation", "unit", "access", "purpose", "keyword", "node"):
        if getattr(wanted, kind):
            groups.append(((kind, getattr(wanted, kind)),))
    if wanted.regime:
        short = wanted.regime.removeprefix(vocabulary.HTPOL)
        groups.append((("regime", wanted.regime), ("regime", f"{vocabulary.HTPOL}{short}")))
    if wanted.persons:
        groups.append((("is", "persons"),))
    if wanted.visitable:
        groups += [(("is", "asks"), ("is", "grants")), tuple(("unit", unit) for unit in UNITS.values())]
    return Asked(wanted.words, tuple(groups), wanted.years)


def _concept(told: str) -> Group:
    """A concept `variable=notation`: datasets with it or a narrower one, or in which any may occur."""
    name, _, notation = told.partition("=")
    variable = vocabulary.variable(name)
    variable.within(notation)  # raises NotFound for a code that is none
    return (("concept", f"{variable.name}={notation}"), ("concept", f"{variable.name}=*"))
