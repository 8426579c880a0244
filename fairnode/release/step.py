"""The release's step: what passed the gate leaves, signed, at the next time slot."""

from __future__ import annotations

import math

from fairnode import clock, errors
from fairnode.approvals.decide import tell_home
from fairnode.gate.refusals import Refused
from fairnode.gate.reviewing import check_reviewed
from fairnode.gate.step import needs_reviews
from fairnode.keys import canonical, digest
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.node import Node
from fairnode.records.rows import Dataset, Quarantine, Release, Request, Visit
from fairnode.records.states import PublicState, VisitState
from fairnode.release.made import made_of
from fairnode.release.receive import release_bytes
from fairnode.store.database import Transaction


def step_passed(node: Node, visit: Visit) -> Visit:
    """Release a visit's tables once its slot has come; before that, nothing happens.

    A result whose reviews do not hold is withheld, and the ledger says so.

    The slot is a multiple of `release_slot` seconds, so that the moment of a release says nothing about
    the visit (P8).
    """
    if waits_for_slot(node, visit):
        return visit
    with node.store.read() as reader:
        quarantine, dataset = reader.get(Quarantine, visit.id), reader.get(Dataset, visit.dataset)
        request = reader.get(Request, visit.study)
    if quarantine is None or dataset is None or request is None:
        raise errors.NotFound("What this visit put out is no longer there.")
    if needs_reviews(node, visit):  # as its contract says, and not the row that was written after it
        try:
            check_reviewed(node, visit.id)
        except Refused as refused:
            return _withhold(node, visit, refused)
    release = _release(node, visit, quarantine, dataset)

    def change(tx: Transaction) -> Visit:
        tx.add(release)
        return tx.change(visit, state=VisitState.RELEASED, changed=clock.now())

    return commit(
        node.desk,
        change,
        Entry("visit.released", visit.id, "node", visit.study, {"release": release.sha256}),
        (_message(request, dataset, visit, release),),
    )


def _withhold(node: Node, visit: Visit, refused: Refused) -> Visit:
    """End the visit without a release; why is for the node's people and the ledger."""

    def change(tx: Transaction) -> Visit:
        return tx.change(visit, state=VisitState.BLOCKED, internal=refused.internal, changed=clock.now())

    entry = Entry("visit.withheld", visit.id, "node", visit.study, refused.facts)
    return commit(node.desk, change, entry, tell_home)


def waits_for_slot(node: Node, visit: Visit) -> bool:
    """Whether a visit passed the gate, and the slot of its release is still to come."""
    slot = node.config.settings.release_slot
    return visit.state == VisitState.PASSED and not slot_reached(visit.changed, clock.now(), slot)


def slot_reached(passed: str, now: str, seconds: int) -> bool:
    """Whether the first slot after `passed` has come.

    The second in which it passed is over by then, or a program would end in it to choose a finer moment. Slots
    of one second, for demonstrations, are none.
    """
    moment, still_in_it = clock.parse(passed).timestamp(), int(seconds > 1)
    slot = math.ceil((moment + still_in_it) / max(1, seconds)) * max(1, seconds)
    return clock.parse(now).timestamp() >= slot


def _release(node: Node, visit: Visit, quarantine: Quarantine, dataset: Dataset) -> Release:
    """The release: the gated tables, or, for a question asked before, the answer given then."""
    verdict = quarantine.verdict
    facts: dict[str, str] = {}
    if verdict["stored"]:
        table, facts = _answer_before(node, verdict["stored"]), {"stored": verdict["stored"]}
    else:
        table = _told(node, quarantine, visit)
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


def _answer_before(node: Node, release: str) -> bytes:
    """The tables of an earlier answer; of one that has not left yet, or never will, as they were judged."""
    with node.store.read() as reader:
        stored, judged = reader.get(Release, release), reader.get(Quarantine, release)
        visit = reader.get(Visit, release)
    if stored is not None:
        return stored.table
    if judged is None or visit is None or "tables" not in judged.verdict:
        raise errors.NotFound("The answer that was given before is no longer there.")
    return _told(node, judged, visit)


def _told(node: Node, judged: Quarantine, visit: Visit) -> bytes:
    """The tables of a visit as they leave, with how they were made."""
    return canonical({**judged.verdict["tables"], "made": made_of(node, visit)})


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
