"""The inbox: what waits for people, and what they can do with it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any

from fairnode import clock, errors
from fairnode.approvals.check import check_may_be_approved, quorum_reached, valid_approvals
from fairnode.approvals.content import approval_content, content_hash
from fairnode.approvals.statement import Signer, open_statement, sign_statement, statement
from fairnode.ledger.commit import Entry, Outgoing, commit, post
from fairnode.network.joined import current_in
from fairnode.node import Node
from fairnode.records.rows import Algorithm, Approval, Dataset, PeerRecord, Person, Request, Role, Visit
from fairnode.records.states import ENDED_BY_DATA, ApprovalState, PublicState, VisitState, public_state
from fairnode.store.database import Reader, Transaction
from fairnode.studies.document import read_study_bytes

SHORTEST_NAME = 8
"""Of the beginning of a visit's name that stands for the whole."""
DECIDING = (Role.CUSTODIAN, Role.COUNSEL)


@dataclass(frozen=True)
class Item:
    """One visit as the people who decide see it.

    `content` is what would be signed, `content_hash` names it, `needed` are the roles still to approve.
    """

    visit: Visit
    study: dict[str, Any]
    content: dict[str, Any]
    content_hash: str
    decisions: tuple[Approval, ...]
    needed: tuple[str, ...]


def inbox(node: Node) -> list[Visit]:
    """The visits that wait for people, longest waiting first."""
    with node.store.read() as reader:
        return reader.find(Visit, {"state": (VisitState.WAITING, VisitState.ASKED_BACK)}, order="created")


def whole_name(node: Node, beginning: str) -> str:
    """The name of the one visit that begins like this (eight characters or more); else what was given."""
    if len(beginning) < SHORTEST_NAME:
        return beginning
    with node.store.read() as reader:
        if reader.get(Visit, beginning) is not None:
            return beginning
        alike = [visit.id for visit in reader.find(Visit) if visit.id.startswith(beginning)]
    return alike[0] if len(alike) == 1 else beginning


def item(node: Node, visit_id: str) -> Item:
    """All there is to know for a decision on a visit. Raises `NotFound`."""
    with node.store.read() as reader:
        return read_item(reader, node, visit_id)


def read_item(reader: Reader, node: Node, visit_id: str) -> Item:
    """As `item`, inside a transaction that is open already."""
    visit = reader.get(Visit, visit_id)
    request = reader.get(Request, visit.study) if visit else None
    dataset = reader.get(Dataset, visit.dataset) if visit else None
    algorithm = reader.get(Algorithm, visit.algorithm) if visit else None
    if visit is None or request is None or dataset is None or algorithm is None:
        raise errors.NotFound("There is no such visit here.", to_do="List what waits: fairnode inbox list")
    plan = read_study_bytes(request.document)
    content = approval_content(node, visit, plan, dataset, algorithm)
    approvals = valid_approvals(reader, node, visit, content)
    given = {a.role for a in approvals}
    done = quorum_reached(approvals, node.config.settings.quorum)
    needed = () if done else tuple(r for r in node.config.settings.quorum if r not in given)
    decisions = tuple(reader.find(Approval, {"visit": visit.id}, order="created"))
    return Item(visit, plan.document, content, content_hash(content), decisions, needed)


def as_signed(node: Node, found: Item) -> Item:
    """The item with what was signed for in place of what is there now, once its visit no longer waits.

    Raises `NotValid` for an approval that this node did not countersign.
    """
    given = [d for d in found.decisions if d.decision == "approve" and d.state == ApprovalState.GIVEN]
    if found.visit.state in (VisitState.WAITING, VisitState.ASKED_BACK) or not given:
        return found
    content, _ = open_statement(given[-1].envelope, (node.keys.public,))
    return replace(found, content=content, content_hash=given[-1].content)


def known_names(node: Node) -> dict[str, str]:
    """The names of the network's organisations, and of the datasets known here, by their IRIs."""
    with node.store.read() as reader:
        agreement = current_in(reader)
        datasets = {row.iri: row.title for row in reader.find(Dataset)}
        datasets |= {row.id: row.title for row in reader.find(PeerRecord)}
    members = {m.organisation: m.name for m in agreement.members} if agreement else {}
    return {f"{node.iri}/organisation": node.config.organisation.name, **members, **datasets}


def check_may_decide(node: Node, person: Person, found: Item, role: str) -> None:
    """Raise `NotAllowed` unless `person` may decide on this visit in `role`."""
    if not person.active or role not in person.roles or role not in DECIDING:
        raise errors.NotAllowed("Only the custodian and counsel decide, each in their own role.")
    if role not in node.config.settings.quorum:
        raise errors.NotAllowed(f"At this node no decision of the role '{role}' is asked for.")
    requester = found.study["requester"]
    if requester["id"] == person.id:
        raise errors.NotAllowed("Nobody decides on what they asked for themselves.")
    if any(
        a.person == person.id
        and a.role != role
        and a.state == ApprovalState.GIVEN
        and a.decision == "approve"
        for a in found.decisions
    ):
        raise errors.NotAllowed("One person cannot fill two roles of the quorum; another person must decide.")


def may_decide(node: Node, person: Person, found: Item, role: str) -> bool:
    """Whether `check_may_decide` lets the person decide."""
    try:
        check_may_decide(node, person, found, role)
    except errors.NotAllowed:
        return False
    return True


def approve(node: Node, signer: Signer, visit_id: str, content: str, role: str, note: str = "") -> Visit:
    """Sign for exactly the content whose hash the person saw; the last role needed approves the visit.

    Raises `Conflict` when the content is another by now or the visit no longer waits, `NotAllowed` when the
    person may not decide.
    """

    def change(tx: Transaction) -> Visit:
        found = read_item(tx, node, visit_id)
        check_may_decide(node, _person(tx, signer), found, role)
        if found.visit.state != VisitState.WAITING:
            raise errors.Conflict(f"This visit does not wait for approval; it is '{found.visit.state}'.")
        if found.content_hash != content:
            raise errors.Conflict(
                "What would run is no longer what you saw.", to_do="Read it again, then decide."
            )
        check_may_be_approved(found.content)
        if found.visit.expires <= clock.now():
            raise errors.Conflict("The time for approving this visit is over.")
        if role not in found.needed:
            raise errors.Conflict(f"The role '{role}' has approved this already.")
        tx.add(_signed(node, signer, found, role, "approve", note))
        reached = not read_item(tx, node, visit_id).needed
        return _to(tx, found.visit, VisitState.APPROVED) if reached else found.visit

    return commit(
        node.desk,
        change,
        lambda v: Entry(
            "visit.approved", v.id, signer.person.id, v.study, {"role": role, "content": content}
        ),
        tell_home,
    )


def refuse(node: Node, signer: Signer, visit_id: str, role: str, sentence: str) -> Visit:
    """Refuse a visit; `sentence` is what the researcher reads."""
    return _decide(node, signer, visit_id, _Step(VisitState.REFUSED, "refuse", role, sentence))


def ask_back(node: Node, signer: Signer, visit_id: str, role: str, question: str) -> Visit:
    """Ask the researcher something before deciding."""
    return _decide(node, signer, visit_id, _Step(VisitState.ASKED_BACK, "ask back", role, question))


@dataclass(frozen=True)
class _Step:
    """A decision that needs one person only."""

    state: VisitState
    decision: str
    role: str
    sentence: str


def _decide(node: Node, signer: Signer, visit_id: str, step: _Step) -> Visit:
    """Sign and take a step that one person can take alone."""
    if not step.sentence.strip():
        raise errors.NotValid("Say why, in a sentence that the researcher can read.")

    def change(tx: Transaction) -> Visit:
        found = read_item(tx, node, visit_id)
        check_may_decide(node, _person(tx, signer), found, step.role)
        tx.add(_signed(node, signer, found, step.role, step.decision, step.sentence))
        return _to(tx, found.visit, step.state, step.sentence)

    return commit(
        node.desk,
        change,
        lambda v: Entry(f"visit.{step.state.value}", v.id, signer.person.id, v.study, {"role": step.role}),
        tell_home,
    )


def receive_answer(node: Node, tx: Transaction, study: str, sender: str, sentence: str) -> Entry:
    """The researcher answered what was asked back about a study: its visits here wait for people again.

    Raises `NotAllowed` when another node than the study's home says so.
    """
    request = tx.get(Request, study)
    if request is None or request.home != sender:
        raise errors.NotAllowed("Only a study's home node answers for it.")
    asked = tx.find(Visit, {"study": study, "state": VisitState.ASKED_BACK})
    for visit in asked:
        for message in tell_home(tx, _to(tx, visit, VisitState.WAITING, sentence[:1000])):
            post(tx, node.desk, message)
    return Entry("visit.answered", study, sender, study, {"visits": len(asked)})


def revoke(node: Node, signer: Signer, visit_id: str, role: str, sentence: str) -> Visit:
    """Take back an approval: before the start the visit waits again, after it the visit is withdrawn."""

    def change(tx: Transaction) -> Visit:
        found = read_item(tx, node, visit_id)
        own = [
            a
            for a in found.decisions
            if a.person == signer.person.id
            and a.role == role
            and a.state == ApprovalState.GIVEN
            and a.decision == "approve"
        ]
        if not own:
            raise errors.Conflict("You have no approval of this visit to take back.")
        for approval in own:
            tx.change(approval, state=ApprovalState.REVOKED, note=sentence)
        if found.visit.state == VisitState.WAITING:
            return found.visit
        after = VisitState.WAITING if found.visit.state == VisitState.APPROVED else VisitState.WITHDRAWN
        return _to(tx, found.visit, after, sentence)

    return commit(
        node.desk,
        change,
        lambda v: Entry("visit.revoked", v.id, signer.person.id, v.study, {"role": role}),
        tell_home,
    )


def tell_home(reader: Reader, visit: Visit) -> tuple[Outgoing, ...]:
    """The message to the study's home node: the state that outsiders see, and the sentence for them.

    Only when that state changes, and no end that may depend on the data: a message more, or its moment, would
    tell how long a container ran, its own or the one before it in the line. So "running" is told with the
    approval, and those ends at slots (`fairnode.release.ended`).
    """
    first = visit.state == VisitState.APPROVED
    if visit.state in ENDED_BY_DATA or (public_state(visit.state) is PublicState.RUNNING and not first):
        return ()
    return follow_message(reader, visit)


def follow_message(reader: Reader, visit: Visit) -> tuple[Outgoing, ...]:
    """The message about where a visit stands, as outsiders see it."""
    request, dataset = reader.get(Request, visit.study), reader.get(Dataset, visit.dataset)
    if request is None or dataset is None:
        return ()
    spoken = visit.sentence if visit.state in (VisitState.REFUSED, VisitState.ASKED_BACK) else ""
    body = {
        "dataset": dataset.iri,
        "stage": visit.stage,
        "state": public_state(visit.state).value,
        "sentence": spoken,
    }
    return (Outgoing(request.home, "follow", visit.study, body),)


def _person(reader: Reader, signer: Signer) -> Person:
    """Who signs. Raises `NotAllowed` for somebody unknown here."""
    person = reader.get(Person, signer.person.id)
    if person is None:
        raise errors.NotAllowed("Only people of this node decide here.")
    return person


def _to(tx: Transaction, visit: Visit, state: VisitState, sentence: str = "") -> Visit:
    """The visit in its next state."""
    return tx.change(visit, state=state, sentence=sentence, changed=clock.now())


def _signed(node: Node, signer: Signer, found: Item, role: str, decision: str, note: str) -> Approval:
    """The signed row of a decision."""
    at = clock.now()
    told = {"decision": decision, "by": "person", "person": signer.person.id, "role": role, "at": at}
    if note:
        told["note"] = note
    payload = statement(found.content, told)
    return Approval(
        id=secrets.token_hex(10),
        visit=found.visit.id,
        person=signer.person.id,
        role=role,
        decision=decision,
        content=found.content_hash,
        envelope=sign_statement(payload, signer, node.keys),
        state=ApprovalState.GIVEN,
        note=note,
        created=at,
        expires=found.visit.expires,
    )
