"""Output contracts, filters and released tables as JSON: in run.json, approvals, verdicts and releases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairnode import errors
from fairnode.records.result import (
    Condition,
    Dimension,
    Kind,
    Margin,
    OutputContract,
    PublicCell,
    PublicTable,
    Status,
    TableSpec,
    Unit,
)

RELEASE_TYPE = "fairnode.release/1"


def contract_from_json(told: Mapping[str, Any]) -> OutputContract:
    """The contract that is written in `run.json` and in the approval; `NotValid` if it is not one."""
    try:
        return OutputContract(tuple(_table(table) for table in told["tables"]))
    except (KeyError, ValueError, TypeError) as error:
        raise errors.NotValid(
            f"The output contract cannot be read: {error}.", to_do="Check the manifest's [[outputs]]."
        ) from None


def contract_to_json(contract: OutputContract) -> dict[str, Any]:
    """The contract as the JSON object that `contract_from_json` reads."""
    return {"tables": [_table_json(table) for table in contract.tables]}


def conditions_from_json(told: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """A study's filter, `[{"variable": ..., "in": [...]}]`."""
    return tuple(Condition(line["variable"], frozenset(line["in"])) for line in told)


def conditions_to_json(conditions: Sequence[Condition]) -> list[dict[str, Any]]:
    """The filter as the JSON that `conditions_from_json` reads."""
    return [{"variable": line.variable, "in": sorted(line.codes)} for line in conditions]


def tables_to_json(tables: Sequence[PublicTable], *, release: str, rules: str) -> dict[str, Any]:
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


def tables_from_json(told: Mapping[str, Any]) -> tuple[PublicTable, ...]:
    """The released tables that `tables_to_json` wrote. Raises `NotValid` when they are something else."""
    try:
        specs = contract_from_json(told).tables
        return tuple(_public_table(spec, table) for spec, table in zip(specs, told["tables"], strict=True))
    except (KeyError, ValueError, TypeError) as error:
        raise errors.NotValid("This is not a release that this node can read.") from error


def _public_table(spec: TableSpec, told: Mapping[str, Any]) -> PublicTable:
    """One released table."""
    cells = tuple(
        PublicCell(tuple(c["k"]), Status(c["status"]), c.get("n"), c.get("v")) for c in told["cells"]
    )
    margins = tuple(Margin(m.get("variable"), m.get("code"), m["n"]) for m in told["sumsOfShownCells"])
    return PublicTable(spec, cells, margins, told["roundedTo"])


def _table(told: Mapping[str, Any]) -> TableSpec:
    numerator = told.get("numerator")
    return TableSpec(
        id=told["id"],
        kind=Kind(told["kind"]),
        unit=Unit(told["unit"]),
        input=told["input"],
        dimensions=tuple(
            Dimension(
                axis["variable"],
                tuple(axis["codes"]),
                bool(axis.get("sensitive", False)),
                bool(axis.get("multiple", False)),
            )
            for axis in told["dimensions"]
        ),
        measure=told.get("measure"),
        numerator=None if numerator is None else conditions_from_json([numerator])[0],
        merged=bool(told.get("merged", False)),
    )


def _table_json(table: TableSpec) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": table.id,
        "kind": table.kind.value,
        "unit": table.unit.value,
        "input": table.input,
        "dimensions": [
            {
                "variable": axis.variable,
                "codes": list(axis.codes),
                "sensitive": axis.sensitive,
                **({"multiple": True} if axis.multiple else {}),
            }
            for axis in table.dimensions
        ],
    }
    if table.measure is not None:
        told["measure"] = table.measure
    if table.numerator is not None:
        told["numerator"] = conditions_to_json([table.numerator])[0]
    if table.merged:
        told["merged"] = True
    return told


def _cell(cell: PublicCell) -> dict[str, Any]:
    told: dict[str, Any] = {"k": list(cell.key), "status": cell.status.value}
    if cell.status is Status.SHOWN:
        if cell.n is not None:
            told["n"] = cell.n
        if cell.v is not None:
            told["v"] = cell.v
    return told


def _margin(margin: Margin) -> dict[str, Any]:
    of = {} if margin.variable is None else {"variable": margin.variable, "code": margin.code}
    return {**of, "n": margin.n}
