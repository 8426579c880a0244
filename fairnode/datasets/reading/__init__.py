"""Reads the rows of a source as text, whatever type it is of: `open_rows`. For child processes only."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from fairnode.datasets.expressions import LIST_MARK
from fairnode.datasets.reading.table import Table
from fairnode.records.dataset import Source

Text = tuple[str | None, ...]

BATCH = 10_000  # rows held at once

# Module and function for each kind of source. The module is imported by name when it is needed: a job lives
# for a second, and the drivers of the kinds that it does not read would take half of that.
READERS = {
    "csv": ("text", "open_csv"),
    "jsonl": ("text", "open_json_lines"),
    "xlsx": ("xlsx", "open_xlsx"),
    "parquet": ("parquet", "open_parquet"),
    "sqlite": ("sqlite", "open_sqlite"),
    "postgresql": ("postgresql", "open_postgresql"),
}


@contextmanager
def open_rows(
    source: Source, columns: Sequence[str] | None = None
) -> Iterator[tuple[Table, Iterator[list[Text]]]]:
    """Open a source and give its table (names of columns) and its rows in batches, each cell trimmed text.

    `columns` are the ones wanted, in this order; None means all. Empty cells are None; dates are ISO 8601,
    whole numbers have no decimals, items of a list are joined by `LIST_MARK`. Raises `NotValid` for a missing
    column, a wrong encoding or a malformed file, `Unavailable` where the source does not answer, and
    `Conflict` when a file was changed while it was read. No error holds a value or a path in its words.
    """
    module, reader = READERS[source.kind]
    with getattr(import_module(f"{__package__}.{module}"), reader)(source, columns) as table:
        yield table, _batches(table)


def _batches(table: Table) -> Iterator[list[Text]]:
    """The rows of the table as text, `BATCH` at a time."""
    batch: list[Text] = []
    for row in table.rows:
        batch.append(tuple(map(as_text, row)))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def as_text(value: object) -> str | None:
    """A cell as trimmed text; None when there is nothing in it."""
    if isinstance(value, str):
        return value.strip() or None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return None if value != value else str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return LIST_MARK.join(text for item in value if (text := as_text(item))) or None
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return str(value).strip() or None
