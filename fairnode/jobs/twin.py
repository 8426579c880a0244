"""Child job: makes the synthetic twin of a dataset (Parquet), with the schema of its views.

In: `{"dataset", "source", "output", "seed"}`, optional `"variables"` (all that the dataset offers),
`"consent_required"`, `"filter"` as a view has it, and `"limits"` as for `fairnode.jobs.view`. The filter is
applied to the twin and not to the data: counts of one selection after the other would tell too much.

Out: `{"rows", "sha256", "schema", "marginals", "source_sha256"}`. The marginals are gated, and the only thing
that the twin is drawn from.
"""

# ruff: noqa: S608 - all names in these statements are those of variables of the ontology

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from fairnode import vocabulary
from fairnode.datasets.expressions import quoted
from fairnode.datasets.twins import MOST_ROWS, NOT_RECORDED, draw_twin, gate, round_to_base
from fairnode.datasets.views import Query, compile_view, offered
from fairnode.errors import NotValid
from fairnode.jobs.process import main
from fairnode.jobs.view import MEMORY_MIB, ROWS, arrow_schema, connect, load, run_checks, run_steps
from fairnode.records.dataset import Column, View, dataset_from, source_from


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Count, gate, draw. Raises what making a view raises, and `NotValid` where too few persons are left."""
    dataset = dataset_from(job["dataset"])
    wanted = tuple(job.get("variables") or offered(dataset))
    admitted = dict(job.get("filter", ()))
    view = View(
        tuple(dict.fromkeys((*wanted, *admitted))),
        unit="person" if dataset.knows_persons else "registration",
        consent_required=bool(job.get("consent_required")),
    )
    query = compile_view(dataset, view)
    limits = job.get("limits", {})
    with connect(int(limits.get("memory_mib", MEMORY_MIB))) as database:
        digest = load(database, source_from(job["source"]), query, int(limits.get("rows", ROWS)))
        run_checks(database, query)
        rows = min(round_to_base(run_steps(database, query)["view"]), MOST_ROWS)
        marginals = {column.name: gate(count(database, column)) for column in query.schema}
    if not rows:
        raise NotValid("The dataset has too few rows for a twin.")
    columns = draw_twin(query.schema, marginals, rows, int(job["seed"]))
    kept = select(columns, admitted)
    output = Path(job["output"])
    query = replace(query, schema=query.schema[: len(dict.fromkeys(wanted))])
    write({column.name: kept[column.name] for column in query.schema}, query, output)
    return {
        "rows": len(next(iter(kept.values()))),
        "sha256": hashlib.sha256(output.read_bytes()).hexdigest(),
        "schema": [asdict(column) for column in query.schema],
        "marginals": marginals,
        "source_sha256": digest,
    }


def select(columns: dict[str, list[Any]], admitted: Mapping[str, Sequence[str]]) -> dict[str, list[Any]]:
    """The rows of a twin that have one of the `admitted` codes of each variable."""
    rows: Sequence[int] = range(len(next(iter(columns.values()))))
    for name, codes in admitted.items():
        variable = vocabulary.variable(name)
        coded = variable.kind == "coded"
        values = {value for code in codes for value in (variable.within(code) if coded else (int(code),))}
        cells = columns[name]
        rows = [
            row for row in rows if values & set((cells[row] or ()) if variable.multiple else [cells[row]])
        ]
    return {name: [cells[row] for row in rows] for name, cells in columns.items()}


def count(database: duckdb.DuckDBPyConnection, column: Column) -> dict[str, int]:
    """Rows of the table `view` by code; by year for dates; a row with several codes counts at each."""
    name = quoted(column.name)
    code = f"CAST(year({name}) AS VARCHAR)" if column.kind == "date" else f"CAST({name} AS VARCHAR)"
    if column.multiple:
        rows = f"SELECT unnest({name}) AS code FROM view"
    else:
        rows = f"SELECT coalesce({code}, '{NOT_RECORDED}') AS code FROM view"
    return dict(database.execute(f"SELECT code, count(*) FROM ({rows}) GROUP BY code").fetchall())


def write(columns: dict[str, list[Any]], query: Query, output: Path) -> None:
    """Write the twin with exactly the schema of the view; the file appears whole or not at all."""
    part = output.with_suffix(".part")
    pq.write_table(pa.table(columns, schema=arrow_schema(query)), part, compression="zstd")
    part.replace(output)


if __name__ == "__main__":
    main(run)
