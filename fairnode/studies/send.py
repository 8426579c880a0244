"""Writing, checking and sending a study from its home node, and changing one's mind about it."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from fairnode import clock, errors
from fairnode.keys import canonical
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.network.joined import current
from fairnode.node import Node
from fairnode.records.rows import Dataset, Follow, PeerRecord, Person, Role, Study
from fairnode.records.states import PublicState, StudyState, ended
from fairnode.store.database import Transaction
from fairnode.studies.combination import check_can_combine, combine_stage, party_members
from fairnode.studies.document import StudyPlan, read_study
from fairnode.studies.fit import algorithm_of, check_fits

CONTEXT = "https://w3id.org/fairnode/context/study/1"


def draft(node: Node, person: Person, wanted: Mapping[str, Any], days: int = 30) -> dict[str, Any]:
    """A whole study document from what a researcher says: the rest is filled in from who and where they are.

    `wanted` holds title, question, purpose, legalBasis, algorithm (name, version, identity), datasets and
    what else differs from the defaults: one stage `visit`, the own organisation as recipient.
    """
    organisation = f"{node.iri}/organisation"
    return {
        "@context": CONTEXT,
        "@type": "Study",
        "@id": f"urn:uuid:{uuid.uuid4()}",
        "protocol": 1,
        "parameters": {},
        "filter": [],
        "dimensions": [],
        "stages": [{"name": "visit", "kind": "visit"}],
        "openings": [],
        "recipients": [organisation],
        "created": clock.now(),
        "expires": clock.later(days * 86400),
        **wanted,
        "requester": {"id": person.id, "name": person.name, "organisation": organisation},
    }


def check(node: Node, document: object) -> tuple[errors.Finding, ...]:
    """Everything that is wrong with a study document as this node sees it; nothing when it can be sent."""
    try:
        check_fits_here(node, read_study(document))
    except errors.NotValid as error:
        return error.findings or (errors.Finding("study", error.what),)
    return ()


def check_fits_here(node: Node, plan: StudyPlan) -> None:
    """Raise `NotValid` where algorithm and datasets, as far as they are known here, do not fit the study."""
    with node.store.read() as reader:
        algorithm = algorithm_of(reader, plan)
        known = reader.find(Dataset, {"iri": plan.datasets})
    own = {iri for iri in plan.datasets if home_of(iri) == node.iri}
    missing = own - {dataset.iri for dataset in known if dataset.state == "published"}
    if missing:
        raise errors.NotValid(
            "The study names a dataset that is not there.",
            findings=tuple(
                errors.Finding("datasets", f"{iri} is not published here") for iri in sorted(missing)
            ),
            to_do="Search for datasets: fairnode dataset list",
        )
    for dataset in known:
        check_fits(plan, dataset, algorithm)
    _check_others(node, plan)


def _check_others(node: Node, plan: StudyPlan) -> None:
    """Raise `NotValid` unless every other node is in the network, and publishes what is asked of it."""
    agreement = current(node)
    others = {iri: home for iri in plan.datasets if (home := home_of(iri)) != node.iri}
    with node.store.read() as reader:
        published = {r.id for r in reader.find(PeerRecord, {"state": "published"})}
    findings = []
    for iri, home in others.items():
        if agreement is None or agreement.member(home) is None:
            findings.append(errors.Finding("datasets", f"{iri} is at a node that is not in this network"))
        elif iri not in published:
            findings.append(errors.Finding("datasets", f"{iri} is not published there, as far as known here"))
    if findings:
        raise errors.NotValid("The study names a dataset that cannot be reached.", findings=tuple(findings))
    check_can_combine(plan, agreement)


def home_of(dataset: str) -> str:
    """The IRI of the node that publishes a dataset: what stands before `/dataset/`."""
    parts = urlsplit(dataset)
    path, found, _ = parts.path.partition("/dataset/")
    if not found:
        raise errors.NotValid(
            "A dataset's IRI does not say at which node it is.",
            findings=(errors.Finding("datasets", f"{dataset} has no /dataset/ in it"),),
        )
    return f"{parts.scheme}://{parts.netloc}{path}"


def send(node: Node, person: Person, document: object) -> Study:
    """Check a study and send it to every node that it addresses; the study as it is kept here.

    Raises `NotValid` with all findings, `NotAllowed` for who is no researcher, `Conflict` when it was sent.
    """
    check_may_send(person)
    plan = read_study(document)
    if plan.document["requester"]["id"] != person.id:
        raise errors.NotAllowed("A study is sent by the person that it names as requester.")
    if clock.parse(plan.document["expires"]) <= clock.parse(clock.now()):
        raise errors.NotValid("The study has expired before it was sent.")
    check_fits_here(node, plan)
    return commit(
        node.desk,
        lambda tx: _keep(tx, plan, person),
        Entry("study.sent", plan.hash, person.id, plan.hash, {"datasets": len(plan.datasets)}),
        tuple(_messages(node, plan)),
    )


def may_send(person: Person) -> bool:
    """Whether a person may send studies."""
    return person.active and Role.RESEARCHER in person.roles


def check_may_send(person: Person) -> None:
    """Raise `NotAllowed` unless `may_send`."""
    if not may_send(person):
        raise errors.NotAllowed("Only researchers send studies.", to_do="Ask the operator for the role.")


def _keep(tx: Transaction, plan: StudyPlan, person: Person) -> Study:
    """The study's row, and one row for each visit that it hopes for."""
    told, now = plan.document, clock.now()
    study = Study(
        plan.hash,
        told["@id"],
        plan.title,
        canonical(told),
        person.id,
        StudyState.DRAFT,
        now,
        told["expires"],
        now,
    )
    kept = tx.change(tx.add(study), state=StudyState.SENT)
    for stage in plan.visits:
        for dataset in plan.datasets:
            name = f"{plan.hash[:16]}-{stage.name}-{plan.datasets.index(dataset)}"
            tx.add(
                Follow(
                    name, plan.hash, home_of(dataset), dataset, stage.name, PublicState.WAITING, "", "", now
                )
            )
    return kept


def _messages(node: Node, plan: StudyPlan) -> list[Outgoing]:
    """The study once to each node that holds one of its datasets."""
    agreement = current(node)
    holders = {home_of(dataset) for dataset in plan.datasets}
    computing = {m.node for _, m in party_members(agreement)} if agreement and combine_stage(plan) else set()
    receivers = sorted(holders | computing)
    body = {"home": node.iri, "document": canonical(plan.document).decode()}
    return [Outgoing(receiver, "study", plan.hash, body) for receiver in receivers]


def check_is_own(person: Person, study: Study) -> None:
    """Raise `NotAllowed` unless the person sent the study."""
    if study.requester != person.id:
        raise errors.NotAllowed("Only who sent a study can cancel or amend it.")


def own_study(node: Node, study_id: str) -> Study:
    """A study of this home node by its hash (or the beginning of it, of at least eight digits).

    Raises `NotFound`.
    """
    with node.store.read() as reader:
        found = reader.get(Study, study_id)
        if found is None and len(study_id) >= 8:
            alike = [s for s in reader.find(Study) if s.id.startswith(study_id)]
            found = alike[0] if len(alike) == 1 else None
    if found is None:
        raise errors.NotFound("There is no such study here.", to_do="List yours: fairnode study list")
    return found


def cancel(node: Node, person: Person, study_id: str, sentence: str) -> Study:
    """Take back a study that has not finished: every node that it addressed stops at once."""
    study = own_study(node, study_id)
    check_is_own(person, study)
    return commit(
        node.desk,
        lambda tx: tx.change(study, state=StudyState.CANCELLED, changed=clock.now()),
        Entry("study.cancelled", study.id, person.id, study.id),
        _cancellations(node, study, sentence),
    )


def _cancellations(node: Node, study: Study, sentence: str) -> tuple[Outgoing, ...]:
    """The message to each node whose visits have not ended."""
    with node.store.read() as reader:
        follows = reader.find(Follow, {"study": study.id})
    open_nodes = {f.node for f in follows if f.state not in (PublicState.RELEASED, PublicState.NOT_RELEASED)}
    return tuple(Outgoing(n, "cancel", study.id, {"sentence": sentence}) for n in sorted(open_nodes))


def answer(node: Node, person: Person, study_id: str, sentence: str) -> Study:
    """Answer what a node asked back about a study; its people then decide.

    Raises `Conflict` when nothing was asked.
    """
    study = own_study(node, study_id)
    check_is_own(person, study)
    with node.store.read() as reader:
        lines = reader.find(Follow, {"study": study.id, "state": PublicState.WAITING})
    asking = sorted({line.node for line in lines if line.sentence})
    if not asking or not sentence.strip():
        raise errors.Conflict("No node has asked anything about this study, or the answer is empty.")
    commit(
        node.desk,
        lambda _: None,
        Entry("study.answered", study.id, person.id, study.id),
        tuple(Outgoing(receiver, "answer", study.id, {"sentence": sentence}) for receiver in asking),
    )
    return study


def amend(node: Node, person: Person, study_id: str, document: object) -> Study:
    """Replace a sent study by another one: new content, new hash, new approvals; the old one ends."""
    old = own_study(node, study_id)
    check_is_own(person, old)
    if ended("study", old.state):
        raise errors.Conflict("The study has ended; send a new one.")
    new = send(node, person, document)
    commit(
        node.desk,
        lambda tx: (
            tx.change(old, state=StudyState.AMENDED, changed=clock.now()),
            tx.change(new, follows=old.id),
        ),
        Entry("study.amended", old.id, person.id, old.id, {"by": new.id}),
        _cancellations(node, old, "The study was amended."),
    )
    return dataclasses.replace(new, follows=old.id)
