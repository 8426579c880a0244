"""One web process and one worker a node: a second start is refused while the first one lives."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from fairnode import errors
from fairnode.node import Node


@contextmanager
def only_one(node: Node, what: str) -> Iterator[None]:
    """Hold the lock of this node's `what`. Raises `Conflict` when another process holds it.

    The kernel gives the lock back when the process ends, however it ends.
    """
    path = node.config.directory / f"{what}.lock"
    with path.open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise errors.Conflict(
                f"This node's {what} process runs already.", to_do="Stop it before starting another one."
            ) from error
        yield
