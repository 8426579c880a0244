"""Searching for what fits together: datasets that an algorithm known here can visit, and the reverse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from fairnode import errors
from fairnode.algorithms.known import listed, manifest
from fairnode.discovery.fitting import lacks, wanted_by
from fairnode.discovery.plain import in_plain_words
from fairnode.discovery.reading import is_json, quads
from fairnode.discovery.search import Found, Page, Wanted, found_at, record_at, search_page
from fairnode.metadata.plain import policy_of
from fairnode.metadata.rdf import read_turtle
from fairnode.node import Node
from fairnode.records.algorithm import Manifest
from fairnode.records.rows import Algorithm


@dataclass(frozen=True)
class Fit:
    """A dataset as somebody meets it who thinks of a study: what it takes, and what can visit it.

    `policy` is its policy in sentences. `algorithms` are those known here, each with the reasons why it cannot
    visit the dataset; without reasons it can.
    """

    found: Found
    policy: tuple[str, ...]
    algorithms: tuple[tuple[Algorithm, tuple[str, ...]], ...]


def known_algorithms(node: Node) -> dict[str, tuple[Algorithm, Manifest]]:
    """The algorithms that a study may name, by name; of several versions the one that came last."""
    rows = [row for row in listed(node) if row.state == "known"]
    return {row.name: (row, manifest(row)) for row in reversed(rows)}


def look(node: Node, wanted: Wanted, algorithm: str, size: int, offset: int = 0) -> Page:
    """A page of datasets with facets, only of those that an algorithm can visit when one is named.

    Raises `NotFound` for an algorithm that is not known here, and what `search_page` raises.
    """
    known = known_algorithms(node)
    searches = {name: wanted_by(told) for name, (_, told) in known.items()}
    if not algorithm:
        return search_page(node, wanted, size, offset, narrower=searches)
    if algorithm not in known:
        raise errors.NotFound("This node knows no such algorithm.", to_do="See: fairnode algorithm list")
    asked = wanted_by(known[algorithm][1], wanted)
    return search_page(node, asked, size, offset, narrower=_others(searches, algorithm))


def _others(searches: Mapping[str, Wanted], algorithm: str) -> dict[str, Wanted]:
    """The searches but one."""
    return {name: wanted for name, wanted in searches.items() if name != algorithm}


def fit(node: Node, iri: str) -> Fit:
    """What it would take to visit the dataset `iri`, of this node or harvested. Raises `NotFound`."""
    found, record = found_at(node, iri), record_at(node, iri)
    if found is None or record is None:
        raise errors.NotFound(
            "This node knows of no such dataset.", to_do="Search for it: fairnode dataset search"
        )
    known = known_algorithms(node).values()
    told = tuple((row, lacks(manifest, found)) for row, manifest in known)
    return Fit(found, _policy(record, iri), tuple(sorted(told, key=lambda one: (len(one[1]), one[0].title))))


@lru_cache(maxsize=256)
def _policy(record: bytes, iri: str) -> tuple[str, ...]:
    """The policy of a record in sentences; that of a stranger's record may be one that nobody can act on."""
    try:
        turtle = b"\n".join(_lines(record, iri)) if is_json(record) else record
        return in_plain_words(policy_of(read_turtle(turtle), iri))
    except errors.NotValid:
        return in_plain_words(None)


def _lines(record: bytes, iri: str) -> Iterator[bytes]:
    """JSON-LD as lines that are Turtle too."""
    return (f"{q.subject} {q.predicate} {q.object} .".encode() for q in quads(record, iri))
