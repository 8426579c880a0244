"""Conditions in the finest variables that are known for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from fairnode.disclosure.history import Finer, History
from fairnode.records.result import Condition, Recount, TableSpec

Conditions = Mapping[str, frozenset[str]]
"""Variable -> the codes of it that count."""

_DEEP = 3  # runs of broad bands consist of broad bands, those of fine ones


def finest(condition: Condition, finer: Finer) -> tuple[str, frozenset[str]]:
    """A condition in the finest variable that is known for it: that variable and its codes."""
    opened = {(condition.variable, code) for code in condition.codes}
    for _ in range(_DEEP):
        opened = {
            (variable, code)
            for broad in opened
            for variable, codes in [finer.get(broad, (broad[0], frozenset({broad[1]})))]
            for code in codes
        }
    others = {variable for variable, _ in opened} - {condition.variable}
    return min(others, default=condition.variable), frozenset(code for _, code in opened)


def all_specs(recount: Recount, history: History) -> list[TableSpec]:
    """The tables of this release and of all earlier ones."""
    earlier = [table.spec for release in history.releases for table in release.tables]
    return [*(table.spec for table in recount.tables), *earlier]


def named_codes(recount: Recount, history: History) -> Conditions:
    """Every code of each variable that some filter or table of this or an earlier release names."""
    lines = [*recount.filter, *(line for release in history.releases for line in release.filter)]
    for spec in all_specs(recount, history):
        lines += [
            Condition(axis.variable, frozenset({code})) for axis in spec.dimensions for code in axis.codes
        ]
        lines += [spec.numerator] if spec.numerator else []
    return _together(finest(line, history.finer) for line in lines)


def _together(told: Iterable[tuple[str, frozenset[str]]]) -> Conditions:
    found: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for variable, codes in told:
        found[variable] |= codes
    return found
