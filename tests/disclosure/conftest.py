"""A second, slow and simple way to count, and an attacker with everything that was released side by side."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.optimize import linprog

from fairnode.disclosure.rules import RuleSet, load_rules
from fairnode.records.result import (
    Condition,
    Dimension,
    Kind,
    PublicTable,
    Recount,
    RecountedCell,
    RecountedTable,
    Status,
    TableSpec,
    TrueMargin,
    Unit,
)

Row = dict[str, object]
CODES = {"region": ("A", "B", "C"), "year": ("1", "2", "3"), "form": ("s", "l")}


def spec_of(*variables, kind=Kind.COUNT, unit=Unit.REGISTRATION, measure=None, numerator=None, name=None):
    axes = tuple(Dimension(variable, CODES[variable]) for variable in variables)
    table_id = name or f"{kind.value}-{'-'.join(variables) or 'all'}"
    return TableSpec(table_id, kind, unit, "records", axes, measure, numerator)


def meets(row: Row, conditions) -> bool:
    return all(row[c.variable] in c.codes for c in conditions)


def count(rows: list[Row], specs: list[TableSpec], conditions: tuple[Condition, ...] = ()) -> Recount:
    rows = [row for row in rows if meets(row, conditions)]
    tables = tuple(
        RecountedTable(spec, tuple(_cells(rows, spec)), tuple(_margins(rows, spec))) for spec in specs
    )
    return Recount(tables, len({row["person"] for row in rows}), conditions)


def _cells(rows, spec):
    needed = spec.measure or (spec.numerator.variable if spec.numerator else None)
    for key in list(spec.keys()):
        inside = [
            row
            for row in rows
            if all(row[axis.variable] == code for axis, code in zip(spec.dimensions, key, strict=True))
            and (needed is None or row[needed] is not None)
        ]
        yield _cell(key, inside, spec)


def _margins(rows, spec):
    sizes = range(len(spec.dimensions))
    for axes in (axes for size in sizes for axes in itertools.combinations(sizes, size)):
        smaller = replace(spec, dimensions=tuple(spec.dimensions[axis] for axis in axes))
        yield from (TrueMargin(axes, c.key, c.n, c.numerator[0]) for c in _cells(rows, smaller))


def _cell(key, inside, spec):
    by_person = defaultdict(list)
    for row in inside:
        by_person[row["person"]].append(row)
    values = {p: [float(r[spec.measure]) if spec.measure else 1.0 for r in rs] for p, rs in by_person.items()}
    sizes = sorted((sum(map(abs, v)) for v in values.values()), reverse=True)
    person = spec.unit is Unit.PERSON
    if person and not spec.measure:
        sizes = [1.0] * len(sizes)
    n = len(by_person) if person else len(inside)
    v, parts = None, ((0, None), (0, None))
    if spec.kind is Kind.SUM:
        v = sum(map(sum, values.values()), 0.0)
    elif spec.kind is Kind.MEAN and n:
        means = [sum(x) / len(x) for x in values.values()]
        v = sum(means) / n if person else sum(map(sum, values.values())) / n
    elif spec.kind is Kind.PROPORTION:
        yes = [r for r in inside if r[spec.numerator.variable] in spec.numerator.codes]
        no = [r for r in inside if r not in yes]
        people = len({r["person"] for r in yes})
        if person:
            parts = ((people, people), (n - people, n - people))
        else:
            parts = ((len(yes), people), (len(no), len({r["person"] for r in no})))
        v = parts[0][0] / n if n else None
    tops = [*sizes, 0.0, 0.0]
    return RecountedCell(key, n, len(inside), len(by_person), v, sum(sizes), tops[0], tops[1], *parts)


@dataclass(frozen=True)
class Shown:
    """One public table, over rows that meet the conditions, and (for the strong attacker) its true counts."""

    table: PublicTable
    conditions: tuple[Condition, ...]
    recounted: RecountedTable


def attack(releases: list[Shown], k: int, *, exact: bool) -> dict[tuple[int, tuple[str, ...]], float]:
    """How narrowly each hidden cell (release position, key) can be bounded by somebody with all releases.

    Unknown is how many rows there are of each combination of codes, 'not recorded' (None) included. A shown
    cell says how many there are in all its combinations: within rounding and at least k, or exactly.
    """
    # of a variable that no table has as a dimension nobody said that these are all codes
    listed = {axis.variable for shown in releases for axis in shown.table.spec.dimensions}
    more = ((*codes, None) if name in listed else (*codes, None, "other") for name, codes in CODES.items())
    atoms = list(itertools.product(*more))
    names = list(CODES)
    above, below = [], []
    hidden = {}
    for position, shown in enumerate(releases):
        true = {cell.key: cell for cell in shown.recounted.cells}
        for cell in shown.table.cells:
            inside = [_inside(dict(zip(names, atom, strict=True)), cell.key, shown) for atom in atoms]
            for mask, count, told in _told(np.array(inside, float), atoms, cell, true[cell.key], shown):
                if not mask.any():
                    continue  # what contradicts the filter is no secret
                if cell.status is Status.HIDDEN:
                    if told or count < k:
                        hidden[position, (*cell.key, *told)] = mask
                    continue
                low, high = (count, count) if exact else (max(k, cell.n - 2), cell.n + 2)
                above.append((-mask, -low))
                below.append((mask, high))
    rows = above + below
    matrix = np.array([row for row, _ in rows]) if rows else None
    right = np.array([bound for _, bound in rows]) if rows else None
    return {place: _width(mask, matrix, right) for place, mask in hidden.items()}


def _told(mask, atoms, cell, true, shown):
    """The counts that a cell tells or hides, as (combinations, true count, what to call a hidden one).

    Of a hidden proportion only what is small is asked for; of a hidden count everything.
    """
    numerator = shown.table.spec.numerator
    if numerator is None:
        yield mask, true.n, ("n",)
        return
    position = list(CODES).index(numerator.variable)
    recorded = mask * np.array([atom[position] is not None for atom in atoms], float)
    part = mask * np.array([atom[position] in numerator.codes for atom in atoms], float)
    for each, count in ((recorded, true.n), (part, true.numerator[0]), (recorded - part, true.complement[0])):
        if cell.status is Status.SHOWN or count < 11:
            yield each, count, (f"{count} in {int(each.sum())}",)


def _inside(atom, key, shown):
    mine = {axis.variable: code for axis, code in zip(shown.table.spec.dimensions, key, strict=True)}
    return all(atom[v] == code for v, code in mine.items()) and meets(atom, shown.conditions)


def _width(mask, matrix, right):
    ends = []
    for sign in (1, -1):
        found = linprog(sign * mask, A_ub=matrix, b_ub=right, bounds=(0, None), method="highs")
        if found.status == 3:
            return float("inf")
        assert found.status == 0, found.message
        ends.append(sign * found.fun)
    return ends[1] - ends[0]


@pytest.fixture(scope="session")
def rules() -> RuleSet:
    return load_rules()


@pytest.fixture(scope="session")
def counting():
    return count


@pytest.fixture(scope="session")
def attacking():
    return attack


@pytest.fixture(scope="session")
def spec():
    return spec_of


@pytest.fixture(scope="session")
def shown():
    return Shown
