"""One trial: twin, sandbox, gate. Nothing of it is kept but the report."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fairnode import clock, errors
from fairnode.child import job_folder, run_child
from fairnode.datasets.description import Description, describe
from fairnode.datasets.twins import recipe
from fairnode.disclosure.history import History
from fairnode.engine import MIB, Consumption, ContainerState, Engine, NotCollected, Phase, VisitSpec
from fairnode.gate import strict_json
from fairnode.gate.audit_child import child_audit
from fairnode.gate.class_b import counting, limit_result
from fairnode.gate.contract import read_result
from fairnode.gate.order import pass_gate
from fairnode.gate.recounts import recount_from_json
from fairnode.gate.refusals import Refusal, Refused
from fairnode.gate.step import merging
from fairnode.node import Node
from fairnode.records.algorithm import Manifest
from fairnode.records.result import Condition, OutputContract, Recount
from fairnode.records.result_json import conditions_to_json, contract_to_json, tables_to_json
from fairnode.studies.document import StudyPlan
from fairnode.studies.fit import compile_contract, compile_view
from fairnode.trial.question import Question, plan_of
from fairnode.trial.report import Trial, Use, explain, shown_cells
from fairnode.visits.context import VIEW_NAME
from fairnode.visits.launching import entrypoint_of, more_inputs
from fairnode.visits.steps import limits_of, run_bytes

TRIAL = "trial-"  # how the names of their containers begin
LOG_BYTES = 64 * 1024
LOOK_SECONDS = 0.05
MOST_RUNS = 40  # to name denied system calls
LONGEST_RUN = 20.0  # seconds; what takes longer is not run again and again
CHILD_SECONDS = 1800.0


FindCalls = Callable[[Callable[[tuple[str, ...]], bool], int], tuple[tuple[str, ...], bool]]
"""Names the system calls that a program was denied; see `fairnode.engine_docker.denied.find_calls`."""


@dataclass(frozen=True)
class Subject:
    """The algorithm that is tried: its manifest, and its image as the engine knows it."""

    manifest: Manifest
    identity: str
    image_id: str


@dataclass(frozen=True)
class Published:
    """A dataset as anybody knows it who has its record: its IRI, and the record as received."""

    iri: str
    record: bytes


@dataclass(frozen=True)
class How:
    """How a trial is done: `log_bytes` of what the program prints are kept, `calls` asks for the system calls
    that it was denied (`find_calls`, which the engine's side brings). `stop` ends the trial early.
    """

    log_bytes: int = 0
    find_calls: FindCalls | None = None
    stop: Callable[[], bool] = bool


@dataclass(frozen=True)
class Scene:
    """All that one trial is made of."""

    node: Node
    subject: Subject
    dataset: Published
    description: Description
    plan: StudyPlan
    contract: OutputContract
    folder: Path
    how: How = field(default_factory=How)

    @property
    def twin(self) -> Path:
        """The rows that the container gets, and that the node counts."""
        return self.folder / f"{VIEW_NAME}.parquet"


def try_out(
    node: Node,
    engine: Engine,
    subject: Subject,
    dataset: Published,
    question: Question | StudyPlan,
    how: How | None = None,
) -> Trial:
    """Run `subject` on the twin of `dataset` as a visit would run it, pass the result through the gate.

    The twin is drawn from the dataset's record, so it is the one that its node publishes. Raises `NotValid` when
    question, dataset and manifest do not fit each other, `Unavailable` when it was stopped, and what the engine
    raises when it cannot run the image as it must.
    """
    description = describe(dataset.record, dataset.iri)
    plan = plan_of(question, subject.manifest) if isinstance(question, Question) else question
    contract = compile_contract(plan, description, subject.manifest)
    with job_folder(node.config.spool, "trial") as folder:
        scene = Scene(node, subject, dataset, description, plan, contract, folder, how or How())
        rows = _make_twin(scene)
        name = f"{TRIAL}{secrets.token_hex(8)}"
        try:
            ran = _run(engine, scene, name)
            trial = _report(engine, scene, name, (rows, ran))
        finally:
            engine.remove(name)
        return _with_calls(engine, scene, trial)


def _make_twin(scene: Scene) -> int:
    """Draw the twin's columns that the view has; how many rows it has. One record has one twin for everybody."""
    view = compile_view(scene.plan, scene.description, scene.subject.manifest)
    made_of = recipe(scene.description)
    if made_of is None:
        raise errors.NotValid("This dataset binds no column to a variable, so it has no twin.")
    job = {
        **made_of.job(),
        "output": str(scene.twin),
        "variables": list(view.variables),
        "filter": [[name, list(codes)] for name, codes in view.filter],
    }
    return int(run_child("twin", job, spool=scene.node.config.spool, seconds=CHILD_SECONDS)["rows"])


@dataclass(frozen=True)
class _Ran:
    """How a container ended, and what it was last seen to have used."""

    state: ContainerState
    used: Consumption | None


def _run(engine: Engine, scene: Scene, name: str, deadly: tuple[str, ...] = ()) -> _Ran:
    """Run the container to its end, or end it when its time is over."""
    limits = limits_of(scene.subject.manifest)
    deadline = clock.later(limits.wall_seconds + 1)
    engine.prepare(_spec(scene, name, deadline, deadly))
    engine.start(name)
    used = None
    while (state := engine.look(name)).phase is Phase.RUNNING:
        if scene.how.stop():
            engine.kill(name)
            raise errors.Unavailable("The trial was stopped before its end.")
        if clock.now() >= deadline:
            engine.kill(name)
        used = engine.used(name) or used
        time.sleep(LOOK_SECONDS)
    return _Ran(state, used)


def _spec(scene: Scene, name: str, deadline: str, deadly: tuple[str, ...]) -> VisitSpec:
    """As for a visit (`visits.steps.visit_spec`), but that the log's tail may be kept: rows are synthetic."""
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
        limits=limits_of(manifest),
        runtime=scene.node.config.settings.runtime,
        log_bytes=scene.how.log_bytes,
        deadly_calls=deadly,
    )


def _with_calls(engine: Engine, scene: Scene, trial: Trial) -> Trial:
    """The report with the system calls that the program tried and was denied, if they were asked for."""
    find, seconds = scene.how.find_calls, trial.use.seconds
    if find is None:
        return trial
    if seconds is None or seconds > LONGEST_RUN:
        return replace(
            trial, calls_known="not looked for: the program runs too long to be run again and again"
        )

    def tries(calls: tuple[str, ...]) -> bool:
        name = f"{TRIAL}{secrets.token_hex(8)}"
        try:
            return _run(engine, scene, name, calls).state.exit_code != trial.use.exit_code
        finally:
            engine.remove(name)

    calls, whole = find(tries, MOST_RUNS)
    known = "all that change how the program ends" if whole else "not all could be told apart"
    return replace(trial, calls=calls, calls_known=known)


def _report(engine: Engine, scene: Scene, name: str, had: tuple[int, _Ran]) -> Trial:
    """Collect what there is, and tell what the gate makes of it."""
    rows, ran = had
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
        return Trial(**facts, use=_use(scene, ran, 0))
    return Trial(**facts, **_judged(scene, result), use=_use(scene, ran, len(result)))


def _use(scene: Scene, ran: _Ran, output: int) -> Use:
    """What the container used."""
    limits, state = limits_of(scene.subject.manifest), ran.state
    seconds = None
    if state.started is not None and state.finished is not None:
        seconds = (state.finished - state.started).total_seconds()
    return Use(
        exit_code=state.exit_code,
        seconds=seconds,
        seconds_allowed=limits.wall_seconds,
        cpu_seconds=ran.used.cpu_seconds if ran.used else None,
        peak_mib=ran.used.peak_bytes / MIB if ran.used else None,
        memory_mib_allowed=scene.subject.manifest.resources.memory_mib,
        out_of_memory=state.oom_killed,
        output_bytes=output,
        output_bytes_allowed=limits.output_bytes,
    )


def _judged(scene: Scene, result: bytes) -> dict[str, Any]:
    """The gate's verdict on the result, with every reason."""
    rules, reviewed = scene.node.rules, scene.contract.class_b
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
            **refused.facts,
            "sentence": refused.refusal.sentence,
            "findings": tuple(where),
        }
    return {
        "shown": shown_cells(verdict.tables),
        "hidden": explain(verdict.reasons, rules),
        "notes": (*verdict.notes, *([rules.explain("class-b")] if reviewed else [])),
        "tables": tables_to_json(verdict.tables, release="trial", rules=rules.hash),
        "counted": tuple(tuple(cell.n for cell in table.cells) for table in recount.tables),
    }


def _recount(scene: Scene, contract: OutputContract) -> Recount:
    """The node's own count of the twin, in which every row is somebody else."""
    conditions = tuple(Condition(name, frozenset(codes)) for name, codes in scene.plan.filter.items())
    counted = run_child(
        "recount",
        {
            "views": {VIEW_NAME: str(scene.twin)},
            "contract": contract_to_json(contract),
            "filter": conditions_to_json(conditions),
            "person": None,
            "persons_out": None,
            "below": scene.node.rules.k,
            "merge": merging(scene.node.rules),
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
