"""Every table that a node recounts itself, made with DuckDB: what an algorithm of class A needs at least.

Written apart from the node's own count, which must come to the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import duckdb

from fairnode_kit.result import Cell, Key
from fairnode_kit.run import Input, Run, Table, connect


def tables(run: Run) -> dict[str, dict[Key, Cell]]:
    """All tables of the contract; of kind `other` none, those are the algorithm's own."""
    with connect() as database:
        return {t.id: table(database, run.inputs[t.input], t) for t in run.tables if t.kind != "other"}


def table(database: duckdb.DuckDBPyConnection, records: Input, asked: Table) -> dict[Key, Cell]:
    """One table: the cells that have any record.

    A record without a value in one of the dimensions is in no cell, one with several values (such as several
    means of control) in the cell of each, once. Where persons are counted, a person counts once per cell.
    """
    rows = _rows(database, records, asked)
    keys = ", ".join(f"k{i}" for i in range(len(asked.dimensions)))
    by_person = asked.unit == "person" and records.key is not None
    counted = "count(DISTINCT who)" if by_person else "count(*)"
    number, where = _number(asked, by_person), "v IS NOT NULL" if "measure" in asked.terms else "true"
    if asked.kind == "proportion":
        where = "part IS NOT NULL"
    select = ", ".join(filter(None, (keys, counted, number)))
    found = database.execute(
        f"SELECT {select} FROM ({rows}) WHERE {where} GROUP BY ALL",  # noqa: S608 - names are quoted
        _numerator(asked),
    ).fetchall()
    codes = [set(d.codes) for d in asked.dimensions]
    cells = {tuple(row[:-2]): (int(row[-2]), row[-1]) for row in found}
    wanted = {key: cell for key, cell in cells.items() if all(map(set.__contains__, codes, key))}
    if asked.kind in ("count", "pair"):
        return {key: n for key, (n, _) in wanted.items()}
    return {key: (n, _value(asked.kind, n, float(v))) for key, (n, v) in wanted.items() if n}


def _rows(database: duckdb.DuckDBPyConnection, records: Input, asked: Table) -> str:
    """SQL for the records as k0, k1, ..., who, v (the measure), part (of the numerator?)."""
    view = database.read_parquet(str(records.path))
    view.create_view("records", replace=True)
    types = dict(zip(view.columns, map(str, view.types), strict=True))
    rows = "records"
    for i, d in enumerate(asked.dimensions):  # one after the other: side by side, lists would be read in step
        rows = f"(SELECT *, {_codes(d.variable, types)} AS k{i} FROM {rows})"  # noqa: S608 - names are quoted
    columns = [f"k{i}" for i in range(len(asked.dimensions))]
    columns.append(f"{_quoted(records.key) if records.key else 'NULL'} AS who")
    measure = asked.terms.get("measure")
    columns.append(f"CAST({_quoted(measure)} AS DOUBLE) AS v" if measure else "1.0 AS v")
    columns.append(f"{_part(asked, types)} AS part")
    return f"SELECT {', '.join(columns)} FROM {rows}"  # noqa: S608 - names are quoted


def _codes(column: str, types: Mapping[str, str]) -> str:
    """The codes of a column as text; each of them once where a cell holds a list."""
    if types[column].endswith("[]"):
        return f"unnest(list_distinct(CAST({_quoted(column)} AS VARCHAR[])))"
    return f"CAST({_quoted(column)} AS VARCHAR)"


def _part(asked: Table, types: Mapping[str, str]) -> str:
    """Whether a record counts towards the numerator of a proportion; nothing where that is not recorded."""
    if asked.kind != "proportion":
        return "true"
    column = asked.terms["numerator"]["variable"]
    if types[column].endswith("[]"):
        return f"list_has_any(CAST({_quoted(column)} AS VARCHAR[]), CAST(? AS VARCHAR[]))"
    return f"list_contains(CAST(? AS VARCHAR[]), CAST({_quoted(column)} AS VARCHAR))"


def _numerator(asked: Table) -> list[list[str]]:
    return [sorted(asked.terms["numerator"]["in"])] if asked.kind == "proportion" else []


def _number(asked: Table, by_person: bool) -> str:
    """What is computed beside the count of units."""
    part = "count(DISTINCT who) FILTER (part)" if by_person else "count(*) FILTER (part)"
    kinds = {"sum": "sum(v)", "mean": "avg(v)", "spread": "coalesce(stddev_samp(v), 0)", "proportion": part}
    return kinds.get(asked.kind, "0")


def _value(kind: str, n: int, v: float) -> float:
    if kind == "proportion":
        return v / n
    return 0.0 if math.isnan(v) else v


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
