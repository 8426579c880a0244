"""Runs studies that wait for people on the synthetic twin, so that they see what the algorithm does.

Same sandbox, same limits, same gate as a visit. One at a time, and begun only while no visit has anything to
do: a visit never waits for a rehearsal, and what is decided before it was its turn is not rehearsed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from fairnode import clock, errors
from fairnode.algorithms.known import image_name
from fairnode.approvals.content import approval_content
from fairnode.approvals.rehearsal import rehearsal_key
from fairnode.engine import Engine
from fairnode.node import Node
from fairnode.records.profile_rows import Rehearsal
from fairnode.records.rows import Visit
from fairnode.records.states import VisitState
from fairnode.trial.report import Trial, to_json
from fairnode.trial.trial import TRIAL, FindCalls, How, Published, Subject, try_out
from fairnode.visits.context import VisitContext, read_context

LOG = logging.getLogger(__name__)

SETTLE_SECONDS = 3  # what is decided sooner was decided by a program, which reads no report
REST_SECONDS = 30.0  # before one that met trouble is tried again
_KEPT = ("passes", "rows", "use", "refusal", "sentence", "findings", "shown", "notes", "calls", "calls_known")


@dataclass
class Rehearsals:
    """The rehearsals of one worker. `settled` are the visits that need none any more."""

    node: Node
    engine: Engine
    find_calls: FindCalls | None
    stopping: Callable[[], bool]
    flying: Future[None] | None = None
    settled: set[str] = field(default_factory=set)
    resting: float = 0.0

    @property
    def busy(self) -> bool:
        """Whether one is under way; its container is then no leftover."""
        return self.flying is not None and not self.flying.done()

    def owns(self, name: str) -> bool:
        """Whether a container of this name belongs to the rehearsal under way."""
        return self.busy and name.startswith(TRIAL)

    def next(self) -> Visit | None:
        """A visit that waits for people and was not rehearsed; None while one is under way."""
        if self.busy or not self.node.config.settings.rehearse or time.monotonic() < self.resting:
            return None
        with self.node.store.read() as reader:
            waiting = reader.find(Visit, {"state": VisitState.WAITING}, order="created")
        before = clock.later(-SETTLE_SECONDS)
        for visit in waiting:
            if visit.id not in self.settled and visit.created <= before:
                return visit
        return None

    def begin(self, pool: ThreadPoolExecutor, visit: Visit) -> None:
        """Rehearse this one in the background."""
        self.flying = pool.submit(self._rehearse, visit)

    def _rehearse(self, visit: Visit) -> None:
        """Run it, unless the very same was run before, and keep the report."""
        try:
            context = read_context(self.node, visit)
            if context.manifest.node_program:  # no image that could be tried
                self.settled.add(visit.id)
                return
            content = approval_content(self.node, visit, context.plan, context.dataset, context.algorithm)
            key = rehearsal_key(content, context.dataset, self.node.config.settings.runtime)
            if not self._known(key):
                self._keep(key, self._report(context))
            self.settled.add(visit.id)
        except errors.Unavailable as error:
            if not self.stopping() and self._is_over(visit.id):
                self.settled.add(visit.id)  # it was decided meanwhile, and stopped for that
                return
            LOG.info("the rehearsal of visit %s waits: %s", visit.id, error.what)
            self.resting = time.monotonic() + REST_SECONDS
        except errors.FairnodeError as error:
            LOG.info("visit %s cannot be rehearsed: %s", visit.id, error.what)
            self.settled.add(visit.id)

    def _report(self, context: VisitContext) -> dict[str, Any]:
        """What came of it; a sentence where it could not even be run."""
        manifest, identity = context.manifest, context.algorithm.image
        subject = Subject(manifest, identity, image_name(identity))
        place = Published(context.dataset.iri, context.dataset.record)
        how = How(find_calls=self.find_calls, stop=lambda: self._is_over(context.visit.id))
        try:
            return told(try_out(self.node, self.engine, subject, place, context.plan, how))
        except (errors.NotValid, errors.NotAllowed, errors.NotFound) as error:
            return {"passes": False, "refusal": "not-run", "sentence": str(error)}

    def _is_over(self, visit_id: str) -> bool:
        """Whether nobody will read the report any more, or the worker ends."""
        if self.stopping():
            return True
        with self.node.store.read() as reader:
            visit = reader.get(Visit, visit_id)
        return visit is None or visit.state not in (VisitState.WAITING, VisitState.ASKED_BACK)

    def _known(self, key: str) -> bool:
        with self.node.store.read() as reader:
            return reader.get(Rehearsal, key) is not None

    def _keep(self, key: str, report: dict[str, Any]) -> None:
        with self.node.store.write() as tx:
            if tx.get(Rehearsal, key) is None:
                tx.add(Rehearsal(key, report, clock.now()))


def told(trial: Trial) -> dict[str, Any]:
    """The report as people read it: figures and reasons, no rows, no log."""
    whole = to_json(trial)
    hidden: dict[str, int] = {}
    for cell in trial.hidden:
        hidden[cell.why] = hidden.get(cell.why, 0) + 1
    return {**{name: whole[name] for name in _KEPT}, "hidden": sorted(hidden.items())}
