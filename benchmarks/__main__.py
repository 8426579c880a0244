"""Runs the benchmarks that are named (or all), prints a table, and keeps the rows in benchmarks/latest.json.

Rows of benchmarks that are not run this time stay as they were. Ends with 1 when one could not run.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import traceback
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
LATEST = HERE / "latest.json"
FIELDS = ("name", "ours", "peer", "ratio", "goal", "unit", "holds")

Row = dict[str, Any]


def names() -> list[str]:
    """The benchmarks that there are."""
    return sorted(m.name for m in pkgutil.iter_modules([str(HERE)]) if not m.name.startswith("_"))


def run(name: str) -> list[Row]:
    """The rows of one benchmark, each with exactly the fields of a row."""
    module = importlib.import_module(f"benchmarks.{name}")
    made = [dict(row) for row in module.rows()]
    for row in made:
        if set(row) != set(FIELDS) or not str(row["name"]).startswith(f"{name}."):
            raise ValueError(f"benchmarks.{name} made a row that is none: {row}")
    return made


def show(rows: list[Row]) -> None:
    """The rows as a table on the terminal."""
    table = Table(title="Benchmarks", title_justify="left")
    for field in FIELDS:
        table.add_column(field, justify="left" if field in ("name", "unit") else "right", overflow="fold")
    for row in rows:
        table.add_row(*(_said(row[field]) for field in FIELDS))
    Console(highlight=False).print(table)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def keep(rows: list[Row], ran: list[str]) -> None:
    """Write the rows to latest.json beside those of benchmarks that did not run."""
    before: list[Row] = json.loads(LATEST.read_text(encoding="utf-8")) if LATEST.exists() else []
    others = [row for row in before if row["name"].split(".")[0] not in ran]
    kept = sorted([*others, *rows], key=lambda row: str(row["name"]))
    LATEST.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def main(wanted: list[str]) -> int:
    """Run what is wanted; the exit code."""
    unknown = set(wanted) - set(names())
    if unknown:
        print(f"No benchmark {', '.join(sorted(unknown))}; there are {', '.join(names())}.", file=sys.stderr)
        return 2
    rows: list[Row] = []
    ran, failed = [], []
    for name in wanted or names():
        print(f"benchmark {name} ...", file=sys.stderr)
        try:
            rows += run(name)
            ran.append(name)
        except Exception:  # noqa: BLE001 - the others are measured all the same
            traceback.print_exc()
            failed.append(name)
    show(rows)
    keep(rows, ran)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
