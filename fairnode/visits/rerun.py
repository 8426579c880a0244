"""The second run of a visit of class B: the same image on the same rows in another order.

What an honest program computes does not depend on the order of rows. One that writes a record's values
where a statistic should stand often does: "the first row" is then another one. The numbers of the second
run are compared with the first's and thrown away; reviewers are told whether they were the same. It is a
cheap test and no protection: a program may look for a record by its values.
"""

from __future__ import annotations

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
from fairnode.store.database import Transaction
from fairnode.studies.fit import compile_contract
from fairnode.visits.context import VIEW_NAME, VisitContext, read_context
from fairnode.visits.steps import visit_spec

RUNNING, ENDED, FAILED = "running", "ended", "failed"
_SUFFIX = "-permuted"


def rerun_name(visit_id: str) -> str:
    """The engine's name for a visit's second run."""
    return f"{visit_id}{_SUFFIX}"


def visit_of(name: str) -> str:
    """The visit to which a name on the engine belongs."""
    return name.removesuffix(_SUFFIX)


def step_rerun(node: Node, engine: Engine, visit: Visit) -> bool:
    """Take the next step of the second run; whether it is over (at once where no second run is needed).

    A second run that fails is no failure of the visit: the reviewers are told that it did. Raises what
    `Engine.prepare` raises, and `NotAllowed` when the approvals do not cover the visit any more.
    """
    with node.store.read() as reader:
        rerun = reader.get(Rerun, visit.id)
    if rerun is None:
        return _begin(node, engine, visit)
    if rerun.state == RUNNING:
        return _go_on(node, engine, visit, rerun)
    engine.remove(rerun_name(visit.id))
    return True


def _begin(node: Node, engine: Engine, visit: Visit) -> bool:
    """Make the permuted view and the container, unless the node recounts the tables itself."""
    context = read_context(node, visit)
    if not compile_contract(context.plan, context.description, context.manifest).class_b:
        return True
    if not context.view_path.exists():
        _note(node, visit, Rerun(visit.id, FAILED, "", b"", clock.now()))
        return True
    engine.remove(rerun_name(visit.id))
    permuted, deadline = _permuted(context), clock.later(context.manifest.resources.seconds)
    spec = visit_spec(context, deadline)
    view = {f"{VIEW_NAME}.parquet": permuted}
    engine.prepare(replace(spec, visit_id=rerun_name(visit.id), inputs=view))
    permuted.unlink()
    check_approved(node, visit, context.content())
    _note(node, visit, Rerun(visit.id, RUNNING, deadline, b"", clock.now()))
    return False


def _permuted(context: VisitContext) -> Path:
    """The view with its rows in another order."""
    output = context.folder / "permuted.parquet"
    job = {"view": str(context.view_path), "output": str(output)}
    run_child("permute", job, spool=context.node.config.spool, seconds=600.0)
    return output


def _go_on(node: Node, engine: Engine, visit: Visit, rerun: Rerun) -> bool:
    """As `step_running` does with the first run."""
    name = rerun_name(visit.id)
    phase = engine.look(name).phase
    if phase is Phase.CREATED:
        engine.start(name)
    if phase is Phase.RUNNING and clock.now() >= rerun.deadline:
        engine.kill(name)
    if phase in (Phase.CREATED, Phase.RUNNING):
        return False
    state, result = FAILED, b""
    if phase is Phase.EXITED:
        try:
            state, result = ENDED, engine.collect(name)
        except NotCollected:
            state = FAILED
    _note(node, visit, replace(rerun, state=state, result=result))
    engine.remove(name)
    return True


def _note(node: Node, visit: Visit, rerun: Rerun) -> None:
    """Keep how the second run stands, with a line in the ledger: it read the data once more."""

    def change(tx: Transaction) -> None:
        known = tx.get(Rerun, visit.id)
        if known is None:
            tx.add(rerun)
        else:
            tx.change(known, state=rerun.state, result=rerun.result)

    commit(node.desk, change, Entry(f"visit.rerun-{rerun.state}", visit.id, "node", visit.study))
