"""The gate's step: a quarantined result is recounted, judged, and passes or is blocked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fairnode import clock, errors
from fairnode.algorithms.manifest import read_manifest
from fairnode.approvals.decide import tell_home
from fairnode.child import run_child
from fairnode.disclosure.cells import threshold
from fairnode.disclosure.history import EarlierRelease, EarlierTable, query_of, remember
from fairnode.disclosure.rules import RuleSet
from fairnode.gate.audit_child import child_audit
from fairnode.gate.class_b import counting, differing, limit_result
from fairnode.gate.contract import check_contract
from fairnode.gate.finer import finer
from fairnode.gate.histories import history_of, release_from_json, release_to_json
from fairnode.gate.order import Asking, check_claim, check_node_sets, pass_gate
from fairnode.gate.private import noisy_counts, sampled
from fairnode.gate.recounts import recount_from_json
from fairnode.gate.refusals import Refusal, Refused
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.node import Node
from fairnode.records.algorithm import TableKind
from fairnode.records.result import Condition, Kind, Outcome, OutputContract, Recount, Verdict
from fairnode.records.result_json import conditions_to_json, contract_to_json, tables_to_json
from fairnode.records.rows import Algorithm, Earlier, Quarantine, Request, Visit
from fairnode.records.states import VisitState
from fairnode.store.database import Reader, Transaction
from fairnode.studies.container import clipped, container_stage
from fairnode.studies.document import read_study_bytes
from fairnode.studies.fit import compile_contract
from fairnode.studies.privacy import PrivacyTerms, privacy_of
from fairnode.visits.budget import give_back
from fairnode.visits.context import VIEW_NAME, VisitContext, read_context
from fairnode.visits.rerun import ENDED, reruns


@dataclass(frozen=True)
class Case:
    """What the verdict on one visit needs."""

    context: VisitContext
    contract: OutputContract
    filter: tuple[Condition, ...]
    rules: RuleSet
    earlier: tuple[EarlierRelease, ...]

    @property
    def terms(self) -> PrivacyTerms | None:
        """The differential privacy that was asked for, if it was."""
        return privacy_of(self.context.plan, self.context.visit.stage)

    @property
    def reviewed(self) -> bool:
        """Whether people have to look at the result."""
        return self.contract.class_b and self.terms is None

    @property
    def asking(self) -> Asking:
        """Who gets the release; a local one is over this node alone."""
        requester = str(self.context.plan.document["requester"]["organisation"])
        return Asking(requester, frozenset({self.context.node.iri}), datetime.now(UTC).date())


def step_quarantined(node: Node, visit: Visit) -> Visit:
    """Recount, judge, and keep the verdict; why something was blocked is not for outsiders (P5, P8)."""
    case = read_case(node, visit)
    with node.store.read() as reader:
        quarantine = reader.get(Quarantine, visit.id)
    assert quarantine is not None, "a visit is quarantined together with its result"
    combined, private = case.context.plan.combines(visit.stage), case.terms is not None
    reviewed = case.reviewed
    judged = (
        count_for_combining if combined else _private if private else _to_review if reviewed else _verdict
    )
    judged = _numbers_for_combining if combined and reviewed else judged
    try:
        verdict = judged(case, quarantine.result)
    except Refused as refused:
        return _block(node, visit, quarantine, refused)
    state = VisitState.READY if combined else VisitState.REVIEWING if reviewed else VisitState.PASSED

    def change(tx: Transaction) -> Visit:
        _remember(tx, case, verdict)
        tx.change(quarantine, verdict=verdict)
        for rerun in reruns(tx, visit.id):
            tx.change(rerun, result=b"")  # it was used, and is good for nothing else
        return tx.change(visit, state=state, changed=clock.now())

    entry = Entry(f"visit.{state.value}", visit.id, "node", visit.study, {"rules": case.rules.hash})
    return commit(node.desk, change, entry, tell_home)


def needs_reviews(node: Node, visit: Visit) -> bool:
    """Whether people have to look at the result of a visit, as its algorithm's manifest and its study say."""
    with node.store.read() as reader:
        algorithm, request = reader.get(Algorithm, visit.algorithm), reader.get(Request, visit.study)
    if algorithm is None or request is None:
        raise errors.NotFound("What this visit was about is no longer there.")
    outputs = read_manifest(algorithm.manifest).outputs
    private = privacy_of(read_study_bytes(request.document), visit.stage) is not None
    return any(output.kind is TableKind.OTHER for output in outputs) and not private


def _remember(tx: Transaction, case: Case, verdict: dict[str, Any]) -> None:
    """Keep what is going to leave, so that every verdict from now on is judged against it (P6).

    It counts from the verdict on and not from the release, which comes at a time slot or after reviews: two
    visits side by side would not know of each other. Raises `Conflict` if another one was remembered since
    this one was judged; then it is judged anew.
    """
    lineage, visit = case.context.dataset.lineage, case.context.visit.id
    if verdict.get("stored"):
        give_back(tx, visit)
    if not verdict.get("earlier"):
        return
    if tx.count(Earlier, lineage=lineage) != len(case.earlier):
        raise errors.Conflict("Another release of these data came in between; this one is judged anew.")
    keep_person_set(case.context.node, visit, lineage)
    tx.add(Earlier(visit, lineage, verdict["earlier"], clock.now()))


def ready_message(reader: Reader, case: Case, visit: Visit) -> Outgoing:
    """The message that this node's counts are ready: their shape, and nothing of them; and the names of the
    earlier combined tables with which changed persons are to be compared (P6).
    """
    request = reader.get(Request, visit.study)
    assert request is not None, "the visit came with its study"
    body = {
        "dataset": case.context.dataset.iri,
        "stage": visit.stage,
        "contract": contract_to_json(case.contract),
        "earlier": []
        if container_stage(case.context.plan)
        else compared_with(reader, case.context.dataset.lineage),
    }
    return Outgoing(request.home, "ready", visit.study, body)


def compared_with(reader: Reader, lineage: str) -> list[str]:
    """The tables (`dealing/number`) of combined studies of a lineage that can have been opened."""
    return sorted(
        f"{row.id}/{number}"
        for row in reader.find(Earlier, {"lineage": lineage})
        if row.facts.get("opened")
        for number in range(len(row.facts["contract"]["tables"]))
    )


def count_for_combining(case: Case, result: bytes | None) -> dict[str, Any]:
    """The node's own unsuppressed counts for a combined study (P3): what the container wrote must equal them.

    A container's own numbers (P1's exception) cannot be counted again: `Refused` where the data have changed.
    `result` is None when the data have changed since the container's table was found equal: the node's own
    count is what goes in, so it counts again (P1, P19). Raises `Refused` for a table that is not equal, for
    tables that are not counts, and for a universe below the rules' (P7).
    """
    if case.contract.class_b:
        raise Refused(Refusal.CONTRACT, "the data changed since the container computed; ask again")
    recount = recount_from_json(_recount(case, combined=True)["recount"])
    if result is not None:
        check_claim(result, case.contract, recount, case.rules)
    if any(table.spec.kind is not Kind.COUNT for table in recount.tables):
        raise Refused(Refusal.CONTRACT)
    if recount.universe < case.rules.count("universe.persons"):
        raise Refused(Refusal.UNIVERSE)
    return {"outcome": "combine", "counts": [cell.n for table in recount.tables for cell in table.cells]}


def _numbers_for_combining(case: Case, result: bytes) -> dict[str, Any]:
    """What a container computed, as the node deals it under P1's exception: cut to one clip, in steps.

    Cells with too few persons put in nothing. Raises `Refused` as for any result of class B.
    """
    stage = container_stage(case.context.plan)
    if stage is None:
        raise Refused(Refusal.CONTRACT, "tables that the node cannot recount are not combined")
    counted = _recount(replace(case, contract=counting(case.contract)), combined=True)
    verdict = limit_result(result, case.contract, recount_from_json(counted["recount"]), case.rules)
    values = [cell.v or 0.0 for table in verdict.tables for cell in table.cells]
    return {"outcome": "combine", "counts": clipped(values, float(stage.options["clip"]))}


def read_case(node: Node, visit: Visit) -> Case:
    """The visit's contract, filter, rules, and what was released of the lineage before."""
    context = read_context(node, visit)
    contract = compile_contract(context.plan, context.description, context.manifest)
    conditions = tuple(Condition(name, frozenset(codes)) for name, codes in context.plan.filter.items())
    with node.store.read() as reader:
        remembered = reader.find(Earlier, {"lineage": context.dataset.lineage}, order="created")
    earlier = tuple(release_from_json(row.facts) for row in remembered)
    return Case(context, contract, conditions, node.rules, earlier)


def _verdict(case: Case, result: bytes) -> dict[str, Any]:
    """The verdict and what to remember of it, as JSON. Raises `Refused`."""
    check_node_sets(case.asking, case.contract, case.filter, case.earlier, case.rules)
    counted = _recount(case)
    recount = recount_from_json(counted["recount"])
    history = history_of(recount.judged.contract, case.earlier, counted, finer())
    verdict = pass_gate(
        result, case.contract, recount, case.rules, history, child_audit(case.context.node.config.spool)
    )
    return _verdict_json(case, recount.judged, verdict)


def _private(case: Case, result: bytes) -> dict[str, Any]:
    """Tables under differential privacy, as JSON; the budget was charged before the run. Raises `Refused`."""
    terms, spool = case.terms, case.context.node.config.spool
    assert terms is not None, "asked for only where there are terms"
    check_contract(case.contract, case.rules)
    check_node_sets(case.asking, case.contract, case.filter, case.earlier, case.rules)
    recount = recount_from_json(_recount(replace(case, contract=counting(case.contract)))["recount"])
    if recount.universe < case.rules.count("universe.persons"):
        raise Refused(Refusal.UNIVERSE)
    if case.contract.class_b:
        with case.context.node.store.read() as reader:
            parts = [rerun.result for rerun in reruns(reader, case.context.visit.id)]
        tables = sampled(parts, case.contract, terms, case.rules, spool)
    else:
        check_claim(result, case.contract, recount, case.rules)
        tables = noisy_counts(recount, terms, spool)
    release = case.context.visit.id
    told = tables_to_json(tables, release=release, rules=case.rules.hash)
    privacy = {"epsilon": terms.epsilon / 1000, "blocks": terms.blocks, "low": terms.low, "high": terms.high}
    return {
        "outcome": Outcome.RELEASED.value,
        "stored": "",
        "tables": {**told, "privacy": privacy},
        "reasons": [],
        "notes": [],
        "earlier": release_to_json(_memory_of(case)),
    }


def _memory_of(case: Case) -> EarlierRelease:
    """What to remember of a release that tells no true counts: what it was about."""
    asking, query = case.asking, query_of(case.contract, case.filter)
    tables = tuple(EarlierTable(spec, ()) for spec in case.contract.tables)
    release = case.context.visit.id
    return EarlierRelease(release, asking.requester, asking.nodes, asking.day, query, case.filter, tables)


def _to_review(case: Case, result: bytes) -> dict[str, Any]:
    """What two people will be shown of a result of class B, as JSON. Raises `Refused`."""
    check_node_sets(case.asking, case.contract, case.filter, case.earlier, case.rules)
    counted = _recount(replace(case, contract=counting(case.contract)))
    counts, history = recount_from_json(counted["recount"]), history_of(case.contract, case.earlier, counted)
    verdict = limit_result(result, case.contract, counts, case.rules, history)
    release = case.context.visit.id
    return {
        "outcome": verdict.outcome.value,
        "class": "B",
        "lineage": case.context.dataset.lineage,
        "stored": "",
        "tables": {**tables_to_json(verdict.tables, release=release, rules=case.rules.hash), "class": "B"},
        "reasons": [[r.table, list(r.key), r.rule] for r in verdict.reasons],
        "notes": [],
        "earlier": release_to_json(_memory_of(case)),
        "rerun": _rerun(case, result),
    }


def _rerun(case: Case, result: bytes) -> dict[str, Any]:
    """What the run on permuted rows said: `same`, `different` with how many numbers were, or `failed`."""
    total = sum(len(list(table.keys())) for table in case.contract.tables)
    with case.context.node.store.read() as reader:
        known = reruns(reader, case.context.visit.id)
    rerun = known[0] if known else None
    if rerun is None or rerun.state != ENDED:
        return {"outcome": "failed", "numbers": 0, "of": total}
    try:
        numbers = differing(result, rerun.result, case.contract, case.rules)
    except Refused:
        return {"outcome": "failed", "numbers": 0, "of": total}
    return {"outcome": "different" if numbers else "same", "numbers": numbers, "of": total}


def merging(rules: RuleSet) -> dict[str, int]:
    """How many persons, or rows that may repeat a person, each cell needs for its bands to stand alone."""
    return {"persons": threshold(rules, keyed=True), "rows": threshold(rules, keyed=False)}


def _recount(case: Case, *, combined: bool = False) -> dict[str, Any]:
    """The node's own count of every table, and how its persons differ from those of earlier releases.

    Bands are merged for a local release only: over several nodes all must bring the same cells.
    """
    context = case.context
    keyed = context.description.dataset.binding("personKey") is not None
    return run_child(
        "recount",
        {
            "views": {VIEW_NAME: str(context.companion_path)},
            "contract": contract_to_json(case.contract),
            "filter": conditions_to_json(case.filter),
            "person": "person" if keyed else None,
            "hashed": True,  # as the view's companion holds them
            "persons_out": str(person_set_draft(context.node, context.visit.id)) if keyed else None,
            "below": case.rules.k,
            "merge": None if combined else merging(case.rules),
            "earlier": [
                {"release": e.id, "path": str(path), "query": e.query}
                for e in case.earlier
                if (path := person_set(context.node, context.dataset.lineage, e.id)).exists()
            ],
        },
        spool=context.node.config.spool,
        seconds=1800.0,
        spare=context.node.spare,
    )


def person_set(node: Node, lineage: str, release: str) -> Path:
    """Where the node keeps which persons stood in which cell of a release, as keyed hashes."""
    return node.config.lineages / lineage / f"{release}.parquet"


def keep_person_set(node: Node, visit: str, lineage: str) -> None:
    """Keep which persons stood in which cell (keyed hashes), for comparison with later releases (P6)."""
    made, target = person_set_draft(node, visit), person_set(node, lineage, visit)
    if made.exists():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made.replace(target)


def person_set_draft(node: Node, visit: str) -> Path:
    """Where the person set of a visit waits until its release."""
    folder = node.config.lineages / "waiting"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{visit}.parquet"


def _verdict_json(case: Case, recount: Recount, verdict: Verdict) -> dict[str, Any]:
    """What is kept of a verdict: tables to release, reasons for the admin, and the memory for later ones."""
    visit, asking = case.context.visit, case.asking
    memory = None
    if verdict.tables:
        memory = remember(
            recount, verdict, release=visit.id, requester=asking.requester, nodes=asking.nodes, day=asking.day
        )
    else:  # an answer given again is no new release
        person_set_draft(case.context.node, visit.id).unlink(missing_ok=True)
    return {
        "outcome": verdict.outcome.value,
        "stored": verdict.stored_release or "",
        "tables": tables_to_json(verdict.tables, release=visit.id, rules=case.rules.hash),
        "reasons": [[r.table, list(r.key), r.rule] for r in verdict.reasons],
        "notes": list(verdict.notes),
        "earlier": release_to_json(memory) if memory else None,
    }


def _block(node: Node, visit: Visit, quarantine: Quarantine, refused: Refused) -> Visit:
    """Keep the reason for the node's people and end the visit."""
    person_set_draft(node, visit.id).unlink(missing_ok=True)

    def change(tx: Transaction) -> Visit:
        tx.change(quarantine, verdict={"outcome": "refused", **refused.facts})
        return tx.change(visit, state=VisitState.BLOCKED, internal=refused.internal, changed=clock.now())

    entry = Entry("visit.blocked", visit.id, "node", visit.study, refused.facts)
    return commit(node.desk, change, entry, tell_home)
