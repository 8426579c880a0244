"""The cells of a table from its line a person and cell, as columns."""
# ruff: noqa: S608 (names in the SQL are quoted and come from a contract whose form was checked)

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

import duckdb

from fairnode.gate.recounts import Columns, columns_of, telling
from fairnode.jobs.everybody import counts_persons
from fairnode.records.result import Key, Kind, RecountedCell, TableSpec, Unit

_CELLS = (
    "cell, sum(rows), count({key}), sum(total), avg(mean), sum(size), {largest}, sum(parts), "
    "sum(rows - parts), count({key}) FILTER (parts > 0), count({key}) FILTER (parts < rows)"
)
# the same where every row counts for one and there are no parts
_COUNTED = (
    "cell, sum(rows), count({key}), sum(rows), 1.0, sum(size), {largest}, sum(rows), 0, count({key}), 0"
)


def count_cells(database: duckdb.DuckDBPyConnection, index: int, spec: TableSpec, *, keyed: bool) -> Columns:
    """Every cell of a table from its table `persons_<index>`, as columns."""
    if keyed and counts_persons(spec):
        return _persons_of(database, index, spec)
    return columns_of(_cells(database, index, spec, keyed=keyed))


def _cells(
    database: duckdb.DuckDBPyConnection, index: int, spec: TableSpec, *, keyed: bool
) -> tuple[RecountedCell, ...]:
    """Every cell of a table from its table `persons_<index>`."""
    select = _CELLS if spec.measure or spec.numerator else _COUNTED
    key = "person" if keyed else "NULL"
    largest = "list_aggregate(max(size, 2), 'list')"
    if spec.unit is Unit.PERSON and not spec.measure:
        largest = "[1.0, if(count(*) > 1, 1.0, 0.0)]"
    rows = database.execute(
        f"SELECT {select.format(key=key, largest=largest)} FROM persons_{index} GROUP BY cell"
    ).fetchall()
    found = {row[0]: row for row in rows}
    return tuple(
        _cell(cell_key, found.get(place), spec, keyed=keyed) for place, cell_key in enumerate(spec.keys())
    )


def _persons_of(database: duckdb.DuckDBPyConnection, index: int, spec: TableSpec) -> Columns:
    """Every cell of a table of numbers of persons, to whom everybody contributes one."""
    size = prod(len(axis.codes) for axis in spec.dimensions)
    rows, persons = [0] * size, [0] * size
    found = database.execute(
        f"SELECT cell, sum(rows)::BIGINT, count(person) FROM persons_{index} GROUP BY cell"
    ).fetchall()
    for place, n, of in found:
        rows[place], persons[place] = n, of
    tops = {"top1": [min(n, 1) for n in persons], "top2": [max(min(n, 2) - 1, 0) for n in persons]}
    return telling({"n": persons, "rows": rows, "persons": persons, "magnitude": persons, **tops})


def _cell(key: Key, row: Sequence[Any] | None, spec: TableSpec, *, keyed: bool) -> RecountedCell:
    """A cell from its row of the grouped table; None means that nobody is in it."""
    _, rows, persons, total, mean, size, top, part_rows, rest_rows, part_persons, rest_persons = row or (
        0, 0, 0, 0.0, None, 0.0, [], 0, 0, 0, 0
    )  # fmt: skip
    if not keyed:
        # Without a key a row is a person only where the view was made with persons as its unit.
        known = spec.unit is Unit.PERSON
        persons, part_persons, rest_persons = (rows, part_rows, rest_rows) if known else (None,) * 3
    by_person = spec.unit is Unit.PERSON
    n = persons if by_person else rows
    numerator = part_persons if by_person else part_rows
    parts = spec.kind is Kind.PROPORTION
    return RecountedCell(
        key=key,
        n=int(n),
        rows=int(rows),
        persons=None if persons is None else int(persons),
        v=_value(spec, n, (total, mean, numerator)),
        magnitude=float(size),
        top1=_nth(top, 0),
        top2=_nth(top, 1),
        numerator=(int(numerator), part_persons) if parts else (0, None),
        complement=(int(n - numerator), n - numerator if by_person else rest_persons) if parts else (0, None),
    )


def _value(spec: TableSpec, n: int, of: tuple[float, float | None, int]) -> float | None:
    """What stands beside n. A mean over persons is the mean of each person's mean."""
    total, mean, numerator = of
    if spec.kind in {Kind.COUNT, Kind.PAIR} or (n == 0 and spec.kind is not Kind.SUM):
        return None
    if spec.kind is Kind.SPREAD:
        return math.sqrt(total / (n - 1)) if n > 1 else 0.0
    if spec.kind is Kind.SUM:
        return float(total)
    if spec.kind is Kind.PROPORTION:
        return numerator / n
    return float(mean or 0.0) if spec.unit is Unit.PERSON else float(total) / n


def _nth(values: Iterable[float], position: int) -> float:
    """The value at `position`, 0 if there are fewer."""
    found = list(values)
    return float(found[position]) if position < len(found) else 0.0
