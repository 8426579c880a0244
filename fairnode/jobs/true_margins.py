"""The margins of a table counted from the rows: by these, tables that share some dimensions are linked."""
# ruff: noqa: S608 (names in the SQL are quoted and come from a contract whose form was checked)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, product
from math import prod

import duckdb

from fairnode.records.result import Kind, TableSpec, TrueMargin, Unit

Source = Callable[[TableSpec], str]
_BITS = 63  # cells of a margin for which a person fits into a number


def true_margins(
    database: duckdb.DuckDBPyConnection, spec: TableSpec, source: Source, *, keyed: bool
) -> tuple[TrueMargin, ...]:
    """Every margin over fewer than all dimensions; `source` gives the SQL for the rows of a table."""
    by_person = keyed and spec.unit is Unit.PERSON
    plain = by_person and spec.kind is Kind.COUNT
    sizes = range(len(spec.dimensions))
    smaller = [axes for size in sizes for axes in combinations(sizes, size)]
    masked = [axes for axes in smaller if plain and _width(spec, axes) <= _BITS]
    found = dict(zip(masked, _masked(database, spec, masked, source), strict=True)) if masked else {}
    return tuple(
        margin
        for axes in smaller
        for margin in found.get(axes) or _margins_over(database, spec, axes, source, by_person=by_person)
    )


def _width(spec: TableSpec, axes: tuple[int, ...]) -> int:
    """How many cells a margin has."""
    return prod(len(spec.dimensions[axis].codes) for axis in axes)


def _over(spec: TableSpec, axes: tuple[int, ...]) -> TableSpec:
    """The table over these dimensions only."""
    return replace(spec, dimensions=tuple(spec.dimensions[axis] for axis in axes))


def _masked(
    database: duckdb.DuckDBPyConnection, spec: TableSpec, wanted: list[tuple[int, ...]], source: Source
) -> list[list[TrueMargin]]:
    """Margins of persons, all in one grouping: for each person and margin one bit a cell they are in."""
    masks = []
    for number, axes in enumerate(wanted):
        place = "0"
        for axis in axes:
            place = f"({place} * {len(spec.dimensions[axis].codes)} + d{axis} - 1)"
        masks.append(f"bit_or(1::UBIGINT << ({place})::UTINYINT) AS m{number}")
    database.execute(
        f"CREATE OR REPLACE TEMP TABLE masks AS SELECT {', '.join(masks)} FROM ({source(spec)}) "
        "WHERE person IS NOT NULL GROUP BY person"
    )
    return [_unmasked(database, spec, axes, number) for number, axes in enumerate(wanted)]


def _unmasked(
    database: duckdb.DuckDBPyConnection, spec: TableSpec, axes: tuple[int, ...], number: int
) -> list[TrueMargin]:
    """One margin from the column `m<number>` of masks; the bits of equal masks are counted once for all."""
    counts = ", ".join(f"sum(n * ((m >> {bit}) & 1)::INTEGER)" for bit in range(_width(spec, axes)))
    (row,) = database.execute(
        f"SELECT {counts} FROM (SELECT m{number} AS m, count(*) AS n FROM masks GROUP BY ALL)"
    ).fetchall()
    keys = product(*(axis.codes for axis in _over(spec, axes).dimensions))
    return [TrueMargin(axes, key, int(n or 0)) for key, n in zip(keys, row, strict=True)]


def _margins_over(
    database: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    axes: tuple[int, ...],
    source: Source,
    *,
    by_person: bool,
) -> list[TrueMargin]:
    """The margin of each combination of codes of the dimensions at `axes`."""
    smaller = _over(spec, axes)
    unit = "DISTINCT person" if by_person else "*"
    part = f"count({unit}) FILTER (part)" if spec.kind is Kind.PROPORTION else "0"
    names = "".join(f"d{i}, " for i in range(len(axes)))
    rows = database.execute(
        f"SELECT {names}count({unit}), {part} FROM ({source(smaller)}) "
        "WHERE c IS NOT NULL AND part IS NOT NULL GROUP BY ALL",
        [sorted(spec.numerator.codes)] if spec.numerator else [],
    ).fetchall()
    found = {tuple(key): (n, numerator) for *key, n, numerator in rows}
    places = product(*(range(1, len(axis.codes) + 1) for axis in smaller.dimensions))
    keys = product(*(axis.codes for axis in smaller.dimensions))
    told = zip(keys, places, strict=True)
    return [TrueMargin(axes, key, *found.get(place, (0, 0))) for key, place in told]
