"""The agreement at this node: kept as received, with the signatures that came in, valid when all are there."""

from __future__ import annotations

from functools import lru_cache

from fairnode import clock, errors
from fairnode.keys import digest, verify
from fairnode.ledger.commit import Entry, commit
from fairnode.network.agreement import Agreement, Member, read_agreement, signed_bytes
from fairnode.node import Node
from fairnode.records.rows import AgreementCopy
from fairnode.store.database import Reader


def sign_agreement(node: Node, content: bytes) -> str:
    """This node's signature (hex) under an agreement of which it is a member."""
    agreement = read_agreement(content)
    check_is_member(node, agreement)
    return node.keys.signing.sign(signed_bytes(agreement.digest, node.iri)).hex()


def check_is_member(node: Node, agreement: Agreement) -> Member:
    """Raise `NotAllowed` unless this node is a member, with the keys that it has."""
    member = agreement.member(node.iri)
    if member is None:
        raise errors.NotAllowed("The agreement does not name this node as a member.")
    if member.signing != node.keys.public or member.sealing != node.keys.sealing_public:
        raise errors.NotAllowed("The agreement names other keys for this node than it has.")
    return member


def join(node: Node, content: bytes, signatures: dict[str, str], actor: str) -> Agreement:
    """Hold an agreement as valid here: every member's signature is there and right.

    Raises `NotValid` naming the members whose signature is missing or wrong, `Conflict` when it expired.
    """
    agreement = read_agreement(content)
    check_is_member(node, agreement)
    check_signed(agreement, signatures)
    if agreement.expires <= clock.now():
        raise errors.Conflict("The agreement has expired.")
    copy = AgreementCopy(agreement.digest, content, signatures, "valid", clock.now())
    with node.store.read() as reader:
        if reader.get(AgreementCopy, copy.id):
            return agreement
        former = reader.find(AgreementCopy, {"state": "valid"})
    commit(
        node.desk,
        lambda tx: ([tx.change(f, state="replaced") for f in former], tx.add(copy)),
        Entry("agreement.joined", agreement.digest, actor, facts={"members": len(agreement.members)}),
    )
    return agreement


def check_signed(agreement: Agreement, signatures: dict[str, str]) -> None:
    """Raise `NotValid` unless every member signed."""
    wrong = [m.name for m in agreement.members if not _signed(agreement, m, signatures.get(m.node, ""))]
    if wrong:
        raise errors.NotValid(
            "Not every member has signed this agreement.",
            findings=tuple(errors.Finding(name, "its signature is missing or wrong") for name in wrong),
            to_do="Each member runs: fairnode network sign AGREEMENT",
        )


def _signed(agreement: Agreement, member: Member, signature: str) -> bool:
    """Whether one member's signature is right."""
    try:
        raw = bytes.fromhex(signature)
    except ValueError:
        return False
    return verify(member.signing, raw, signed_bytes(agreement.digest, member.node))


def current(node: Node) -> Agreement | None:
    """The agreement that is in force here, or None: then this node has no peers."""
    with node.store.read() as reader:
        return current_in(reader)


def current_in(reader: Reader) -> Agreement | None:
    """As `current`, inside a transaction that is open already."""
    copy = reader.one(AgreementCopy, state="valid")
    if copy is None or digest(copy.document) != copy.id:
        return None
    agreement = read_agreement_cached(copy.document)
    return agreement if agreement.expires > clock.now() else None


@lru_cache(maxsize=4)
def read_agreement_cached(content: bytes) -> Agreement:
    """As `read_agreement`; the last ones are remembered, because they are asked for with every message."""
    return read_agreement(content)


def check_in_force(node: Node) -> Agreement:
    """The agreement in force. Raises `Unavailable` where there is none."""
    agreement = current(node)
    if agreement is None:
        raise errors.Unavailable(
            "This node is in no network: it holds no valid agreement.",
            to_do="See: fairnode network --help",
        )
    return agreement
