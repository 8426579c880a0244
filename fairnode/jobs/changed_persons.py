"""Child job: how the persons in the cells of a table differ from those of earlier tables (P6).

Job: {"now": path, "contract": {...}, "finer": [[variable, code, base variable, [base codes]]],
      "earlier": [{"path", "contract", "table"} or null]}
Result: {"changed": [[persons by cell of the contract, in its order] by earlier table]}

Two tables are compared on what they have in common: where dimensions are about the same variable, cells whose
codes overlap are one group, and every cell of the group gets the number of persons who are in the group in one of
the two tables only. Without a common dimension a cell gets the number of its persons who were nowhere in the
earlier table's data. Of an earlier table that is null everybody is new.
"""

# ruff: noqa: S608 (only numbers that this module made stand in the SQL)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from fairnode.jobs.database import open_database
from fairnode.jobs.process import main
from fairnode.records.result import Dimension, TableSpec
from fairnode.records.result_json import contract_from_json

Base = frozenset[tuple[str, str]]
Finer = Mapping[tuple[str, str], Base]
"""(variable, code) -> the (variable, code) pairs of the finest list that it consists of."""


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Compare with each earlier table."""
    specs = contract_from_json(job["contract"]).tables
    finer = {(v, code): frozenset((base, c) for c in codes) for v, code, base, codes in job["finer"]}
    with open_database(2) as database:
        database.read_parquet(job["now"]).create_view("now_set")
        changed = [_compared(database, specs, told, finer) for told in job["earlier"]]
    return {"changed": changed}


def _compared(
    database: duckdb.DuckDBPyConnection,
    specs: tuple[TableSpec, ...],
    told: Mapping[str, Any] | None,
    finer: Finer,
) -> list[int]:
    """The changed persons of every cell of every table, against one earlier table."""
    cells: list[int] = []
    if told is not None:
        database.read_parquet(told["path"]).create_view("then_set", replace=True)
    for index, spec in enumerate(specs):
        if told is None:
            found = _sizes(database, index, "true")
        else:
            number = int(told["table"])
            earlier = contract_from_json(told["contract"]).tables[number]
            groups = common_groups(spec, earlier, finer)
            if groups is None:
                nowhere = "person NOT IN (SELECT person FROM then_set WHERE tbl = -1)"
                found = _sizes(database, index, nowhere)
            else:
                found = _by_group(database, (index, number), groups)
        cells += [found.get(position, 0) for position in range(len(list(spec.keys())))]
    return cells


def _sizes(database: duckdb.DuckDBPyConnection, table: int, which: str) -> dict[int, int]:
    """The persons of each cell of a table of now for whom `which` holds."""
    rows = database.execute(
        f"SELECT cell, count(DISTINCT person) FROM now_set WHERE tbl = {table} AND {which} GROUP BY cell"
    ).fetchall()
    return {int(cell): int(n) for cell, n in rows}


def _by_group(
    database: duckdb.DuckDBPyConnection, tables: tuple[int, int], groups: tuple[list[int], list[int]]
) -> dict[int, int]:
    """For each cell of now, the persons who are in its group in one of the two tables only."""
    sides = []
    for name, table, group in zip(("now", "then"), tables, groups, strict=True):
        database.execute(f"CREATE OR REPLACE TEMP TABLE {name}_group (cell INTEGER, grp INTEGER)")
        database.execute(
            f"INSERT INTO {name}_group SELECT unnest(?), unnest(?)", [list(range(len(group))), group]
        )
        sides.append(
            f"SELECT DISTINCT grp, person FROM {name}_set JOIN {name}_group USING (cell) WHERE tbl = {table}"
        )
    rows = database.execute(
        f"""SELECT grp, count(*) FROM (({sides[0]}) EXCEPT ({sides[1]})) GROUP BY grp
            UNION ALL
            SELECT grp, count(*) FROM (({sides[1]}) EXCEPT ({sides[0]})) GROUP BY grp"""
    ).fetchall()
    differ: dict[int, int] = {}
    for group, persons in rows:
        differ[group] = differ.get(group, 0) + int(persons)
    return {cell: differ.get(group, 0) for cell, group in enumerate(groups[0])}


def common_groups(now: TableSpec, then: TableSpec, finer: Finer) -> tuple[list[int], list[int]] | None:
    """The group of each cell of either table, in its order; None where no dimension is about the same."""
    pairs = [
        (i, j, classes)
        for i, mine in enumerate(now.dimensions)
        for j, theirs in enumerate(then.dimensions)
        if (classes := _classes(mine, theirs, finer))
    ]
    if not pairs:
        return None
    numbers: dict[tuple[int, ...], int] = {}

    def group(codes: tuple[int, ...]) -> int:
        return numbers.setdefault(codes, len(numbers))

    mine = [group(tuple(classes[0][key[i]] for i, _, classes in pairs)) for key in now.keys()]  # noqa: SIM118
    theirs = [group(tuple(classes[1][key[j]] for _, j, classes in pairs)) for key in then.keys()]  # noqa: SIM118
    return mine, theirs


def _classes(
    mine: Dimension, theirs: Dimension, finer: Finer
) -> tuple[dict[str, int], dict[str, int]] | None:
    """A class for each code of two dimensions, the same where codes overlap; None where none does."""
    parts = [_parts(axis, finer) for axis in (mine, theirs)]
    codes = [(side, code) for side in (0, 1) for code in parts[side]]
    of = {name: number for number, name in enumerate(codes)}
    overlaps = [
        (of[0, a], of[1, b]) for a, one in parts[0].items() for b, other in parts[1].items() if one & other
    ]
    if not overlaps:
        return None
    found = list(range(len(codes)))
    for a, b in overlaps:
        kept, gone = found[a], found[b]
        found = [kept if number == gone else number for number in found]
    told: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for (side, code), number in of.items():
        told[side][code] = found[number]
    return told


def _parts(axis: Dimension, finer: Finer) -> dict[str, Base]:
    """What each code of a dimension consists of in the finest list; groups of groups are opened, too."""
    parts = {code: frozenset({(axis.variable, code)}) for code in axis.codes}
    for _ in range(3):
        parts = {
            code: frozenset(leaf for part in whole for leaf in finer.get(part, {part}))
            for code, whole in parts.items()
        }
    return parts


if __name__ == "__main__":
    main(run)
