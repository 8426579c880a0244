"""A node that dealt: it says that its counts still stand when a compute party asks, or takes them back (P19).

Compute parties ask before they start and before they open. The node reads its data again, with today's consent
and withdrawals. If they are another view by now, or another study of the same data was opened meanwhile with
which this one was not compared (P6), it takes back what it dealt: the parties destroy the shares, and the counts
are made and dealt anew under another attempt and run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fairnode import clock, errors
from fairnode.approvals.check import check_approved
from fairnode.combine.announcement import announcement_digest, attempt_bytes
from fairnode.combine.fresh import Changed, read_again
from fairnode.combine.memory import note_destroyed
from fairnode.gate.refusals import Refused
from fairnode.gate.step import Case, compared_with, count_for_combining, read_case, ready_message
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.network.joined import check_in_force, current_in
from fairnode.node import Node
from fairnode.records.rows import Computation, Earlier, Quarantine, Request, Visit
from fairnode.records.states import VisitState
from fairnode.store.database import Reader, Transaction
from fairnode.studies.combination import party_members
from fairnode.studies.container import container_stage

START, OPEN = "start", "open"


@dataclass(frozen=True)
class Question:
    """A contributor's row with the parties that ask in it, and the visit whose counts were dealt."""

    row: Computation
    visit: Visit


def receive_question(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """A compute party asks whether what was dealt still stands; answered in the next step.

    Raises `NotAllowed` for who is no compute party, `Conflict` about another announcement than the present one.
    """
    agreement = current_in(tx)
    if agreement is None or sender not in {m.node for _, m in party_members(agreement)}:
        raise errors.NotAllowed("Only a compute party asks whether a dealing still stands.")
    row = tx.get(Computation, f"contributor#{study}#{body['stage']}")
    if row is None or row.state == "over" or announcement_digest(row.facts) != str(body["announcement"]):
        raise errors.Conflict("A compute party asks about another dealing than the present one.")
    question = {"nonce": str(body["nonce"])[:64], "step": OPEN if body["step"] == OPEN else START}
    asked = {**row.facts.get("asked", {}), sender: question}
    tx.change(row, facts={**row.facts, "asked": asked}, changed=clock.now())
    return Entry("visit.asked", study, sender, study, {"step": question["step"]})


def open_questions(node: Node) -> list[Question]:
    """What compute parties wait to hear of this node."""
    with node.store.read() as reader:
        rows = [r for r in reader.find(Computation, {"state": ("announced", "taken back")}) if _asked(r)]
        found = [(row, visit) for row in rows if (visit := _visit_of(reader, row)) is not None]
    return [Question(row, visit) for row, visit in found]


def _asked(row: Computation) -> bool:
    return row.id.startswith("contributor#") and bool(row.facts.get("asked"))


def _visit_of(reader: Reader, row: Computation) -> Visit | None:
    """The visit whose counts a contributor's row is about."""
    visits = reader.find(Visit, {"study": row.study})
    return max(visits, key=lambda visit: visit.state == VisitState.SHARED, default=None)


def answer_question(node: Node, question: Question) -> None:
    """Read the data again; say that the dealing stands, or take it back.

    Raises `Unavailable` when the data cannot be read just now: asked again, it is tried again.
    """
    visit = question.visit
    if question.row.state == "taken back" or visit.state != VisitState.SHARED:
        say(node, question, stands=False)
        return
    case = read_case(node, visit)
    with read_again(case.context) as changed:
        with node.store.read() as reader:
            missing = _not_compared(reader, case, question.row.facts)
        if changed is None and not missing and still_approved(case):
            say(node, question, stands=True)
        else:
            take_back(node, case, question.row, recounted(case, changed))


def still_approved(case: Case) -> bool:
    """Whether the approvals still cover the visit: its dataset, bindings or policy may be others by now."""
    try:
        check_approved(case.context.node, case.context.visit, case.context.content())
    except errors.NotAllowed:
        return False
    return True


def _not_compared(reader: Reader, case: Case, facts: Mapping[str, Any]) -> list[str]:
    """Opened tables of these data that the announced computation does not compare changed persons with."""
    if container_stage(case.context.plan) is not None:
        return []
    mine = f"{announcement_digest(facts)}/"
    known = compared_with(reader, case.context.dataset.lineage)
    return [name for name in known if name not in facts["earlier"] and not name.startswith(mine)]


def not_compared(node: Node, case: Case, facts: Mapping[str, Any]) -> list[str]:
    """As `_not_compared`, in a transaction of its own."""
    with node.store.read() as reader:
        return _not_compared(reader, case, facts)


def say(node: Node, question: Question, *, stands: bool) -> None:
    """Answer every party that asked; who was told before opening can have opened from then on."""
    row, told = question.row, announcement_digest(question.row.facts)
    asked: dict[str, dict[str, str]] = row.facts["asked"]
    last = any(each["step"] == OPEN for each in asked.values())

    def change(tx: Transaction) -> None:
        now, visit = tx.get(Computation, row.id), tx.get(Visit, question.visit.id)
        if now is None or announcement_digest(now.facts) != told or visit is None:
            raise errors.Conflict("The combination was announced anew in the meantime.")
        if stands and (now.state != "announced" or visit.state != VisitState.SHARED):
            raise errors.Conflict("The dealing was taken back in the meantime.")
        left = {party: q for party, q in now.facts["asked"].items() if asked.get(party) != q}
        tx.change(now, facts={**now.facts, "asked": left}, changed=clock.now())
        memory = tx.get(Earlier, told) or tx.get(Earlier, question.visit.id)  # of counts, or of a list
        if stands and last and memory is not None:
            tx.change(memory, facts={**memory.facts, "opened": True})

    body = {"stage": row.stage, "announcement": told}
    kind = "stands" if stands else "taken-back"
    messages = tuple(
        Outgoing(party, kind, row.study, body | ({"nonce": q["nonce"], "step": q["step"]} if stands else {}))
        for party, q in sorted(asked.items())
    )
    line = "visit.stands" if stands else "visit.taken-back"
    entry = Entry(line, question.visit.id, "node", row.study, {"parties": len(asked)})
    commit(node.desk, change, entry, messages)


def withhold(node: Node, question: Question, error: errors.FairnodeError) -> None:
    """Take back what was dealt, for good: it cannot be made any more. Why is for this node's people."""
    row, visit, agreement = question.row, question.visit, check_in_force(node)
    reason = f"{error.what} {error.internal}".strip()
    told = {"stage": row.stage, "announcement": announcement_digest(row.facts)}

    def change(tx: Transaction) -> None:
        now = tx.get(Computation, row.id)
        if now is None or now.state == "over" or announcement_digest(now.facts) != told["announcement"]:
            raise errors.Conflict("The combination was announced anew in the meantime.")
        tx.change(now, state="taken back", facts={**now.facts, "asked": {}}, changed=clock.now())
        tx.change(visit, state=VisitState.BLOCKED, internal=reason, changed=clock.now())

    def messages(tx: Transaction, _: None) -> tuple[Outgoing, ...]:
        request = tx.get(Request, visit.study)
        assert request is not None, "the visit came with its study"
        parties = [member.node for _, member in party_members(agreement)]
        withheld = Outgoing(request.home, "withheld", visit.study, {"stage": visit.stage})
        return (*(Outgoing(party, "taken-back", visit.study, told) for party in parties), withheld)

    entry = Entry("visit.blocked", visit.id, "node", visit.study, {"dealt": True})
    commit(node.desk, change, entry, messages)


@dataclass(frozen=True)
class Recounted:
    """What a node would deal now: the snapshot that it is from, and the verdict that holds it.

    No verdict where it may not go in any more; `reason` says why, to this node's people.
    """

    snapshot: str
    verdict: dict[str, Any] | None
    reason: str = ""


def recounted(case: Case, changed: Changed | None) -> Recounted:
    """The counts as they are now: anew where the data have changed."""
    snapshot = changed.snapshot if changed else case.context.visit.snapshot
    try:
        return Recounted(snapshot, _counted(case, changed))
    except (Refused, errors.NotValid, errors.NotAllowed) as error:
        return Recounted(snapshot, None, f"{error.what} {error.internal}".strip())


def take_back(node: Node, case: Case, row: Computation, now_is: Recounted) -> Visit:
    """Take back what was dealt, or would be, for an announcement.

    Where there is something to deal it is dealt anew in the next attempt; else the visit is blocked.
    """
    visit, agreement = case.context.visit, check_in_force(node)
    attempt = int(row.facts["attempt"]) + 1
    signature = node.keys.signing.sign(attempt_bytes(row.study, row.stage, attempt)).hex()
    body = {"stage": row.stage, "announcement": announcement_digest(row.facts), "attempt": attempt}
    body |= {"dataset": case.context.dataset.iri, "signature": signature}

    def change(tx: Transaction) -> Visit:
        now, quarantine = tx.get(Computation, row.id), tx.get(Quarantine, visit.id)
        if now is None or announcement_digest(now.facts) != body["announcement"] or quarantine is None:
            raise errors.Conflict("The combination was announced anew in the meantime.")
        tx.change(now, state="taken back", facts={**now.facts, "asked": {}}, changed=clock.now())
        if now_is.verdict is None:
            return tx.change(visit, state=VisitState.BLOCKED, internal=now_is.reason, changed=clock.now())
        tx.change(quarantine, verdict=now_is.verdict)
        ready = {"state": VisitState.READY} if visit.state != VisitState.READY else {}
        return tx.change(visit, snapshot=now_is.snapshot, changed=clock.now(), **ready)

    def messages(tx: Transaction, after: Visit) -> tuple[Outgoing, ...]:
        request = tx.get(Request, visit.study)
        assert request is not None, "the visit came with its study"
        parties = sorted({m.node for _, m in party_members(agreement)})
        told = [Outgoing(party, "taken-back", visit.study, body) for party in parties]
        if after.state == VisitState.BLOCKED:
            return (*told, Outgoing(request.home, "withheld", visit.study, {"stage": visit.stage}))
        # The home node may be a compute party as well: what it is told as the one is not for the other.
        home = Outgoing(request.home, "deal-again", visit.study, body)
        return (*told, home, ready_message(tx, case, after))

    entry = Entry("visit.taken-back", visit.id, "node", visit.study, {"attempt": attempt})
    return commit(node.desk, change, entry, messages)


def _counted(case: Case, changed: Changed | None) -> dict[str, Any]:
    """The verdict with the counts as they are now. Raises what forbids that they go in."""
    node, visit = case.context.node, case.context.visit
    check_approved(node, visit, case.context.content())
    if changed is not None:
        return count_for_combining(replace(case, context=changed.context), None)
    with node.store.read() as reader:
        quarantine = reader.get(Quarantine, visit.id)
    assert quarantine is not None, "a visit with counts has its quarantine"
    return quarantine.verdict


def receive_destroyed(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """A compute party destroyed the shares of a dealing; if all did so before opening, nothing was opened."""
    agreement = current_in(tx)
    parties = frozenset(m.node for _, m in party_members(agreement)) if agreement else frozenset()
    if sender not in parties:
        raise errors.NotAllowed("Only a compute party says that it destroyed shares.")
    if body["unopened"] is True:
        note_destroyed(tx, str(body["announcement"]), sender, parties)
    return Entry("shares.destroyed", study, sender, study, {"unopened": body["unopened"] is True})
