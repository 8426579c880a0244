"""Child job: makes a harmonised view (Parquet) from a dataset's source, with DuckDB.

In: `{"dataset", "source", "view"}` (as `fairnode.records.dataset.to_json` writes them), `"output"` (path of
the Parquet file to make), optional `"identifiers": true` (programs of the node only), `"companion"` (path of
a second file that stays at the node) with `"salt"`, and `"limits": {"memory_mib", "rows"}`.

Out: `{"rows", "persons", "sha256", "schema", "query", "dropped", "unmapped", "source_sha256"}`. The counts of
dropped and unmapped rows are for the node's own people.
"""

# ruff: noqa: S608 - the statements are those of `fairnode.datasets.views`, or of fixed names

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from fairnode.datasets.expressions import quoted
from fairnode.datasets.reading import Text, open_rows
from fairnode.datasets.views import Check, Query, compile_view
from fairnode.errors import Finding, NotValid, Unavailable
from fairnode.jobs.database import Setting, open_database
from fairnode.jobs.process import main
from fairnode.records.dataset import Column, Dataset, Source, dataset_from, source_from, view_from

MEMORY_MIB = 512
ROWS = 5_000_000
WRITE = 50_000  # rows a batch of the Parquet file

TYPES = {"coded": pa.string(), "integer": pa.int32(), "date": pa.date32(), "identifier": pa.string(),
         "key": pa.string()}  # fmt: skip


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Make the view. Raises `NotValid` when data and bindings do not fit, and what `open_rows` raises."""
    dataset, view = dataset_from(job["dataset"]), view_from(job["view"])
    query = compile_view(dataset, view, identifiers=bool(job.get("identifiers")))
    limits = job.get("limits", {})
    with connect(int(limits.get("memory_mib", MEMORY_MIB))) as database:
        digest = load(database, source_from(job["source"]), query, int(limits.get("rows", ROWS)))
        unmapped = run_checks(database, query)
        counts = run_steps(database, query)
        output = Path(job["output"])
        write(database, query, output)
        if job.get("companion"):
            write_companion(database, query, Path(job["companion"]), bytes.fromhex(job["salt"]))
        persons = count_persons(database, dataset)
    return {
        "rows": counts["view"],
        "persons": persons,
        "sha256": hashlib.sha256(output.read_bytes()).hexdigest(),
        "schema": [asdict(column) for column in query.schema],
        "query": query.digest,
        "dropped": _dropped(query, counts),
        "unmapped": unmapped,
        "source_sha256": digest,
    }


@contextmanager
def connect(memory_mib: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that can reach neither files nor network nor extensions.

    What does not fit in memory goes to a temporary folder of the job. Raises `Unavailable` when that is not
    enough, or nothing can be written.
    """
    with tempfile.TemporaryDirectory(prefix="spill-") as spill:
        try:
            with closing(open_database(1, _confined(memory_mib, spill))) as database:
                yield database
        except duckdb.OutOfMemoryException as wrong:
            raise Unavailable(
                "The step needs more memory than this node allows for it.",
                to_do="Ask for fewer rows or variables, or ask the operator for a higher limit.",
                internal=str(wrong),
            ) from None
        except (duckdb.IOException, OSError) as wrong:
            raise Unavailable(
                "The node cannot write its working files.",
                to_do="The operator checks that the disk is not full.",
                internal=str(wrong),
            ) from None


def _confined(memory_mib: int, spill: str) -> dict[str, Setting]:
    """What is closed, and how much memory there is; one thread: the same rows in the same order."""
    return {
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "enable_external_access": "false",
        "python_enable_replacements": "false",
        "temp_directory": spill,
        "memory_limit": f"{memory_mib}MiB",
    }


def load(database: duckdb.DuckDBPyConnection, source: Source, query: Query, limit: int) -> str:
    """Copy the columns that the query reads into the table `source`; the digest of the file, if it is one.

    Raises `NotValid` when there are no rows, or more than `limit`.
    """
    texts = "".join(f", {quoted(name)} VARCHAR" for name in query.reads)
    database.execute(f"CREATE TABLE source (__row BIGINT{texts})")
    loaded = 0
    with open_rows(source, query.reads) as (table, batches):
        for batch in batches:
            database.register("batch", _arrow(batch, loaded, len(query.reads)))
            database.execute("INSERT INTO source SELECT * FROM batch")
            loaded += len(batch)
            if loaded > limit:
                raise NotValid(f"The dataset has more than {limit:,} rows, the limit of this node.")
        digest = table.sha256
    if not loaded:
        raise NotValid("The dataset has no rows.", to_do="Check the export that makes the data file.")
    return digest


def run_checks(database: duckdb.DuckDBPyConnection, query: Query) -> dict[str, int]:
    """Rows with a local code without a concept, by column.

    Raises `NotValid` with a count for each column with dates or numbers that are none, or unknown codes where
    the binding is strict; which codes stands in the internal part only.
    """
    counts = count_misread(database, query.checks)
    findings, internal = [], []
    for check, rows in zip(query.checks, counts, strict=True):
        if rows and check.fatal:
            words = {"unmapped": "have a code without a concept", "unparsable": "cannot be read as such"}
            findings.append(
                Finding(f"column '{check.column}' as ht:{check.variable}", f"{rows} rows {words[check.kind]}")
            )
            internal += [f"{check.column}: {code}" for code in unknown_codes(database, check)]
    if findings:
        raise NotValid(
            "The data do not fit the bindings.",
            to_do="Correct the data, or the codes, the format and the words for missing in the record.",
            findings=tuple(findings),
            internal="; ".join(internal),
        )
    return {check.variable: rows for check, rows in zip(query.checks, counts, strict=True) if rows}


def count_misread(database: duckdb.DuckDBPyConnection, checks: tuple[Check, ...]) -> list[int]:
    """For each check the number of rows of `source` that it is about."""
    if not checks:
        return []
    counts = ", ".join(f"count(*) FILTER (WHERE {check.condition})" for check in checks)
    return list(database.execute(f"SELECT {counts} FROM source").fetchall()[0])


def unknown_codes(database: duckdb.DuckDBPyConnection, check: Check) -> list[str]:
    """The local codes without a concept, for the node's people only."""
    if not check.items:
        return []
    codes = f"SELECT DISTINCT unnest({check.items}) AS code FROM source ORDER BY code NULLS LAST"
    return [code for (code,) in database.execute(codes).fetchall() if code is not None]


def run_steps(database: duckdb.DuckDBPyConnection, query: Query) -> dict[str, int]:
    """Run the steps; the number of rows of each table, `source` included."""
    counts = {"source": _one(database, "SELECT count(*) FROM source")}
    before = ""
    for name, select in query.steps:
        database.execute(f"CREATE TABLE {name} AS {select}")
        counts[name] = _one(database, f"SELECT count(*) FROM {name}")
        if before:
            database.execute(f"DROP TABLE {before}")
        before = name
    return counts


def count_persons(database: duckdb.DuckDBPyConnection, dataset: Dataset) -> int | None:
    """The persons in the table `view`; None where the dataset cannot tell them apart."""
    if not dataset.knows_persons:
        return None
    if dataset.binding("personKey") is None:
        return _one(database, "SELECT count(*) FROM view")
    # an identity with r is a row without a key
    return _one(database, "SELECT count(DISTINCT __identity) FROM view WHERE __identity LIKE 'p%'")


def write(database: duckdb.DuckDBPyConnection, query: Query, output: Path) -> None:
    """Write the table `view` as Parquet, without its identities; the file appears whole or not at all."""
    columns = ", ".join(_selected(column) for column in query.schema)
    _write_parquet(database, f"SELECT {columns} FROM view ORDER BY rowid", arrow_schema(query), output)


def write_companion(database: duckdb.DuckDBPyConnection, query: Query, output: Path, salt: bytes) -> None:
    """Write the view once more with who each row is about: for recounts and differencing.

    A person is the first 64 bits of a salted SHA-256, as a number: with 1e6 persons two are the same once in
    3e7 data sets.

    The salt is a secret of the node's own, the same for all views of a dataset: without it a list of
    possible keys could simply be tried. The file never leaves the node.
    """
    hashed = f"('0x' || left(sha256('{salt.hex()}' || __identity), 16))::UBIGINT AS person"
    columns = ", ".join((*(_selected(column) for column in query.schema), hashed))
    schema = arrow_schema(query).append(pa.field("person", pa.uint64()))
    _write_parquet(database, f"SELECT {columns} FROM view ORDER BY rowid", schema, output)


def _write_parquet(database: duckdb.DuckDBPyConnection, select: str, schema: pa.Schema, output: Path) -> None:
    part = output.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in database.sql(select).to_arrow_reader(WRITE):
            table = pa.Table.from_batches([batch])
            # casting loads another part of Arrow, which takes longer than most views
            writer.write_table(table if table.schema.equals(schema) else table.cast(schema))
    part.replace(output)


def _selected(column: Column) -> str:
    """A column of the table `view`, in the type that the Parquet file has for it."""
    name = quoted(column.name)
    return f"{name}::INTEGER AS {name}" if _type(column) == pa.int32() else name


def arrow_schema(query: Query) -> pa.Schema:
    """Names and types of the view's columns in the Parquet file."""
    return pa.schema([pa.field(column.name, _type(column)) for column in query.schema])


def _type(column: Column) -> pa.DataType:
    if column.name == "birthDate":
        return pa.date32()
    return pa.list_(pa.string()) if column.multiple else TYPES[column.kind]


def _arrow(batch: list[Text], first: int, width: int) -> pa.Table:
    """Rows of text as an Arrow table, with the number of each row."""
    columns: Iterator[Any] = zip(*batch, strict=True) if width else iter(())
    arrays = [pa.array(range(first, first + len(batch)), pa.int64())]
    arrays += [pa.array(column, pa.string()) for column in columns]
    return pa.table(arrays, names=[f"c{number}" for number in range(len(arrays))])


def _dropped(query: Query, counts: dict[str, int]) -> dict[str, int]:
    """Rows left out by each step."""
    names = ["source", *(name for name, _ in query.steps)]
    return {
        name: counts[before] - counts[name]
        for before, name in pairwise(names)
        if name not in ("harmonised", "view")
    }


def _one(database: duckdb.DuckDBPyConnection, select: str) -> int:
    return int(database.execute(select).fetchall()[0][0])


if __name__ == "__main__":
    main(run)
