"""Telling home that a node's part of a combination is there: at slots, as all that is told after a container ran.

When a container ended is something that its author chose (P8), and the counts are ready a moment later.
"""

from __future__ import annotations

import json
from contextlib import suppress

from fairnode import errors
from fairnode.combine.lists import has_list, list_ready
from fairnode.gate.step import read_case, ready_message
from fairnode.ledger.commit import Entry, Outgoing
from fairnode.node import Node
from fairnode.records.rows import Visit
from fairnode.records.states import VisitState
from fairnode.release.ended import due_at_slot, post_new, sent_alike
from fairnode.store.database import Reader
from fairnode.visits.steps import fail


def tell_ready(node: Node, told: set[str]) -> int:
    """Tell of every visit whose counts or keys wait to be combined and whose slot has come; how many.

    `told` remembers those that need no further look. A combination begins when the last of them is told.
    """
    with node.store.read() as reader:
        ready = reader.find(Visit, {"state": VisitState.READY})
    number = 0
    for visit in due_at_slot(node, ready, told):
        try:
            message = _message(node, visit)
        except (errors.NotFound, errors.NotValid) as error:
            # withdrawn, or described anew: it ends this visit only
            with suppress(errors.Conflict):
                fail(node, visit, str(error))
            continue
        with node.store.read() as reader:
            new = () if _was_said(reader, message) else (message,)
        number += post_new(node, Entry("visit.ready-told", visit.id, "node", visit.study), new)
        told.add(visit.id)
    return number


def _message(node: Node, visit: Visit) -> Outgoing:
    """The message that a visit's counts, or the keys of its list, are there."""
    if has_list(node, visit):
        return list_ready(node, visit)
    case = read_case(node, visit)
    with node.store.read() as reader:
        return ready_message(reader, case, visit)


def _was_said(reader: Reader, message: Outgoing) -> bool:
    """Whether the outbox holds a message like this one, about the same dataset and stage."""
    about = {key: message.body[key] for key in ("dataset", "stage")}
    return any(about.items() <= json.loads(sent.body).items() for sent in sent_alike(reader, message))
