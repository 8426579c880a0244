"""Everybody in a view, a line each, with one bit for each cell of a margin that they are in.

One grouping by person gives how many persons there are, who they are, and every margin that counts persons.
"""
# ruff: noqa: S608 (names in the SQL are quoted and come from a contract whose form was checked)

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import combinations
from math import prod

import duckdb

from fairnode.jobs.person_sets import quoted
from fairnode.jobs.positions import column_of
from fairnode.records.result import Dimension, Kind, OutputContract, TableSpec, Unit

Axes = tuple[Dimension, ...]
Counts = Mapping[Axes, Mapping[int, int]]
"""Margin -> the position of each of its cells, the last dimension running fastest -> persons in it."""

_BITS = 63  # of a number without a sign; the last one is left alone
_WORDS = 24  # numbers kept of each person at most; margins that need more are counted one by one


def make_everybody(
    database: duckdb.DuckDBPyConnection, name: str, contract: OutputContract, lists: Collection[str]
) -> Counts:
    """Leave the table `everybody_<name>` of the persons of a view behind, and count the margins of persons.

    Only those over columns that are not in `lists`: a row is in one of their cells. A margin that is not in the
    answer is to be counted otherwise.
    """
    margins = _margins_of(contract, name, lists)
    words = [(axes, low) for axes in margins if axes for low in range(0, _size(axes), _BITS)]
    masks = "".join(f", {_mask(axes, low)} AS m{i}" for i, (axes, low) in enumerate(words))
    table = quoted(f"everybody_{name}")
    database.execute(
        f"CREATE TEMP TABLE {table} AS SELECT number AS person{masks} FROM {quoted(name)} "
        "WHERE number IS NOT NULL GROUP BY number"
    )
    found = _counted(database, table, words) if words else {}
    return {**found, (): {0: everybody_in(database, name)}} if () in margins else found


def everybody_in(database: duckdb.DuckDBPyConnection, name: str) -> int:
    """How many persons a view is about, once `make_everybody` has been there."""
    ((n,),) = database.execute(f"SELECT count(*) FROM {quoted(f'everybody_{name}')}").fetchall()
    return int(n)


def _margins_of(contract: OutputContract, name: str, lists: Collection[str]) -> list[Axes]:
    """The margins that fit, each once."""
    found: dict[Axes, None] = {}
    for spec in contract.tables:
        if spec.input == name and counts_persons(spec):
            found |= dict.fromkeys(
                tuple(spec.dimensions[axis] for axis in axes) for axes in smaller(len(spec.dimensions))
            )
    chosen: list[Axes] = []
    left = _WORDS
    for axes in sorted(found, key=lambda each: (_size(each), [column_of(axis) for axis in each])):
        left -= -(-_size(axes) // _BITS)
        if left >= 0 and not any(axis.variable in lists for axis in axes):
            chosen.append(axes)
    return chosen


def counts_persons(spec: TableSpec) -> bool:
    """Whether a table has nothing but numbers of persons."""
    return spec.unit is Unit.PERSON and spec.kind is Kind.COUNT


def smaller(dimensions: int) -> Iterable[tuple[int, ...]]:
    """The positions of every choice of fewer than all dimensions."""
    return (axes for size in range(dimensions) for axes in combinations(range(dimensions), size))


def _place(axes: Axes) -> str:
    """SQL for the position of a row's cell, the last dimension running fastest; null for none."""
    place = "0"
    for axis in axes:
        place = f"({place} * {len(axis.codes)} + {column_of(axis)} - 1)"
    return place


def _size(axes: Axes) -> int:
    return prod(len(axis.codes) for axis in axes)


def _mask(axes: Axes, low: int) -> str:
    """SQL for the bits of the cells from `low` on that fit into one number."""
    place = _place(axes)
    bit = f"1::UBIGINT << ({place} - {low})::UTINYINT"
    if _size(axes) > _BITS:
        bit = f"CASE WHEN {place} BETWEEN {low} AND {low + _BITS - 1} THEN {bit} END"
    return f"bit_or({bit})"


def _counted(
    database: duckdb.DuckDBPyConnection, table: str, words: list[tuple[Axes, int]]
) -> dict[Axes, dict[int, int]]:
    """Persons in each cell, all margins in one query; the bits of equal numbers are counted once for all."""
    lines = " UNION ALL ".join(
        f"SELECT {i} AS word, m{i} AS m, count(*) AS n FROM {table} GROUP BY m{i}" for i in range(len(words))
    )
    rows = database.execute(
        f"SELECT word, bit, sum(n)::BIGINT FROM ({lines}), range({_BITS}) AS bits(bit) "
        "WHERE (m >> bit::UTINYINT) & 1 = 1 GROUP BY word, bit"
    ).fetchall()
    found: defaultdict[Axes, dict[int, int]] = defaultdict(dict)
    for axes, _ in words:
        found[axes] = {}
    for word, bit, n in rows:
        axes, low = words[word]
        found[axes][low + bit] = n
    return dict(found)
