"""The three other parts of each two-by-two table: one code without the other, and neither."""

# ruff: noqa: S608 (names in the SQL are quoted and come from a contract whose form was checked)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import duckdb

from fairnode.jobs.person_sets import quoted
from fairnode.records.result import RecountedCell, TableSpec, Unit


def with_complements(
    database: duckdb.DuckDBPyConnection, spec: TableSpec, cells: tuple[RecountedCell, ...]
) -> tuple[RecountedCell, ...]:
    """The cells of a table of pairs, each with the smallest of the parts that have not both codes.

    Only rows with something recorded in both dimensions are looked at. Where rows are registrations, nobody
    counted the persons of those parts, so that twice as many rows are asked of them.
    """
    first, second = (quoted(axis.variable) for axis in spec.dimensions)
    types = {row[0]: str(row[1]) for row in database.execute(f"DESCRIBE {quoted(spec.input)}").fetchall()}
    lists = [f"{_as_list(axis.variable, types)} AS d{i}" for i, axis in enumerate(spec.dimensions)]
    # a person has one row in a view of persons; without a key, every row is somebody
    recorded = f"{first} IS NOT NULL AND {second} IS NOT NULL"
    known = f"SELECT {', '.join(lists)} FROM {quoted(spec.input)} WHERE {recorded}"
    both = f"SELECT * FROM ({known}) WHERE len(d0) > 0 AND len(d1) > 0"
    total = database.execute(f"SELECT count(*) FROM ({both})").fetchall()[0][0]
    sides = [_with_code(database, both, axis) for axis in ("d0", "d1")]
    return tuple(_with_complement(cell, sides, int(total), spec.unit) for cell in cells)


def _as_list(name: str, types: Mapping[str, str]) -> str:
    """SQL for the codes of a cell of the view, each once."""
    if types[name].endswith("[]"):
        return f"list_distinct(CAST({quoted(name)} AS VARCHAR[]))"
    return f"[CAST({quoted(name)} AS VARCHAR)]"


def _with_code(database: duckdb.DuckDBPyConnection, rows: str, axis: str) -> dict[str, int]:
    """How many rows have each code of one dimension."""
    counted = f"SELECT code, count(*) FROM (SELECT unnest({axis}) AS code FROM ({rows})) GROUP BY code"
    return {code: int(n) for code, n in database.execute(counted).fetchall()}


def _with_complement(
    cell: RecountedCell, sides: list[dict[str, int]], total: int, unit: Unit
) -> RecountedCell:
    one, other = (side.get(code, 0) for side, code in zip(sides, cell.key, strict=True))
    least = min(one - cell.rows, other - cell.rows, total - one - other + cell.rows)
    return replace(cell, complement=(least, least if unit is Unit.PERSON else None))
