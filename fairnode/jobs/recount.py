"""Child job: the node counts every table of an output contract itself, from the harmonised view.

Job: {"views": {input: path}, "contract": {...}, "filter": [...], "person": column or null,
      "secret": hex or "", "hashed": bool, "persons_out": path or null, "below": k,
      "merge": {"persons": k, "rows": n} or null,
      "earlier": [{"release": id, "path": path, "query": hash (or "same_query": bool)}]}
Result: {"recount": {...}, "differences": [...], "entered": [...], "universes": [...]}

With `merge`, bands of the tables that say so are put together, and all but the first numbers are about those.

The column `person` holds keys, or (`hashed`) numbers made of them under a secret of the node; with a `secret`
keys are hashed here. `persons_out` gets one Parquet file of (tbl, cell, person): which persons stood in which
cell, as 64-bit keyed hashes. It stays at the node and is what later releases of the same data are compared
with (P6).
"""

# ruff: noqa: S608 (names in the SQL are quoted and come from a contract whose form was checked)

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import duckdb

from fairnode import errors
from fairnode.disclosure.history import query_of
from fairnode.disclosure.merging import groups_of, merged_margins, merged_spec, positions
from fairnode.gate.recounts import recount_to_json
from fairnode.jobs.pairs import with_complements
from fairnode.jobs.person_sets import compare_sets, number_of, quoted, write_sets
from fairnode.jobs.positions import column_of, list_columns, position
from fairnode.jobs.process import main
from fairnode.jobs.true_margins import true_margins
from fairnode.records.result import (
    Condition,
    Key,
    Kind,
    OutputContract,
    Recount,
    RecountedCell,
    RecountedTable,
    TableSpec,
    Unit,
)
from fairnode.records.result_json import conditions_from_json, contract_from_json


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Count all tables; write and compare person sets if the view has a person key."""
    contract = contract_from_json(job["contract"])
    conditions = conditions_from_json(job.get("filter", []))
    person = job.get("person")
    try:
        return _count(job, contract, conditions, person)
    except duckdb.Error as error:
        raise errors.NotValid(
            "The tables of the output contract cannot be counted on this view.",
            to_do="Compare the contract's variables with the columns of the view and their types.",
            internal=str(error),
        ) from None


def _count(
    job: dict[str, Any], contract: OutputContract, conditions: tuple[Condition, ...], person: str | None
) -> dict[str, Any]:
    """The job's answer, or an error of DuckDB."""
    with duckdb.connect(config={"threads": 2, "autoinstall_known_extensions": False}) as database:
        inputs = sorted({spec.input for spec in contract.tables})
        for name in inputs:
            database.read_parquet(job["views"][name]).create_view(f"file_{name}")
        number = number_of(person, job.get("secret", ""), hashed=bool(job.get("hashed")))
        for name in inputs:
            _load(database, name, contract, number)
        tables = tuple(
            _recount_table(database, index, spec, person) for index, spec in enumerate(contract.tables)
        )
        universe = max(_universe(database, name, person) for name in inputs)
        recount = Recount(tables, universe, conditions)
        if job.get("merge") and any(spec.merged for spec in contract.tables):
            merged = tuple(
                merge_table(database, index, table, {**job["merge"], "keyed": int(person is not None)})
                for index, table in enumerate(tables)
            )
            recount = replace(recount, merged=Recount(merged, universe, conditions))
        found: dict[str, Any] = {"differences": [], "entered": [], "universes": []}
        if person and job.get("persons_out"):
            before = job.get("earlier", [])
            write_sets(database, len(tables), inputs, job["persons_out"], keep=bool(before))
            query = query_of(recount.judged.contract, conditions)
            for earlier in before:
                same = {"same_query": earlier.get("query") == query}
                compare_sets(database, {**same, **earlier}, job["below"], found)
    return {"recount": recount_to_json(recount), **found}


def _load(database: duckdb.DuckDBPyConnection, name: str, contract: OutputContract, number: str) -> None:
    """The columns of a view that the tables need, in memory: the only scan there is.

    Each person is a number, and for each dimension there is the position of its code in the contract's list:
    worked out here, where DuckDB does it once a code of the file's dictionary and not once a row.
    """
    specs = [spec for spec in contract.tables if spec.input == name]
    wanted = {axis.variable for spec in specs for axis in spec.dimensions}
    wanted |= {spec.measure for spec in specs if spec.measure}
    wanted |= {spec.numerator.variable for spec in specs if spec.numerator}
    lists = list_columns(database, f"file_{name}")
    axes = {axis for spec in specs for axis in spec.dimensions if axis.variable not in lists}
    columns = [f"{number} AS number", *(quoted(column) for column in sorted(wanted))]
    columns += [
        f"{position(axis, quoted(axis.variable))} AS {column_of(axis)}"
        for axis in sorted(axes, key=column_of)
    ]
    source = quoted(f"file_{name}")
    database.execute(f"CREATE TEMP TABLE {quoted(name)} AS SELECT {', '.join(columns)} FROM {source}")


def _universe(database: duckdb.DuckDBPyConnection, name: str, person: str | None) -> int:
    """How many persons (rows, if nobody can say) a view is about."""
    what = "count(DISTINCT number)" if person else "count(*)"
    return int(_one(database, f"SELECT {what} FROM {quoted(name)}")[0])


def _recount_table(
    database: duckdb.DuckDBPyConnection, index: int, spec: TableSpec, person: str | None
) -> RecountedTable:
    """One table: rows to persons to cells. Leaves the temporary table `persons_<index>` behind."""
    _make_persons(database, index, spec, person)
    cells = cells_of(database, index, spec, keyed=person is not None)
    if spec.kind is Kind.PAIR:
        cells = with_complements(database, spec, cells)
    margins = true_margins(database, spec, partial(_source, database), keyed=person is not None)
    return RecountedTable(spec, cells, _not_recorded(database, spec, person), margins)


def cells_of(
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


def merge_table(
    database: duckdb.DuckDBPyConnection, index: int, table: RecountedTable, least: Mapping[str, int]
) -> RecountedTable:
    """The table with bands put together, if it is one of those; `persons_<index>` then is about its cells."""
    if not table.spec.merged:
        return table
    keyed = bool(least.get("keyed"))
    groups = groups_of(table.spec, table.cells, partial(_large_enough, least=least))
    spec = merged_spec(table.spec, groups)
    pairs = [list(column) for column in zip(*positions(table.spec, groups), strict=True)]
    size = "max(size)" if spec.unit is Unit.PERSON else "sum(size)"
    added = f"sum(rows) AS rows, {size} AS size"  # these are counts: there is nothing else
    chosen = f"new, person, {added}" if keyed else "new, rows, total, mean, size, parts"
    database.execute(
        f"CREATE TEMP TABLE merged AS SELECT {chosen} FROM persons_{index} "
        f"JOIN (SELECT unnest(?) AS cell, unnest(?) AS new) USING (cell) {'GROUP BY ALL' if keyed else ''}",
        pairs,
    )
    database.execute(f"DROP TABLE persons_{index}")
    database.execute(f"CREATE TEMP TABLE persons_{index} AS SELECT * RENAME (new AS cell) FROM merged")
    database.execute("DROP TABLE merged")
    cells = cells_of(database, index, spec, keyed=keyed)
    return RecountedTable(spec, cells, table.not_recorded, merged_margins(table.margins, groups))


def _large_enough(cells: Sequence[RecountedCell], *, least: Mapping[str, int]) -> bool:
    """Whether bands together reach the threshold.

    Persons who stand in two of them are counted twice here; the cell is then hidden by its own rule.
    """
    rows = sum(cell.rows for cell in cells)
    persons = [cell.persons for cell in cells if cell.persons is not None]
    if len(persons) < len(cells):
        return rows >= least["rows"]
    return min(rows, sum(persons)) >= least["persons"]


_CELLS = (
    "cell, sum(rows), count({key}), sum(total), avg(mean), sum(size), {largest}, sum(parts), "
    "sum(rows - parts), count({key}) FILTER (parts > 0), count({key}) FILTER (parts < rows)"
)
# the same where every row counts for one and there are no parts
_COUNTED = (
    "cell, sum(rows), count({key}), sum(rows), 1.0, sum(size), {largest}, sum(rows), 0, count({key}), 0"
)


def _make_persons(
    database: duckdb.DuckDBPyConnection, index: int, spec: TableSpec, person: str | None
) -> None:
    """The table `persons_<index>`: a line per cell and person (per row, without a person key)."""
    # Of a number of persons everybody is one; of rows and sums each contributes what is theirs.
    size = (
        "1.0"
        if spec.unit is Unit.PERSON and spec.measure is None
        else "sum(abs(c))"
        if spec.measure
        else "count(*)::DOUBLE"
    )
    if person:
        select, end = f"cell, person, count(*) AS rows, {size} AS size", "GROUP BY cell, person"
        if spec.measure or spec.numerator:
            sums = (
                "sum(c) AS total, avg(c) AS mean"
                if spec.measure
                else "count(*)::DOUBLE AS total, 1.0 AS mean"
            )
            select += f", {sums}, {'count(*) FILTER (part)' if spec.numerator else 'count(*)'} AS parts"
    else:
        select = "cell, 1 AS rows, c AS total, c AS mean, abs(c) AS size, part::INTEGER AS parts"
        end = ""
    cell, source = _cell_number(spec), _source(database, spec)
    if spec.kind is Kind.SPREAD:
        source = _deviations(source, [f"d{place}" for place in range(len(spec.dimensions))])
    database.execute(
        f"CREATE TEMP TABLE persons_{index} AS SELECT {select} FROM "
        f"(SELECT *, {cell} AS cell FROM ({source})) "
        f"WHERE cell IS NOT NULL AND c IS NOT NULL AND part IS NOT NULL {end}",
        _part_codes(spec.numerator),
    )


def _cell_number(spec: TableSpec) -> str:
    """SQL for the position of a row's cell in the contract's order; null for a row that is in none."""
    number = "0"
    for place, axis in enumerate(spec.dimensions):
        number = f"({number} * {len(axis.codes)} + d{place} - 1)"
    return f"{number}::INTEGER"


def _source(database: duckdb.DuckDBPyConnection, spec: TableSpec) -> str:
    """SQL for the rows of the view as d0, d1, ..., person, c (contribution), part (of the numerator?).

    d0, d1, ... are positions in the lists of codes, from 1; null for what is not in them. A column of lists (a
    variable with several values) puts a row into the cell of each value, once.
    """
    lists = list_columns(database, spec.input)
    inner = quoted(spec.input)
    for place, axis in enumerate(spec.dimensions):
        value = column_of(axis)
        if axis.variable in lists:
            distinct = f"list_distinct(CAST({quoted(axis.variable)} AS VARCHAR[]))"
            value = position(axis, f"unnest(CASE WHEN len({distinct}) > 0 THEN {distinct} ELSE [NULL] END)")
        inner = f"(SELECT *, {value} AS d{place} FROM {inner})"
    contribution = f"CAST({quoted(spec.measure)} AS DOUBLE)" if spec.measure else "1.0::DOUBLE"
    shown = "".join(f"d{place}, " for place in range(len(spec.dimensions)))
    return f"SELECT {shown}number AS person, {contribution} AS c, {_part(spec, lists)} AS part FROM {inner}"


def _deviations(source: str, axes: Sequence[str]) -> str:
    """The rows of `source` with the squared distance from their cell's mean as contribution."""
    cell = f"PARTITION BY {', '.join(axes)}" if axes else ""
    rows = f"SELECT * FROM ({source}) WHERE c IS NOT NULL"
    return f"SELECT * REPLACE (power(c - avg(c) OVER ({cell}), 2) AS c) FROM ({rows})"


def _part(spec: TableSpec, lists: set[str]) -> str:
    """SQL for whether a row counts towards the numerator; null where that is not recorded."""
    if spec.numerator is None:
        return "true"
    column = quoted(spec.numerator.variable)
    if spec.numerator.variable in lists:
        return f"list_has_any(CAST({column} AS VARCHAR[]), CAST(? AS VARCHAR[]))"
    return f"list_contains(CAST(? AS VARCHAR[]), CAST({column} AS VARCHAR))"


def _part_codes(numerator: Condition | None) -> list[list[str]]:
    return [sorted(numerator.codes)] if numerator else []


def _not_recorded(database: duckdb.DuckDBPyConnection, spec: TableSpec, person: str | None) -> int:
    """How many units have no code in at least one dimension (a list without codes has none)."""
    lists = list_columns(database, spec.input)
    missing = [
        f"{quoted(d.variable)} IS NULL"
        if d.variable not in lists
        else f"coalesce(len(list_distinct({quoted(d.variable)})), 0) = 0"
        for d in spec.dimensions
    ]
    unit = "DISTINCT number" if person and spec.unit is Unit.PERSON else "*"
    where = " OR ".join(missing) or "false"
    return int(_one(database, f"SELECT count({unit}) FROM {quoted(spec.input)} WHERE {where}")[0])


def _one(database: duckdb.DuckDBPyConnection, sql: str) -> Sequence[Any]:
    """The only row of an answer."""
    row = database.execute(sql).fetchone()
    if row is None:
        raise errors.Unavailable("The count gave no answer.", to_do="Ask the operator to look at the log.")
    return row


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


if __name__ == "__main__":
    main(run)
