"""Where the indexes lie in the node's directory, and who may open the store of statements now."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairnode import errors

WORDS = "search.db"
STATEMENTS, LOCK = "statements", "statements.lock"
NOTE = "statements"
"""Under which the search index notes up to which change the statements are in their store."""

KEPT = ("published", "part")
"""States of a record that is there: a dataset, or a distribution that has a document of its own."""

_WAIT_SECONDS = 30.0


@contextmanager
def locked(folder: Path, *, write: bool) -> Iterator[None]:
    """Hold the store in `folder`, alone or beside other readers. Raises `Unavailable` when it stays busy."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as file:
        until = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                fcntl.flock(file, (fcntl.LOCK_EX if write else fcntl.LOCK_SH) | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise errors.Unavailable("The index is being brought up to date.") from None
                time.sleep(0.05)
        yield
