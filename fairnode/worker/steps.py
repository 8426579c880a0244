"""Which step a visit is due for, and what becomes of one whose step went wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache

from fairnode import clock, errors
from fairnode.child import sweep
from fairnode.combine.contribute import step_ready
from fairnode.combine.lists import has_list, step_keys, step_list
from fairnode.combine.memory import sweep_sets
from fairnode.combine.tabulate import step_tabulate, tabulates
from fairnode.datasets.description import describe
from fairnode.engine import Engine
from fairnode.gate.step import step_quarantined
from fairnode.ledger.commit import Entry, commit
from fairnode.node import Node
from fairnode.records.rows import Dataset, Request, Study, Visit
from fairnode.records.states import StudyState, VisitState, ended
from fairnode.release.step import step_passed, waits_for_slot
from fairnode.visits.rerun import reruns, step_rerun, visit_of
from fairnode.visits.steps import fail, move, step_approved, step_preparing, step_running
from fairnode.visits.view import delete_view
from fairnode.worker.turns import Place

LOG = logging.getLogger(__name__)

DUE = (
    VisitState.APPROVED,
    VisitState.PREPARING,
    VisitState.RUNNING,
    VisitState.QUARANTINED,
    VisitState.PASSED,
    VisitState.READY,
)

# An approved one ends at its own time too, and not when its turn comes: that depends on how long others ran.
EXPIRING = (VisitState.WAITING, VisitState.ASKED_BACK, VisitState.REVIEWING, VisitState.APPROVED)


def due(node: Node) -> list[Visit]:
    """The visits that have a step to take, oldest first.

    Those whose release waits for its slot are not looked at before: then they leave together, and not each a
    moment after it that depends on when it was looked at last.
    """
    with node.store.read() as reader:
        found = reader.find(Visit, {"state": DUE}, order="created")
    return [visit for visit in found if not waits_for_slot(node, visit)]


def step(node: Node, engine: Engine, visit: Visit) -> Visit:
    """Take the one step that `visit` is due for; the visit as it is afterwards.

    A step that cannot be taken ends the visit as failed. Raises `Unavailable` when something does not
    answer: the visit stays where it is and is to be tried again.
    """
    try:
        after = _step(node, engine, visit)
    except errors.Unavailable:
        raise
    except errors.Conflict as error:
        # Somebody cancelled, withdrew or revoked in the meantime; the row says how it stands now.
        LOG.info("visit %s: %s", visit.id, error.what)
        return visit
    except errors.FairnodeError as error:
        LOG.warning("visit %s failed: %s %s", visit.id, error, error.internal)
        after = _failed(node, visit, error)
    if after.state != visit.state and over_here(after.state):
        clean_up(node, engine, after.id, after.study)
    return after


def _failed(node: Node, visit: Visit, error: errors.FairnodeError) -> Visit:
    """The visit, ended as failed; as it was when somebody ended it in another way meanwhile."""
    try:
        return fail(node, visit, f"{error} {error.internal}".strip())
    except errors.Conflict:
        return visit


def over_here(state: VisitState) -> bool:
    """Whether a visit in this state needs its container and its view no more."""
    kept = (VisitState.REVIEWING, VisitState.PASSED, VisitState.READY, VisitState.SHARED)
    return ended("visit", state) or state in kept


def _step(node: Node, engine: Engine, visit: Visit) -> Visit:
    """The step for the visit's state."""
    if visit.state == VisitState.APPROVED:
        return step_approved(node, visit)
    if visit.state in (VisitState.PREPARING, VisitState.READY) and has_list(node, visit):
        return step_keys(node, visit) if visit.state == VisitState.PREPARING else step_list(node, visit)
    if visit.state == VisitState.PREPARING:
        alone = tabulates(node, visit)
        return step_tabulate(node, visit) if alone else step_preparing(node, engine, visit)
    if visit.state == VisitState.RUNNING:
        return step_running(node, engine, visit)
    if visit.state == VisitState.QUARANTINED:
        engine.remove(visit.id)
        return step_quarantined(node, visit) if step_rerun(node, engine, visit) else visit
    if visit.state == VisitState.READY:
        return step_ready(node, visit)
    return step_passed(node, visit)


def places_of(node: Node, visits: Sequence[Visit]) -> list[Place]:
    """Who asked for each visit, as its study says, and of what.

    The organisation was checked against the agreement when the study came; who asked there, it says itself.
    """
    with node.store.read() as reader:
        requests = {r.id: r for r in reader.find(Request, {"id": tuple({v.study for v in visits})})}
        datasets = {d.id: d for d in reader.find(Dataset, {"id": tuple({v.dataset for v in visits})})}
    alone = {d.id: "OneVisitAtATime" in describe(d.record, d.iri).modifiers for d in datasets.values()}
    return [
        Place(v.id, *_asker(requests[v.study].document), v.dataset, alone.get(v.dataset, True))
        for v in visits
    ]


@lru_cache(maxsize=4096)
def _asker(document: bytes) -> tuple[str, str]:
    """The requester's organisation in a study's bytes, and the person there."""
    told = json.loads(document)["requester"]
    return str(told["organisation"]), str(told["id"])


def clean_up(node: Node, engine: Engine, visit: str, study: str) -> None:
    """Leave nothing of an ended visit on this machine: container, copies and plaintext view."""
    engine.remove(visit)
    with node.store.read() as reader:
        again = reruns(reader, visit)
    for rerun in again:
        engine.remove(rerun.id)
    delete_view(node, visit, study)


def clean_leftovers(node: Node, engine: Engine, in_use: Callable[[str], bool] = lambda _: False) -> None:
    """Remove what ended or unknown visits and killed jobs left behind: after a crash or a cancellation.

    `in_use` tells which containers are no visits, but under way.
    """
    sweep(node.config.spool)
    sweep_sets(node)
    folder = node.config.spool / "visits"
    on_disk = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    for name in on_disk | {trace.visit_id for trace in engine.list_visits()}:
        if in_use(name):
            continue
        with node.store.read() as reader:
            visit = reader.get(Visit, visit_of(name))
        if visit is None or over_here(visit.state) or visit.state == VisitState.WAITING:
            clean_up(node, engine, name, visit.study if visit else "")


def expire(node: Node) -> None:
    """End what waited longer than it may: visits for people, and studies for visits."""
    now = clock.now()
    with node.store.read() as reader:
        waiting = reader.find(Visit, {"state": EXPIRING})
        sent = reader.find(Study, {"state": StudyState.SENT})
    for visit in waiting:
        if visit.expires <= now:
            in_line = visit.state == VisitState.APPROVED
            why = "Its turn did not come in time." if in_line else "Nobody decided in time."
            with suppress(errors.Conflict):  # somebody decided, or its turn came, at the last moment
                move(node, visit, VisitState.EXPIRED, internal=why)
    for study in sent:
        # A day of grace, so that releases on their way at the last moment still arrive.
        if clock.later(86400, study.expires) <= now:
            commit(
                node.desk,
                lambda tx, s=study: tx.change(s, state=StudyState.EXPIRED, changed=now),  # type: ignore[misc]
                Entry("study.expired", study.id, "node", study.id),
            )
