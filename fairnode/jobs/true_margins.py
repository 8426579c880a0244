"""The margins of a table counted from the rows: by these, tables that share some dimensions are linked."""
# ruff: noqa: S608 (names in the SQL are quoted and come from a contract whose form was checked)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, product

import duckdb

from fairnode.records.result import Kind, TableSpec, TrueMargin, Unit

Source = Callable[[TableSpec], str]


def true_margins(
    database: duckdb.DuckDBPyConnection, spec: TableSpec, source: Source, *, keyed: bool
) -> tuple[TrueMargin, ...]:
    """Every margin over fewer than all dimensions; `source` gives the SQL for the rows of a table."""
    sizes = range(len(spec.dimensions))
    return tuple(
        margin
        for size in sizes
        for axes in combinations(sizes, size)
        for margin in _margins_over(database, spec, axes, (source, keyed))
    )


def _margins_over(
    database: duckdb.DuckDBPyConnection, spec: TableSpec, axes: tuple[int, ...], how: tuple[Source, bool]
) -> list[TrueMargin]:
    """The margin of each combination of codes of the dimensions at `axes`."""
    source, keyed = how
    smaller = replace(spec, dimensions=tuple(spec.dimensions[axis] for axis in axes))
    by_person = keyed and spec.unit is Unit.PERSON
    unit = "DISTINCT person" if by_person else "*"
    part = f"count({unit}) FILTER (part)" if spec.kind is Kind.PROPORTION else "0"
    names = "".join(f"d{i}, " for i in range(len(axes)))
    rows = database.execute(
        f"SELECT {names}count({unit}), {part} FROM ({source(smaller)}) "
        "WHERE c IS NOT NULL AND part IS NOT NULL GROUP BY ALL",
        [sorted(spec.numerator.codes)] if spec.numerator else [],
    ).fetchall()
    found = {tuple(key): (n, numerator) for *key, n, numerator in rows}
    keys = product(*(axis.codes for axis in smaller.dimensions))
    return [TrueMargin(axes, key, *found.get(key, (0, 0))) for key in keys]
