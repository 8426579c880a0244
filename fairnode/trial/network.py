"""A mock network: one algorithm on several twins, and the table that a combined study would open.

The rule by which compute parties open cells (P4) is applied to the twins' counts in clear, with the same code
that the tests hold the programs under sharing against; each hidden cell says who could have worked out what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any

from fairnode import errors
from fairnode.disclosure.rules import RuleSet, load_rules
from fairnode.mpc.openings.rule import (
    DISJOINT,
    OVERLAPPING,
    allowed,
    bound,
    check_contributors,
    coalitions,
    rounded,
)
from fairnode.trial.report import MOST_LINES, Trial, words

PARTIES = 3


@dataclass(frozen=True)
class CombinedCell:
    """A cell of the combined table: its rounded total, or None for hidden, and why."""

    table: str
    key: tuple[str, ...]
    n: int | None
    why: str = ""


@dataclass(frozen=True)
class NetworkTrial:
    """What came of each twin, and of all together; `trouble` says why nothing could be combined."""

    trials: tuple[Trial, ...]
    cells: tuple[CombinedCell, ...] = field(default_factory=tuple)
    trouble: str = ""
    rule: str = ""

    @property
    def passes(self) -> bool:
        """Whether all ran as they must and a table came of it."""
        return not self.trouble


def combine_trials(trials: Sequence[Trial]) -> NetworkTrial:
    """The table that all twins together would give, by the rule for combined studies."""
    trouble = _trouble(trials)
    if trouble:
        return NetworkTrial(tuple(trials), trouble=trouble)
    rules, tables = load_rules(), trials[0].tables["tables"]
    persons = all(table["unit"] == "person" for table in tables)
    least = bound(rules.k, DISJOINT if persons else OVERLAPPING)
    cells = tuple(
        _cell((table["id"], key), [trial.counted[place][index] for trial in trials], least, rules)
        for place, table in enumerate(tables)
        for index, key in enumerate(product(*(axis["codes"] for axis in table["dimensions"])))
    )
    counts = "persons" if persons else "registrations, of which nobody is assumed to have more than two"
    rule = f"A cell is opened from {least} on ({counts}), with {PARTIES} compute parties."
    return NetworkTrial(tuple(trials), cells, rule=rule)


def _trouble(trials: Sequence[Trial]) -> str:
    """Why these cannot be combined; empty when they can."""
    failed = [trial.dataset for trial in trials if not trial.counted]
    if failed:
        return f"On {', '.join(failed)} the gate took no table, so nothing is combined."
    tables = trials[0].tables["tables"]
    if any(table["kind"] != "count" for table in tables):
        return "Only counts are combined; these tables are released at each organisation by itself."
    shapes = [[table["dimensions"] for table in trial.tables["tables"]] for trial in trials]
    if any(shape != shapes[0] for shape in shapes):
        return "The datasets have different codes, such as other years: a filter makes their tables alike."
    try:
        check_contributors(len(trials), PARTIES)
    except errors.NotValid as error:
        return error.what
    return ""


def _cell(
    where: tuple[str, tuple[str, ...]], values: Sequence[int], least: int, rules: RuleSet
) -> CombinedCell:
    """One cell, opened or hidden."""
    table, key = where
    if allowed(values, [], least, PARTIES):
        return CombinedCell(table, key, rounded(sum(values), rules.count("rounding.base")))
    return CombinedCell(table, key, None, _why(values, least))


def _why(values: Sequence[int], least: int) -> str:
    """Why a cell is hidden. Tells counts, which are those of synthetic rows."""
    total = sum(values)
    if total < least:
        return f"the total of {total} is below {least}"
    for who in coalitions(len(values), PARTIES):
        rest = total - sum(values[i] for i in who)
        if 0 < rest < least:
            names = " and ".join(f"dataset {i + 1}" for i in who)
            return f"{names} could take off their own and be left with {rest} of the others"
    return "hidden by the rule"


def to_json(found: NetworkTrial) -> dict[str, Any]:
    """The report for machines."""
    return {"passes": found.passes, **asdict(found)}


def in_words(found: NetworkTrial) -> str:
    """The report for people."""
    return "\n".join(_lines(found))


def _lines(found: NetworkTrial) -> Iterator[str]:
    for number, trial in enumerate(found.trials, 1):
        yield f"Dataset {number}: {words(trial)}"
    if found.trouble:
        yield f"Together: {found.trouble}"
        return
    shown = [cell for cell in found.cells if cell.n is not None]
    hidden = [cell for cell in found.cells if cell.n is None]
    yield f"Together: {len(shown)} cells would be opened, {len(hidden)} hidden. {found.rule}"
    yield from (f"  {cell.table} {', '.join(cell.key)}: {cell.n}" for cell in shown[:MOST_LINES])
    yield from (f"  {cell.table} {', '.join(cell.key)}: hidden, {cell.why}" for cell in hidden[:MOST_LINES])
    if max(len(shown), len(hidden)) > MOST_LINES:
        yield "  ... --json lists all."
