"""Child job: the dry run when a dataset is added or its file was replaced: does all of it fit the record?

In: `{"dataset", "source"}`, optional `"limits"` as for `fairnode.jobs.view`.

Out: `{"rows", "persons", "outside_period", "without_person_key", "query", "source_sha256", "bindings"}` with,
for each binding, `{"column", "variable", "recorded", "unmapped", "unmapped_rows", "codes"}`: rows with a
value, and number, rows and list of local codes without a concept. All of it is for the node's own people.
"""

# ruff: noqa: S608 - the expressions are those of `fairnode.datasets.views`, or of fixed names

from __future__ import annotations

from typing import Any

import duckdb

from fairnode.datasets.expressions import quoted
from fairnode.datasets.views import compile_all
from fairnode.jobs.process import main
from fairnode.jobs.view import (
    MEMORY_MIB,
    ROWS,
    connect,
    count_persons,
    load,
    run_checks,
    run_steps,
    unknown_codes,
)
from fairnode.records.dataset import Dataset, dataset_from, source_from


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Read everything once. Raises `NotValid`, `Unavailable` or `Conflict` as making a view would."""
    dataset = dataset_from(job["dataset"])
    query = compile_all(dataset)
    limits = job.get("limits", {})
    with connect(int(limits.get("memory_mib", MEMORY_MIB))) as database:
        digest = load(database, source_from(job["source"]), query, int(limits.get("rows", ROWS)))
        unmapped_rows = run_checks(database, query)
        codes = {check.variable: unknown_codes(database, check) for check in query.checks}
        counts = run_steps(database, query)
        recorded = count_recorded(database, dataset)
        persons = count_persons(database, dataset)
    return {
        "rows": counts["source"],
        "persons": persons,
        "outside_period": counts["source"] - counts["view"],
        "without_person_key": counts["view"] - recorded.get("personKey", counts["view"]),
        "query": query.digest,
        "source_sha256": digest,
        "bindings": [
            {
                "column": binding.column,
                "variable": binding.variable,
                "recorded": recorded[binding.variable],
                "unmapped": len(codes.get(binding.variable, [])),
                "unmapped_rows": unmapped_rows.get(binding.variable, 0),
                "codes": codes.get(binding.variable, []),
            }
            for binding in dataset.bindings
        ],
    }


def count_recorded(database: duckdb.DuckDBPyConnection, dataset: Dataset) -> dict[str, int]:
    """For each bound variable the rows of the table `view` that have a value."""
    names = [binding.variable for binding in dataset.bindings]
    counts = ", ".join(f"count({quoted(name)})" for name in names)
    return dict(zip(names, database.execute(f"SELECT {counts} FROM view").fetchall()[0], strict=True))


if __name__ == "__main__":
    main(run)
