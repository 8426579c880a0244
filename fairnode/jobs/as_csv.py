"""Child job: a harmonised view as CSV, for algorithms of other platforms that read nothing else.

In: `{"view": path of the Parquet file, "output": path}`. Out: `{"rows"}`. Codes of a list are joined by "|";
what is not recorded is an empty cell. Where there is one column only, every cell is quoted: readers skip empty
lines, and with them the rows in which nothing is recorded.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from fairnode.jobs.process import main


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Write the file; only its owner may read it."""
    output = Path(job["output"])
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file, pq.ParquetFile(job["view"]) as view:
        alone = len(view.schema_arrow) == 1
        schema = pa.schema(
            [pa.field(f.name, pa.string() if alone else _plain(f.type)) for f in view.schema_arrow]
        )
        options = pyarrow.csv.WriteOptions(quoting_style="all_valid" if alone else "needed")
        rows = 0
        with pyarrow.csv.CSVWriter(file, schema, write_options=options) as writer:
            for batch in view.iter_batches():
                columns = [_column(batch.column(i), schema.field(i).type) for i in range(len(schema))]
                columns = [column.fill_null("") for column in columns] if alone else columns
                writer.write_batch(pa.record_batch(columns, schema=schema))
                rows += batch.num_rows
    return {"rows": rows}


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_list(kind) else kind


def _column(column: pa.Array, kind: pa.DataType) -> pa.Array:
    return pc.binary_join(column, "|") if pa.types.is_list(column.type) else column.cast(kind)


if __name__ == "__main__":
    main(run)
