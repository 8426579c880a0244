"""The search index: a database file of its own, made from records and made again whenever it is lost.

SQLite FTS5 holds the words, `terms` and `has` the facts that are searched and counted. Nothing in it is a
source of truth, so it is written without waiting for the disk.
"""

# ruff: noqa: S608 - conditions are put together from fixed texts; every value is a parameter

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairnode import errors

VERSION = 2
_MOST_YEARS = 300
_MOST_RANKED = 5_000

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE datasets (
  id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE, node TEXT NOT NULL, sha256 TEXT NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL, title TEXT NOT NULL, told TEXT NOT NULL, words TEXT NOT NULL);
CREATE INDEX datasets_by_node ON datasets (node, iri);
CREATE INDEX datasets_by_title ON datasets (title, iri);
CREATE INDEX datasets_by_years ON datasets (first, last);
CREATE VIRTUAL TABLE lookup USING fts5 (title, words, content='datasets', content_rowid='id', prefix='2 3',
  tokenize='unicode61 remove_diacritics 2');
CREATE TABLE terms (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (kind, value));
CREATE TABLE has (term INTEGER NOT NULL, dataset INTEGER NOT NULL, PRIMARY KEY (term, dataset)) WITHOUT ROWID;
CREATE INDEX has_by_dataset ON has (dataset);
CREATE TABLE changes (iri TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX changes_by_number ON changes (number);
"""


Group = tuple[tuple[str, str], ...]
"""Terms (kind, value) of which a dataset must have at least one."""


@dataclass(frozen=True)
class Line:
    """A dataset as the index holds it: `told` is shown, `words` are searched, `terms` are (kind, value)."""

    iri: str
    node: str
    sha256: str
    title: str
    told: Mapping[str, Any]
    words: str = ""
    years: tuple[int, int] = (0, 0)
    terms: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Asked:
    """What a dataset must have: every word, one of the terms of each group, at least one of the years."""

    words: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    years: tuple[int, ...] = ()


class SearchIndex:
    """One index file. Each call opens it anew: threads and processes share nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _connected(self, *, write: bool) -> Iterator[sqlite3.Connection]:
        """A connection to the file, which is made when it is not there or of another version."""
        try:
            with closing(self._open()) as connection:
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield connection
                connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise errors.Unavailable(
                "The search index cannot be read.",
                to_do="The node's operator makes it again: fairnode harvest rebuild",
                internal=str(error),
            ) from error

    def _open(self) -> sqlite3.Connection:
        """Open the file, with its tables."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=30.0, isolation_level=None)
        connection.execute("PRAGMA busy_timeout=30000")
        if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                for table in ("meta", "datasets", "lookup", "terms", "has", "changes"):
                    connection.execute(f"DROP TABLE IF EXISTS {table}")
                for statement in _SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={VERSION}")
            connection.execute("COMMIT")
        connection.execute("PRAGMA synchronous=OFF")
        return connection

    def forget(self) -> None:
        """Remove the file; the next call makes an empty one."""
        for end in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)

    def known(self, node: str | None = None) -> dict[str, str]:
        """IRI and hash of every dataset in the index (of one node)."""
        where, values = ("WHERE node = ?", (node,)) if node is not None else ("", ())
        with self._connected(write=False) as connection:
            return dict(connection.execute(f"SELECT iri, sha256 FROM datasets {where}", values))

    def notes(self) -> dict[str, str]:
        """Everything that was noted."""
        with self._connected(write=False) as connection:
            return dict(connection.execute("SELECT key, value FROM meta"))

    def note(self, key: str, value: str) -> None:
        """Note a value under `key` from now on."""
        with self._connected(write=True) as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def change(self, put: Iterable[Line] = (), drop: Iterable[str] = ()) -> None:
        """Put lines in, over what was known of the same IRIs, and take others out; all or nothing."""
        with self._connected(write=True) as connection:
            newest = connection.execute("SELECT coalesce(max(number), 0) FROM changes").fetchone()[0]
            known: dict[tuple[str, str], int] = {}
            for iri in drop:
                _take_out(connection, iri)
                connection.execute("INSERT OR REPLACE INTO changes VALUES (?, ?)", (iri, newest + 1))
            for line in put:
                _take_out(connection, line.iri)
                _put_in(connection, line, known)
                connection.execute("INSERT OR REPLACE INTO changes VALUES (?, ?)", (line.iri, newest + 1))

    def changed(self, since: int) -> tuple[int, list[str]]:
        """The number of the newest change, and the IRIs that changed after the change `since`."""
        with self._connected(write=False) as connection:
            newest = connection.execute("SELECT coalesce(max(number), 0) FROM changes").fetchone()[0]
            rows = connection.execute("SELECT iri FROM changes WHERE number > ? ORDER BY iri", (since,))
            return int(newest), [str(iri) for (iri,) in rows]

    def find(self, asked: Asked) -> list[dict[str, Any]]:
        """What is told of all datasets that fit, by title."""
        source, condition, values = _condition(asked)
        query = (
            f"SELECT told FROM datasets WHERE id IN (SELECT {source}.rowid FROM {source} WHERE {condition})"
            " ORDER BY title, iri"
        )
        with self._connected(write=False) as connection:
            return [json.loads(told) for (told,) in connection.execute(query, values)]

    def page(self, asked: Asked, limit: int, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """A part of what fits, and how many fit in all.

        Without words by title; with words the best fitting first, and where they fit very many, so that
        they say little, those that came last first.
        """
        source, condition, values = _condition(asked)
        with self._connected(write=False) as connection:
            query = f"SELECT count(*) FROM {source} WHERE {condition}"
            number = int(connection.execute(query, values).fetchone()[0])
            ranked = "lookup.rank" if number <= _MOST_RANKED else "lookup.rowid DESC"
            order = ranked if asked.words else "title, iri"
            # only numbers are sorted; what is told of them is read for the page alone
            query = f"SELECT {source}.rowid FROM {source} WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?"
            chosen = [key for (key,) in connection.execute(query, (*values, limit, offset))]
            told = [connection.execute("SELECT told FROM datasets WHERE id = ?", (key,)) for key in chosen]
            return [json.loads(rows.fetchone()[0]) for rows in told], number


def _take_out(connection: sqlite3.Connection, iri: str) -> None:
    """Remove a dataset from all tables, if it is there."""
    found = connection.execute("SELECT id, title, words FROM datasets WHERE iri = ?", (iri,)).fetchone()
    if found is None:
        return
    # an index over a table's own text must be told what it is to forget
    connection.execute("INSERT INTO lookup (lookup, rowid, title, words) VALUES ('delete', ?, ?, ?)", found)
    connection.execute("DELETE FROM has WHERE dataset = ?", (found[0],))
    connection.execute("DELETE FROM datasets WHERE id = ?", (found[0],))


def _put_in(connection: sqlite3.Connection, line: Line, known: dict[tuple[str, str], int]) -> None:
    """Add a dataset; `known` remembers the numbers of terms within one change."""
    told = json.dumps(line.told, ensure_ascii=False)
    values = (line.iri, line.node, line.sha256, *line.years, line.title, told, line.words)
    done = connection.execute(
        "INSERT INTO datasets (iri, node, sha256, first, last, title, told, words)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    number = done.lastrowid
    connection.execute(
        "INSERT INTO lookup (rowid, title, words) VALUES (?, ?, ?)", (number, line.title, line.words)
    )
    for term in dict.fromkeys(line.terms):
        if term not in known:
            connection.execute("INSERT OR IGNORE INTO terms (kind, value) VALUES (?, ?)", term)
            found = connection.execute("SELECT id FROM terms WHERE kind = ? AND value = ?", term).fetchone()
            known[term] = found[0]
    rows = [(known[term], number) for term in dict.fromkeys(line.terms)]
    connection.executemany("INSERT INTO has VALUES (?, ?)", rows)


def _condition(asked: Asked) -> tuple[str, str, list[Any]]:
    """The table that is asked, the condition on its rows, and the parameters."""
    source = "lookup" if asked.words else "datasets"
    # the plus keeps SQLite from asking the words anew for each dataset that fits the rest
    key = "+lookup.rowid" if asked.words else "datasets.rowid"
    conditions: list[str] = ["1"]
    values: list[Any] = []
    if asked.words:
        conditions.append("lookup MATCH ?")
        values.append(match(asked.words))
    for group in asked.groups:
        either = " OR ".join("(t.kind = ? AND t.value = ?)" for _ in group) or "0"
        conditions.append(
            f"{key} IN (SELECT h.dataset FROM terms t JOIN has h ON h.term = t.id WHERE {either})"
        )
        values += [text for term in group for text in term]
    if asked.years:
        years = [year for year in asked.years[:_MOST_YEARS] if 0 < year < 10_000]
        some = " OR ".join("? BETWEEN first AND last" for _ in years) or "0"
        conditions.append(f"{key} IN (SELECT id FROM datasets WHERE {some})")
        values += years
    return source, " AND ".join(conditions), values


def match(words: Sequence[str]) -> str:
    """An FTS5 query: every word, or a word that begins with it. Nothing in `words` is syntax."""
    parts = [part for word in words for part in re.findall(r"\w+", word)]
    return " ".join(f'"{part}"*' for part in parts) or '""'
