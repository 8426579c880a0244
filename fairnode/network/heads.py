"""Heads of other members' ledgers, kept as witness: who showed one cannot rewrite what lies below it unseen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fairnode import errors
from fairnode.keys import verify
from fairnode.ledger import merkle
from fairnode.ledger.commit import Entry, commit, head_bytes
from fairnode.ledger.shown import shown_heads
from fairnode.network.agreement import Member
from fairnode.node import Node
from fairnode.records.rows import LedgerLine, PeerHead
from fairnode.store.database import Reader

Proof = Callable[[int, int], list[bytes]]
"""The proof that the first `a` lines of a ledger are the beginning of its first `b` lines."""


def own_head(node: Node, reader: Reader) -> dict[str, Any]:
    """The signed head that others are shown, as it travels; empty before the first line."""
    found = shown_heads(reader, node.keys, node.config.settings.release_slot, limit=1)
    return next(
        ({"size": h.id, "root": h.root, "at": h.at, "signature": h.signature} for h in found),
        {},
    )


def own_proof(node: Node, reader: Reader, first: int, second: int) -> list[str]:
    """The proof (hex) that this node's first `first` lines are the beginning of its first `second` ones.

    Raises `NotValid` when no head of so many is shown yet.
    """
    if not 0 < first <= second <= own_head(node, reader).get("size", 0):
        raise errors.NotValid("There are no such heads.")
    leaves = [bytes.fromhex(line.leaf) for line in reader.find(LedgerLine, limit=second)]
    return [step.hex() for step in merkle.consistency_proof(leaves, first)]


def read_head(member: Member, told: Mapping[str, Any]) -> PeerHead:
    """The head that a member shows. Raises `NotValid` unless the member signed it."""
    try:
        size, root, at = int(str(told["size"])), str(told["root"]), str(told["at"])
        signature = bytes.fromhex(str(told["signature"]))
    except (KeyError, ValueError):
        raise errors.NotValid(f"The node of {member.name} shows no signed head.") from None
    if not verify(member.signing, signature, head_bytes(size, root, at)):
        raise errors.NotValid(f"The head that the node of {member.name} shows is not signed by it.")
    return PeerHead(f"{member.node}#{size}", member.node, size, root, at, signature.hex())


def kept_head(reader: Reader, node: str) -> PeerHead | None:
    """The newest head of another node that was kept here."""
    return next(iter(reader.find(PeerHead, {"node": node}, order="-size", limit=1)), None)


def check_grew(member: Member, kept: PeerHead | None, head: PeerHead, proof: Proof) -> None:
    """Raise `NotAllowed` unless the ledger under `head` begins with that under the head that was kept."""
    if kept is None or (kept.size, kept.root) == (head.size, head.root):
        return
    roots = (bytes.fromhex(kept.root), bytes.fromhex(head.root))
    grew = head.size > kept.size and merkle.check_consistency(
        (kept.size, head.size), roots, proof(kept.size, head.size)
    )
    if not grew:
        raise errors.NotAllowed(
            f"The ledger of the node of {member.name} is not the one it showed before: of the {kept.size} lines "
            f"that it signed on {kept.at}, some were changed or taken away.",
            to_do="Ask its auditor. The signed heads that prove it: fairnode ledger heads",
        )


def keep_head(node: Node, member: Member, told: Mapping[str, Any], proof: Proof) -> None:
    """Keep the signed head that a member shows, after proof that its ledger only grew.

    Raises `NotAllowed`, with a ledger line, when the ledger is not the one that it showed before.
    """
    head = read_head(member, told)
    with node.store.read() as reader:
        kept = kept_head(reader, member.node)
    try:
        check_grew(member, kept, head, proof)
    except errors.NotAllowed:
        _note_rewriting(node, member, head)
        raise
    if kept is None or kept.size != head.size:
        commit(
            node.desk,
            lambda tx: tx.add(head),
            Entry("peer.head", member.node, "node", facts={"size": head.size}),
        )


def _note_rewriting(node: Node, member: Member, head: PeerHead) -> None:
    """A ledger line, once a member, with the head that contradicts the one that was kept."""
    kind = "peer.rewrote-its-ledger"
    with node.store.read() as reader:
        if reader.find(LedgerLine, {"kind": kind, "subject": member.node}, limit=1):
            return
    facts = {"size": head.size, "root": head.root, "at": head.at, "signature": head.signature}
    commit(node.desk, lambda _: None, Entry(kind, member.node, "node", facts=facts))
