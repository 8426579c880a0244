"""The rules that look at one cell, or at one line of cells, of a table."""

from __future__ import annotations

from collections import defaultdict
from math import isfinite

from fairnode.disclosure.rules import RuleSet
from fairnode.records.result import Key, Kind, RecountedCell, RecountedTable, TableSpec


def sensitive_cells(table: RecountedTable, rules: RuleSet) -> dict[Key, str]:
    """The cells of a table that may not be shown for their own sake, each with the rule that says so."""
    found = dict.fromkeys(_class_disclosure(table), "class-disclosure")
    for cell in table.cells:
        if rule := cell_rule(cell, table.spec, rules):
            found[cell.key] = rule
    return found


def cell_rule(cell: RecountedCell, spec: TableSpec, rules: RuleSet) -> str | None:
    """The first rule by which this cell is hidden, or None."""
    if below_threshold(cell.rows, cell.persons, rules) or cell.n < rules.k:
        return "threshold"
    if spec.kind is Kind.PROPORTION and any(
        below_threshold(units, persons, rules) for units, persons in (cell.numerator, cell.complement)
    ):
        return "proportion"
    if not isfinite(cell.magnitude):
        return "dominance"  # of what is no number nobody can say who makes up how much of it
    if spec.measure and cell.magnitude == 0:
        return "class-disclosure"  # they all have the same value: nothing, or of a spread what the mean tells
    if spec.kind is Kind.PAIR and below_threshold(*cell.complement, rules):
        return "pair"
    if cell.top1 + cell.top2 > rules.number("dominance.share") * cell.magnitude:
        return "dominance"
    if cell.magnitude - cell.top1 - cell.top2 < rules.number("p-percent.p") * cell.top1:
        return "p-percent"
    return None


def below_threshold(rows: int, persons: int | None, rules: RuleSet) -> bool:
    """Whether a group is too small. Without a person key, rows stand for persons at a discount (P4)."""
    if persons is None:
        return rows < threshold(rules, keyed=False)
    return min(rows, persons) < rules.k


def threshold(rules: RuleSet, *, keyed: bool) -> int:
    """The smallest count shown: k of persons, or a multiple of it where rows may repeat a person."""
    return rules.k if keyed else rules.k * rules.count("threshold.rows_per_person")


def _class_disclosure(table: RecountedTable) -> set[Key]:
    """Cells that hold everybody of their line along a sensitive dimension that has more than one code."""
    found: set[Key] = set()
    for position, dimension in enumerate(table.spec.dimensions):
        if not dimension.sensitive or len(dimension.codes) < 2:
            continue
        lines: defaultdict[Key, list[RecountedCell]] = defaultdict(list)
        for cell in table.cells:
            lines[cell.key[:position] + cell.key[position + 1 :]].append(cell)
        for line in lines.values():
            filled = [cell for cell in line if cell.rows > 0]
            if len(filled) == 1:
                found.add(filled[0].key)
    return found
