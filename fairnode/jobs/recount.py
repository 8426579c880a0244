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

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import duckdb

from fairnode import errors
from fairnode.disclosure.history import query_of
from fairnode.disclosure.merging import groups_of, merged_margins, merged_spec, positions
from fairnode.gate.recounts import CountedTable, cells_from, columns_of, counted_to_json
from fairnode.jobs.counted_cells import count_cells
from fairnode.jobs.database import open_database
from fairnode.jobs.everybody import Counts, counts_persons, everybody_in, make_everybody
from fairnode.jobs.pairs import with_complements
from fairnode.jobs.person_sets import compare_sets, number_of, quoted, write_sets
from fairnode.jobs.positions import column_of, list_columns, position
from fairnode.jobs.process import main
from fairnode.jobs.true_margins import true_margins
from fairnode.records.result import (
    Condition,
    Kind,
    OutputContract,
    RecountedCell,
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
    with open_database(2) as database:
        inputs = sorted({spec.input for spec in contract.tables})
        for name in inputs:
            database.read_parquet(job["views"][name]).create_view(f"file_{name}")
        number = number_of(person, job.get("secret", ""), hashed=bool(job.get("hashed")))
        everybody: dict[str, Counts] = {}
        for name in inputs:
            lists = _load(database, name, contract, number)
            if person:
                everybody[name] = make_everybody(database, name, contract, lists)
        tables = [
            _count_table(database, index, spec, everybody.get(spec.input))
            for index, spec in enumerate(contract.tables)
        ]
        universe = max(_universe(database, name, keyed=person is not None) for name in inputs)
        judged, merged = contract, None
        if job.get("merge") and any(spec.merged for spec in contract.tables):
            least = {**job["merge"], "keyed": int(person is not None)}
            together = [merge_table(database, index, table, least) for index, table in enumerate(tables)]
            judged = OutputContract(tuple(table.spec for table in together))
            merged = counted_to_json(together, universe, conditions)
        found: dict[str, Any] = {"differences": [], "entered": [], "universes": []}
        if person and job.get("persons_out"):
            _leave_sets(database, job, judged, conditions, found)
    return {"recount": counted_to_json(tables, universe, conditions, merged), **found}


def _leave_sets(
    database: duckdb.DuckDBPyConnection,
    job: dict[str, Any],
    contract: OutputContract,
    conditions: tuple[Condition, ...],
    found: dict[str, Any],
) -> None:
    """Write who stood in which cell; add to `found` how they differ from every earlier release."""
    before = job.get("earlier", [])
    inputs = sorted({spec.input for spec in contract.tables})
    write_sets(database, len(contract.tables), inputs, job["persons_out"], keep=bool(before))
    query = query_of(contract, conditions)
    for earlier in before:
        same = {"same_query": earlier.get("query") == query}
        compare_sets(database, {**same, **earlier}, job["below"], found)


def _load(database: duckdb.DuckDBPyConnection, name: str, contract: OutputContract, number: str) -> set[str]:
    """The columns of a view that the tables need, in memory: the only scan there is. Which of them are lists.

    Each person is a number, and for each dimension there is the position of its code in the contract's list:
    worked out here, where DuckDB does it once a code of the file's dictionary and not once a row.
    """
    specs = [spec for spec in contract.tables if spec.input == name]
    lists = list_columns(database, f"file_{name}")
    wanted = {spec.measure for spec in specs if spec.measure}
    wanted |= {spec.numerator.variable for spec in specs if spec.numerator}
    for spec in specs:
        whole = spec.kind is Kind.PAIR  # its other parts are counted from what was recorded
        wanted |= {axis.variable for axis in spec.dimensions if whole or axis.variable in lists}
    axes = {axis for spec in specs for axis in spec.dimensions if axis.variable not in lists}
    columns = [f"{number} AS number", *(quoted(column) for column in sorted(wanted))]
    columns += [
        f"{position(axis, quoted(axis.variable))} AS {column_of(axis)}"
        for axis in sorted(axes, key=column_of)
    ]
    source = quoted(f"file_{name}")
    database.execute(f"CREATE TEMP TABLE {quoted(name)} AS SELECT {', '.join(columns)} FROM {source}")
    return lists


def _universe(database: duckdb.DuckDBPyConnection, name: str, *, keyed: bool) -> int:
    """How many persons (rows, if nobody can say) a view is about."""
    if keyed:
        return everybody_in(database, name)
    return int(_one(database, f"SELECT count(*) FROM {quoted(name)}")[0])


def _count_table(
    database: duckdb.DuckDBPyConnection, index: int, spec: TableSpec, counted: Counts | None
) -> CountedTable:
    """One table: rows to persons to cells. Leaves the temporary table `persons_<index>` behind.

    `counted` are the margins known already; None if there is no key of persons.
    """
    keyed = counted is not None
    _make_persons(database, index, spec, keyed=keyed)
    columns = count_cells(database, index, spec, keyed=keyed)
    if spec.kind is Kind.PAIR:
        columns = columns_of(with_complements(database, spec, cells_from(spec, columns)))
    margins = true_margins(database, spec, partial(_source, database), counted)
    return CountedTable(spec, columns, margins)


def merge_table(
    database: duckdb.DuckDBPyConnection, index: int, table: CountedTable, least: Mapping[str, int]
) -> CountedTable:
    """The table with bands put together, if it is one of those; `persons_<index>` then is about its cells."""
    if not table.spec.merged:
        return table
    keyed = bool(least.get("keyed"))
    groups = groups_of(table.spec, cells_from(table.spec, table.columns), partial(_large_enough, least=least))
    spec = merged_spec(table.spec, groups)
    pairs = [list(column) for column in zip(*positions(table.spec, groups), strict=True)]
    # these are counts: there is nothing else
    added = "sum(rows) AS rows" if counts_persons(spec) else "sum(rows) AS rows, sum(size) AS size"
    chosen = f"new, person, {added}" if keyed else "new, rows, total, mean, size, parts"
    database.execute(
        f"CREATE TEMP TABLE merged AS SELECT {chosen} FROM persons_{index} "
        f"JOIN (SELECT unnest(?) AS cell, unnest(?) AS new) USING (cell) {'GROUP BY ALL' if keyed else ''}",
        pairs,
    )
    database.execute(f"DROP TABLE persons_{index}")
    database.execute(f"CREATE TEMP TABLE persons_{index} AS SELECT * RENAME (new AS cell) FROM merged")
    database.execute("DROP TABLE merged")
    columns = count_cells(database, index, spec, keyed=keyed)
    return CountedTable(spec, columns, merged_margins(table.margins, groups))


def _large_enough(cells: Sequence[RecountedCell], *, least: Mapping[str, int]) -> bool:
    """Whether bands together reach the threshold.

    Persons who stand in two of them are counted twice here; the cell is then hidden by its own rule.
    """
    rows = sum(cell.rows for cell in cells)
    persons = [cell.persons for cell in cells if cell.persons is not None]
    if len(persons) < len(cells):
        return rows >= least["rows"]
    return min(rows, sum(persons)) >= least["persons"]


def _make_persons(database: duckdb.DuckDBPyConnection, index: int, spec: TableSpec, *, keyed: bool) -> None:
    """The table `persons_<index>`: a line per cell and person (per row, without a person key)."""
    if keyed:
        select, end = f"cell, person, count(*) AS rows{_sums(spec)}", "GROUP BY cell, person"
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


def _sums(spec: TableSpec) -> str:
    """SQL for what each person contributes to a cell; of a number of persons everybody is one."""
    if counts_persons(spec):
        return ""
    by_rows = "1.0" if spec.unit is Unit.PERSON else "count(*)::DOUBLE"
    size = f", {'sum(abs(c))' if spec.measure else by_rows} AS size"
    if not (spec.measure or spec.numerator):
        return size
    sums = "sum(c) AS total, avg(c) AS mean" if spec.measure else "count(*)::DOUBLE AS total, 1.0 AS mean"
    return f"{size}, {sums}, {'count(*) FILTER (part)' if spec.numerator else 'count(*)'} AS parts"


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


def _one(database: duckdb.DuckDBPyConnection, sql: str) -> Sequence[Any]:
    """The only row of an answer."""
    row = database.execute(sql).fetchone()
    if row is None:
        raise errors.Unavailable("The count gave no answer.", to_do="Ask the operator to look at the log.")
    return row


if __name__ == "__main__":
    main(run)
