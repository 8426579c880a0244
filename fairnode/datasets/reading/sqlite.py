"""Reader of SQLite files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from fairnode.datasets.expressions import quoted
from fairnode.datasets.reading.table import Table, Wanted, columns_of, no_answer
from fairnode.errors import NotValid
from fairnode.records.dataset import Source

BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN)


@contextmanager
def open_sqlite(source: Source, wanted: Wanted) -> Iterator[Table]:
    """A table or view of an SQLite file, opened read-only."""
    if not Path(source.path).is_file():
        raise no_answer("The data file of this dataset cannot be read.", source.path)
    address = f"{Path(source.path).resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            header = [
                row[1] for row in connection.execute("SELECT * FROM pragma_table_info(?)", (source.table,))
            ]
            columns = columns_of(header, wanted)
            names = ", ".join(quoted(name) for name in columns)
            cursor = connection.execute(f"SELECT {names} FROM {quoted(source.table)}")  # noqa: S608 - quoted
            yield Table(columns, iter(cursor))
    except UnicodeDecodeError:  # a schema whose text was damaged
        raise NotValid("The file is not an SQLite database.", internal=source.path) from None
    except sqlite3.DatabaseError as wrong:
        if getattr(wrong, "sqlite_errorcode", 0) in BUSY:
            raise no_answer("The database of this dataset does not answer.", str(wrong)) from None
        raise NotValid("The file is not an SQLite database.", internal=f"{source.path}: {wrong}") from None
