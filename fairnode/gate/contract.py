"""The output contract as JSON, its own limits, and the container's result read against it.

Everything that a container could choose is fixed here beforehand: ids, dimensions, codes, kinds, and
that every cell is there exactly once. Nothing of its bytes goes further than the numbers.
"""

from __future__ import annotations

import re
from typing import Any

from fairnode.disclosure.rules import RuleSet
from fairnode.gate.refusals import Refusal, Refused
from fairnode.records.result import (
    Cell,
    Key,
    Kind,
    OutputContract,
    Result,
    ResultTable,
    TableSpec,
)

RESULT_TYPE = "fairnode.result/1"
# what stands in a cell; a number that nobody recounts stands alone, without a count to carry more bits
_MEMBERS = {Kind.COUNT: {"k", "n"}, Kind.PAIR: {"k", "n"}, Kind.OTHER: {"k", "v"}}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def check_contract(contract: OutputContract, rules: RuleSet) -> None:
    """Refuse a contract that is not well formed or larger than the rules allow (`Refused`)."""
    tables = contract.tables
    if not 1 <= len(tables) <= rules.count("size.tables") or len({t.id for t in tables}) != len(tables):
        raise Refused(Refusal.CONTRACT)
    for table in tables:
        _check_table(table, rules)


def read_result(value: Any, contract: OutputContract) -> Result:
    """The container's result as records, if it is complete over `contract` and has nothing else in it.

    `value` comes from `strict_json.read`. Raises `Refused`. Cells come in the contract's order.
    """
    if not _closed(value, {"type", "tables"}) or value["type"] != RESULT_TYPE:
        raise Refused(Refusal.NOT_A_RESULT)
    tables = value["tables"]
    if not isinstance(tables, list) or not all(_closed(table, {"id", "cells"}) for table in tables):
        raise Refused(Refusal.NOT_A_RESULT)
    if not all(isinstance(table["id"], str) for table in tables):
        raise Refused(Refusal.NOT_A_RESULT)
    if sorted(table["id"] for table in tables) != sorted(spec.id for spec in contract.tables):
        raise Refused(Refusal.OTHER_TABLES)
    cells = {table["id"]: table["cells"] for table in tables}
    return Result(tuple(_result_table(cells[spec.id], spec) for spec in contract.tables))


def _check_table(table: TableSpec, rules: RuleSet) -> None:
    """Names are names, code lists have no doubles, the size is within limits, the kind has what it needs."""
    variables = [axis.variable for axis in table.dimensions]
    extra = [table.measure] if table.measure else []
    extra += [table.numerator.variable] if table.numerator else []
    names = [table.id, table.input, *variables, *extra]
    size = 1
    for axis in table.dimensions:
        size *= len(axis.codes)
    well_formed = (
        all(_NAME.fullmatch(name) for name in names)
        and len(set(variables)) == len(variables)
        and all(len(set(axis.codes)) == len(axis.codes) for axis in table.dimensions)
        and (table.measure is not None) == (table.kind in {Kind.SUM, Kind.MEAN, Kind.SPREAD})
        and (table.kind is not Kind.PAIR or len(variables) == 2)
        and (not table.merged or (table.kind is Kind.COUNT and not table.dimensions[0].multiple))
        and (table.numerator is not None) == (table.kind is Kind.PROPORTION)
    )
    fits = 1 <= size <= rules.count("size.cells") and len(variables) <= rules.count("size.dimensions")
    if not (well_formed and fits):
        raise Refused(Refusal.CONTRACT, table.id)


def _closed(value: Any, keys: set[str]) -> bool:
    """Whether `value` is an object with exactly these keys."""
    return isinstance(value, dict) and set(value) == keys


def _result_table(cells: Any, spec: TableSpec) -> ResultTable:
    """One table, complete over its specification."""
    if not isinstance(cells, list):
        raise Refused(Refusal.NOT_A_RESULT, spec.id)
    found: dict[Key, Cell] = {}
    for told in cells:
        cell = _cell(told, spec)
        if cell.key in found:
            raise Refused(Refusal.OTHER_CELLS, spec.id)
        found[cell.key] = cell
    wanted = list(spec.keys())
    if set(found) != set(wanted):
        raise Refused(Refusal.OTHER_CELLS, spec.id)
    return ResultTable(spec.id, tuple(found[key] for key in wanted))


def _cell(told: Any, spec: TableSpec) -> Cell:
    """One cell. `type(x) is int` on purpose: True and 1.0 are no counts."""
    if not _closed(told, _MEMBERS.get(spec.kind, {"k", "n", "v"})):
        raise Refused(Refusal.NOT_A_RESULT, spec.id)
    codes, n, v = told["k"], told.get("n", 0), told.get("v")
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise Refused(Refusal.OTHER_CELLS, spec.id)
    if type(n) is not int or n < 0 or type(v) not in {int, float, type(None)}:
        raise Refused(Refusal.CELL_FORM, spec.id)
    if spec.kind is Kind.OTHER:
        if v is None:
            raise Refused(Refusal.CELL_FORM, spec.id)
        return Cell(tuple(codes), 0, float(v))
    if v is None and "v" in _MEMBERS.get(spec.kind, {"v"}) and n > 0:
        raise Refused(Refusal.CELL_FORM, spec.id)
    return Cell(tuple(codes), n, None if v is None or n == 0 else float(v))
