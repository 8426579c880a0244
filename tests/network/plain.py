"""The combined table in plain words, from the files themselves: of the project's code only the code lists."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections import Counter
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq


def rows(folder: Path, organisation) -> list[dict[str, str]]:
    """The rows of a case file, all values as text."""
    path, options = folder / organisation.key / organisation.file, dict(organisation.options)
    if organisation.kind == "csv":
        text = path.read_bytes().decode(options["encoding"])
        found = list(csv.DictReader(io.StringIO(text), delimiter=options["delimiter"]))
    elif organisation.kind == "parquet":
        found = pq.read_table(path).to_pylist()
    elif organisation.kind == "xlsx":
        lines = list(openpyxl.load_workbook(path, read_only=True)[options["sheet"]].values)
        found = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    elif organisation.kind == "sqlite":
        base = sqlite3.connect(path)
        base.row_factory = sqlite3.Row
        found = [dict(row) for row in base.execute(f"SELECT * FROM {options['table']}")]
        base.close()
    else:
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{k: "" if v is None else str(v) for k, v in row.items()} for row in found]


def counts(folder: Path, organisation, variables: tuple[str, ...]) -> Counter[tuple[str, ...]]:
    """How many rows there are of each combination of coded variables; a row that leaves one open is in none."""
    columns = [next(c for c in organisation.columns if (v, "") in c.binds) for v in variables]
    found: Counter[tuple[str, ...]] = Counter()
    for row in rows(folder, organisation):
        key = tuple(dict(c.codes).get(row.get(c.name, ""), "") for c in columns)
        found[key] += "" not in key
    return found


def opened(values: list[int], least: int) -> int | None:
    """Rule P4: the total rounded to 5, unless it or the rest without any one contributor is too small."""
    total = sum(values)
    rests = [total - value for value in values]
    fine = total >= least and all(rest == 0 or rest >= least for rest in rests)
    return 5 * ((total + 2) // 5) if fine else None


def table(folder: Path, organisations, variables: tuple[str, ...], k: int = 11) -> dict[tuple[str, ...], int]:
    """The cells that are shown of the table over these organisations, whose lists overlap."""
    told = [counts(folder, organisation, variables) for organisation in organisations]
    keys = set().union(*told)
    cells = {key: opened([one[key] for one in told], 2 * k) for key in keys}
    return {key: value for key, value in cells.items() if value is not None}
