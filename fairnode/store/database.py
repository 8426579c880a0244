"""Opening the node's database, reading records, and writing them in one transaction."""

from __future__ import annotations

import dataclasses
import sqlite3
import typing
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, delete, event, func, insert, select, text, update
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from fairnode import errors
from fairnode.records.states import check_may_follow
from fairnode.store.tables import STATEFUL, TABLES

Record = TypeVar("Record")

SCHEMA = "0001"  # the newest migration; a test keeps it so


def _enum_fields(kind: type) -> Mapping[str, type[Enum]]:
    """The enum fields of a record, which the database holds as text."""
    hints = typing.get_type_hints(kind)
    return {n: t for n, t in hints.items() if isinstance(t, type) and issubclass(t, Enum)}


_ENUMS = {kind: _enum_fields(kind) for kind in TABLES}


def _revive(kind: type[Record], row: Mapping[str, Any]) -> Record:
    """The record that a database row holds."""
    values = dict(row)
    for name, enum in _ENUMS[kind].items():
        values[name] = enum(values[name])
    return kind(**values)


class Reader:
    """Reads records on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, kind: type[Record], key: str | int) -> Record | None:
        """The record of this `kind` with this id, or None."""
        table = TABLES[kind]
        row = self._connection.execute(select(table).where(table.c.id == key)).mappings().first()
        return _revive(kind, dict(row)) if row else None

    def find(
        self,
        kind: type[Record],
        where: Mapping[str, Any] | None = None,
        *,
        order: str = "id",
        limit: int | None = None,
        after: str | int | None = None,
    ) -> list[Record]:
        """The records whose fields equal `where` (a tuple of values: one of them), by `order`.

        `order` starting with `-` turns it round; `after` starts behind that value of the order field.
        """
        table, name = TABLES[kind], order.removeprefix("-")
        query = select(table)
        for field, wanted in (where or {}).items():
            column = table.c[field]
            query = query.where(column.in_(wanted) if isinstance(wanted, tuple) else column == wanted)
        column = table.c[name]
        down = order.startswith("-")
        if after is not None:
            query = query.where(column < after if down else column > after)
        query = query.order_by(column.desc() if down else column.asc(), table.c.id)
        rows = self._connection.execute(query.limit(limit)).mappings()
        return [_revive(kind, dict(row)) for row in rows]

    def ids(self, kind: type[Any], /, **where: Any) -> set[str]:
        """The ids of the records whose fields equal `where`, as in `find`; what is in them is not read."""
        table = TABLES[kind]
        query = select(table.c.id)
        for field, wanted in where.items():
            column = table.c[field]
            query = query.where(column.in_(wanted) if isinstance(wanted, tuple) else column == wanted)
        return set(self._connection.execute(query).scalars())

    def one(self, kind: type[Record], /, **where: Any) -> Record | None:
        """The first record with these values, or None."""
        return next(iter(self.find(kind, where, limit=1)), None)

    def count(self, kind: type[Record], /, **where: Any) -> int:
        """How many records have these values."""
        table = TABLES[kind]
        query = select(func.count()).select_from(table)
        for field, wanted in where.items():
            query = query.where(table.c[field] == wanted)
        return int(self._connection.execute(query).scalar_one())

    def last(self, kind: type[Record]) -> Record | None:
        """The record with the highest id."""
        return next(iter(self.find(kind, order="-id", limit=1)), None)


class Transaction(Reader):
    """Writes records; all or nothing. `touched` lists what was written, for the ledger line."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.touched: list[tuple[type, str | int]] = []

    def add(self, record: Record) -> Record:
        """Insert a record; a Message with id 0 gets the next number, and comes back with it.

        Raises `Conflict` when its id is taken.
        """
        kind = type(record)
        values = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}  # type: ignore[arg-type]
        if values["id"] == 0:
            del values["id"]
        try:
            result = self._connection.execute(insert(TABLES[kind]).values(**values))
        except IntegrityError as error:
            raise errors.Conflict("This was handed in before.", internal=str(error.orig)) from error
        key = result.inserted_primary_key[0] if result.inserted_primary_key else values["id"]
        self.touched.append((kind, key))
        return dataclasses.replace(record, id=key)  # type: ignore[type-var]

    def change(self, record: Record, /, **values: Any) -> Record:
        """Write new `values` into a record that still is as `record` says.

        Raises `Conflict` when the transition is not in the table or somebody else changed its state.
        """
        kind = type(record)
        table = TABLES[kind]
        query = update(table).where(table.c.id == record.id)  # type: ignore[attr-defined]
        if kind in STATEFUL and "state" in values:
            check_may_follow(STATEFUL[kind], record.state, values["state"])  # type: ignore[attr-defined]
            query = query.where(table.c.state == record.state)  # type: ignore[attr-defined]
        if self._connection.execute(query.values(**values)).rowcount != 1:
            raise errors.Conflict(
                "This was changed by somebody else in the meantime.", to_do="Look at it again, then decide."
            )
        self.touched.append((kind, record.id))  # type: ignore[attr-defined]
        return dataclasses.replace(record, **values)  # type: ignore[type-var]

    def remove(self, record: Record) -> None:
        """Delete a record that is there."""
        kind = type(record)
        table = TABLES[kind]
        self._connection.execute(delete(table).where(table.c.id == record.id))  # type: ignore[attr-defined]
        self.touched.append((kind, record.id))  # type: ignore[attr-defined]

    def remove_ids(self, kind: type[Any], ids: Iterable[str]) -> None:
        """Delete the records with these ids, of a kind that the ledger does not tell of."""
        table = TABLES[kind]
        for name in ids:
            self._connection.execute(delete(table).where(table.c.id == name))


class Pulse:
    """The number that SQLite changes for one connection whenever another one committed."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._seen = -1

    def look(self) -> bool:
        """Whether something was committed since the last look; what is read from now on holds it.

        False where the database does not answer: who reads next is told why.
        """
        before = self._seen
        with suppress(sqlite3.OperationalError):
            self._seen = self._cursor.execute("PRAGMA data_version").fetchone()[0]
        return before != self._seen


class Store:
    """The node's database. One for each process; threads share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A consistent look at the records."""
        with _told(), self._engine.connect() as connection:
            yield Reader(connection)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction; only one at a time in all processes of the node."""
        with _told(), self._engine.connect().execution_options(write=True) as connection, connection.begin():
            yield Transaction(connection)

    @contextmanager
    def pulse(self) -> Iterator[Pulse]:
        """Tells without a query whether something was committed, by any process of the node."""
        with _told(), closing(self._engine.raw_connection()) as connection:
            yield Pulse(connection.cursor())

    def check_file(self) -> list[str]:
        """What the database itself finds wrong with its file; nothing when all is well."""
        try:
            with self._engine.connect() as connection:
                found = connection.execute(text("PRAGMA integrity_check")).scalars().all()
        except DatabaseError as error:
            return [str(error.orig)]
        return [line for line in found if line != "ok"]

    def back_up(self, target: Path) -> None:
        """Write a consistent copy of the database to `target`, which must not exist."""
        with (
            _told(),
            closing(self._engine.raw_connection()) as connection,
        ):  # VACUUM needs no transaction round it
            connection.cursor().execute("VACUUM INTO ?", (str(target),))

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()


def open_store(path: Path) -> Store:
    """The database in the SQLite file `path`, which `fairnode.store.migrate` has made.

    Raises `Unavailable` when the file is not there, `Conflict` when its schema is of another version.
    """
    if not path.exists():
        raise errors.Unavailable(
            "This directory holds no node database.", to_do="Make the node first: fairnode init"
        )
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30.0})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    with _told(), engine.connect() as connection:
        present = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if present != SCHEMA:
        raise errors.Conflict(
            "The node's database is of another version of fairnode.",
            to_do="Make a backup, then run: fairnode migrate",
        )
    return Store(engine)


def _prepare(connection: Any, _: object) -> None:
    """Durable and patient: FULL, because a line acknowledged is a line kept (3.5 ms an append)."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Writers queue at the door instead of failing halfway."""
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def _told() -> Iterator[None]:
    """Say what the operator can do about a database that cannot be read or written."""
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:
        said = str(error.orig if isinstance(error, OperationalError) else error)
        disk = "full" in said or "disk" in said or "unable to open" in said
        if disk:
            raise errors.DiskFull(
                "The node's disk is full or cannot be written; nothing was written.",
                to_do="Make room on the disk, then try again.",
                internal=said,
            ) from error
        raise errors.Unavailable(
            "The node's database does not answer; nothing was written.",
            to_do="Try again in a moment.",
            internal=said,
        ) from error
