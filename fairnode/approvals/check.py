"""Is this visit approved, now, as it stands? Asked when a decision comes in, and before every start."""

from __future__ import annotations

from typing import Any

from fairnode import clock, errors
from fairnode.approvals.content import content_hash
from fairnode.approvals.statement import open_statement
from fairnode.node import Node
from fairnode.records.rows import Approval, Person, PersonKey, Visit
from fairnode.records.states import ApprovalState
from fairnode.store.database import Reader
from fairnode.studies.container import check_allowed
from fairnode.studies.processing import check_processing


def valid_approvals(reader: Reader, node: Node, visit: Visit, content: dict[str, object]) -> list[Approval]:
    """The approvals of a visit that are in force for exactly this content: signed, not revoked, in time."""
    given = reader.find(Approval, {"visit": visit.id, "state": ApprovalState.GIVEN, "decision": "approve"})
    return [a for a in given if _in_force(reader, node, a, content)]


def _in_force(reader: Reader, node: Node, approval: Approval, content: dict[str, object]) -> bool:
    """Whether one approval counts: right content, in time, right signatures, by somebody who still may."""
    if approval.content != content_hash(content) or approval.expires <= clock.now():
        return False
    signers: tuple[str, ...] = (node.keys.public,)
    if approval.person:
        person = reader.get(Person, approval.person)
        keys = reader.find(PersonKey, {"person": approval.person, "revoked": ""})
        if person is None or not person.active or approval.role not in person.roles:
            return False
        return any(_signed(approval, content, (*signers, key.public)) for key in keys)
    return _signed(approval, content, signers)


def _signed(approval: Approval, content: dict[str, object], signers: tuple[str, ...]) -> bool:
    """Whether the envelope holds this content and these signatures, and says what the row says."""
    try:
        signed, decision = open_statement(approval.envelope, signers)
    except errors.NotValid:
        return False
    said = (decision.get("decision"), decision.get("role", "policy"), decision.get("person", ""))
    told = ("approve", approval.role, approval.person)
    return content_hash(signed) == content_hash(content) and said == told


def quorum_reached(approvals: list[Approval], quorum: tuple[str, ...]) -> bool:
    """Whether the policy granted, or every role of the quorum approved by a different person."""
    if any(a.role == "policy" and not a.person for a in approvals):
        return True
    return _matched(
        tuple(quorum), {r: {a.person for a in approvals if a.role == r} for r in quorum}, frozenset()
    )


def _matched(roles: tuple[str, ...], people: dict[str, set[str]], used: frozenset[str]) -> bool:
    """Whether each role can be given a person of its own."""
    if not roles:
        return True
    return any(_matched(roles[1:], people, used | {p}) for p in people[roles[0]] - used)


def check_may_be_approved(content: dict[str, Any]) -> None:
    """Raise `NotAllowed` for a content that nobody may approve.

    That are compute parties without an agreed role (P20), and a container's numbers in shares where policy or
    reviews do not allow them (P1).
    """
    try:
        if content["combination"]:
            check_processing(content["combination"]["parties"])
        if content["containerShares"]:
            check_allowed(content["dataset"]["policy"]["terms"]["modifiers"], content["reviews"])
    except errors.NotValid as error:
        raise errors.NotAllowed(error.what, findings=error.findings, to_do=error.to_do) from error


def check_approved(node: Node, visit: Visit, content: dict[str, object]) -> None:
    """Raise `NotAllowed` unless approvals in force for exactly this content reach the quorum."""
    check_may_be_approved(content)
    with node.store.read() as reader:
        found = valid_approvals(reader, node, visit, content)
    if not quorum_reached(found, node.config.settings.quorum):
        raise errors.NotAllowed(
            "The approvals of this visit do not cover what it is now.",
            to_do="Look at what changed, then approve again.",
        )
    now = clock.now()
    if not str(content["notBefore"]) <= now < str(content["notAfter"]):
        raise errors.NotAllowed("The time for which this visit was approved is over.")
