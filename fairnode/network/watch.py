"""Waiting for news in the database of this node, which another process writes, without asking it all the time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from fairnode.node import Node

POLL_SECONDS = 0.05
LOOK_SECONDS = 0.3  # the journal changes a moment before what it holds can be read


def journal(node: Node) -> Path:
    """The write-ahead journal of the node's database."""
    return node.config.database.with_name(f"{node.config.database.name}-wal")


@dataclass
class Watch:
    """Waits until the database may have changed, for no more than a look at its journal's time and size.

    File times have grains, so after `LOOK_SECONDS` it says so in any case; as it does where there is no file.
    """

    journal: Path
    seen: tuple[int, int] | None = None

    def look(self) -> None:
        """Remember how the journal is now: to be called before the database is asked."""
        try:
            found = self.journal.stat()
        except OSError:
            self.seen = None
        else:
            self.seen = found.st_mtime_ns, found.st_size

    def wait(self, until: float) -> None:
        """Come back after a change since `look`, after `LOOK_SECONDS`, or at the (monotonic) time `until`."""
        before, until = self.seen, min(until, time.monotonic() + LOOK_SECONDS)
        while before == self.seen and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
            self.look()
            if self.seen is None:
                return
