"""A recount, and what is known of earlier releases, as JSON: for the child jobs and the node's store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from itertools import repeat, starmap
from typing import Any

from fairnode.records.result import (
    Condition,
    OutputContract,
    Recount,
    RecountedCell,
    RecountedTable,
    TableSpec,
    TrueMargin,
)
from fairnode.records.result_json import (
    conditions_from_json,
    conditions_to_json,
    contract_from_json,
    contract_to_json,
)

Columns = Mapping[str, Sequence[Any]]
"""Field of a recounted cell -> its value in every cell of a table."""

# What a cell holds beside its key, in order, and what it is where nothing is said.
_DEFAULTS: dict[str, Any] = {
    field.name: None if field.default is MISSING else field.default
    for field in fields(RecountedCell)
    if field.name != "key"
}
_PAIRS = {"numerator", "complement"}


@dataclass(frozen=True)
class CountedTable:
    """A complete table as columns of its cells' fields, in the order of its cells; without those that say nothing.

    What a recounted table is on its way: thousands of cells are thousands of objects where they are judged only.
    """

    spec: TableSpec
    columns: Columns
    margins: tuple[TrueMargin, ...] = ()


def recount_to_json(recount: Recount) -> dict[str, Any]:
    """The recount as a JSON object. Internal to the node: it holds true counts."""
    tables = [CountedTable(t.spec, columns_of(t.cells), t.margins) for t in recount.tables]
    merged = recount_to_json(recount.merged) if recount.merged else None
    return counted_to_json(tables, recount.universe, recount.filter, merged)


def counted_to_json(
    tables: Sequence[CountedTable],
    universe: int,
    conditions: tuple[Condition, ...],
    merged: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The same from columns: what `recount_from_json` reads."""
    return {
        "contract": contract_to_json(OutputContract(tuple(table.spec for table in tables))),
        "filter": conditions_to_json(conditions),
        "universe": universe,
        **({"merged": merged} if merged else {}),
        "tables": [{"cells": dict(t.columns), "margins": margins_to_json(t.margins)} for t in tables],
    }


def recount_from_json(told: Mapping[str, Any]) -> Recount:
    """The recount that `recount_to_json` wrote."""
    contract: OutputContract = contract_from_json(told["contract"])
    tables = tuple(
        RecountedTable(
            spec,
            cells_from(spec, table["cells"]),
            margins_from_json(table["margins"]),
        )
        for spec, table in zip(contract.tables, told["tables"], strict=True)
    )
    merged = recount_from_json(told["merged"]) if "merged" in told else None
    return Recount(tables, told["universe"], conditions_from_json(told["filter"]), merged)


def margins_to_json(margins: Iterable[TrueMargin]) -> list[list[Any]]:
    """True margins as JSON."""
    return [[list(m.axes), list(m.key), m.n, m.numerator] for m in margins]


def margins_from_json(told: Iterable[Sequence[Any]]) -> tuple[TrueMargin, ...]:
    """The margins that `margins_to_json` wrote."""
    return tuple(TrueMargin(tuple(axes), tuple(key), n, part) for axes, key, n, part in told)


def columns_of(cells: Sequence[RecountedCell]) -> Columns:
    """The cells of a complete table, in its order, as columns; a column that says nothing is left out."""
    return telling({name: [getattr(cell, name) for cell in cells] for name in _DEFAULTS})


def telling(columns: Columns) -> Columns:
    """The columns that say something, which is other than what `cells_from` fills in."""
    return {name: column for name, column in columns.items() if set(column) != {_DEFAULTS[name]}}


def cells_from(spec: TableSpec, columns: Columns) -> tuple[RecountedCell, ...]:
    """The cells that `columns_of` made columns of."""
    keys = list(spec.keys())
    found: list[Iterable[Any]] = []
    for name, default in _DEFAULTS.items():
        column = columns.get(name, repeat(default, len(keys)))
        found.append(map(tuple, column) if name in _PAIRS else column)
    return tuple(starmap(RecountedCell, zip(keys, *found, strict=True)))
