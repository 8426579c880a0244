"""Deleting what a visit put out when the dataset's policy lets it be kept no longer: with a line in the ledger.

What is deleted: the container's bytes, the gate's tables, reasons and counts of them. What was released is public
and stays, and so does what protects it: which cells left, and who stood in them as keyed hashes (P6).
"""

from __future__ import annotations

from fairnode import clock, errors
from fairnode.approvals.statement import open_statement
from fairnode.datasets.description import describe
from fairnode.ledger.commit import Entry, commit
from fairnode.node import Node
from fairnode.policy.terms import PolicyTerms
from fairnode.records.review import Rerun
from fairnode.records.rows import Approval, Dataset, Quarantine, Visit
from fairnode.records.states import ApprovalState, VisitState, ended
from fairnode.store.database import Reader, Transaction
from fairnode.studies.processing import kept_until
from fairnode.visits.steps import fail, move

DELETED = "resultDeleted"
_NEVER = "9999"
_WHY = "The time for which the dataset's policy lets results be kept is over."


def delete_due(node: Node, now: str) -> int:
    """Delete the results whose time is over at `now`; a visit that still needs its own ends. How many there were.

    The stricter counts of what was signed for the visit and what the dataset's record says now.
    """
    with node.store.read() as reader:
        terms = {row.id: describe(row.record, row.iri).terms for row in reader.find(Dataset)}
        visits = [visit for visit in reader.find(Visit) if DELETED not in visit.facts]
        over = [visit for visit in visits if _until(reader, node, visit, terms.get(visit.dataset)) <= now]
    return sum(_deleted(node, visit) for visit in over)


def _deleted(node: Node, visit: Visit) -> bool:
    """Whether it could be; not where the visit moved meanwhile: then it is looked at again."""
    try:
        _delete(node, visit)
    except errors.Conflict:
        return False
    return True


def _until(reader: Reader, node: Node, visit: Visit, recorded: PolicyTerms | None) -> str:
    """From when on the result of a visit may be kept no longer; never, where nothing is said."""
    said = [*([recorded] if recorded else []), *_signed(reader, node, visit)]
    if not any(terms.kept_days or terms.kept_until for terms in said):
        return _NEVER
    result = reader.get(Quarantine, visit.id)
    limits = [until for terms in said if result and (until := kept_until(terms, result.created))]
    return min(limits, default=_NEVER)


def _signed(reader: Reader, node: Node, visit: Visit) -> list[PolicyTerms]:
    """How long the result may be kept, as the approvals of a visit say."""
    given = reader.find(Approval, {"visit": visit.id, "state": ApprovalState.GIVEN, "decision": "approve"})
    kept = [open_statement(row.envelope, (node.keys.public,))[0]["keeping"] for row in given]
    return [PolicyTerms(kept_days=tuple(k["resultDays"]), kept_until=tuple(k["resultUntil"])) for k in kept]


def _delete(node: Node, visit: Visit) -> None:
    """Take away a visit's result, and end it if it is not over."""
    if visit.state is VisitState.REVIEWING:
        visit = move(node, visit, VisitState.EXPIRED, internal=_WHY)
    elif not ended("visit", visit.state):
        visit = fail(node, visit, _WHY)

    def change(tx: Transaction) -> None:
        result = tx.get(Quarantine, visit.id)
        if result is not None:
            left = {"outcome": result.verdict.get("outcome", ""), "deleted": clock.now()}
            tx.change(result, result=b"", sha256="", verdict=left)
        for rerun in tx.find(Rerun, {"visit": visit.id}):
            tx.change(rerun, result=b"")
        tx.change(visit, facts={**visit.facts, DELETED: clock.now()})

    commit(node.desk, change, Entry("result.deleted", visit.id, "node", visit.study))
