"""A node that counts for a combined study by itself: the harmonised view, its own recount, no container (P1)."""

from __future__ import annotations

from fairnode import clock, errors
from fairnode.algorithms.own import own_programs
from fairnode.approvals.check import check_approved
from fairnode.approvals.decide import tell_home
from fairnode.gate.step import count_for_combining, read_case
from fairnode.keys import digest
from fairnode.ledger.commit import Entry, commit
from fairnode.node import Node
from fairnode.records.algorithm import TABULATE
from fairnode.records.rows import Quarantine, Visit
from fairnode.records.states import VisitState
from fairnode.store.database import Transaction
from fairnode.visits.context import read_context
from fairnode.visits.steps import view_mark
from fairnode.visits.view import make_view


def tabulates(node: Node, visit: Visit) -> bool:
    """Whether the counts of a visit are made by the node alone."""
    return read_context(node, visit).manifest.node_program == TABULATE


def step_tabulate(node: Node, visit: Visit) -> Visit:
    """Make the view and count it; the counts wait until the combination is announced.

    Raises what making the view raises (a missing column, no rows, ...), `Refused` for counts that may not go in
    (too few persons, P7), and `NotAllowed` for another version of this program; the visit then fails, and why is
    for this node's people.
    """
    context = read_context(node, visit)
    check_approved(node, visit, context.content())
    if context.algorithm.image not in {own.identity for own in own_programs().values()}:
        raise errors.NotAllowed("The study names another version of this program than this node's.")
    snapshot, case = str(make_view(context)["sha256"]), read_case(node, visit)
    quarantine = Quarantine(visit.id, b"", digest(b""), count_for_combining(case, None), clock.now())

    def change(tx: Transaction) -> Visit:
        tx.add(quarantine)
        return tx.change(visit, state=VisitState.READY, snapshot=snapshot, changed=clock.now())

    facts = {"view": view_mark(node, snapshot), "program": context.algorithm.image}
    return commit(node.desk, change, Entry("visit.counted", visit.id, "node", visit.study, facts), tell_home)
