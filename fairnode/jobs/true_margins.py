"""The margins of a table counted from the rows: by these, tables that share some dimensions are linked."""
# ruff: noqa: S608 (names in the SQL are quoted and come from a contract whose form was checked)

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product

import duckdb

from fairnode.jobs.everybody import Counts, counts_persons, smaller
from fairnode.records.result import Key, Kind, TableSpec, TrueMargin, Unit

Source = Callable[[TableSpec], str]


def true_margins(
    database: duckdb.DuckDBPyConnection, spec: TableSpec, source: Source, counted: Counts | None
) -> tuple[TrueMargin, ...]:
    """Every margin over fewer than all dimensions; `source` gives the SQL for the rows of a table.

    `counted` are margins of persons that are counted already; None if persons are not known.
    """
    found: list[TrueMargin] = []
    for axes in smaller(len(spec.dimensions)):
        over = replace(spec, dimensions=tuple(spec.dimensions[axis] for axis in axes))
        known = (counted or {}).get(over.dimensions) if counts_persons(spec) else None
        if known is not None:
            keys = product(*(axis.codes for axis in over.dimensions))
            found += (TrueMargin(axes, key, known.get(place, 0)) for place, key in enumerate(keys))
        else:
            by_person = counted is not None and spec.unit is Unit.PERSON
            rows = _counted_over(database, over, source, by_person=by_person)
            found += (TrueMargin(axes, key, n, part) for key, n, part in rows)
    return tuple(found)


def _counted_over(
    database: duckdb.DuckDBPyConnection, spec: TableSpec, source: Source, *, by_person: bool
) -> Iterator[tuple[Key, int, int]]:
    """Each combination of codes with how many there are, and how many of them in the numerator."""
    unit = "DISTINCT person" if by_person else "*"
    part = f"count({unit}) FILTER (part)" if spec.kind is Kind.PROPORTION else "0"
    names = "".join(f"d{i}, " for i in range(len(spec.dimensions)))
    rows = database.execute(
        f"SELECT {names}count({unit}), {part} FROM ({source(spec)}) "
        "WHERE c IS NOT NULL AND part IS NOT NULL GROUP BY ALL",
        [sorted(spec.numerator.codes)] if spec.numerator else [],
    ).fetchall()
    found = {tuple(place): (n, numerator) for *place, n, numerator in rows}
    places = product(*(range(1, len(axis.codes) + 1) for axis in spec.dimensions))
    for key, place in zip(product(*(axis.codes for axis in spec.dimensions)), places, strict=True):
        n, numerator = found.get(place, (0, 0))
        yield key, n, numerator
