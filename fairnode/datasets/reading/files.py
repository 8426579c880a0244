"""Readers of files: CSV in any encoding, JSON lines, XLSX, Parquet."""

from __future__ import annotations

import codecs
import csv
import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from fairnode.datasets.reading.table import Row, Table, places, project
from fairnode.errors import Conflict, Finding, NotValid, Unavailable
from fairnode.records.dataset import Source

Wanted = Sequence[str] | None


class CsvReader(Protocol):
    """What `csv.reader` gives; the standard library does not name it."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


BLOCK = 1 << 20
LONGEST_CELL = 1 << 24  # characters; a longer one means that a quote was never closed


@dataclass(frozen=True)
class Snapshot:
    """What a file looked like before reading: its digest, and whether its bytes are ASCII or UTF-8."""

    sha256: str
    ascii: bool
    utf8: bool


@contextmanager
def unchanged(path: str) -> Iterator[Snapshot]:
    """Look at a file, let it be read, and raise `Conflict` when it was changed meanwhile."""
    try:
        before = _state(path)
        yield _look(path)
        after = _state(path)
    except OSError as wrong:
        raise Unavailable(
            "The data file of this dataset cannot be read.",
            to_do="The operator checks that the file is where the source says and may be read.",
            internal=str(wrong),
        ) from None
    if before != after:
        raise Conflict(
            "The data file was changed while it was being read.",
            to_do="Wait until the export is finished, then start again.",
            internal=path,
        )


@contextmanager
def open_csv(source: Source, wanted: Wanted) -> Iterator[Table]:
    """A CSV file; its first row names the columns. Raises `NotValid` naming the line where it breaks."""
    with unchanged(source.path) as snapshot:
        encoding = _encoding(source, snapshot)
        with Path(source.path).open(encoding=encoding, newline="") as file:
            try:
                csv.field_size_limit(LONGEST_CELL)
                reader = csv.reader(file, delimiter=source.delimiter, quotechar=source.quote, strict=True)
                header = [name.strip() for name in next(reader, [])]
                rows = _csv_rows(reader, source, len(header))
                yield Table(
                    tuple(header) if wanted is None else tuple(wanted),
                    project(rows, places(header, wanted)),
                    snapshot.sha256,
                )
            except UnicodeDecodeError as wrong:
                raise _wrong_encoding(source, wrong) from None


def _csv_rows(reader: CsvReader, source: Source, width: int) -> Iterator[Row]:
    """The rows; empty lines are passed over. Raises `NotValid` at the first that has another width."""
    try:
        for row in reader:
            if len(row) == width:
                yield row
            elif row:
                raise NotValid(
                    "A line of the CSV file has another number of cells than its first line.",
                    to_do="Check the delimiter, and quotes that are not closed, at and before this line.",
                    findings=(Finding(f"line {reader.line_num}", f"{len(row)} cells instead of {width}"),),
                )
    except csv.Error as wrong:
        raise NotValid(
            "The CSV file cannot be read to its end.",
            to_do="Check the quotes at and before this line.",
            findings=(Finding(f"line {reader.line_num}", "is not well-formed"),),
            internal=f"{source.path}: {wrong}",
        ) from None


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
        except UnicodeDecodeError as wrong:
            raise _wrong_encoding(source, wrong) from None


def _objects(source: Source) -> Iterator[dict[str, object]]:
    """The objects. Raises `NotValid` at the first line that is not one."""
    with Path(source.path).open(encoding="utf-8-sig" if _is_utf8(source) else source.encoding) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                case = json.loads(line)
            except ValueError:
                case = None
            if not isinstance(case, dict):
                raise NotValid(
                    "A line of the file is not a JSON object.",
                    findings=(Finding(f"line {number}", "cannot be read"),),
                )
            yield case


@contextmanager
def open_xlsx(source: Source, wanted: Wanted) -> Iterator[Table]:
    """A sheet of an XLSX workbook (the first, unless one is named); its first row names the columns."""
    with unchanged(source.path) as snapshot, Path(source.path).open("rb") as file:
        try:  # an open file, for openpyxl judges a path by its ending
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        except (zipfile.BadZipFile, KeyError, ValueError) as wrong:
            raise NotValid("The file is not an XLSX workbook.", internal=f"{source.path}: {wrong}") from None
        try:
            if source.sheet and source.sheet not in book.sheetnames:
                raise NotValid(
                    "The workbook does not have the sheet that the source names.",
                    to_do="Correct `sheet` in the description of the source.",
                    internal=f"sheets found: {book.sheetnames}",
                )
            sheet = book[source.sheet] if source.sheet else book.worksheets[0]
            rows = sheet.iter_rows(values_only=True)
            header = ["" if name is None else str(name).strip() for name in next(rows, ())]
            at = places(header, wanted)
            filled = (row for row in rows if any(cell is not None for cell in row))
            padded = ((*row, *([None] * (len(header) - len(row)))) for row in filled)
            yield Table(
                tuple(header) if wanted is None else tuple(wanted), project(padded, at), snapshot.sha256
            )
        finally:
            book.close()


@contextmanager
def open_parquet(source: Source, wanted: Wanted) -> Iterator[Table]:
    """A Parquet file."""
    with unchanged(source.path) as snapshot:
        try:
            with pq.ParquetFile(source.path) as file:
                header = file.schema_arrow.names
                places(header, wanted)
                columns = tuple(header) if wanted is None else tuple(wanted)
                yield Table(columns, _parquet_rows(file, columns), snapshot.sha256)
        except pa.ArrowInvalid as wrong:
            raise NotValid("The file is not a Parquet file.", internal=f"{source.path}: {wrong}") from None


def _parquet_rows(file: pq.ParquetFile, columns: tuple[str, ...]) -> Iterator[Row]:
    for batch in file.iter_batches(columns=list(columns)):
        yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)


def _state(path: str) -> tuple[int, int, int]:
    """What changes when a file does."""
    now = Path(path).stat()
    return (now.st_ino, now.st_size, now.st_mtime_ns)


def _look(path: str) -> Snapshot:
    """Read the file once, whole."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    ascii_only = utf8 = True
    with Path(path).open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            ascii_only = ascii_only and block.isascii()
            utf8 = utf8 and _decodes(decoder, block)
    return Snapshot(digest.hexdigest(), ascii_only, utf8 and _decodes(decoder, b"", final=True))


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


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


def _wrong_encoding(source: Source, wrong: UnicodeDecodeError) -> NotValid:
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
        internal=f"{source.path}: {source.encoding}: {wrong.reason}",
    )


def _is_in(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
