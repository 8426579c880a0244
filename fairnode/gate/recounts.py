"""A recount, and what is known of earlier releases, as JSON: for the child jobs and the node's store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fairnode.records.result import (
    OutputContract,
    Recount,
    RecountedCell,
    RecountedTable,
    TrueMargin,
)
from fairnode.records.result_json import (
    conditions_from_json,
    conditions_to_json,
    contract_from_json,
    contract_to_json,
)


def recount_to_json(recount: Recount) -> dict[str, Any]:
    """The recount as a JSON object. Internal to the node: it holds true counts."""
    return {
        "contract": contract_to_json(recount.contract),
        "filter": conditions_to_json(recount.filter),
        "universe": recount.universe,
        **({"merged": recount_to_json(recount.merged)} if recount.merged else {}),
        "tables": [
            {
                "cells": [_cell_json(cell) for cell in table.cells],
                "notRecorded": table.not_recorded,
                "margins": margins_to_json(table.margins),
            }
            for table in recount.tables
        ],
    }


def recount_from_json(told: Mapping[str, Any]) -> Recount:
    """The recount that `recount_to_json` wrote."""
    contract: OutputContract = contract_from_json(told["contract"])
    tables = tuple(
        RecountedTable(
            spec,
            tuple(_cell(cell) for cell in table["cells"]),
            table["notRecorded"],
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


def _cell_json(cell: RecountedCell) -> dict[str, Any]:
    return {
        "k": list(cell.key),
        "n": cell.n,
        "rows": cell.rows,
        "persons": cell.persons,
        "v": cell.v,
        "magnitude": cell.magnitude,
        "top": [cell.top1, cell.top2],
        "numerator": list(cell.numerator),
        "complement": list(cell.complement),
    }


def _cell(told: Mapping[str, Any]) -> RecountedCell:
    return RecountedCell(
        key=tuple(told["k"]),
        n=told["n"],
        rows=told["rows"],
        persons=told["persons"],
        v=told["v"],
        magnitude=told["magnitude"],
        top1=told["top"][0],
        top2=told["top"][1],
        numerator=(told["numerator"][0], told["numerator"][1]),
        complement=(told["complement"][0], told["complement"][1]),
    )
