"""Keeping the records of others as received: what cannot be read or is not theirs is refused, with the reason.

Nothing that one publisher sends touches the records of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fairnode import clock, errors
from fairnode.discovery.entry import Entry, read_entry
from fairnode.discovery.index import line, rebuild, search_index
from fairnode.discovery.place import KEPT
from fairnode.discovery.reading import read
from fairnode.keys import digest
from fairnode.node import Node
from fairnode.records.rows import PeerRecord
from fairnode.store.database import Transaction

MOST_RECORDS = 10_000


@dataclass(frozen=True)
class Told:
    """A document as it came: the record of a dataset, or with `part` that of something in one."""

    iri: str
    content: bytes
    part: bool = False


@dataclass(frozen=True)
class Taken:
    """How a publisher's records were taken: datasets kept, those of them that changed or are gone, refusals.

    `unchanged` documents were not even sent again.
    """

    kept: int
    changed: int
    gone: int
    refused: tuple[errors.Finding, ...]
    unchanged: int = 0


def keep_records(node: Node, publisher: str, told: list[Mapping[str, Any]]) -> int:
    """Replace what this node knows of the records at `publisher` (a node's IRI) by `told`; how many are kept.

    A record whose IRI is not below the publisher's own is not believed.
    """
    lines = [Told(str(r.get("iri", "")), str(r.get("record", "")).encode()) for r in told[:MOST_RECORDS]]
    return take_in(node, publisher, lines, (f"{publisher}/",)).kept


def take_in(
    node: Node, publisher: str, told: Iterable[Told], prefixes: tuple[str, ...], *, complete: bool = True
) -> Taken:
    """Keep what a publisher tells, if its IRIs are below its `prefixes`.

    With `complete`, what it does not tell of any more is gone.
    """
    with node.store.read() as reader:
        before = {row.id: row for row in reader.find(PeerRecord, {"node": publisher, "state": KEPT})}
    news = _News(publisher, prefixes)
    for document in told:
        news.take(document, before.get(document.iri))
    lost = {iri: row for iri, row in before.items() if iri not in news.seen} if complete else {}
    _write(node, news, before, lost)
    datasets = [iri for iri in news.seen if iri not in news.parts]
    gone = sum(row.state == "published" for row in lost.values())
    return Taken(len(datasets), len(news.rows), gone, tuple(news.refused))


@dataclass
class _News:
    """What is new at a publisher, collected document by document."""

    publisher: str
    prefixes: tuple[str, ...]
    rows: dict[str, PeerRecord] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    refused: list[errors.Finding] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)

    def take(self, document: Told, before: PeerRecord | None) -> None:
        """Look at one document; `before` is what is known of it."""
        if document.iri in self.seen:
            return
        try:
            self._check(document, before)
        except errors.NotValid as error:
            why = " ".join(f"{f.where}: {f.what}" for f in error.findings)
            self.refused.append(errors.Finding(document.iri[:300], f"{error.what} {why}".strip()))
            return
        self.seen.add(document.iri)
        if document.part:
            self.parts.add(document.iri)

    def _check(self, document: Told, before: PeerRecord | None) -> None:
        """Read a document that is not as it was before. Raises `NotValid`."""
        if not document.iri.startswith(self.prefixes):
            raise errors.NotValid(f"It does not belong to {self.publisher}, so it is not believed.")
        sha256, state = digest(document.content), "part" if document.part else "published"
        if before is not None and (before.sha256, before.state) == (sha256, state):
            return
        title = ""
        if document.part:
            read(document.content, document.iri)
        else:
            entry = read_entry(document.content, document.iri, self.publisher)
            self.entries[document.iri], title = entry, entry.title
        self.rows[document.iri] = PeerRecord(
            document.iri, self.publisher, title, document.content, sha256, state, clock.now()
        )


def _write(node: Node, news: _News, before: Mapping[str, PeerRecord], lost: Mapping[str, PeerRecord]) -> None:
    """Keep the records in the database, then the entries in the index."""
    if news.rows or lost:
        with node.store.write() as tx:
            for old in lost.values():
                tx.change(old, state="gone", changed=clock.now())
            for row in list(news.rows.values()):
                _keep(tx, row, before.get(row.id), news)
    if "complete" not in search_index(node).notes():
        rebuild(node)
        return
    drop = [*lost, *(iri for iri in news.rows if iri not in news.entries)]
    if news.entries or drop:
        search_index(node).change([line(entry) for entry in news.entries.values()], drop)


def _keep(tx: Transaction, row: PeerRecord, old: PeerRecord | None, news: _News) -> None:
    """Add a record, or write over what was known of it, but never over the record of another publisher."""
    old = old or tx.get(PeerRecord, row.id)
    if old is None:
        tx.add(row)
    elif old.node != row.node and old.state in KEPT:
        news.refused.append(errors.Finding(row.id, f"{old.node} publishes this already."))
        del news.rows[row.id]
        news.entries.pop(row.id, None)
        news.seen.discard(row.id)
    else:
        tx.change(old, **{k: v for k, v in vars(row).items() if k != "id"})
