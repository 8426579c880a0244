"""Keeping the records of other nodes, as received; what cannot be read is left out, and nothing else suffers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairnode import clock, errors
from fairnode.datasets.description import describe
from fairnode.keys import digest
from fairnode.node import Node
from fairnode.records.rows import PeerRecord
from fairnode.store.database import Transaction

LARGEST_RECORD = 2 * 1024 * 1024
MOST_RECORDS = 10_000


def keep_records(node: Node, publisher: str, told: list[Mapping[str, Any]]) -> int:
    """Replace what this node knows of the records at `publisher` (a node's IRI) by `told`; how many are kept.

    A record whose IRI is not below the publisher's own is not believed.
    """
    wanted = [r for r in told[:MOST_RECORDS] if str(r.get("iri", "")).startswith(f"{publisher}/")]
    fresh = {row.id: row for line in wanted if (row := _row(publisher, line)) is not None}
    with node.store.write() as tx:
        for old in tx.find(PeerRecord, {"node": publisher}):
            if old.id not in fresh and old.state != "gone":
                tx.change(old, state="gone", changed=clock.now())
        for row in fresh.values():
            _keep(tx, row)
    return len(fresh)


def _row(publisher: str, told: Mapping[str, Any]) -> PeerRecord | None:
    """One record, or None when this node cannot make sense of it."""
    content, iri = str(told.get("record", "")).encode(), str(told["iri"])
    if len(content) > LARGEST_RECORD:
        return None
    try:
        description = describe(content, iri)
    except errors.FairnodeError:
        return None
    title = description.dataset.title[:300]
    return PeerRecord(iri, publisher, title, content, digest(content), "published", clock.now())


def _keep(tx: Transaction, row: PeerRecord) -> None:
    """Add a record, or write over what was known of it."""
    old = tx.get(PeerRecord, row.id)
    if old is None:
        tx.add(row)
    elif (old.sha256, old.state) != (row.sha256, row.state):
        tx.change(old, **{k: v for k, v in vars(row).items() if k != "id"})
