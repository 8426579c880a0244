"""What an approval binds, line by line of P18: each changes the hash that was signed, and is told in words."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fairnode import clock, errors
from fairnode.approvals import protocol
from fairnode.approvals.algorithm_reviews import APPROVED, REFUSED, standing
from fairnode.approvals.check import check_approved
from fairnode.approvals.content import approval_content, content_hash
from fairnode.combine import compute
from fairnode.keys import canonical
from fairnode.ledger.commit import Entry, commit
from fairnode.network.agreement import ComputeParty, Processing
from fairnode.records.algorithm_review import AlgorithmReview, TrustedNode
from fairnode.records.rows import Algorithm, Dataset, LedgerLine, ReceiverSecret, Request, Share, Study, Visit
from fairnode.records.states import PublicState, VisitState
from fairnode.studies import combination
from fairnode.studies.document import StudyPlan, read_study_bytes
from fairnode.visits.steps import step_approved
from tests.combine.conftest import FOUR
from tests.network.town import HTPOL, PARTIES, agreement_of, join_all, processing

AT = "kmar"  # a node with data that computes nothing


@dataclass(frozen=True)
class Bound:
    """All that a content is compiled from."""

    node: Any
    visit: Visit
    plan: StudyPlan
    dataset: Dataset
    algorithm: Algorithm

    def content(self) -> dict[str, Any]:
        return approval_content(self.node, self.visit, self.plan, self.dataset, self.algorithm)

    def asked(self, **changes: Any) -> Bound:
        """The same visit of a study that says something else."""
        document = {**self.plan.document, **changes}
        return replace(self, plan=read_study_bytes(canonical(document)))

    def recorded(self, old: str, new: str) -> Bound:
        """The same visit of a dataset whose record says something else."""
        record = self.dataset.record.decode()
        assert old in record
        return replace(self, dataset=replace(self.dataset, record=record.replace(old, new).encode()))


def bound_at(town, key: str, study: str) -> Bound:
    node, visit = town.nodes[key], town.visit(key, study)
    with node.store.read() as reader:
        request, dataset = reader.get(Request, study), reader.get(Dataset, visit.dataset)
        algorithm = reader.get(Algorithm, visit.algorithm)
    return Bound(node, visit, read_study_bytes(request.document), dataset, algorithm)


@pytest.fixture
def bound(town):
    study = town.ask(FOUR)
    town.carry()
    return bound_at(town, AT, study)


def agree_again(town, **changes: Any) -> None:
    """Every node joins another agreement."""
    time = {"expires": clock.later(2 * 86400)}
    join_all(town.nodes, agreement_of(town.nodes, **{**time, **changes}))


def parties(town, computing=PARTIES, role="Processor"):
    """The compute parties `computing`, in that role for all data of the others."""
    return [
        ComputeParty(
            number,
            f"{town.nodes[key].iri}/organisation",
            f"127.0.0.1:{7100 + number}",
            processing=tuple(
                replace(processing(other, node), role=role)
                for other, node in town.nodes.items()
                if other != key
            ),
        )
        for number, key in enumerate(computing)
    ]


def reviewed(bound: Bound, opinion: str = APPROVED, **changes: Any) -> None:
    """A review of the visit's image at its node, as a row: how it comes to be is tested elsewhere."""
    node, algorithm = bound.node, bound.algorithm
    row = AlgorithmReview(
        f"{algorithm.image}#{opinion}", algorithm.image, algorithm.sha256, opinion, "read it all", False,
        "https://shelter.example/organisation", node.keys.public, "p-1", opinion.encode(), clock.now(),
    )  # fmt: skip
    row = replace(row, **changes)
    commit(node.desk, lambda tx: tx.add(row), Entry("algorithm.reviewed", row.id, "p-1"))


def trusting(bound: Bound, key: str = "ab" * 32) -> None:
    row = TrustedNode(key, "Shelter", clock.now())
    commit(bound.node.desk, lambda tx: tx.add(row), Entry("reviews.trusted", key, "p-1"))


OFFER = "htpol:minimumCellCount 11 ;"


def test_two_versions_of_an_impact_assessment_are_two_contents(bound):
    first, second = (
        bound.recorded(OFFER, f'{OFFER} htpol:dpia "D" ; htpol:dpiaVersion "{n}" ;') for n in (1, 2)
    )
    assert content_hash(first.content()) != content_hash(second.content())
    assert "D, version 2" in protocol.as_text(
        protocol.protocol_document(second.plan.document, second.content()), ""
    )


def test_a_study_of_no_combination_binds_the_agreement_too(town):
    study = town.ask([AT], stages=[{"name": "count", "kind": "visit"}], openings=[])
    town.carry()
    bound = bound_at(town, AT, study)
    before = bound.content()
    agree_again(town)
    assert content_hash(bound.content()) != content_hash(before)
    assert before["combination"] is None


def test_input_parties_program_and_disclosure_rules_are_bound(town, bound, monkeypatch):
    before = bound.content()
    assert before["combination"]["contributors"] == sorted(town.dataset(key) for key in FOUR)
    fewer = bound.asked(datasets=[town.dataset(key) for key in FOUR[1:]])
    assert content_hash(fewer.content()) != content_hash(before)
    stricter = replace(bound.node.config, rules=(("threshold.k", 20.0),))
    changed = replace(bound, node=replace(bound.node, config=stricter))
    assert changed.content()["gateRules"] != before["gateRules"]
    monkeypatch.setattr(combination, "BITS", "mpyc")
    assert content_hash(bound.content()) != content_hash(before)


def test_the_protocol_document_is_bound_by_version_and_words(bound, monkeypatch):
    before = content_hash(bound.content())
    monkeypatch.setattr(protocol, "VERSION", "0")
    protocol.document_facts.cache_clear()
    assert content_hash(bound.content()) != before
    protocol.document_facts.cache_clear()


def test_reviews_relied_on_and_whose_count_are_bound(bound):
    hashes = [content_hash(bound.content())]
    reviewed(bound)
    hashes.append(content_hash(bound.content()))
    trusting(bound)
    hashes.append(content_hash(bound.content()))
    reviewed(bound, image="sha256:" + "0" * 64, id="of another image")
    assert content_hash(bound.content()) == hashes[-1], "reviews of other images are none of this one"
    reviewed(bound, REFUSED)
    hashes.append(content_hash(bound.content()))
    assert len(set(hashes)) == len(hashes)
    assert standing(bound.node, bound.algorithm).approving == frozenset()


def test_an_approval_is_void_once_a_review_it_rests_on_is_another(town):
    study = town.ask(FOUR)
    town.carry()
    bound = bound_at(town, AT, study)
    assert bound.visit.state == VisitState.APPROVED, "the policy of the town grants alone"
    check_approved(bound.node, bound.visit, bound.content())
    reviewed(bound, REFUSED)
    with pytest.raises(errors.NotAllowed, match="do not cover"):
        check_approved(bound.node, bound.visit, bound.content())
    assert step_approved(bound.node, bound.visit).state == VisitState.WAITING
    with bound.node.store.read() as reader:
        assert "visit.approvals-void" in {row.kind for row in reader.find(LedgerLine)}


def test_a_policy_grants_nothing_alone_of_an_image_that_has_several_manifests(town):
    """It names an image; which of the manifests was meant is for people."""
    node = town.nodes[AT]
    with node.store.read() as reader:
        (counts,) = reader.find(Algorithm)
    second = replace(counts, id="routes", name="routes")
    commit(node.desk, lambda tx: tx.add(second), Entry("algorithm.submitted", second.id, "p-arjen"))
    named, other = town.ask([AT, "police", "labour"]), {"name": "routes", "version": "1.0.0"}
    told = {**read_study_bytes(_document(town, named)).document["algorithm"], **other}
    town.carry()
    assert town.visit(AT, named).state == VisitState.WAITING
    assert town.visit("police", named).state == VisitState.APPROVED
    with pytest.raises(errors.NotValid, match="another name or version"):
        town.ask([AT, "police", "labour"], algorithm=told)


def _document(town, study: str) -> bytes:
    with town.home.store.read() as reader:
        return reader.get(Study, study).document


def test_the_document_says_every_line_in_words(town, bound):
    reviewed(bound, reproduced=True)
    content = bound.content()
    text = protocol.as_text(protocol.protocol_document(bound.plan.document, content), content_hash(content))
    document = bound.plan.document
    party = content["combination"]["parties"][0]
    for said in (
        document["question"], document["requester"]["organisation"], *document["recipients"], *document["datasets"],
        "GDPR art. 6(1)(e)", "Wpg art. 22", "Police Data Act", "none is stated",
        content["agreement"]["sha256"], content["dataset"]["policy"]["version"], content["gateRules"]["sha256"],
        content["protocolDocument"]["sha256"], content["combination"]["digest"], party["organisation"], "processor",
        "stage combine", "made the image from its source", "read it all", content["keeping"]["sharesUntil"][:10],
        "can open every organisation's numbers", "shifts the result", content["algorithm"]["identity"],
    ):  # fmt: skip
        assert said in text, said


def test_shares_are_refused_where_role_and_basis_are_not_agreed(town):
    told = [replace(party, processing=()) for party in parties(town)]
    agree_again(town, parties=told)
    study = town.ask(FOUR)
    town.carry()
    visits = {key: town.visit(key, study) for key in FOUR}
    assert {visit.state for visit in visits.values()} == {VisitState.REFUSED}
    assert "in which role and on what basis" in visits[AT].sentence
    assert {line.state for line in town.lines(study)} == {PublicState.NOT_RELEASED}


def test_a_basis_under_another_regime_or_of_another_dataset_is_none(town):
    wrong = [
        Processing(f"{town.nodes[AT].iri}/organisation", "Processor", f"{HTPOL}GDPR", (f"{HTPOL}Wpg-A22",)),
        Processing(f"{town.dataset(AT)}-2", "Processor", f"{HTPOL}WPG", (f"{HTPOL}Wpg-A22",)),
    ]
    agree_again(town, parties=[replace(party, processing=tuple(wrong)) for party in parties(town)])
    study = town.ask(FOUR)
    town.carry()
    assert town.visit(AT, study).state == VisitState.REFUSED


def test_an_approval_given_before_the_role_was_dropped_counts_no_more(town, bound):
    agree_again(town, parties=[replace(party, processing=()) for party in parties(town)])
    with pytest.raises(errors.NotAllowed, match="in which role"):
        check_approved(bound.node, bound.visit, bound.content())


def test_a_study_that_names_no_impact_assessment_is_refused_where_one_is_asked_for(town):
    duty = "odrl:duty [ odrl:action htpol:obtainApproval ] , [ odrl:action htpol:referToDPIA ]"
    _record(town, AT, "odrl:duty [ odrl:action htpol:obtainApproval ]", duty)
    without, named = town.ask(FOUR), town.ask(FOUR, dpia="DPIA-2026-3")
    town.carry()
    assert "impact assessment" in town.visit(AT, without).sentence
    assert town.visit(AT, named).state == VisitState.APPROVED


def test_shares_lie_no_longer_than_the_policy_lets_them(town):
    _record(town, AT, OFFER, f"{OFFER} htpol:retentionDays 7 ;")
    month, days = town.ask(FOUR), town.ask(FOUR, expires=clock.later(5 * 86400))
    town.carry()
    assert "Let it expire sooner" in town.visit(AT, month).sentence
    assert town.visit(AT, days).state == VisitState.APPROVED


def _record(town, key: str, old: str, new: str) -> None:
    """The record of a node's dataset says something else."""
    node = town.nodes[key]
    with node.store.read() as reader:
        row = reader.get(Dataset, f"{key}-victims")
    assert old in row.record.decode()
    record = row.record.decode().replace(old, new, 1).encode()
    commit(node.desk, lambda tx: tx.change(row, record=record), Entry("test.recorded", key, "operator"))


def test_a_compute_party_deletes_shares_of_a_study_whose_time_is_over(town):
    study = town.gather(dict.fromkeys(FOUR, (100, 100, 100, 100)), expires=clock.later(3600))
    node = town.nodes[PARTIES[0]]
    assert compute.forget_expired(node) == 0
    with node.store.read() as reader:
        request = reader.get(Request, study)
        assert len(reader.find(Share, {"study": study})) == len(FOUR)
    told = {
        **json.loads(request.document),
        "created": "2024-01-01T00:00:00Z",
        "expires": "2024-01-02T00:00:00Z",
    }
    past = canonical(told)
    commit(node.desk, lambda tx: tx.change(request, document=past), Entry("test.aged", study, "operator"))
    assert compute.forget_expired(node) == 1
    with node.store.read() as reader:
        assert reader.find(Share) == []
        assert reader.find(ReceiverSecret) == []
        assert "shares.expired" in {row.kind for row in reader.find(LedgerLine, {"study": study})}
