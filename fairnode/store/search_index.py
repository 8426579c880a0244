"""The search index: a database file of its own, made from records and made again whenever it is lost.

SQLite FTS5 holds the words; which datasets have which facts is kept as bits (`bitmaps`), so that a search and
its facets are counted by the processor, not row by row. Nothing in it is a source of truth, so it is written
without waiting for the disk.
"""

# ruff: noqa: S608 - conditions are put together from fixed texts; every value is a parameter

from __future__ import annotations

import json
import re
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from fairnode import errors
from fairnode.store import bitmaps

VERSION = 3
FIRST_YEAR, LAST_YEAR = 1800, 2199
MOST_RANKED = 2_000
MOST_VALUES = 200
_MOST_SORTED = 2_000
_TABLES = ("meta", "datasets", "lookup", "terms", "has", "bits", "changes")

_SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE datasets (
  id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE, node TEXT NOT NULL, sha256 TEXT NOT NULL,
  title TEXT NOT NULL, told TEXT NOT NULL, words TEXT NOT NULL, terms BLOB NOT NULL);
CREATE INDEX datasets_by_node ON datasets (node, iri, sha256);
CREATE INDEX datasets_by_title ON datasets (title, iri);
CREATE VIRTUAL TABLE lookup USING fts5 (title, words, content='datasets', content_rowid='id', prefix='2 3 4 5 6',
  tokenize='unicode61 remove_diacritics 2');
CREATE TABLE terms (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL,
  number INTEGER NOT NULL DEFAULT 0, UNIQUE (kind, value));
CREATE INDEX terms_by_number ON terms (kind, number);
{bitmaps.SCHEMA};
CREATE TABLE changes (iri TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX changes_by_number ON changes (number);
"""

Term = tuple[str, str]
"""A fact, as (kind, value)."""

Group = tuple[Term, ...]
"""Terms of which a dataset must have at least one."""

Kind = tuple[str, str]
"""Terms to be counted: their kind, and what their values begin with."""

EVERY: Term = ("every", "")


@dataclass(frozen=True)
class Line:
    """A dataset as the index holds it: `told` is shown, `words` are searched, `terms` are counted."""

    iri: str
    node: str
    sha256: str
    title: str
    told: Mapping[str, Any]
    words: str = ""
    years: tuple[int, int] = (0, 0)
    terms: tuple[Term, ...] = ()

    @property
    def facts(self) -> tuple[Term, ...]:
        """Its terms, the years that it is about included."""
        years = _years(range(self.years[0], self.years[1] + 1)) if self.years[1] else ()
        return tuple(dict.fromkeys((EVERY, *self.terms, *years)))


@dataclass(frozen=True)
class Asked:
    """What a dataset must have: every word, one of the terms of each group, at least one of the years."""

    words: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    years: tuple[int, ...] = ()


@dataclass(frozen=True)
class Seen:
    """A part of what fits, how many fit in all, and how many of those have each value of some kinds of terms.

    `also` counts those that fit further groups too, by the name that was given to these.
    """

    told: tuple[dict[str, Any], ...]
    number: int
    counts: Mapping[Kind, tuple[tuple[str, int], ...]]
    also: Mapping[str, int]


@dataclass(frozen=True)
class Count:
    """What is to be counted among all that fits: kinds of terms, and further groups by a name."""

    kinds: tuple[Kind, ...] = ()
    also: Mapping[str, tuple[Group, ...]] = field(default_factory=dict)


def _years(years: Sequence[int]) -> tuple[Term, ...]:
    """The terms of years; the very old and the far away count as the first and the last that are kept."""
    if isinstance(years, range):
        low = min(max(years.start, FIRST_YEAR), LAST_YEAR)
        years = range(low, max(low, min(years.stop - 1, LAST_YEAR)) + 1)
    return tuple(("year", str(min(max(year, FIRST_YEAR), LAST_YEAR))) for year in years)


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
                for table in _TABLES:
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
            writing = _Writing(connection)
            for iri in drop:
                writing.take_out(iri)
                connection.execute("INSERT OR REPLACE INTO changes VALUES (?, ?)", (iri, newest + 1))
            for line in put:
                writing.put_in(line)
                connection.execute("INSERT OR REPLACE INTO changes VALUES (?, ?)", (line.iri, newest + 1))
            writing.finish()

    def changed(self, since: int) -> tuple[int, list[str]]:
        """The number of the newest change, and the IRIs that changed after the change `since`."""
        with self._connected(write=False) as connection:
            newest = connection.execute("SELECT coalesce(max(number), 0) FROM changes").fetchone()[0]
            rows = connection.execute("SELECT iri FROM changes WHERE number > ? ORDER BY iri", (since,))
            return int(newest), [str(iri) for (iri,) in rows]

    def told(self, iri: str) -> dict[str, Any] | None:
        """What is told of one dataset."""
        with self._connected(write=False) as connection:
            row = connection.execute("SELECT told FROM datasets WHERE iri = ?", (iri,)).fetchone()
            return None if row is None else dict(json.loads(row[0]))

    def find(self, asked: Asked) -> list[dict[str, Any]]:
        """What is told of all datasets that fit, by title."""
        with self._connected(write=False) as connection:
            fitting = _fitting(connection, asked)
            query = "SELECT id, told FROM datasets ORDER BY title, iri"
            if fitting.bit_count() <= _MOST_SORTED:
                keys = _by_title(connection, fitting)
                rows = (connection.execute("SELECT told FROM datasets WHERE id = ?", (key,)) for key in keys)
                return [json.loads(row.fetchone()[0]) for row in rows]
            return [json.loads(told) for key, told in connection.execute(query) if fitting >> key & 1]

    def page(self, asked: Asked, limit: int, offset: int = 0, count: Count | None = None) -> Seen:
        """A part of what fits, how many fit in all, and what is to be counted among them.

        Without words by title; with words the best fitting first, and where they fit very many, so that
        they say little, those that came last first. Of a kind only the values that most datasets have are
        counted, `MOST_VALUES` of them.
        """
        with self._connected(write=False) as connection:
            fitting = _fitting(connection, asked)
            keys = islice(_in_order(connection, asked, fitting), offset, offset + limit)
            told = [connection.execute("SELECT told FROM datasets WHERE id = ?", (key,)) for key in keys]
            shown = tuple(json.loads(rows.fetchone()[0]) for rows in told)
            count = count or Count()
            counts = {kind: _counted(connection, kind, fitting) for kind in count.kinds}
            also = {name: _narrowed(connection, groups, fitting) for name, groups in count.also.items()}
            return Seen(shown, fitting.bit_count(), counts, {n: bits.bit_count() for n, bits in also.items()})


@dataclass
class _Writing:
    """One change of the index, collected so that each block of bits is written once."""

    connection: sqlite3.Connection
    known: dict[Term, int] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)
    bits: bitmaps.Changes = field(default_factory=bitmaps.Changes)

    def take_out(self, iri: str) -> int | None:
        """Remove a dataset from all tables, if it is there; the number that it had."""
        query = "SELECT id, title, words, terms FROM datasets WHERE iri = ?"
        found = self.connection.execute(query, (iri,)).fetchone()
        if found is None:
            return None
        key, title, words, terms = found
        # an index over a table's own text must be told what it is to forget
        forget = "INSERT INTO lookup (lookup, rowid, title, words) VALUES ('delete', ?, ?, ?)"
        self.connection.execute(forget, (key, title, words))
        self.connection.execute("DELETE FROM datasets WHERE id = ?", (key,))
        for term in _numbers(terms):
            self.bits.take(term, key)
            self.numbers[term] = self.numbers.get(term, 0) - 1
        return int(key)

    def put_in(self, line: Line) -> None:
        """Add a dataset, or write over what was known of it under the number that it has."""
        key, terms = self.take_out(line.iri), [self._term(term) for term in line.facts]
        told = json.dumps(line.told, ensure_ascii=False, separators=(",", ":"))
        values = (
            key,
            line.iri,
            line.node,
            line.sha256,
            line.title,
            told,
            line.words,
            array("I", terms).tobytes(),
        )
        done = self.connection.execute("INSERT INTO datasets VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        number = int(done.lastrowid or 0)
        query = "INSERT INTO lookup (rowid, title, words) VALUES (?, ?, ?)"
        self.connection.execute(query, (number, line.title, line.words))
        for term in terms:
            self.bits.put(term, number)
            self.numbers[term] = self.numbers.get(term, 0) + 1

    def _term(self, term: Term) -> int:
        """The number of a term, a new one when it is not known yet."""
        if term not in self.known:
            self.connection.execute("INSERT OR IGNORE INTO terms (kind, value) VALUES (?, ?)", term)
            query = "SELECT id FROM terms WHERE kind = ? AND value = ?"
            self.known[term] = self.connection.execute(query, term).fetchone()[0]
        return self.known[term]

    def finish(self) -> None:
        """Write the bits and the number of datasets of each term."""
        self.bits.write(self.connection)
        changed = [(by, term) for term, by in self.numbers.items() if by]
        self.connection.executemany("UPDATE terms SET number = number + ? WHERE id = ?", changed)


def _numbers(content: bytes) -> array[int]:
    """The numbers of terms as a dataset's row holds them."""
    found = array("I")
    found.frombytes(content)
    return found


def _fitting(connection: sqlite3.Connection, asked: Asked) -> int:
    """The datasets that fit, as bits."""
    groups = [*asked.groups, *([_years(asked.years)] if asked.years else [])]
    fitting = _narrowed(connection, groups, _either(connection, (EVERY,)))
    if asked.words and fitting:
        fitting &= _with_words(connection, asked.words, fitting.bit_length())
    return fitting


def _narrowed(connection: sqlite3.Connection, groups: Iterable[Group], fitting: int) -> int:
    """Those of the datasets that have a term of each group."""
    for group in groups:
        fitting &= _either(connection, group)
    return fitting


def _either(connection: sqlite3.Connection, group: Group) -> int:
    """The datasets that have one of the terms."""
    found = 0
    for term in dict.fromkeys(group):
        row = connection.execute("SELECT id FROM terms WHERE kind = ? AND value = ?", term).fetchone()
        found |= bitmaps.read(connection, row[0]) if row else 0
    return found


def _with_words(connection: sqlite3.Connection, words: Sequence[str], largest: int) -> int:
    """The datasets that hold the words; none has a number above `largest`."""
    query = "SELECT rowid FROM lookup WHERE lookup MATCH ? AND rowid <= ?"
    rows = connection.execute(query, (match(words), largest))
    return bitmaps.of((key for (key,) in rows), largest)


def _in_order(connection: sqlite3.Connection, asked: Asked, fitting: int) -> Iterator[int]:
    """The numbers of what fits, in the order in which they are shown."""
    if not asked.words:
        yield from _by_title(connection, fitting)
    elif fitting.bit_count() > MOST_RANKED:
        yield from bitmaps.newest(fitting)
    else:
        query = "SELECT rowid FROM lookup WHERE lookup MATCH ? ORDER BY rank"
        ranked = connection.execute(query, (match(asked.words),))
        yield from (key for (key,) in ranked if fitting >> key & 1)


def _by_title(connection: sqlite3.Connection, fitting: int) -> Iterator[int]:
    """The numbers by title: few are sorted, of many the index of titles is walked through."""
    if fitting.bit_count() > _MOST_SORTED:
        rows = connection.execute("SELECT id FROM datasets ORDER BY title, iri")
        flags = fitting.to_bytes(fitting.bit_length() // 8 + 1, "little")
        yield from (key for (key,) in rows if key >> 3 < len(flags) and flags[key >> 3] >> (key & 7) & 1)
        return
    query = "SELECT title, iri, id FROM datasets WHERE id = ?"
    found = [connection.execute(query, (key,)).fetchone() for key in bitmaps.members(fitting)]
    yield from (key for _, _, key in sorted(found))


def _counted(connection: sqlite3.Connection, kind: Kind, fitting: int) -> tuple[tuple[str, int], ...]:
    """How many of the datasets have each value of a kind, most first."""
    query = (
        "SELECT id, value FROM terms WHERE kind = ? AND value >= ? AND value < ? || char(1114111) AND number > 0"
        " ORDER BY number DESC, value LIMIT ?"
    )
    terms = connection.execute(query, (kind[0], kind[1], kind[1], MOST_VALUES)).fetchall()
    counts = [(value, (bitmaps.read(connection, term) & fitting).bit_count()) for term, value in terms]
    return tuple(sorted((pair for pair in counts if pair[1]), key=lambda pair: (-pair[1], pair[0])))


def match(words: Sequence[str]) -> str:
    """An FTS5 query: every word, or a word that begins with it. Nothing in `words` is syntax."""
    parts = [part for word in words for part in re.findall(r"\w+", word)]
    return " ".join(f'"{part}"*' for part in parts) or '""'
