"""Readers of text files in any encoding: CSV and JSON lines."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Protocol

from fairnode.datasets.reading.snapshot import Snapshot, unchanged
from fairnode.datasets.reading.table import Row, Table, Wanted, places, project
from fairnode.errors import Finding, NotValid
from fairnode.records.dataset import Source

LONGEST_CELL = 1 << 24  # characters; a longer one means that a quote was never closed


class CsvReader(Protocol):
    """What `csv.reader` gives; the standard library does not name it."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


@contextmanager
def open_csv(source: Source, wanted: Wanted) -> Iterator[Table]:
    """A CSV file; its first row names the columns. Raises `NotValid` naming the line where it breaks."""
    with unchanged(source.path) as snapshot:
        encoding = _encoding(source, snapshot)
        csv.field_size_limit(LONGEST_CELL)
        with Path(source.path).open(encoding=encoding, newline="") as file:
            reader = csv.reader(file, delimiter=source.delimiter, quotechar=source.quote, strict=True)
            try:
                header = [name.strip() for name in next(reader, [])]
                columns = tuple(header) if wanted is None else tuple(wanted)
                rows = project(_whole_rows(reader, len(header)), places(header, wanted))
                yield Table(columns, rows, snapshot.sha256)
            except UnicodeError as wrong:
                raise _wrong_encoding(source, wrong) from None
            except csv.Error as wrong:
                raise NotValid(
                    "The CSV file cannot be read to its end.",
                    to_do="Check the quotes at and before this line.",
                    findings=(Finding(f"line {reader.line_num}", "is not well-formed"),),
                    internal=f"{source.path}: {wrong}",
                ) from None


def _whole_rows(reader: CsvReader, width: int) -> Iterator[Row]:
    """The rows; empty lines are passed over. Raises `NotValid` at the first that has another width."""
    for row in reader:
        if len(row) == width:
            yield row
        elif row:
            raise NotValid(
                "A line of the CSV file has another number of cells than its first line.",
                to_do="Check the delimiter, and quotes that are not closed, at and before this line.",
                findings=(Finding(f"line {reader.line_num}", f"{len(row)} cells instead of {width}"),),
            )


@contextmanager
def open_json_lines(source: Source, wanted: Wanted) -> Iterator[Table]:
    """A file with one JSON object a line; a key that an object lacks was not recorded."""
    with unchanged(source.path) as snapshot:
        try:
            names = tuple(dict.fromkeys(chain.from_iterable(_objects(source))))
            places(names, wanted)
            columns = names if wanted is None else tuple(wanted)
            rows = ([case.get(name) for name in columns] for case in _objects(source))
            yield Table(columns, rows, snapshot.sha256)
        except UnicodeError as wrong:
            raise _wrong_encoding(source, wrong) from None


def _objects(source: Source) -> Iterator[dict[str, object]]:
    """The objects. Raises `NotValid` at the first line that is not one."""
    with Path(source.path).open(encoding="utf-8-sig" if _is_utf8(source) else source.encoding) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                case = json.loads(line)
            except (ValueError, RecursionError):
                case = None
            if not isinstance(case, dict):
                raise NotValid(
                    "A line of the file is not a JSON object.",
                    findings=(Finding(f"line {number}", "cannot be read"),),
                )
            yield case


def _is_utf8(source: Source) -> bool:
    return codecs.lookup(source.encoding).name in ("utf-8", "utf-8-sig")


def _encoding(source: Source, snapshot: Snapshot) -> str:
    """The encoding to read with. Raises `NotValid` when a one-byte encoding is named and the file is UTF-8.

    Every byte is a letter in such an encoding, so that nothing else would notice: "é" would become "Ã©".
    """
    if _is_utf8(source):
        return "utf-8-sig"  # a byte-order mark is not part of the first column's name
    if snapshot.utf8 and not snapshot.ascii and not codecs.lookup(source.encoding).name.startswith("utf-"):
        raise NotValid(
            "The data file is not in the encoding that the source names: it reads as UTF-8.",
            to_do='Write encoding = "utf-8" in the description of the source.',
            internal=source.path,
        )
    return source.encoding


def _wrong_encoding(source: Source, wrong: UnicodeError) -> NotValid:
    """The error for a file that is not in the encoding named, with the first line that is not."""
    findings: tuple[Finding, ...] = ()
    if not codecs.lookup(source.encoding).name.startswith(("utf-16", "utf-32")):
        with Path(source.path).open("rb") as file:
            numbers = (number for number, line in enumerate(file, 1) if not _is_in(line, source.encoding))
            findings = tuple(Finding(f"line {number}", "has other bytes") for number in list(numbers)[:1])
    return NotValid(
        "The data file is not in the encoding that the source names.",
        to_do='Spreadsheet exports are often encoding = "windows-1252"; name the right one in the source.',
        findings=findings,
        internal=f"{source.path}: {source.encoding}: {wrong}",
    )


def _is_in(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeError:
        return False
    return True
