"""The requester's budget: charged before the run, in the transaction that lets it begin.

Charged is what runs, not what leaves: that a visit was blocked, or failed, is a bit about the data too (P2).
A question that was answered before is given back, because it gets the stored answer and tells nothing new.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from fairnode import clock, errors
from fairnode.disclosure.budget import Spent, has_budget
from fairnode.disclosure.rules import RuleSet
from fairnode.records.charge import Charge
from fairnode.store.database import Reader, Transaction
from fairnode.studies.container import cost
from fairnode.studies.privacy import check_installed, privacy_of
from fairnode.visits.context import VisitContext


class BudgetSpent(errors.FairnodeError):
    """The requester had what they may have of these data for now."""

    code = "budget"
    title = "The budget is used up"
    http_status = 403
    exit_code = 7


def charge(tx: Transaction, context: VisitContext) -> None:
    """Count a visit against its requester's budget; once, however often it is asked.

    Raises `BudgetSpent`. Writers take turns, so that of two visits at the last place one is refused.
    """
    if tx.get(Charge, context.visit.id) is not None:
        return
    lineage = context.dataset.lineage
    requester = str(context.plan.document["requester"]["organisation"])
    today = datetime.now(UTC).date()
    rules = context.node.rules
    if not has_budget(requester, today, spent_of(tx, lineage), rules):
        raise BudgetSpent(rules.explain("budget"))
    cost = _privacy_loss(tx, context, rules)
    tx.add(Charge(context.visit.id, lineage, requester, today.isoformat(), cost, clock.now()))


def _privacy_loss(tx: Transaction, context: VisitContext, rules: RuleSet) -> int:
    """What the noise of a visit costs (thousandths of epsilon), 0 where there is none. Raises `BudgetSpent`.

    It is one budget for everybody and for ever: noise wears off however many people share what they got.
    """
    terms, asked = privacy_of(context.plan, context.visit.stage), cost(context.plan)
    if terms is not None:
        check_installed()
        asked = terms.epsilon
    if not asked:
        return 0
    spent = sum(row.epsilon for row in tx.find(Charge, {"lineage": context.dataset.lineage}))
    if spent + asked > round(rules.number("privacy-loss.epsilon") * 1000):
        raise BudgetSpent(rules.explain("privacy-loss"))
    return asked


def give_back(tx: Transaction, visit_id: str) -> None:
    """Take a visit's charge away again."""
    known = tx.get(Charge, visit_id)
    if known is not None:
        tx.remove(known)


def spent_of(reader: Reader, lineage: str) -> list[Spent]:
    """What was charged for a lineage, to anybody."""
    rows = reader.find(Charge, {"lineage": lineage})
    return [Spent(row.requester, date.fromisoformat(row.day)) for row in rows]
