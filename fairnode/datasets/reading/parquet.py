"""Reader of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from fairnode.datasets.reading.snapshot import unchanged
from fairnode.datasets.reading.table import Row, Table, Wanted, places
from fairnode.errors import NotValid
from fairnode.records.dataset import Source


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
