"""The loop: deliver, step, tidy up, wait; a step that is slow does not hold up the others."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field

from fairnode import clock, errors
from fairnode.algorithms.known import load_received
from fairnode.algorithms.own import keep_own
from fairnode.combine import compute
from fairnode.combine.announce import step_combinations
from fairnode.combine.ending import open_computed, recover
from fairnode.combine.lists import answer
from fairnode.combine.ready import tell_ready
from fairnode.combine.standing import open_questions
from fairnode.engine import Engine
from fairnode.gate.retention import delete_due
from fairnode.mpc.gateway import Gateway
from fairnode.node import Node
from fairnode.profiles.twin import delete_over, draw_due
from fairnode.records.rows import Head, Visit
from fairnode.records.states import VisitState
from fairnode.release.ended import tell_ended
from fairnode.store.database import Pulse
from fairnode.trial.trial import FindCalls
from fairnode.worker.computing import Computing, log_trouble
from fairnode.worker.delivery import deliver_own
from fairnode.worker.postman import Postman
from fairnode.worker.rehearse import Rehearsals
from fairnode.worker.selftest import Probe, check_engine
from fairnode.worker.steps import clean_leftovers, due, expire, places_of, step
from fairnode.worker.turns import next_visits

LOG = logging.getLogger(__name__)

BUSY_SECONDS, AGAIN_SECONDS, ROUND_SECONDS, TROUBLE_SECONDS = 0.02, 0.2, 1.0, 1.0
LOOK_SECONDS = 0.02  # what another process wrote to the database is not kept waiting for longer
TIDY_SECONDS = 3.0  # what was cancelled or withdrawn is stopped within seconds
# a quarantined visit may still run a second time, and holds the node's memory for its recount
ACTIVE = (VisitState.PREPARING, VisitState.RUNNING, VisitState.QUARANTINED)
DELETE_SECONDS = 600.0  # between two looks for results and twins whose time is over
QUIET_SECONDS = 10.0  # without visits before twins are drawn
REST_SECONDS = 3.0  # before a step that met trouble is tried again
SPARE_SECONDS = 600.0  # a process for the next view is kept ready for so long after a visit moved


@dataclass
class Worker:
    """One worker of one node; `flying` are the visits whose step is being taken right now.

    `resting` says until when (monotonic seconds) a visit whose step met trouble, or came to nothing yet, is
    left alone, `turns` in which order the organisations that asked, and their people, were last served. `wake`
    ends a pause. `find_calls` names the system calls that a program was denied; twins were looked after when
    the ledger had `drawn` lines, and nothing had to be done since `quiet_since`. At `delete_at` (monotonic) the
    worker looks for what may be kept no longer.
    """

    node: Node
    engine: Engine
    probe: Probe
    recovered: bool = False
    tested: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    wake: threading.Event = field(default_factory=threading.Event)
    flying: dict[str, tuple[Visit, Future[Visit]]] = field(default_factory=dict)
    resting: dict[str, float] = field(default_factory=dict)
    find_calls: FindCalls | None = None
    quiet_since: float = field(default_factory=time.monotonic)
    drawn: int = -1
    drawing: Future[None] | None = None
    turns: dict[str, int] = field(default_factory=dict)
    computing: Computing = field(default_factory=Computing)
    answers: dict[str, Future[None]] = field(default_factory=dict)
    end_told: set[str] = field(default_factory=set)
    ready_told: set[str] = field(default_factory=set)
    delete_at: float = 0.0

    def __post_init__(self) -> None:
        self.rehearsals = Rehearsals(self.node, self.engine, self.find_calls, self.stop.is_set)

    def run(self) -> None:
        """Work until `stop` is set; steps under way are brought to their end first."""
        port, host = self.node.config.compute_port, self.node.config.host
        with (
            ThreadPoolExecutor(self.node.config.settings.visits_at_once + 4) as pool,
            Gateway(host, port, compute.sockets(self.node)) if port else nullcontext(),
            self.computing,
        ):
            postman, tidied = Postman(self.node, self.stop), -TIDY_SECONDS
            with self.node.store.pulse() as pulse:
                while not self.stop.is_set():
                    pulse.look()
                    tidy = time.monotonic() - tidied >= TIDY_SECONDS
                    pause = self._round(pool, tidy=tidy)
                    if tidy:
                        postman.look_after()
                        tidied = time.monotonic()
                    self._pause(pause, pulse)
        self.node.spare.end()

    def _round(self, pool: ThreadPoolExecutor, *, tidy: bool) -> float:
        """One round; the seconds to wait before the next one."""
        try:
            if not self.recovered:
                keep_own(self.node)
                recover(self.node)
                self.recovered = True
            moved = self._start_steps(pool)
            moved = deliver_own(self.node) > 0 or moved
            moved = step_combinations(self.node) > 0 or moved
            moved = tell_ended(self.node, self.end_told) + tell_ready(self.node, self.ready_told) > 0 or moved
            moved = self._compute(pool) or moved
            self._answer(pool)
            if tidy:
                expire(self.node)
                compute.forget_expired(self.node)
                self._delete_what_is_over()
                clean_leftovers(self.node, self.engine, self.rehearsals.owns)
                self._keep_spare()
                self._draw_twins(pool)
            moved = load_received(self.node, self.engine) > 0 or moved
            if not moved and not self.flying:
                self._rehearse(pool)
        except errors.Unavailable as error:
            LOG.warning("waiting: %s %s", error.what, error.internal)
        except Exception:  # a bug in one round must not end the node's work; one of the two broad ones
            LOG.exception("this round of work went wrong")
        else:
            return BUSY_SECONDS if moved else self._until_next()
        self.stop.wait(TROUBLE_SECONDS)
        return 0.0

    def _until_next(self) -> float:
        """Seconds until a visit that is left alone is due again; a whole round's at most."""
        now = time.monotonic()
        rests = (until - now for name, until in self.resting.items() if name not in self.flying)
        most = AGAIN_SECONDS if self.computing.runs or self.answers else ROUND_SECONDS
        return max(BUSY_SECONDS, min([most, *rests]))

    def _pause(self, seconds: float, pulse: Pulse) -> None:
        """Wait for so long, or until a step has ended, or something was written to the database."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.stop.is_set() and not pulse.look():
            if self.wake.wait(LOOK_SECONDS):
                break
        self.wake.clear()

    def _delete_what_is_over(self) -> None:
        """Delete what policies let be kept no longer; they speak of days, so it is looked after in a while."""
        if time.monotonic() >= self.delete_at:
            self.delete_at = time.monotonic() + DELETE_SECONDS
            delete_due(self.node, clock.now())
            delete_over(self.node, clock.now())

    def _keep_spare(self) -> None:
        """Have a process ready for the next view while visits are about, but none beside one that is made."""
        with self.node.store.read() as reader:
            lively = reader.find(Visit, order="changed", after=clock.later(-SPARE_SECONDS), limit=1)
        if not lively:
            self.node.spare.end()
        elif not self.flying:
            self.node.spare.make()

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

    def _compute(self, pool: ThreadPoolExecutor) -> bool:
        """Start, end and open what this node computes as a compute party; whether something moved."""
        if not self.node.config.compute_port:
            return False
        try:
            moved = self.computing.land(self.node)
            moved = compute.ask_before_start(self.node) + open_computed(self.node) > 0 or moved
            return self.computing.start(self.node, pool) or moved
        except errors.Conflict as error:
            LOG.info("a computation was changed by a message meanwhile: %s", error.what)
            return True

    def _answer(self, pool: ThreadPoolExecutor) -> None:
        """Say to the compute parties that ask whether what was dealt still stands; reading again may take long."""
        for name, told in list(self.answers.items()):
            if told.done():
                del self.answers[name]
                log_trouble(f"the question about {name}", told.exception())
        for question in open_questions(self.node):
            if question.row.id not in self.answers:
                self.answers[question.row.id] = pool.submit(answer, self.node, question)

    def _start_steps(self, pool: ThreadPoolExecutor) -> bool:
        """Give every visit that is due to the pool, as far as its limit goes; whether one moved."""
        moved = self._land()
        found = due(self.node)
        self.resting = {name: until for name, until in self.resting.items() if until > time.monotonic()}
        free = [v for v in found if not self._is_held(v)]
        if free and not self._engine_holds():
            self.resting |= {v.id: time.monotonic() + REST_SECONDS for v in free}
            return moved
        turn = self._whose_turn(found, free)
        for visit in free:
            if visit.state != VisitState.APPROVED or visit.id in turn:
                future = pool.submit(step, self.node, self.engine, visit)
                self.flying[visit.id] = (visit, future)
                future.add_done_callback(lambda _: self.wake.set())
        return moved

    def _is_held(self, visit: Visit) -> bool:
        """Whether a step of this visit is being taken, or came to nothing a moment ago."""
        return visit.id in self.flying or visit.id in self.resting

    def _whose_turn(self, found: list[Visit], free: list[Visit]) -> list[str]:
        """The approved visits that may begin now; whose they are is noted for the next turn."""
        waiting = [v for v in free if v.state == VisitState.APPROVED]
        if not waiting:
            return []
        active = [
            v for v in found if v.state in ACTIVE or (v.state == VisitState.APPROVED and v.id in self.flying)
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
            self.turns |= dict.fromkeys(places[visit].names, max(self.turns.values(), default=0) + 1)
        return chosen

    def _engine_holds(self) -> bool:
        """Whether visits may run; while they may not, all else goes on."""
        if not self.tested:
            try:
                self._test_engine()
            except errors.Unavailable as error:
                LOG.warning("waiting: %s %s", error.what, error.internal)
        return self.tested

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
                if future.result().state != before.state:
                    moved = True
                else:
                    self.resting[name] = time.monotonic() + AGAIN_SECONDS
                continue
            self.resting[name] = time.monotonic() + REST_SECONDS
            if isinstance(error, errors.Unavailable):
                LOG.warning("visit %s waits: %s %s", name, error.what, error.internal)
            else:
                LOG.error("a step of visit %s went wrong", name, exc_info=error)
        return moved
