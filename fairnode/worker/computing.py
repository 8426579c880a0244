"""The computations under way at a compute party, and the warm server from which their processes are forked."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from fairnode import errors
from fairnode.combine import compute, ending
from fairnode.mpc.party.start import WarmParties
from fairnode.node import Node

LOG = logging.getLogger(__name__)

COOL_SECONDS = 60.0


def log_trouble(what: str, error: BaseException | None) -> None:
    """Say in the log what went wrong in a thread; what a node only waits for is a warning."""
    if isinstance(error, errors.Conflict | errors.Unavailable):
        LOG.warning("%s waits: %s %s", what, error.what, error.internal)
    elif error is not None:
        LOG.error("%s went wrong", what, exc_info=error)


@dataclass
class Computing:
    """What is under way. The warm server runs from when a combination is announced until a while after its end:
    an idle node does without its memory.
    """

    runs: dict[str, tuple[ending.Run, Future[None]]] = field(default_factory=dict)
    warm: WarmParties | None = None
    stack: ExitStack = field(default_factory=ExitStack)
    needed: float = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()

    def start(self, node: Node, pool: ThreadPoolExecutor) -> bool:
        """Give every computation whose shares are all here, and still stand, a thread; whether there was one."""
        self._warm_up(node)
        due = compute.due_computations(node)
        for one in due:
            running = compute.mark_running(node, one)
            run = ending.Run(running.row, running.number, running.home)
            self.runs[run.row.facts["run"]] = run, pool.submit(compute.compute, node, running, self.warm)
        return bool(due)

    def land(self, node: Node) -> bool:
        """Take in the runs that are over; one that failed in this node's own code is ended with that reason.

        Raises `Unavailable` when that cannot be written: tried again.
        """
        done = [(name, run, future.exception()) for name, (run, future) in self.runs.items() if future.done()]
        for name, run, error in done:
            log_trouble(f"the computation of study {run.row.study[:12]}", error)
            if error is not None:
                ending.end_with_fault(node, run)
            del self.runs[name]
        return bool(done)

    def _warm_up(self, node: Node) -> None:
        """Have the warm server run while a computation is expected or under way."""
        now = time.monotonic()
        if self.runs or compute.is_expected(node):
            self.needed = now
            if self.warm is None:
                self.warm = self.stack.enter_context(WarmParties(node.config.spool / "warm"))
        elif self.warm is not None and now - self.needed > COOL_SECONDS:
            self.stack.close()
            self.warm = None
