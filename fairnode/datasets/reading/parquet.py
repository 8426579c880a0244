"""Reader of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fairnode.datasets.reading.snapshot import unchanged
from fairnode.datasets.reading.table import Row, Table, Wanted, places
from fairnode.errors import NotValid
from fairnode.records.dataset import Source

DAMAGED = (pa.ArrowException, OSError, ValueError, OverflowError)


@contextmanager
def open_parquet(source: Source, wanted: Wanted) -> Iterator[Table]:
    """A Parquet file."""
    with unchanged(source.path) as snapshot, Path(source.path).open("rb") as stream:
        try:
            file = pq.ParquetFile(stream)
            header = file.schema_arrow.names
        except DAMAGED as wrong:
            raise NotValid("The file is not a Parquet file.", internal=f"{source.path}: {wrong}") from None
        places(header, wanted)
        columns = tuple(header) if wanted is None else tuple(wanted)
        yield Table(columns, _rows(file, columns), snapshot.sha256)


def _rows(file: pq.ParquetFile, columns: tuple[str, ...]) -> Iterator[Row]:
    """The rows. Raises `NotValid` where the file is damaged."""
    try:
        for batch in file.iter_batches(columns=list(columns)):
            yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
    except DAMAGED as wrong:
        raise NotValid("The Parquet file is damaged.", internal=str(wrong)) from None
