"""Readers of databases, through their drivers: SQLite and PostgreSQL, in one read-only transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchTableError

from fairnode.datasets.expressions import quoted
from fairnode.datasets.reading.table import Row, Table, places
from fairnode.errors import Finding, NotValid, Unavailable
from fairnode.records.dataset import Source

Wanted = Sequence[str] | None

FETCH = 5_000  # rows a round trip


@contextmanager
def open_sqlite(source: Source, wanted: Wanted) -> Iterator[Table]:
    """A table or view of an SQLite file, opened read-only."""
    if not Path(source.path).is_file():
        raise _no_answer("The data file of this dataset cannot be read.", source.path)
    address = f"{Path(source.path).resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            header = [
                row[1] for row in connection.execute("SELECT * FROM pragma_table_info(?)", (source.table,))
            ]
            columns = _columns(header, wanted)
            names = ", ".join(quoted(name) for name in columns)
            cursor = connection.execute(f"SELECT {names} FROM {quoted(source.table)}")  # noqa: S608 - quoted
            yield Table(columns, iter(cursor))
    except sqlite3.OperationalError as wrong:
        raise _no_answer("The database of this dataset does not answer.", str(wrong)) from None
    except sqlite3.DatabaseError as wrong:
        raise NotValid("The file is not an SQLite database.", internal=f"{source.path}: {wrong}") from None


@contextmanager
def open_postgresql(source: Source, wanted: Wanted) -> Iterator[Table]:
    """A table or view of a PostgreSQL database (`[schema.]table`), read through a server-side cursor."""
    schema, _, name = source.table.rpartition(".")
    engine = _engine(source)
    try:
        with engine.connect() as plain:
            connection = plain.execution_options(
                isolation_level="REPEATABLE READ",
                postgresql_readonly=True,
                stream_results=True,
                yield_per=FETCH,
            )
            header = [row["name"] for row in sa.inspect(connection).get_columns(name, schema or None)]
            columns = _columns(header, wanted)
            table = sa.table(name, *(sa.column(column) for column in columns), schema=schema or None)
            rows = connection.execute(sa.select(table))
            yield Table(columns, _rows(rows))
    except NoSuchTableError:
        raise _no_table() from None
    except DBAPIError as wrong:
        raise _no_answer("The database of this dataset does not answer.", str(wrong.orig)) from None
    finally:
        engine.dispose()


def _engine(source: Source) -> sa.Engine:
    """An engine for the address in the source. Raises `NotValid` when it is no address of a database."""
    try:
        address = sa.make_url(source.dsn)
    except ArgumentError:
        raise NotValid(
            "The source does not say how to reach the database.",
            findings=(Finding("source.dsn", "must look like postgresql://user:password@host:port/database"),),
        ) from None
    return sa.create_engine(address.set(drivername="postgresql+pg8000"), poolclass=sa.NullPool)


def _rows(result: sa.CursorResult[Row]) -> Iterator[Row]:
    yield from (tuple(row) for row in result)


def _columns(header: Sequence[str], wanted: Wanted) -> tuple[str, ...]:
    """The columns to select. Raises `NotValid` when the table or one of them is not there."""
    if not header:
        raise _no_table()
    places(header, wanted)
    return tuple(header) if wanted is None else tuple(wanted)


def _no_table() -> NotValid:
    return NotValid(
        "The database does not have the table that the source names.",
        to_do="Correct `table` in the description of the source; the node's user must be allowed to read it.",
    )


def _no_answer(what: str, internal: str) -> Unavailable:
    return Unavailable(
        what,
        to_do="The operator checks the source, and that the node may reach and read it.",
        internal=internal,
    )
