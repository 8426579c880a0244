"""The loop: deliver, step, tidy up, wait; a step that is slow does not hold up the others."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field

from fairnode import errors
from fairnode.algorithms.known import load_received
from fairnode.combine import compute
from fairnode.combine.announce import step_combinations
from fairnode.engine import Engine
from fairnode.mpc.gateway import Gateway
from fairnode.node import Node
from fairnode.profiles.twin import draw_due
from fairnode.records.rows import Head, Visit
from fairnode.records.states import VisitState
from fairnode.trial.trial import FindCalls
from fairnode.worker.delivery import deliver_own
from fairnode.worker.postman import Postman
from fairnode.worker.rehearse import Rehearsals
from fairnode.worker.selftest import Probe, check_engine
from fairnode.worker.steps import DUE, clean_leftovers, expire, places_of, step
from fairnode.worker.turns import next_visits

LOG = logging.getLogger(__name__)

BUSY_SECONDS, ACTIVE_SECONDS, POLL_SECONDS, TROUBLE_SECONDS = 0.02, 0.05, 0.2, 1.0
BRISK = (VisitState.APPROVED, VisitState.PREPARING, VisitState.RUNNING, VisitState.QUARANTINED)
TIDY_EVERY = 15  # rounds: what was cancelled or withdrawn is stopped within seconds
ACTIVE = (VisitState.PREPARING, VisitState.RUNNING)
QUIET_SECONDS = 10.0  # without visits before twins are drawn
REST_SECONDS = 3.0  # before a step that met trouble is tried again


@dataclass
class Worker:
    """One worker of one node; `flying` are the visits whose step is being taken right now.

    `resting` says until when (monotonic seconds) a visit whose step met trouble is left alone, `turns` in
    which order the organisations that asked were last served. `find_calls` names the system calls that a
    program was denied; twins were looked after when the ledger had `drawn` lines, and nothing had to be done
    since `quiet_since`.
    """

    node: Node
    engine: Engine
    probe: Probe
    tested: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    flying: dict[str, tuple[Visit, Future[Visit]]] = field(default_factory=dict)
    resting: dict[str, float] = field(default_factory=dict)
    find_calls: FindCalls | None = None
    quiet_since: float = field(default_factory=time.monotonic)
    drawn: int = -1
    drawing: Future[None] | None = None
    turns: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rehearsals = Rehearsals(self.node, self.engine, self.find_calls, self.stop.is_set)

    def run(self) -> None:
        """Work until `stop` is set; steps under way are brought to their end first."""
        port, host = self.node.config.compute_port, self.node.config.host
        with (
            ThreadPoolExecutor(self.node.config.settings.visits_at_once + 4) as pool,
            Gateway(host, port, compute.sockets(self.node)) if port else nullcontext(),
        ):
            compute.recover(self.node)
            rounds, postman = 0, Postman(self.node, self.stop)
            while not self.stop.is_set():
                pause = self._round(pool, tidy=rounds % TIDY_EVERY == 0)
                if rounds % 10 == 0:
                    postman.look_after()
                rounds += 1
                self.stop.wait(pause)

    def _round(self, pool: ThreadPoolExecutor, *, tidy: bool) -> float:
        """One round; the seconds to wait before the next one."""
        try:
            moved = deliver_own(self.node) > 0
            moved = step_combinations(self.node) > 0 or moved
            self._start_computations(pool)
            moved = self._start_steps(pool) or moved
            if tidy:
                expire(self.node)
                clean_leftovers(self.node, self.engine, self.rehearsals.owns)
                self._draw_twins(pool)
            moved = load_received(self.node, self.engine) > 0 or moved
            if not moved and not self.flying:
                self._rehearse(pool)
        except errors.Unavailable as error:
            LOG.warning("waiting: %s %s", error.what, error.internal)
        except Exception:  # a bug in one round must not end the node's work; one of the two broad ones
            LOG.exception("this round of work went wrong")
        else:
            active = any(before.state in BRISK for before, _ in self.flying.values())
            return BUSY_SECONDS if moved else ACTIVE_SECONDS if active else POLL_SECONDS
        return TROUBLE_SECONDS

    def _rehearse(self, pool: ThreadPoolExecutor) -> None:
        """While no visit has anything to do, run one that waits for people on the twin."""
        waiting = self.rehearsals.next()
        if waiting is None:
            return
        if not self.tested:
            self._test_engine()
        self.rehearsals.begin(pool, waiting)

    def _draw_twins(self, pool: ThreadPoolExecutor) -> None:
        """Have the twins drawn that are due, when something changed since the last look."""
        if self.drawing is not None and not self.drawing.done():
            return
        with self.node.store.read() as reader:
            head = reader.last(Head)
        number = head.id if head else 0
        if self.flying:
            self.quiet_since = time.monotonic()
        if number != self.drawn and time.monotonic() - self.quiet_since > QUIET_SECONDS:
            self.drawn = number
            self.drawing = pool.submit(draw_due, self.node)

    def _start_computations(self, pool: ThreadPoolExecutor) -> None:
        """Give every computation whose shares are all here a thread; it waits for its process."""
        if not self.node.config.compute_port:
            return
        for due in compute.due_computations(self.node):
            pool.submit(compute.compute, self.node, compute.mark_running(self.node, due))

    def _start_steps(self, pool: ThreadPoolExecutor) -> bool:
        """Give every visit that is due to the pool, as far as its limit goes; whether one moved."""
        moved = self._land()
        with self.node.store.read() as reader:
            due = reader.find(Visit, {"state": DUE}, order="created")
        if due and not self.tested:
            self._test_engine()
        free = [v for v in due if not self._is_held(v)]
        turn = self._whose_turn(due, free)
        for visit in free:
            if visit.state != VisitState.APPROVED or visit.id in turn:
                self.flying[visit.id] = (visit, pool.submit(step, self.node, self.engine, visit))
        return moved

    def _is_held(self, visit: Visit) -> bool:
        """Whether a step of this visit is being taken, or met trouble a moment ago."""
        return visit.id in self.flying or self.resting.get(visit.id, 0.0) > time.monotonic()

    def _whose_turn(self, due: list[Visit], free: list[Visit]) -> list[str]:
        """The approved visits that may begin now; whose they are is noted for the next turn."""
        waiting = [v for v in free if v.state == VisitState.APPROVED]
        if not waiting:
            return []
        active = [
            v for v in due if v.state in ACTIVE or (v.state == VisitState.APPROVED and v.id in self.flying)
        ]
        settings = self.node.config.settings
        places = {place.visit: place for place in places_of(self.node, [*waiting, *active])}
        chosen = next_visits(
            [places[v.id] for v in waiting],
            [places[v.id] for v in active],
            self.turns,
            at_once=settings.visits_at_once,
            one_per_dataset=settings.one_visit_per_dataset,
        )
        for visit in chosen:
            self.turns[places[visit].requester] = max(self.turns.values(), default=0) + 1
        return chosen

    def _test_engine(self) -> None:
        """Before the first visit, see that the engine holds. Raises `Unavailable` when it does not.

        In the node's own base image: an author's could lie about what it can do.
        """
        check_engine(self.node, self.engine, self.node.config.settings.base_image, self.probe)
        self.tested = True

    def _land(self) -> bool:
        """Take in the steps that are done; whether one changed its visit's state."""
        moved = False
        for name, (before, future) in list(self.flying.items()):
            if not future.done():
                continue
            del self.flying[name]
            error = future.exception()
            if error is None:
                self.resting.pop(name, None)
                moved = moved or future.result().state != before.state
                continue
            self.resting[name] = time.monotonic() + REST_SECONDS
            if isinstance(error, errors.Unavailable):
                LOG.warning("visit %s waits: %s %s", name, error.what, error.internal)
            else:
                LOG.error("a step of visit %s went wrong", name, exc_info=error)
        return moved
