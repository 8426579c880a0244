"""Handling a message exactly once, however often it is delivered: state, line and note in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fairnode import clock, errors
from fairnode.approvals.decide import receive_answer
from fairnode.approvals.receive import receive_cancel, receive_study
from fairnode.combine import again, announce, asking, compute, contribute, lists, made, standing
from fairnode.combine.ending import party_number
from fairnode.ledger.commit import Entry, commit
from fairnode.network.joined import current_in
from fairnode.node import Node
from fairnode.records.rows import Message, Received, Study
from fairnode.release.receive import receive_release
from fairnode.store.database import Transaction
from fairnode.studies.follow import receive_follow


@dataclass(frozen=True)
class Delivery:
    """One message as it arrived: from which node (IRI, already proven), its number there, and its body."""

    sender: str
    number: int
    kind: str
    study: str
    body: Mapping[str, Any]


Handler = Callable[[Node, Transaction, Delivery], Entry]


def _study(node: Node, tx: Transaction, delivery: Delivery) -> Entry:
    plan, entry = receive_study(node, tx, {**delivery.body, "home": delivery.sender})
    compute.make_receiver_key(node, tx, plan, delivery.sender)
    return entry


def _cancel(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return receive_cancel(tx, delivery.study, delivery.sender, str(delivery.body.get("sentence", "")))


def _answer(node: Node, tx: Transaction, delivery: Delivery) -> Entry:
    sentence = str(delivery.body.get("sentence", ""))
    return receive_answer(node, tx, delivery.study, delivery.sender, sentence)


def _follow(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return receive_follow(tx, delivery.study, delivery.sender, delivery.body)


def _release(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return receive_release(tx, delivery.study, delivery.sender, delivery.body)


def _receiver_key(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return announce.receive_key(tx, delivery.study, delivery.sender, delivery.body)


def _ready(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return announce.receive_ready(tx, delivery.study, delivery.sender, delivery.body)


def _withheld(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return announce.receive_withheld(tx, delivery.study, delivery.sender)


def _made(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return made.receive_made(tx, delivery.study, delivery.sender, delivery.body)


def _linkage(node: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return lists.receive_linkage(node, tx, delivery.study, delivery.sender, delivery.body)


def _combine(node: Node, tx: Transaction, delivery: Delivery) -> Entry:
    entry = contribute.receive_announcement(tx, delivery.study, delivery.sender, delivery.body)
    if party_number(node, current_in(tx)) is not None:
        return compute.receive_announcement(node, tx, delivery.study, delivery.sender, delivery.body)
    return entry


def _share(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return compute.receive_share(tx, delivery.study, delivery.sender, delivery.body)


def _output(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return announce.receive_output(tx, delivery.study, delivery.sender, delivery.body)


def _combined(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return contribute.receive_combined(tx, delivery.study, delivery.sender, delivery.body)


def _question(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return standing.receive_question(tx, delivery.study, delivery.sender, delivery.body)


def _stands(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return asking.receive_stands(tx, delivery.study, delivery.sender, delivery.body)


def _taken_back(node: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return asking.receive_taken_back(node, tx, delivery.study, delivery.sender, delivery.body)


def _deal_again(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    return again.receive_deal_again(tx, delivery.study, delivery.sender, delivery.body)


def _destroyed(_: Node, tx: Transaction, delivery: Delivery) -> Entry:
    entry = standing.receive_destroyed(tx, delivery.study, delivery.sender, delivery.body)
    if tx.get(Study, delivery.study) is not None:
        again.receive_destroyed(tx, delivery.study, delivery.sender, delivery.body)
    return entry


HANDLERS: dict[str, Handler] = {
    "study": _study,
    "cancel": _cancel,
    "answer": _answer,
    "follow": _follow,
    "release": _release,
    "receiver-key": _receiver_key,
    "ready": _ready,
    "withheld": _withheld,
    "made": _made,
    "combine": _combine,
    "linkage": _linkage,
    "share": _share,
    "stands?": _question,
    "stands": _stands,
    "taken-back": _taken_back,
    "deal-again": _deal_again,
    "destroyed": _destroyed,
    "output": _output,
    "combined": _combined,
}


def handle(node: Node, delivery: Delivery) -> bool:
    """Take in a message; False when it was taken in before.

    One that cannot be taken in is noted as refused, so that it is not tried for ever; `Unavailable` is
    raised on, because trying again may help.
    """
    name = f"{delivery.sender}#{delivery.number}"
    with node.store.read() as reader:
        if reader.get(Received, name):
            return False
    note = Received(name, delivery.sender, delivery.number, delivery.kind, clock.now())

    def change(tx: Transaction) -> Entry:
        tx.add(note)
        handler = HANDLERS.get(delivery.kind)
        if handler is None:
            raise errors.NotValid(f"This node does not know messages of kind '{delivery.kind[:40]}'.")
        return handler(node, tx, delivery)

    try:
        commit(node.desk, change, lambda entry: entry)
    except errors.Unavailable:
        raise
    except (errors.FairnodeError, KeyError, ValueError, TypeError, AttributeError) as error:
        why = error.what if isinstance(error, errors.FairnodeError) else f"malformed: {type(error).__name__}"
        entry = Entry("message.refused", name, delivery.sender, delivery.study[:80], {"why": why[:500]})
        commit(node.desk, lambda tx: tx.add(note), entry)
    return True


def take_in(node: Node, sender: str, message: Message) -> bool:
    """Handle a message whose signature was checked; one without a JSON object in it is refused like others."""
    try:
        body = json.loads(message.body)
    except ValueError:
        body = None
    return handle(node, Delivery(sender, message.id, message.kind, message.study, body))


def deliver_own(node: Node) -> int:
    """Hand the messages that this node wrote to itself to their handlers; how many there were."""
    with node.store.read() as reader:
        waiting = reader.find(Message, {"receiver": node.iri, "taken": ""}, limit=100)
    for message in waiting:
        take_in(node, node.iri, message)
        commit(
            node.desk,
            lambda tx, m=message: tx.change(m, taken=clock.now()),  # type: ignore[misc]
            Entry("message.taken", str(message.id), "node", message.study),
        )
    return len(waiting)
