"""Writes rows in the file type of each organisation, with that type's own notion of dates and nothing."""

from __future__ import annotations

import csv
import datetime
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from .organisations import Organisation

Cell = str | int | datetime.date | list[str] | None
Rows = list[list[Cell]]

# Stands in files which record when they were made, so that the same seed gives the same bytes.
MADE = datetime.datetime(2016, 1, 4)  # noqa: DTZ001 - a spreadsheet knows no time zones


def write_file(path: Path, organisation: Organisation, rows: Rows) -> None:
    """Write the case file, replacing what was there."""
    path.unlink(missing_ok=True)
    WRITERS[organisation.kind](path, organisation, rows)


def _plain(organisation: Organisation, row: list[Cell]) -> list[str | int | datetime.date | None]:
    """The row with cells of several codes joined, and nothing where there are none."""
    return [
        column.separator.join(cell) or None if isinstance(cell, list) else cell
        for column, cell in zip(organisation.columns, row, strict=True)
    ]


def _csv(path: Path, organisation: Organisation, rows: Rows) -> None:
    options = dict(organisation.options)
    with path.open("w", encoding=options["encoding"], newline="") as file:
        writer = csv.writer(file, delimiter=options["delimiter"])
        writer.writerow([column.name for column in organisation.columns])
        writer.writerows(_plain(organisation, row) for row in rows)


def _parquet(path: Path, organisation: Organisation, rows: Rows) -> None:
    columns = zip(*(_plain(organisation, row) for row in rows), strict=True)
    names = [column.name for column in organisation.columns]
    pq.write_table(pa.table([pa.array(column) for column in columns], names=names), path)


def _xlsx(path: Path, organisation: Organisation, rows: Rows) -> None:
    book = openpyxl.Workbook(write_only=True)
    book.properties.created = book.properties.modified = MADE
    sheet = book.create_sheet(dict(organisation.options)["sheet"])
    sheet.append([column.name for column in organisation.columns])
    for row in rows:
        sheet.append(_plain(organisation, row))
    made = io.BytesIO()
    book.save(made)
    _with_fixed_times(made, path)


def _with_fixed_times(made: io.BytesIO, path: Path) -> None:
    """Copy the zip archive with one time stamp on all members."""
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":  # openpyxl puts the time of saving there
                content = _fixed_core(content)
            new.writestr(zipfile.ZipInfo(name, (2016, 1, 4, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def _fixed_core(content: bytes) -> bytes:
    """The document properties with the time of saving replaced by `MADE`."""
    start, end = content.index(b"<dcterms:modified"), content.index(b"</dcterms:modified>")
    tag = content[start:end].split(b">")[0] + b">"
    return content[:start] + tag + f"{MADE:%Y-%m-%dT%H:%M:%SZ}".encode() + content[end:]


def _sqlite(path: Path, organisation: Organisation, rows: Rows) -> None:
    table = dict(organisation.options)["table"]
    names = ", ".join(f'"{column.name}" TEXT' for column in organisation.columns)
    marks = ", ".join("?" for _ in organisation.columns)
    with sqlite3.connect(path) as connection:
        connection.execute(f'CREATE TABLE "{table}" ({names})')
        plain = (_plain(organisation, row) for row in rows)
        connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', plain)  # noqa: S608 - own names
    connection.close()


def _jsonl(path: Path, organisation: Organisation, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            cells = zip(organisation.columns, row, strict=True)
            # a case management system leaves out what was not recorded, and keeps lists as lists
            case = {column.name: _json(cell) for column, cell in cells if cell not in (None, "", [])}
            file.write(json.dumps(case, ensure_ascii=False) + "\n")


def _json(cell: Cell) -> object:
    """Booleans as booleans, all else as it is."""
    return {"true": True, "false": False}.get(cell, cell) if isinstance(cell, str) else cell


WRITERS: dict[str, Callable[[Path, Organisation, Rows], None]] = {
    "csv": _csv,
    "parquet": _parquet,
    "xlsx": _xlsx,
    "sqlite": _sqlite,
    "jsonl": _jsonl,
}
