"""`commit`: a change, its line and its messages, or none of them."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fairnode import clock
from fairnode.keys import NodeKeys, canonical, commitment, digest
from fairnode.ledger import merkle
from fairnode.records.rows import Head, LedgerLine, Message
from fairnode.store.database import Store, Transaction
from fairnode.store.tables import TABLES, UNGUARDED

Changed = TypeVar("Changed")


@dataclass(frozen=True)
class Entry:
    """What the ledger says of a change: no names of people, no values from data (P21).

    `actor` is an opaque staff id, `policy`, `node`, or the IRI of another node.
    """

    kind: str
    subject: str
    actor: str
    study: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outgoing:
    """A message for another node (or for this one, as the one addressed by its own study)."""

    receiver: str
    kind: str
    study: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Desk:
    """What is needed to commit: the store, the node's keys, and its IRI as sender of messages."""

    store: Store
    keys: NodeKeys
    node: str


def commit(
    desk: Desk,
    change: Callable[[Transaction], Changed],
    entry: Entry | Callable[[Changed], Entry],
    messages: tuple[Outgoing, ...] | Callable[[Transaction, Changed], tuple[Outgoing, ...]] = (),
) -> Changed:
    """Run `change`, append `entry` and post `messages`, in one transaction; what `change` returned.

    Whatever `change` raises undoes everything. `entry` and `messages` may depend on its outcome.
    """
    with desk.store.write() as tx:
        outcome = change(tx)
        line = entry(outcome) if callable(entry) else entry
        for message in messages(tx, outcome) if callable(messages) else messages:
            post(tx, desk, message)
        append(tx, desk.keys, line)
    return outcome


def post(tx: Transaction, desk: Desk, message: Outgoing) -> Message:
    """Put a signed, numbered message into the outbox."""
    body = canonical(dict(message.body))
    draft = Message(0, message.receiver, message.kind, message.study, body, "", clock.now())
    stored = tx.add(draft)
    return tx.change(stored, signature=desk.keys.signing.sign(message_bytes(stored, desk.node)).hex())


def message_bytes(message: Message, sender: str) -> bytes:
    """What the signature of a message covers: sender, receiver, number, kind and body."""
    return canonical(
        {
            "sender": sender,
            "receiver": message.receiver,
            "number": message.id,
            "kind": message.kind,
            "study": message.study,
            "created": message.created,
            "body": digest(message.body),
        }
    )


def append(tx: Transaction, keys: NodeKeys, entry: Entry) -> LedgerLine:
    """Add the next line, with a commitment to every row that the transaction touched, and sign the head."""
    head = tx.last(Head) or Head(0, "", [], "", "")
    at, number = clock.now(), head.id + 1
    body = canonical(
        {
            "number": number,
            "at": at,
            "kind": entry.kind,
            "subject": entry.subject,
            "study": entry.study,
            "actor": entry.actor,
            "facts": dict(entry.facts),
            "rows": row_commitments(tx, keys.secret),
        }
    )
    leaf = merkle.leaf_hash(body)
    line = tx.add(LedgerLine(number, entry.kind, entry.subject, entry.study, body, leaf.hex()))
    peaks = merkle.add_peak([bytes.fromhex(p) for p in head.peaks], head.id, leaf)
    top = merkle.root_of_peaks(peaks).hex()
    signature = keys.signing.sign(head_bytes(number, top, at)).hex()
    tx.add(Head(number, top, [p.hex() for p in peaks], at, signature))
    return line


def head_bytes(size: int, root: str, at: str) -> bytes:
    """What the signature of a head covers."""
    return canonical({"type": "fairnode.head/1", "size": size, "root": root, "at": at})


def row_commitments(tx: Transaction, secret: bytes) -> dict[str, str]:
    """For each row written in this transaction: a keyed hash of what it now holds, `gone` if deleted."""
    told: dict[str, str] = {}
    for kind, key in tx.touched:
        if kind not in UNGUARDED:
            row = tx.get(kind, key)
            told[f"{TABLES[kind].name}/{key}"] = row_commitment(row, secret) if row else "gone"
    return told


def row_commitment(row: object, secret: bytes) -> str:
    """A keyed hash over all fields of a row."""
    return commitment(secret, canonical(_plain(dataclasses.asdict(row))))  # type: ignore[call-overload]


def _plain(value: Any) -> Any:
    """The value as JSON can hold it: bytes in base64."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value
