"""The further runs of a visit whose tables the node cannot recount: the same image on the same rows again.

Usually one, on the rows in another order. What an honest program computes does not depend on it; one that
writes a record's values where a statistic should stand often does: "the first row" is then another one. The
numbers are compared with the first run's and thrown away; reviewers are told whether they were the same. It
is a cheap test and no protection: a program may look for a record by its values.

Under differential privacy, one on each of the parts into which the persons are drawn (sample and aggregate).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from fairnode import clock
from fairnode.approvals.check import check_approved
from fairnode.child import run_child
from fairnode.engine import Engine, NotCollected, Phase
from fairnode.ledger.commit import Entry, commit
from fairnode.node import Node
from fairnode.records.review import Rerun
from fairnode.records.rows import Visit
from fairnode.store.database import Reader, Transaction
from fairnode.studies.fit import compile_contract
from fairnode.studies.privacy import privacy_of
from fairnode.visits.context import VisitContext, read_context
from fairnode.visits.steps import visit_spec

RUNNING, ENDED, FAILED = "running", "ended", "failed"
_NAME = re.compile(r"(.+)-(permuted|part\d\d)")


def visit_of(name: str) -> str:
    """The visit to which a name on the engine belongs."""
    told = _NAME.fullmatch(name)
    return told[1] if told else name


def reruns(reader: Reader, visit_id: str) -> list[Rerun]:
    """The further runs of a visit so far, by name."""
    return reader.find(Rerun, {"visit": visit_id})


def step_rerun(node: Node, engine: Engine, visit: Visit) -> bool:
    """Take the next step of the further runs; whether they are over (at once where none is needed).

    One that fails is no failure of the visit. Raises what `Engine.prepare` raises, and `NotAllowed` when the
    approvals do not cover the visit any more.
    """
    with node.store.read() as reader:
        known = {rerun.id: rerun for rerun in reruns(reader, visit.id)}
    running = next((rerun for rerun in known.values() if rerun.state == RUNNING), None)
    if running is not None:
        _go_on(node, engine, visit, running)
        return False
    context = read_context(node, visit)
    due = next((name for name in _names(context) if name not in known), None)
    if due is None:
        return True
    _begin(context, engine, due)
    return False


def _names(context: VisitContext) -> list[str]:
    """The runs that there are to be."""
    if not compile_contract(context.plan, context.description, context.manifest).class_b:
        return []
    if context.plan.combines(context.visit.stage):
        return []  # nobody reviews its numbers: they are opened with noise, whatever they are
    terms = privacy_of(context.plan, context.visit.stage)
    ends = [f"part{number:02}" for number in range(terms.blocks)] if terms else ["permuted"]
    return [f"{context.visit.id}-{end}" for end in ends]


def _begin(context: VisitContext, engine: Engine, name: str) -> None:
    """Make what the run reads, and its container."""
    node, visit = context.node, context.visit
    path = _path(context, name)
    if not path.exists():
        if not context.view_path.exists():
            _note(node, Rerun(name, visit.id, FAILED, "", b"", clock.now()), visit)
            return
        _make(context)
    engine.remove(name)
    deadline = clock.later(context.manifest.resources.seconds)
    spec = visit_spec(context, deadline, path)
    engine.prepare(replace(spec, visit_id=name))
    path.unlink()
    path.with_suffix(".csv").unlink(missing_ok=True)
    check_approved(node, visit, context.content())
    _note(node, Rerun(name, visit.id, RUNNING, deadline, b"", clock.now()), visit)


def _make(context: VisitContext) -> None:
    """The files that the runs read: the rows in another order, or the parts."""
    spool, view = context.node.config.spool, str(context.view_path)
    outputs = [str(_path(context, name)) for name in _names(context)]
    if privacy_of(context.plan, context.visit.stage):
        job = {"view": view, "companion": str(context.companion_path), "outputs": outputs}
        run_child("blocks", job, spool=spool, seconds=600.0)
    else:
        run_child("permute", {"view": view, "output": outputs[0]}, spool=spool, seconds=600.0)


def _path(context: VisitContext, name: str) -> Path:
    return context.folder / f"{name}.parquet"


def _go_on(node: Node, engine: Engine, visit: Visit, rerun: Rerun) -> None:
    """As `step_running` does with the first run."""
    phase, is_late = engine.look(rerun.id).phase, clock.now() >= rerun.deadline
    if phase is Phase.CREATED and not is_late:
        engine.start(rerun.id)
    if phase is Phase.RUNNING and is_late:
        engine.kill(rerun.id)
    if phase is Phase.RUNNING or (phase is Phase.CREATED and not is_late):
        return
    state, result = FAILED, b""
    if phase is Phase.EXITED:
        try:
            state, result = ENDED, engine.collect(rerun.id)
        except NotCollected:
            state = FAILED
    _note(node, replace(rerun, state=state, result=result), visit)
    engine.remove(rerun.id)


def _note(node: Node, rerun: Rerun, visit: Visit) -> None:
    """Keep how a run stands, with a line in the ledger: it read the data once more."""

    def change(tx: Transaction) -> None:
        known = tx.get(Rerun, rerun.id)
        if known is None:
            tx.add(rerun)
        else:
            tx.change(known, state=rerun.state, result=rerun.result)

    commit(node.desk, change, Entry(f"visit.rerun-{rerun.state}", visit.id, "node", visit.study))
