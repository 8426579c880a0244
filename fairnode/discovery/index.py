"""Keeping the search index in step with the records: own ones as published, those of others as received.

The index is written where records are written; whatever was missed (a crash in between, a lost file, a new
version) is put right by comparing hashes, at the latest when somebody searches.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from fairnode import errors
from fairnode.discovery.entry import Entry, read_entry
from fairnode.discovery.place import WORDS
from fairnode.keys import digest
from fairnode.node import Node
from fairnode.records.rows import Dataset, Head, PeerRecord
from fairnode.store.search_index import Line, SearchIndex

BATCH = 500
_SHOWN = tuple(f.name for f in dataclasses.fields(Entry) if f.name not in ("text", "concepts"))


def search_index(node: Node) -> SearchIndex:
    """The search index of the node."""
    return SearchIndex(node.config.index / WORDS)


def line(entry: Entry) -> Line:
    """An entry as the index keeps it."""
    return Line(
        iri=entry.iri,
        node=entry.node,
        sha256=entry.sha256,
        title=entry.title,
        told={name: getattr(entry, name) for name in _SHOWN},
        words=entry.text,
        years=entry.years,
        terms=tuple(_terms(entry)),
    )


def _terms(entry: Entry) -> Iterable[tuple[str, str]]:
    """The facts that a search may ask for."""
    single = ("organisation", "unit", "regime", "access", "node")
    yield from ((kind, getattr(entry, kind)) for kind in single if getattr(entry, kind))
    several = {"variable": entry.variables, "concept": entry.concepts, "place": entry.places,
               "keyword": entry.keywords, "purpose": entry.purposes}  # fmt: skip
    yield from ((kind, value) for kind, values in several.items() for value in values)
    yield from (("is", word) for word in ("asks", "grants", "synthetic", "persons") if getattr(entry, word))


def entry_from(told: Mapping[str, Any]) -> Entry:
    """The entry that the index tells of, without its words."""
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in told.items()}
    return Entry(**values)


def bring_up_to_date(node: Node) -> None:
    """Take own datasets in that changed, and everything when the index was lost."""
    index = search_index(node)
    notes = index.notes()
    if "complete" not in notes:
        rebuild(node)
    with node.store.read() as reader:
        head = reader.last(Head)
        stamp = str(head.id if head else 0)
        if notes.get("head") == stamp and "complete" in notes:
            return
        own = reader.find(Dataset, {"state": "published"})
    known = index.known(node.iri)
    fresh = {d.iri: d for d in own if known.get(d.iri) != digest(d.record)}
    lines = _lines((d.record, d.iri, node.iri) for d in fresh.values())
    index.change(lines, [iri for iri in known if iri not in {d.iri for d in own}])
    index.note("head", stamp)


def rebuild(node: Node) -> int:
    """Make the index again from the records of others as received; how many datasets they are.

    Records are read one after the other, so that the memory does not grow with their number.
    """
    index = search_index(node)
    index.forget()
    number, after = 0, ""
    while True:
        with node.store.read() as reader:
            rows = reader.find(PeerRecord, {"state": "published"}, limit=BATCH, after=after)
        if not rows:
            break
        lines = _lines((row.record, row.id, row.node) for row in rows)
        index.change(lines)
        number, after = number + len(lines), rows[-1].id
    index.note("complete", "yes")
    return number


def _lines(records: Iterable[tuple[bytes, str, str]]) -> list[Line]:
    """The lines of records (content, IRI, node); those that cannot be read any more are left out."""
    found = []
    for content, iri, node in records:
        try:
            found.append(line(read_entry(content, iri, node)))
        except errors.NotValid:
            continue
    return found
