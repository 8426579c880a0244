"""Telling home of visits that ended without a release: at fixed slots, as releases leave, and not before (P8).

When a container failed is something that its author chose: told at once, the moment would carry some twenty
bits of whatever it read.
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
    """Tell of every visit whose slot has come; how many. `told` remembers those that need no further look."""
    with node.store.read() as reader:
        ended = reader.find(Visit, {"state": ENDED_BY_DATA}, order="changed", after=clock.later(-LOOK_BACK))
    now, slot, number = clock.now(), node.config.settings.release_slot, 0
    for visit in ended:
        if visit.id not in told and slot_reached(visit.changed, now, slot):
            number += _tell(node, visit)
            told.add(visit.id)
    return number


def _tell(node: Node, visit: Visit) -> int:
    """Post the message, unless that was done before a restart."""
    with node.store.read() as reader:
        messages = follow_message(reader, visit)
        new = tuple(message for message in messages if not _was_posted(reader, message))
    if not new:
        return 0
    commit(node.desk, lambda _: None, Entry("visit.end-told", visit.id, "node", visit.study), new)
    return 1


def _was_posted(reader: Reader, message: Outgoing) -> bool:
    """Whether the outbox holds these very words."""
    wanted = {"kind": message.kind, "study": message.study, "receiver": message.receiver}
    return any(json.loads(sent.body) == dict(message.body) for sent in reader.find(Message, wanted))
