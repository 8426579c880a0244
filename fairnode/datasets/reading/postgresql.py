"""Reader of PostgreSQL databases, through SQLAlchemy and pg8000."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchTableError

from fairnode.datasets.reading.table import Row, Table, Wanted, columns_of, no_answer, no_table
from fairnode.errors import Finding, NotValid
from fairnode.records.dataset import Source

FETCH = 5_000  # rows a round trip


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
            columns = columns_of(header, wanted)
            table = sa.table(name, *(sa.column(column) for column in columns), schema=schema or None)
            rows = connection.execute(sa.select(table))
            yield Table(columns, _rows(rows))
    except NoSuchTableError:
        raise no_table() from None
    except DBAPIError as wrong:
        raise no_answer(_told(wrong), str(wrong.orig)) from None
    finally:
        engine.dispose()


def _engine(source: Source) -> sa.Engine:
    """An engine for the address in the source. Raises `NotValid` when it is no address of a database."""
    try:
        address = sa.make_url(source.dsn)
        (address.host or "").encode("idna")
    except (ArgumentError, ValueError):  # no address at all; a port or host that can be none
        raise _no_address() from None
    if address.get_backend_name() != "postgresql" or not (
        address.host and address.username and address.database
    ):
        raise _no_address()
    return sa.create_engine(address.set(drivername="postgresql+pg8000"), poolclass=sa.NullPool)


def _no_address() -> NotValid:
    """The error for an address that is none; it may hold a password, so it is not repeated."""
    return NotValid(
        "The source does not say how to reach the database.",
        findings=(Finding("source.dsn", "must look like postgresql://user:password@host:port/database"),),
    )


def _told(wrong: DBAPIError) -> str:
    """What the server said, in words for the node's own people; without it, that there is none."""
    said = wrong.orig.args[0] if wrong.orig and wrong.orig.args else None
    if not isinstance(said, dict):
        return "No database server answers at the host and port of the source."
    sentences = {
        "28": "The database server does not let the source's user in with this password.",
        "3D": "The database server has no database of the name in the source.",
        "42": "The source's user may not read this table.",
    }
    return sentences.get(str(said.get("C", ""))[:2], "The database of this dataset does not answer.")


def _rows(result: sa.CursorResult[Row]) -> Iterator[Row]:
    yield from (tuple(row) for row in result)
