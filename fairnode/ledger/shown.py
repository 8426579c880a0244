"""The heads that others are shown: as they stood at the beginning of a time slot, and dated by it.

Each line has its head, and a line is written when a container ends: heads as they are made, or their exact times
afterwards, would tell when that was (P8). So of the present slot nothing is shown, and of earlier ones the
slot's end stands in the place of the moment, signed anew.
"""

from __future__ import annotations

from dataclasses import replace

from fairnode import clock
from fairnode.keys import NodeKeys
from fairnode.ledger.commit import head_bytes
from fairnode.records.rows import Head
from fairnode.store.database import Reader


def shown_heads(
    reader: Reader, keys: NodeKeys, slot: int, *, limit: int, after: int | None = None
) -> list[Head]:
    """At most `limit` heads, largest first, below the size `after`; a slot of one second is none."""
    newest = _newest(reader, slot)
    if newest is None:
        return []
    first = newest.id + 1 if after is None else min(after, newest.id + 1)
    found = reader.find(Head, order="-id", after=first, limit=limit)
    return [_dated(head, keys, slot) for head in found]


def _newest(reader: Reader, slot: int) -> Head | None:
    """The newest head that was there when the present slot began; else the first: that of the node's making.

    One with a time to come was written when the clock was wrong, and may have been shown already.
    """
    if slot <= 1:
        return reader.last(Head)
    now, last = clock.now(), None
    began = clock.slot_began(now, slot)
    while found := reader.find(Head, order="-id", after=last, limit=200):
        for head in found:
            if not began <= head.at <= now:
                return head
        last = found[-1].id
    return reader.get(Head, 1)


def _dated(head: Head, keys: NodeKeys, slot: int) -> Head:
    """The head with the end of its slot as its moment; the first one says nothing that is not known."""
    if slot <= 1 or head.id == 1:
        return head
    at = clock.later(slot, clock.slot_began(head.at, slot))
    return replace(head, at=at, signature=keys.signing.sign(head_bytes(head.id, head.root, at)).hex())
