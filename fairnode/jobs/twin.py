"""Child job: draws the synthetic twin of a dataset from what its record says (`fairnode.datasets.twins`).

In: `{"columns", "profile", "rows", "years", "seed", "output"}`, optional `"csv"` (a second file of the same rows),
`"variables"` (columns to keep, in this order) and `"filter"` as a view has it, applied to the drawn rows.

Out: `{"rows", "schema", "files"}`: size and SHA-256 of each file. The same job always gives the same rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from fairnode import vocabulary
from fairnode.datasets.views import Query
from fairnode.jobs.process import main
from fairnode.jobs.twin_columns import Size, draw_column
from fairnode.jobs.view import arrow_schema
from fairnode.records.dataset import Column
from fairnode.records.profile import profile_from_json

FLAG = "# synthetic: every row was drawn at random; nobody is described here\n"
_MARKS = {b"fairnode.synthetic": b"true", b"description": FLAG.strip("# \n").encode()}


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Draw, filter, write."""
    columns = [Column(**{**told, "codes": tuple(told["codes"])}) for told in job["columns"]]
    table = select(draw(columns, job), dict(job.get("filter", ())))
    names = tuple(job.get("variables") or (column.name for column in columns))
    kept = [next(column for column in columns if column.name == name) for name in names]
    table = table.select(names).cast(arrow_schema(Query((), (), (), tuple(kept))))
    output = Path(job["output"])
    _appear(output, lambda part: pq.write_table(marked(table), part, compression="zstd"))
    files = {"parquet": _told(output)}
    if job.get("csv"):
        _appear(Path(job["csv"]), lambda part: write_csv(table, part))
        files["csv"] = _told(Path(job["csv"]))
    return {"rows": table.num_rows, "schema": [asdict(column) for column in kept], "files": files}


def draw(columns: Sequence[Column], job: Mapping[str, Any]) -> pa.Table:
    """All columns; each has a stream of chance of its own, so that one more column changes no other."""
    profile = profile_from_json(job["profile"]) if job.get("profile") else None
    size = Size(int(job["rows"]), (job["years"][0], job["years"][1]))
    drawn = {}
    for column in columns:
        chance = np.random.default_rng([int(job["seed"]), *column.name.encode()])
        told = profile.variable(column.name) if profile else None
        drawn[column.name] = draw_column(column, told, size, chance)
    return pa.table(drawn)


def marked(table: pa.Table) -> pa.Table:
    """The table with a mark in the file itself that its rows are synthetic."""
    return table.replace_schema_metadata(_MARKS)


def write_csv(table: pa.Table, path: Path) -> None:
    """One line that says what this is (a comment, as CSVW has them), the names, the rows; lists with `|`."""
    flat = pa.table(
        {
            name: pc.binary_join(column.combine_chunks(), "|") if pa.types.is_list(column.type) else column
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )
    with path.open("wb") as file:
        file.write(FLAG.encode())
        options = pyarrow.csv.WriteOptions(quoting_style="needed")
        pyarrow.csv.write_csv(flat, file, options)


def select(table: pa.Table, admitted: Mapping[str, Sequence[str]]) -> pa.Table:
    """The rows of a twin that have one of the `admitted` codes of each variable."""
    for name, codes in admitted.items():
        variable, column = vocabulary.variable(name), table[name].combine_chunks()
        coded = variable.kind == "coded"
        values = sorted(
            {value for code in codes for value in (variable.within(code) if coded else (int(code),))}
        )
        items = pc.list_flatten(column) if variable.multiple else column
        hit = pc.is_in(items, value_set=pa.array(values, items.type))
        if variable.multiple:
            rows = np.unique(pc.list_parent_indices(column).to_numpy()[hit.to_numpy(zero_copy_only=False)])
            table = table.take(pa.array(rows))
        else:
            table = table.filter(hit)
    return table


def _appear(path: Path, write: Any) -> None:
    """A file that appears whole or not at all."""
    part = path.with_suffix(".part")
    write(part)
    part.replace(path)


def _told(path: Path) -> dict[str, Any]:
    """Size and hash of a file."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


if __name__ == "__main__":
    main(run)
