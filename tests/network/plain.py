"""The combined table in plain words, from the files themselves: of the project's code only the code lists."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections import Counter
from datetime import UTC, date, datetime
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


def day(text: str, form: str | None) -> date:
    """A date as a case file has it; files with dates of their own give it as ISO."""
    return datetime.strptime(text, form).replace(tzinfo=UTC).date() if form else date.fromisoformat(text[:10])


def age_of(organisation, row: dict[str, str]) -> int | None:
    """Whole years at the time of the registration, as told or from the date of birth."""
    column = next(c for c in organisation.columns if ("ageGroup", "ageGroup") in c.binds)
    if row.get(column.name, "") == "":
        return None
    if column.attribute == "age":
        return int(row[column.name])
    then = next(c for c in organisation.columns if ("identificationDate", "") in c.binds)
    born, met = day(row[column.name], column.text), day(row[then.name], then.text)
    return met.year - born.year - ((met.month, met.day) < (born.month, born.day))


def value(organisation, row: dict[str, str], variable: str) -> str:
    """The code of one variable in one row; empty where the file leaves it open."""
    if variable == "ageBroad":
        age = age_of(organisation, row)
        return "" if age is None else "minor" if age < 18 else "adult"
    column = next(c for c in organisation.columns if (variable, "") in c.binds)
    return dict(column.codes).get(row.get(column.name, ""), "")


def counts(folder: Path, organisation, variables: tuple[str, ...]) -> Counter[tuple[str, ...]]:
    """How many rows there are of each combination of variables; a row that leaves one open is in none."""
    found: Counter[tuple[str, ...]] = Counter()
    for row in rows(folder, organisation):
        key = tuple(value(organisation, row, variable) for variable in variables)
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
