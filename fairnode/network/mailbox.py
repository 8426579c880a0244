"""The mailbox: what waits for a member in this node's outbox, and what this node keeps for those it hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairnode import clock, errors
from fairnode.keys import verify
from fairnode.ledger.commit import Entry, commit, message_bytes
from fairnode.network.agreement import Member
from fairnode.node import Node
from fairnode.records.rows import Hosted, Message, Peer
from fairnode.store.database import Reader

BATCH = 50


def waiting_for(reader: Reader, node: Node, receiver: str, after: int) -> list[dict[str, Any]]:
    """This node's messages for `receiver` with a number above `after`, as they travel."""
    found = reader.find(Message, {"receiver": receiver}, after=after, limit=BATCH)
    return [message_to_json(m, node.iri) for m in found]


def hosted_for(reader: Reader, sender: str, receiver: str, after: int) -> list[dict[str, Any]]:
    """The messages that a hosted member left here for `receiver`."""
    found = reader.find(
        Hosted, {"sender": sender, "receiver": receiver}, order="number", after=after, limit=BATCH
    )
    return [
        {
            "sender": h.sender,
            "receiver": h.receiver,
            "number": h.number,
            "kind": h.kind,
            "study": h.study,
            "created": h.created,
            "body": h.body.decode(),
            "signature": h.signature,
        }
        for h in found
    ]


def message_to_json(message: Message, sender: str) -> dict[str, Any]:
    """A message as it travels: who, to whom, which number, and the signature over all of it."""
    return {
        "sender": sender,
        "receiver": message.receiver,
        "number": message.id,
        "kind": message.kind,
        "study": message.study,
        "created": message.created,
        "body": message.body.decode(),
        "signature": message.signature,
    }


def message_from_json(told: Mapping[str, Any], member: Member) -> Message:
    """A message that `member` signed. Raises `NotValid` when it did not, or the form is another."""
    try:
        message = Message(
            id=int(told["number"]),
            receiver=str(told["receiver"]),
            kind=str(told["kind"]),
            study=str(told["study"]),
            body=str(told["body"]).encode(),
            signature=str(told["signature"]),
            created=str(told["created"]),
        )
        signature = bytes.fromhex(message.signature)
    except (KeyError, ValueError, TypeError) as error:
        raise errors.NotValid("A message does not have the form of a message.") from error
    if told.get("sender") != member.node:
        raise errors.NotValid("A message names another sender than the node that it came from.")
    if not verify(member.signing, signature, message_bytes(message, member.node)):
        raise errors.NotValid("A message is not signed by its sender.")
    return message


def mark_taken(node: Node, receiver: str, through: int) -> int:
    """Note that `receiver` has everything up to number `through`; how many were news."""
    with node.store.read() as reader:
        open_ones = [m for m in reader.find(Message, {"receiver": receiver, "taken": ""}) if m.id <= through]
    if open_ones:
        now = clock.now()
        commit(
            node.desk,
            lambda tx: [tx.change(m, taken=now) for m in open_ones],
            Entry("messages.taken", receiver, receiver, facts={"through": through}),
        )
    return len(open_ones)


def keep_hosted(node: Node, member: Member, told: list[Mapping[str, Any]]) -> int:
    """Keep messages of a member that this node hosts; each only once. Raises `NotValid`, `NotAllowed`."""
    if member.host != node.iri:
        raise errors.NotAllowed("This node does not host your mailbox.")
    kept = 0
    for line in told:
        message = message_from_json(line, member)
        hosted = Hosted(
            id=f"{member.node}#{message.id}",
            sender=member.node,
            number=message.id,
            receiver=message.receiver,
            kind=message.kind,
            study=message.study,
            body=message.body,
            signature=message.signature,
            created=message.created,
        )
        with node.store.write() as tx:
            if tx.get(Hosted, hosted.id) is None:
                tx.add(hosted)
                kept += 1
    return kept


def cursor_of(node: Node, member: str) -> int:
    """The number of the last message of a member that was handled here."""
    with node.store.read() as reader:
        peer = reader.get(Peer, member)
    return peer.cursor if peer else 0


def note_peer(node: Node, member: str, *, cursor: int | None = None, trouble: str = "") -> None:
    """Remember how far a member's outbox was read, and whether it answers."""
    with node.store.write() as tx:
        peer = tx.get(Peer, member)
        if peer is None:
            tx.add(Peer(member, cursor or 0, "" if trouble else clock.now(), trouble))
        else:
            seen = peer.seen if trouble else clock.now()
            tx.change(peer, cursor=peer.cursor if cursor is None else cursor, seen=seen, trouble=trouble)
