"""Reader of XLSX workbooks."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.workbook import Workbook

from fairnode.datasets.reading.snapshot import unchanged
from fairnode.datasets.reading.table import Row, Table, Wanted, places, project
from fairnode.errors import NotValid
from fairnode.records.dataset import Source

# openpyxl has no error of its own for a damaged workbook: it trips over what is missing in it.
DAMAGED = (zipfile.BadZipFile, zlib.error, ParseError, EOFError, LookupError, ValueError, TypeError,
           AttributeError, RuntimeError)  # fmt: skip


@contextmanager
def open_xlsx(source: Source, wanted: Wanted) -> Iterator[Table]:
    """A sheet of an XLSX workbook (the first, unless one is named); its first row names the columns."""
    with (
        unchanged(source.path) as snapshot,
        Path(source.path).open("rb") as file,
        closing(_open(file)) as book,
    ):
        rows = _rows(book, _sheet(book, source))
        header = ["" if name is None else str(name).strip() for name in next(rows, ())]
        filled = (row for row in rows if any(cell is not None for cell in row))
        padded = ((*row, *([None] * (len(header) - len(row)))) for row in filled)
        columns = tuple(header) if wanted is None else tuple(wanted)
        at = places(header, wanted)
        yield Table(columns, project(padded, at), snapshot.sha256)


def _open(file: BinaryIO) -> Workbook:
    """The workbook; an open file, for openpyxl judges a path by its ending."""
    try:
        return openpyxl.load_workbook(file, read_only=True, data_only=True)
    except DAMAGED as wrong:
        raise NotValid("The file is not an XLSX workbook.", internal=repr(wrong)) from None


def _sheet(book: Workbook, source: Source) -> str:
    """The name of the sheet to read. Raises `NotValid` when it is not there."""
    names = [sheet.title for sheet in book.worksheets]
    if not names or (source.sheet and source.sheet not in names):
        raise NotValid(
            "The workbook does not have the sheet that the source names.",
            to_do="Correct `sheet` in the description of the source.",
            internal=f"sheets found: {names}",
        )
    return source.sheet or names[0]


def _rows(book: Workbook, sheet: str) -> Iterator[Row]:
    """The rows of a sheet. Raises `NotValid` where the file is damaged."""
    try:
        yield from book[sheet].iter_rows(values_only=True)
    except DAMAGED as wrong:
        raise NotValid("The XLSX workbook is damaged.", internal=repr(wrong)) from None
