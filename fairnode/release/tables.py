"""A gated table as CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from fairnode.gate.contract import contract_to_json
from fairnode.records.result import (
    Kind,
    Margin,
    OutputContract,
    PublicCell,
    PublicTable,
    Status,
)

RELEASE_TYPE = "fairnode.release/1"


def to_csv(table: PublicTable) -> str:
    """One line a cell: its codes, its status, the rounded count and, if the table has one, the value."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    valued = table.spec.kind is not Kind.COUNT
    writer.writerow(
        [*(axis.variable for axis in table.spec.dimensions), "status", "n", *(["v"] if valued else [])]
    )
    for cell in table.cells:
        n, v = _blank(cell.n), _blank(cell.v)
        writer.writerow([*cell.key, cell.status.value, n, *([v] if valued else [])])
    return out.getvalue()


def to_json(tables: Sequence[PublicTable], *, release: str, rules: str) -> dict[str, Any]:
    """All tables of a release as one JSON object; `rules` is the hash of the rule set."""
    specs = contract_to_json(OutputContract(tuple(table.spec for table in tables)))["tables"]
    return {
        "type": RELEASE_TYPE,
        "release": release,
        "rules": rules,
        "tables": [
            {
                **spec,
                "roundedTo": table.base,
                "cells": [_cell(cell) for cell in table.cells],
                "sumsOfShownCells": [_margin(margin) for margin in table.margins],
            }
            for spec, table in zip(specs, tables, strict=True)
        ],
    }


def _cell(cell: PublicCell) -> dict[str, Any]:
    told: dict[str, Any] = {"k": list(cell.key), "status": cell.status.value}
    if cell.status is Status.SHOWN:
        told["n"] = cell.n
        if cell.v is not None:
            told["v"] = cell.v
    return told


def _margin(margin: Margin) -> dict[str, Any]:
    of = {} if margin.variable is None else {"variable": margin.variable, "code": margin.code}
    return {**of, "n": margin.n}


def _blank(value: float | None) -> str:
    return "" if value is None else repr(value)
