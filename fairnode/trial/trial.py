"""One trial: twin, sandbox, gate. Nothing of it is kept but the report."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairnode import clock
from fairnode.child import run_child
from fairnode.datasets.description import Description, describe
from fairnode.disclosure.history import History
from fairnode.disclosure.rules import load_rules
from fairnode.engine import ContainerState, Engine, Limits, NotCollected, Phase, VisitSpec
from fairnode.gate import strict_json
from fairnode.gate.audit_child import child_audit
from fairnode.gate.class_b import counting, is_class_b, limit_result
from fairnode.gate.contract import read_result
from fairnode.gate.order import pass_gate
from fairnode.gate.recounts import recount_from_json
from fairnode.gate.refusals import Refusal, Refused
from fairnode.gate.step import merging
from fairnode.node import Node
from fairnode.records.algorithm import Manifest
from fairnode.records.dataset import to_json
from fairnode.records.result import Condition, OutputContract, Recount
from fairnode.records.result_json import conditions_to_json, contract_to_json, tables_to_json
from fairnode.records.rows import Dataset
from fairnode.studies.document import StudyPlan
from fairnode.studies.fit import compile_contract, compile_view
from fairnode.trial.question import Question, plan_of
from fairnode.trial.report import Trial, Use, explain, shown_cells
from fairnode.visits.context import VIEW_NAME
from fairnode.visits.launching import entrypoint_of, more_inputs
from fairnode.visits.steps import limits_of, run_bytes

LOG_BYTES = 64 * 1024
LOOK_SECONDS = 0.1
CHILD_SECONDS = 1800.0


@dataclass(frozen=True)
class Subject:
    """The algorithm that is tried: its manifest, and its image as the engine knows it."""

    manifest: Manifest
    identity: str
    image_id: str


@dataclass(frozen=True)
class _Scene:
    """All that one trial is made of."""

    node: Node
    subject: Subject
    dataset: Dataset
    description: Description
    plan: StudyPlan
    contract: OutputContract
    folder: Path

    @property
    def twin(self) -> Path:
        """The rows that the container gets, and that the node counts."""
        return self.folder / f"{VIEW_NAME}.parquet"


def try_out(node: Node, engine: Engine, subject: Subject, dataset: Dataset, question: Question) -> Trial:
    """Run `subject` on the twin of `dataset` as a visit would run it, pass the result through the gate.

    Raises `NotValid` when question, dataset and manifest do not fit each other, or the dataset has too few
    rows for a twin, and what the engine raises when it cannot run the image as it must.
    """
    description = describe(dataset.record, dataset.iri)
    plan = plan_of(question, subject.manifest)
    contract = compile_contract(plan, description, subject.manifest)
    with _folder(node) as folder:
        scene = _Scene(node, subject, dataset, description, plan, contract, folder)
        rows = _make_twin(scene)
        name = f"trial-{secrets.token_hex(8)}"
        try:
            state = _run(engine, scene, name)
            return _report(engine, scene, name, (rows, state))
        finally:
            engine.remove(name)


@contextmanager
def _folder(node: Node) -> Iterator[Path]:
    """A folder of this trial's own, removed at its end."""
    folder = node.config.spool / "trials" / secrets.token_hex(8)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_twin(scene: _Scene) -> int:
    """Draw the twin; how many rows it has. One record version has one twin, however often it is drawn."""
    view = compile_view(scene.plan, scene.description, scene.subject.manifest)
    seed = hashlib.sha256(f"{scene.dataset.id} {scene.dataset.sha256}".encode()).hexdigest()[:8]
    made = run_child(
        "twin",
        {
            "dataset": to_json(scene.description.dataset),
            "source": scene.dataset.source,
            "output": str(scene.twin),
            "seed": int(seed, 16),
            "variables": list(view.variables),
            "filter": [[name, list(codes)] for name, codes in view.filter],
            "consent_required": view.consent_required,
        },
        spool=scene.node.config.spool,
        seconds=CHILD_SECONDS,
    )
    return int(made["rows"])


def _run(engine: Engine, scene: _Scene, name: str) -> ContainerState:
    """Run the container to its end, or end it when its time is over."""
    limits = limits_of(scene.subject.manifest)
    deadline = clock.later(limits.wall_seconds + 1)
    engine.prepare(_spec(scene, name, limits, deadline))
    engine.start(name)
    while (state := engine.look(name)).phase is Phase.RUNNING:
        if clock.now() >= deadline:
            engine.kill(name)
        time.sleep(LOOK_SECONDS)
    return state


def _spec(scene: _Scene, name: str, limits: Limits, deadline: str) -> VisitSpec:
    """As for a visit (`visits.steps.visit_spec`), but that the log's tail is kept: the rows are synthetic."""
    manifest = scene.subject.manifest
    return VisitSpec(
        visit_id=name,
        image_id=scene.subject.image_id,
        identity=scene.subject.identity,
        entrypoint=entrypoint_of(manifest),
        run_json=run_bytes(name, scene.plan, scene.description, manifest),
        inputs={
            f"{VIEW_NAME}.parquet": scene.twin,
            **more_inputs(manifest, scene.twin, scene.node.config.spool),
        },
        deadline=clock.parse(deadline),
        limits=limits,
        runtime=scene.node.config.settings.runtime,
        log_bytes=LOG_BYTES,
    )


def _report(engine: Engine, scene: _Scene, name: str, ran: tuple[int, ContainerState]) -> Trial:
    """Collect what there is, and tell what the gate makes of it."""
    rows, state = ran
    facts: dict[str, Any] = {
        "algorithm": f"{scene.subject.manifest.name} {scene.subject.manifest.version}",
        "identity": scene.subject.identity,
        "dataset": scene.dataset.iri,
        "rows": rows,
        "log": engine.tail(name),
    }
    try:
        result = engine.collect(name)
    except NotCollected as error:
        facts |= {"refusal": error.reason.value, "sentence": error.what}
        return Trial(**facts, use=_use(scene, state, 0))
    return Trial(**facts, **_judged(scene, result), use=_use(scene, state, len(result)))


def _use(scene: _Scene, state: ContainerState, output: int) -> Use:
    """What the container used."""
    limits = limits_of(scene.subject.manifest)
    seconds = None
    if state.started is not None and state.finished is not None:
        seconds = (state.finished - state.started).total_seconds()
    return Use(
        exit_code=state.exit_code,
        seconds=seconds,
        seconds_allowed=limits.wall_seconds,
        memory_mib_allowed=scene.subject.manifest.resources.memory_mib,
        out_of_memory=state.oom_killed,
        output_bytes=output,
        output_bytes_allowed=limits.output_bytes,
    )


def _judged(scene: _Scene, result: bytes) -> dict[str, Any]:
    """The gate's verdict on the result, with every reason."""
    rules, reviewed = load_rules(), is_class_b(scene.contract)
    recount = _recount(scene, counting(scene.contract) if reviewed else scene.contract)
    audit = child_audit(scene.node.config.spool)
    try:
        verdict = (
            limit_result(result, scene.contract, recount, rules)
            if reviewed
            else pass_gate(result, scene.contract, recount, rules, History(), audit)
        )
    except Refused as refused:
        where = [refused.where] if refused.where else []
        if refused.refusal is Refusal.MISMATCH:
            where += _mismatches(result, scene.contract, recount)
        return {
            "refusal": refused.refusal.value,
            "sentence": refused.refusal.sentence,
            "findings": tuple(where),
        }
    return {
        "shown": shown_cells(verdict.tables),
        "hidden": explain(verdict.reasons, rules),
        "notes": (*verdict.notes, *([rules.explain("class-b")] if reviewed else [])),
        "tables": tables_to_json(verdict.tables, release="trial", rules=rules.hash),
    }


def _recount(scene: _Scene, contract: OutputContract) -> Recount:
    """The node's own count of the twin, in which every row is somebody else."""
    conditions = tuple(Condition(name, frozenset(codes)) for name, codes in scene.plan.filter.items())
    counted = run_child(
        "recount",
        {
            "views": {VIEW_NAME: str(scene.twin)},
            "contract": contract_to_json(contract),
            "filter": conditions_to_json(conditions),
            "person": None,
            "secret": "",
            "persons_out": None,
            "below": load_rules().k,
            "merge": merging(load_rules()),
        },
        spool=scene.node.config.spool,
        seconds=CHILD_SECONDS,
    )
    return recount_from_json(counted["recount"])


def _mismatches(raw: bytes, contract: OutputContract, recount: Recount) -> list[str]:
    """Where the container's numbers are not the node's: told for synthetic rows only (P2)."""
    claimed = read_result(strict_json.read(raw), contract)
    return [
        f"{table.id} {', '.join(cell.key)}: the program wrote n={cell.n} v={cell.v}, "
        f"the node counted n={mine.n} v={mine.v}"
        for table, counted in zip(claimed.tables, recount.tables, strict=True)
        for cell, mine in zip(table.cells, counted.cells, strict=True)
        if cell.n != mine.n or (cell.v is not None and cell.v != mine.v)
    ]
