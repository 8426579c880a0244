"""What home is told of a visit after its container ran: at fixed slots, as releases leave, not before (P8).

When a container ends, well or badly, is something that its author chose: told at once, the moment would carry
some twenty bits of whatever it read. Nor does the order in which several are told say which ended first.
"""

from __future__ import annotations

import json

from fairnode import clock
from fairnode.approvals.decide import follow_message
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.node import Node
from fairnode.records.rows import Message, Visit
from fairnode.records.states import ENDED_BY_DATA
from fairnode.release.step import slot_reached
from fairnode.store.database import Reader

LOOK_BACK = 30 * 86400.0  # seconds; a node that was down for longer has been given up by then


def tell_ended(node: Node, told: set[str]) -> int:
    """Tell of every visit that ended without a release and whose slot has come; how many.

    `told` remembers those that need no further look.
    """
    with node.store.read() as reader:
        ended = reader.find(Visit, {"state": ENDED_BY_DATA}, order="changed", after=clock.later(-LOOK_BACK))
    number = 0
    for visit in due_at_slot(node, ended, told):
        with node.store.read() as reader:
            messages = follow_message(reader, visit)
            new = tuple(message for message in messages if not _was_posted(reader, message))
        number += post_new(node, Entry("visit.end-told", visit.id, "node", visit.study), new)
        told.add(visit.id)
    return number


def due_at_slot(node: Node, visits: list[Visit], told: set[str]) -> list[Visit]:
    """Those of which home is to be told now; in an order that has nothing to do with when they ended."""
    now, slot = clock.now(), node.config.settings.release_slot
    due = (visit for visit in visits if visit.id not in told and slot_reached(visit.changed, now, slot))
    return sorted(due, key=lambda visit: visit.id)


def post_new(node: Node, entry: Entry, messages: tuple[Outgoing, ...]) -> int:
    """Post what was not posted before a restart, with a line; 1 if there was something, else 0."""
    if messages:
        commit(node.desk, lambda _: None, entry, messages)
    return min(1, len(messages))


def _was_posted(reader: Reader, message: Outgoing) -> bool:
    """Whether the outbox holds these very words."""
    return any(json.loads(sent.body) == dict(message.body) for sent in sent_alike(reader, message))


def sent_alike(reader: Reader, message: Outgoing) -> list[Message]:
    """What was posted of this kind about the same study to the same node."""
    wanted = {"kind": message.kind, "study": message.study, "receiver": message.receiver}
    return reader.find(Message, wanted)
