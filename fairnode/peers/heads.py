"""Asking the other members for their heads, and for the proof that their ledgers only grew."""

from __future__ import annotations

from dataclasses import dataclass

from fairnode import errors
from fairnode.network.agreement import Member
from fairnode.network.heads import check_grew, kept_head, read_head
from fairnode.network.joined import check_in_force
from fairnode.node import Node
from fairnode.peers.client import PeerClient


@dataclass(frozen=True)
class Witnessed:
    """What became of asking one member. `trouble` is empty when its ledger only grew since the head kept here."""

    name: str
    node: str
    kept: int
    now: int
    trouble: str


def proof_from(client: PeerClient, first: int, second: int) -> list[bytes]:
    """A member's own proof between two of its heads. Raises `Unavailable` when it does not give one."""
    told = client.get("/consistency", first=first, second=second)
    try:
        return [bytes.fromhex(str(step)) for step in told["proof"]]
    except (KeyError, TypeError, ValueError):
        return []


def verify_peers(node: Node) -> list[Witnessed]:
    """Ask every member with a door whether its ledger still begins with what it showed this node before."""
    members = [m for m in check_in_force(node).members if m.node != node.iri and m.endpoint]
    return [_verify(node, member) for member in members]


def _verify(node: Node, member: Member) -> Witnessed:
    """Ask one member."""
    with node.store.read() as reader:
        kept = kept_head(reader, member.node)
    size = kept.size if kept else 0
    try:
        with PeerClient(node, member) as client:
            head = read_head(member, client.get("/head"))
            check_grew(member, kept, head, lambda first, second: proof_from(client, first, second))
    except errors.FairnodeError as error:
        return Witnessed(member.name, member.node, size, 0, error.what)
    return Witnessed(member.name, member.node, size, head.size, "")
