"""Reader of XLSX workbooks."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openpyxl

from fairnode.datasets.reading.snapshot import unchanged
from fairnode.datasets.reading.table import Table, Wanted, places, project
from fairnode.errors import NotValid
from fairnode.records.dataset import Source


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
