"""Writes /fairnode/out/result: complete tables, in the order of the output contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from fairnode_kit.run import ROOT, Run, Table, read_run

Key = tuple[str, ...]
Cell = int | float | tuple[int, float]
Cells = Mapping[Key, Cell]


def complete(table: Table, cells: Cells) -> list[dict[str, Any]]:
    """Every cell of the table, in the order of its code lists, with 0 where `cells` has none.

    Raises ValueError for a key outside the code lists.
    """
    keys = list(product(*(d.codes for d in table.dimensions)))
    foreign = set(cells) - set(keys)
    if foreign:
        raise ValueError(f"table {table.id!r} has no cell {sorted(foreign)[0]}")
    return [_cell(table, key, cells.get(key, 0)) for key in keys]


def write_result(run: Run, tables: Mapping[str, Cells], root: Path = ROOT) -> None:
    """Write the tables that the contract asks for; the file is there already, and only it is taken."""
    asked = [{"id": t.id, "cells": complete(t, tables[t.id])} for t in run.tables]
    content = json.dumps({"type": "fairnode.result/1", "tables": asked}, separators=(",", ":"))
    (root / "out" / "result").write_text(content, encoding="utf-8")


def main(algorithm: Callable[[Run], Mapping[str, Cells]]) -> None:
    """Run an algorithm once: the last line of its program."""
    run = read_run()
    write_result(run, algorithm(run))


def _cell(table: Table, key: Key, cell: Cell) -> dict[str, Any]:
    if table.kind in ("count", "pair"):
        return {"k": list(key), "n": cell}
    if table.kind == "other":
        return {"k": list(key), "v": float(cell[1] if isinstance(cell, tuple) else cell)}
    n, value = cell if isinstance(cell, tuple) else (cell, 0.0)
    return {"k": list(key), "n": n, "v": value}
