"""The release's step: what passed the gate leaves, signed, at the next time slot."""

from __future__ import annotations

import math
import shutil

from fairnode import clock, errors
from fairnode.approvals.decide import tell_home
from fairnode.gate.order import check_node_sets
from fairnode.gate.refusals import Refused
from fairnode.gate.step import person_set, person_set_draft, read_case
from fairnode.keys import canonical, digest
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.node import Node
from fairnode.records.rows import Dataset, Earlier, Quarantine, Release, Request, Visit
from fairnode.records.states import PublicState, VisitState
from fairnode.release.receive import release_bytes
from fairnode.store.database import Transaction


def step_passed(node: Node, visit: Visit) -> Visit:
    """Release a visit's tables once its slot has come; before that, nothing happens.

    The slot is a multiple of `release_slot` seconds, so that the moment of a release says nothing about
    the visit (P8).
    """
    if not slot_reached(visit.changed, clock.now(), node.config.settings.release_slot):
        return visit
    with node.store.read() as reader:
        quarantine, dataset = reader.get(Quarantine, visit.id), reader.get(Dataset, visit.dataset)
        request = reader.get(Request, visit.study)
    if quarantine is None or dataset is None or request is None:
        raise errors.NotFound("What this visit put out is no longer there.")
    case = read_case(node, visit)
    try:
        if quarantine.verdict.get("earlier"):
            # Since the verdict, the same cells may have been dealt to a combined study (P6).
            check_node_sets(case.asking, case.contract, case.filter, case.earlier, case.rules)
    except Refused as refused:
        return _block(node, visit, refused)
    release = _release(node, visit, quarantine, dataset)
    _keep_person_set(node, visit, dataset)

    def change(tx: Transaction) -> Visit:
        if {row.id for row in tx.find(Earlier, {"lineage": dataset.lineage})} != {e.id for e in case.earlier}:
            raise errors.Conflict("Something else of these data left in between; looked at again.")
        tx.add(release)
        if quarantine.verdict.get("earlier"):
            tx.add(Earlier(visit.id, dataset.lineage, quarantine.verdict["earlier"], release.created))
        return tx.change(visit, state=VisitState.RELEASED, changed=clock.now())

    return commit(
        node.desk,
        change,
        Entry("visit.released", visit.id, "node", visit.study, {"release": release.sha256}),
        (_message(request, dataset, visit, release),),
    )


def _block(node: Node, visit: Visit, refused: Refused) -> Visit:
    """What had passed does not leave after all; why is for this node's people."""
    return commit(
        node.desk,
        lambda tx: tx.change(visit, state=VisitState.BLOCKED, internal=refused.internal, changed=clock.now()),
        Entry("visit.blocked", visit.id, "node", visit.study, {"refusal": refused.refusal.value}),
        tell_home,
    )


def slot_reached(passed: str, now: str, seconds: int) -> bool:
    """Whether the first slot after `passed` has come."""
    moment = clock.parse(passed).timestamp()
    return clock.parse(now).timestamp() >= math.ceil(moment / max(1, seconds)) * max(1, seconds)


def _release(node: Node, visit: Visit, quarantine: Quarantine, dataset: Dataset) -> Release:
    """The release: the gated tables, or, for a question asked before, the answer given then."""
    verdict = quarantine.verdict
    facts: dict[str, str] = {}
    table = canonical(verdict["tables"])
    if verdict["stored"]:
        with node.store.read() as reader:
            stored = reader.get(Release, verdict["stored"])
        if stored is None:
            raise errors.NotFound("The answer that was given before is no longer there.")
        table, facts = stored.table, {"stored": stored.id}
    unsigned = Release(
        id=visit.id,
        study=visit.study,
        stage=visit.stage,
        dataset=dataset.iri,
        lineage=dataset.lineage,
        table=table,
        sha256=digest(table),
        signature="",
        facts=facts,
        created=clock.now(),
    )
    signature = node.keys.signing.sign(release_bytes(unsigned, node.iri)).hex()
    return Release(**{**vars(unsigned), "signature": signature})


def _keep_person_set(node: Node, visit: Visit, dataset: Dataset) -> None:
    """Keep which persons stood in which cell (keyed hashes), for comparison with later releases (P6)."""
    made = person_set_draft(node, visit.id)
    target = person_set(node, dataset.lineage, visit.id)
    if made.exists() and not target.exists():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        shutil.copyfile(made, part)
        part.replace(target)
        made.unlink()


def _message(request: Request, dataset: Dataset, visit: Visit, release: Release) -> Outgoing:
    """The release on its way to the study's home node."""
    body = {
        "dataset": dataset.iri,
        "stage": visit.stage,
        "state": PublicState.RELEASED.value,
        "sentence": "",
        "release": release.id,
        "table": release.table.decode(),
        "signature": release.signature,
        "created": release.created,
    }
    return Outgoing(request.home, "release", visit.study, body)
