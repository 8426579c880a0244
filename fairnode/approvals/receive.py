"""A study arrives at a node that it addresses: checked again, met with each dataset's policy, put in line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairnode import clock, errors
from fairnode.approvals.bound import review_facts
from fairnode.approvals.content import approval_content, visit_expiry
from fairnode.approvals.decide import tell_home
from fairnode.approvals.grant import grant_by_policy
from fairnode.datasets.description import Description, describe
from fairnode.keys import digest
from fairnode.ledger.commit import Entry, Outgoing, post
from fairnode.network.agreement import Agreement
from fairnode.network.joined import current_in
from fairnode.node import Node
from fairnode.policy.decide import Decision, Effect, decide
from fairnode.records.rows import Algorithm, Dataset, Request, Role, Visit
from fairnode.records.states import PublicState, VisitState, ended
from fairnode.store.database import Transaction
from fairnode.studies.combination import check_can_combine, combine_stage, opens_cells
from fairnode.studies.container import check_allowed, container_stage
from fairnode.studies.document import Stage, StudyPlan, read_study_bytes
from fairnode.studies.fit import algorithm_of, check_fits
from fairnode.studies.processing import check_dpia, check_processing, check_retention, processing_facts
from fairnode.studies.send import home_of


@dataclass(frozen=True)
class _Arrival:
    """One stage of an arrived study at one dataset of this node."""

    plan: StudyPlan
    stage: Stage
    dataset: str
    home: str


def visit_id(study: str, stage: str, dataset: str) -> str:
    """The name of a visit, the same however often the study is delivered."""
    return digest(f"{study} {stage} {dataset}".encode())[:20]


def receive_study(node: Node, tx: Transaction, body: Mapping[str, Any]) -> tuple[StudyPlan, Entry]:
    """Take in a study: one visit for each of its datasets here; its plan and what the ledger says of it.

    A study that cannot be read is refused as a whole (`NotValid`). What one dataset or algorithm cannot
    serve ends that visit as refused, with a sentence for the researcher.
    """
    content = str(body["document"]).encode()
    plan = read_study_bytes(content)
    tx.add(Request(plan.hash, content, str(body["home"]), clock.now()))
    counts = {"visits": 0}
    for stage in plan.visits:
        for iri in plan.datasets:
            if home_of(iri) == node.iri:
                _receive_visit(node, tx, _Arrival(plan, stage, iri, str(body["home"])))
                counts["visits"] += 1
    return plan, Entry("study.received", plan.hash, str(body["home"]), plan.hash, counts)


def _receive_visit(node: Node, tx: Transaction, arrival: _Arrival) -> None:
    """The visit's row, decided upon by the policy."""
    plan, now = arrival.plan, clock.now()
    dataset = tx.one(Dataset, iri=arrival.dataset)
    if dataset is None or dataset.state != "published":
        _tell_refused(node, tx, arrival, "This dataset is not there.")
        return
    try:
        algorithm = algorithm_of(tx, plan)
    except errors.NotValid:
        _tell_refused(node, tx, arrival, "The algorithm is not known at this node.")
        return
    visit = tx.add(
        Visit(
            visit_id(plan.hash, arrival.stage.name, arrival.dataset),
            plan.hash,
            arrival.stage.name,
            dataset.id,
            algorithm.id,
            VisitState.RECEIVED,
            "",
            "",
            now,
            now,
            visit_expiry(node, plan, now),
        )
    )
    decision = _of_one_manifest(tx, plan, _decide(arrival, dataset, algorithm, current_in(tx), node))
    after = {
        Effect.GRANT: VisitState.APPROVED,
        Effect.ASK: VisitState.WAITING,
        Effect.REFUSE: VisitState.REFUSED,
    }[decision.effect]
    if decision.effect is Effect.GRANT:
        granted = approval_content(node, visit, plan, dataset, algorithm)
        tx.add(grant_by_policy(visit, granted, decision, node.keys))
    settled = tx.change(visit, state=after, sentence=decision.sentence, facts={"rule": decision.rule})
    for message in tell_home(tx, settled):
        post(tx, node.desk, message)


def _of_one_manifest(tx: Transaction, plan: StudyPlan, decision: Decision) -> Decision:
    """No policy grants alone what it names by an image of several manifests: people look which it is."""
    if decision.effect is Effect.GRANT and tx.count(Algorithm, image=plan.identity) > 1:
        return Decision(Effect.ASK, "The dataset's custodian and counsel decide.", decision.rule)
    return decision


def _decide(
    arrival: _Arrival, dataset: Dataset, algorithm: Algorithm, agreement: Agreement | None, node: Node
) -> Decision:
    """What agreement, fit and policy say; never from the data (P8)."""
    plan, description = arrival.plan, describe(dataset.record, dataset.iri)
    try:
        if arrival.home != node.iri:
            check_is_agreed(plan, arrival.home, agreement)
        check_can_combine(plan, agreement)
        decision = decide(description.policy, plan.wish())
        if decision.effect is Effect.REFUSE:
            return decision
        if combine_stage(plan) and "ComputePartyAllowed" not in description.modifiers:
            # Shares of these data at another organisation are processing (P20): refused if unset.
            return Decision(
                Effect.REFUSE, "The dataset's policy does not allow other organisations to compute."
            )
        _check_terms(arrival, dataset, description, agreement)
        check_fits(plan, dataset, algorithm)
        if opens_cells(plan):
            return asked_of_counsel(decision, node)
        if container_stage(plan) is None:
            return decision
        check_allowed(sorted(description.modifiers), review_facts(node, algorithm))
        # No policy grants alone that a container's numbers enter shares: people look at each round (P1).
        return Decision(Effect.ASK, "The dataset's custodian and counsel decide.", decision.rule)
    except errors.NotValid as error:
        details = "; ".join(f"{f.where}: {f.what}" for f in error.findings)
        return Decision(Effect.REFUSE, f"{error.what} {details}".strip())


def _check_terms(
    arrival: _Arrival, dataset: Dataset, description: Description, agreement: Agreement | None
) -> None:
    """Raise `NotValid` where the policy's terms or the agreement forbid what the study would make of the data."""
    plan = arrival.plan
    check_dpia(plan, description.terms)
    check_retention(plan, description.terms, clock.now())
    if combine_stage(plan) and agreement is not None:
        member = agreement.member(home_of(dataset.iri))
        organisation = member.organisation if member else ""
        check_processing(processing_facts(agreement, dataset.iri, organisation, description.regime))


def asked_of_counsel(decision: Decision, node: Node) -> Decision:
    """The decision where cells of an overlap are opened: no policy grants that, people do, counsel among them."""
    if Role.COUNSEL not in node.config.settings.quorum:
        return Decision(Effect.REFUSE, "Cells of an overlap are opened only where counsel is asked.")
    sentence = "The dataset's custodian and counsel decide whether cells of an overlap are opened."
    return Decision(Effect.ASK, sentence, decision.rule)


def check_is_agreed(plan: StudyPlan, home: str, agreement: Agreement | None) -> None:
    """Raise `NotValid` unless the agreement covers who asks and for what purpose."""
    member = agreement.member(home) if agreement else None
    if agreement is None or member is None:
        raise errors.NotValid("The study comes from a node that is not in this node's network.")
    if plan.document["requester"]["organisation"] != member.organisation:
        raise errors.NotValid(
            "The study names a requester of another organisation than the one that sent it."
        )
    if plan.document["purpose"] not in agreement.purposes:
        raise errors.NotValid("The network's agreement does not cover this purpose.")


def _tell_refused(node: Node, tx: Transaction, arrival: _Arrival, sentence: str) -> None:
    """Answer for a visit that never came to be."""
    body = {
        "dataset": arrival.dataset,
        "stage": arrival.stage.name,
        "state": PublicState.NOT_RELEASED.value,
        "sentence": sentence,
    }
    post(tx, node.desk, Outgoing(arrival.home, "follow", arrival.plan.hash, body))


def receive_cancel(tx: Transaction, study: str, sender: str, sentence: str) -> Entry:
    """The home node took its study back: every visit that has not ended is cancelled.

    Raises `NotAllowed` when another node than the study's home says so.
    """
    request = tx.get(Request, study)
    if request is None or request.home != sender:
        raise errors.NotAllowed("Only a study's home node takes it back.")
    stopped = 0
    for visit in tx.find(Visit, {"study": study}):
        if not ended("visit", visit.state):
            tx.change(visit, state=VisitState.CANCELLED, sentence=sentence[:1000], changed=clock.now())
            stopped += 1
    return Entry("study.taken-back", study, sender, study, {"visits": stopped})
