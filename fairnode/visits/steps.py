"""The steps of a visit, each from one state to the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fairnode import clock, errors
from fairnode.algorithms.known import image_name
from fairnode.approvals.check import check_approved
from fairnode.approvals.decide import tell_home
from fairnode.datasets.description import Description
from fairnode.engine import MIB, ContainerState, Engine, Limits, NotCollected, Phase, VisitSpec
from fairnode.keys import commitment, digest
from fairnode.ledger.commit import Entry, commit
from fairnode.node import Node
from fairnode.records.algorithm import Manifest
from fairnode.records.result_json import contract_to_json
from fairnode.records.rows import Approval, Quarantine, Visit
from fairnode.records.states import ApprovalState, VisitState
from fairnode.store.database import Transaction
from fairnode.studies.document import StudyPlan
from fairnode.studies.fit import compile_contract, view_columns
from fairnode.visits.budget import BudgetSpent, charge
from fairnode.visits.context import VIEW_NAME, VisitContext, read_context
from fairnode.visits.launching import entrypoint_of, more_inputs
from fairnode.visits.launching import told as launcher_told
from fairnode.visits.view import make_view

WAIT_SECONDS = 2.0  # for the end of a container, before the visit's row is looked at again


def move(
    node: Node,
    visit: Visit,
    state: VisitState,
    *,
    internal: str = "",
    facts: dict[str, Any] | None = None,
    **values: Any,
) -> Visit:
    """Bring a visit into its next state, tell its home, and write the line."""
    return commit(
        node.desk,
        lambda tx: tx.change(visit, state=state, internal=internal, changed=clock.now(), **values),
        Entry(f"visit.{state.value}", visit.id, "node", visit.study, facts or {}),
        tell_home,
    )


def fail(node: Node, visit: Visit, reason: str) -> Visit:
    """End a visit; why is for this node's people only (P8)."""
    return move(node, visit, VisitState.FAILED, internal=reason)


def void_approvals(node: Node, visit: Visit, reason: str) -> Visit:
    """What was approved is no longer what would run: the approvals lapse and people are asked again."""

    def change(tx: Transaction) -> Visit:
        for approval in tx.find(Approval, {"visit": visit.id, "state": ApprovalState.GIVEN}):
            tx.change(approval, state=ApprovalState.VOID)
        return tx.change(visit, state=VisitState.WAITING, internal=reason, changed=clock.now())

    return commit(node.desk, change, Entry("visit.approvals-void", visit.id, "node", visit.study), tell_home)


def step_approved(node: Node, visit: Visit) -> Visit:
    """Check everything once more, and say that the preparation begins."""
    node.spare.make()  # it loads its libraries meanwhile; data it sees when the view is due, and not before
    context = read_context(node, visit)
    try:
        check_approved(node, visit, context.content())
    except errors.NotAllowed as error:
        if visit.expires <= clock.now():
            return move(node, visit, VisitState.EXPIRED, internal=str(error))
        return void_approvals(node, visit, str(error))
    try:
        return _begin(node, context)
    except BudgetSpent as error:
        return fail(node, visit, error.what)


def _begin(node: Node, context: VisitContext) -> Visit:
    """Charge the requester's budget and say that the preparation begins. Raises `BudgetSpent`."""
    visit = context.visit

    def change(tx: Transaction) -> Visit:
        charge(tx, context)
        return tx.change(visit, state=VisitState.PREPARING, changed=clock.now())

    entry = Entry("visit.preparing", visit.id, "node", visit.study)
    return commit(node.desk, change, entry, tell_home)


def step_preparing(node: Node, engine: Engine, visit: Visit) -> Visit:
    """Make the view, create the container, and only then say that it runs: the start itself comes after.

    A view from before a crash is made anew, because nobody knows whether it was whole.
    """
    context = read_context(node, visit)
    engine.remove(visit.id)
    made = make_view(context)
    deadline = clock.later(context.manifest.resources.seconds)
    spec = visit_spec(context, deadline, context.view_path)
    engine.prepare(spec)
    check_approved(node, visit, context.content())
    return move(
        node,
        visit,
        VisitState.RUNNING,
        facts={"view": view_mark(node, str(made["sha256"])), "image": context.algorithm.image},
        deadline=deadline,
        snapshot=str(made["sha256"]),
    )


def view_mark(node: Node, sha256: str) -> str:
    """What the ledger says of a view: a keyed hash, for the plain one of a small table could be guessed (P21)."""
    return commitment(node.keys.secret, f"view {sha256}".encode())


def visit_spec(context: VisitContext, deadline: str, view: Path) -> VisitSpec:
    """What the engine is told; `view` is the file that the container finds as the harmonised view.

    Raises `NotAllowed` for a program of the node: its view is for no container.
    """
    if context.manifest.node_program:
        raise errors.NotAllowed("A program of the node runs in no container.")
    return VisitSpec(
        visit_id=context.visit.id,
        image_id=image_name(context.algorithm.image),
        identity=context.algorithm.image,
        entrypoint=entrypoint_of(context.manifest),
        run_json=run_json(context),
        inputs={
            f"{VIEW_NAME}.parquet": view,
            **more_inputs(context.manifest, view, context.node.config.spool),
        },
        deadline=clock.parse(deadline),
        limits=limits_of(context.manifest),
        runtime=context.node.config.settings.runtime,
    )


def limits_of(manifest: Manifest) -> Limits:
    """What the manifest asks for, as the engine's limits."""
    asked = manifest.resources
    return Limits(
        memory_bytes=asked.memory_mib * MIB,
        cpus=asked.cpus,
        pids=asked.pids,
        wall_seconds=asked.seconds,
        output_bytes=asked.output_kib * 1024,
    )


def run_json(context: VisitContext) -> bytes:
    """/fairnode/run.json of this visit."""
    return run_bytes(context.visit.id, context.plan, context.description, context.manifest)


def run_bytes(visit: str, plan: StudyPlan, description: Description, manifest: Manifest) -> bytes:
    """/fairnode/run.json of design 4.1."""
    contract = compile_contract(plan, description, manifest)
    columns = view_columns(plan, description, manifest)
    told: dict[str, Any] = {
        "study": plan.hash,
        "visit": visit,
        "parameters": plan.document["parameters"],
        "inputs": [
            {
                "name": VIEW_NAME,
                "path": f"/fairnode/in/{VIEW_NAME}.parquet",
                "variables": [
                    {"name": c.name, "kind": c.kind, "codes": list(c.codes), "multiple": c.multiple}
                    for c in columns
                ],
            }
        ],
        "contract": contract_to_json(contract),
    }
    if manifest.launcher is not None:
        told["launcher"] = launcher_told(manifest.launcher, manifest.entrypoint)
    return json.dumps(told, indent=1).encode()


def step_running(node: Node, engine: Engine, visit: Visit) -> Visit:
    """Start what was created, end what is over its time, harvest what has ended.

    A container that vanished is a failed visit: running it again would be a second query. One that could not be
    started until its deadline is one, too: some images cannot be, and would hold up others for ever.
    """
    state = engine.look(visit.id)
    if state.phase is Phase.ABSENT:
        return fail(node, visit, "The container vanished while it ran; a visit is never run twice.")
    if state.phase is Phase.CREATED and clock.now() >= visit.deadline:
        return fail(node, visit, "The container could not be started before its deadline.")
    if state.phase is Phase.CREATED:
        engine.start(visit.id)
    if state.phase is not Phase.EXITED:
        state = engine.wait(visit.id, WAIT_SECONDS)
    if state.phase is Phase.EXITED:
        return _harvest(node, engine, visit, state)
    if clock.now() >= visit.deadline:
        engine.kill(visit.id)
    return visit


def _harvest(node: Node, engine: Engine, visit: Visit, state: ContainerState) -> Visit:
    """Quarantine the one file, or say why it was not taken."""
    try:
        result = engine.collect(visit.id)
    except NotCollected as error:
        facts = f" (exit code {state.exit_code})" if state.exit_code else ""
        return fail(node, visit, f"{error.what}{facts}")

    def change(tx: Transaction) -> Visit:
        tx.add(Quarantine(visit.id, result, digest(result), {}, clock.now()))
        return tx.change(visit, state=VisitState.QUARANTINED, changed=clock.now())

    return commit(
        node.desk,
        change,
        Entry("visit.quarantined", visit.id, "node", visit.study, {"bytes": len(result)}),
        tell_home,
    )
