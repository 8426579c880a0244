"""Copies of documents that were fetched from others, with the validators that they came with.

A file of its own for each source, beside the indexes: whoever asks again with the validator of a copy is told
"not modified", which costs next to nothing. It can be thrown away at any time.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

VERSION = 1
_SCHEMA = """
CREATE TABLE copies (
  url TEXT PRIMARY KEY, etag TEXT NOT NULL, next TEXT NOT NULL, content BLOB NOT NULL)"""


@dataclass(frozen=True)
class Copy:
    """A document as it came, its validator, and the next page that a Link header named."""

    etag: str
    content: bytes
    next: str = ""


class Fetched:
    """The copies of one source, in one file. A damaged file is as good as none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _open(self) -> sqlite3.Connection:
        """A connection to the file, which is made anew when it is damaged."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return self._made()
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)
            return self._made()

    def _made(self) -> sqlite3.Connection:
        """A connection to the file with its table."""
        connection = sqlite3.connect(self._path, timeout=30.0, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous=OFF")
            if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                connection.execute("DROP TABLE IF EXISTS copies")
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA user_version={VERSION}")
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def get(self, url: str) -> Copy | None:
        """The copy of the document at an address; none when it cannot be read."""
        query = "SELECT etag, next, content FROM copies WHERE url = ?"
        with suppress(sqlite3.DatabaseError, zlib.error), closing(self._open()) as connection:
            row = connection.execute(query, (url,)).fetchone()
            return None if row is None else Copy(row[0], zlib.decompress(row[2]), row[1])
        return None

    def put(self, url: str, copy: Copy) -> None:
        """Keep a copy, over the one that was there, if it can be written."""
        values = (url, copy.etag, copy.next, zlib.compress(copy.content))
        with suppress(sqlite3.DatabaseError), closing(self._open()) as connection:
            connection.execute("INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?)", values)

    def keep_only(self, urls: Iterable[str]) -> None:
        """Forget the copies of all other addresses."""
        wanted = set(urls)
        with suppress(sqlite3.DatabaseError), closing(self._open()) as connection:
            known = [url for (url,) in connection.execute("SELECT url FROM copies")]
            gone = [(url,) for url in known if url not in wanted]
            connection.executemany("DELETE FROM copies WHERE url = ?", gone)
