"""What one requester may have of one lineage: so many visits in so many days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from fairnode.disclosure.rules import RuleSet


@dataclass(frozen=True)
class Spent:
    """One visit that was charged: to whom, and on which day."""

    requester: str
    day: date


def has_budget(requester: str, today: date, spent: Iterable[Spent], rules: RuleSet) -> bool:
    """Whether `requester` may have one more visit of the lineage that `spent` is about."""
    since = today - timedelta(days=rules.count("budget.days"))
    had = [each for each in spent if each.requester == requester and since < each.day <= today]
    return len(had) < rules.count("budget.releases")
