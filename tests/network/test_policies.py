"""Two organisations of the demo grant by themselves, one refuses by policy, the others ask people (P8)."""

from __future__ import annotations

import pytest

from fairnode.datasets.bindings import read_dataset
from fairnode.datasets.description import describe
from fairnode.demo.members import example
from fairnode.demo.policies import GRANTING, REFUSING, SENTENCE, with_policy
from fairnode.metadata.check import check_record
from fairnode.policy import Effect, Wish, decide

BASE, ASKING, IMAGE = "http://node.example", "http://home.example/organisation", "sha256:" + "12" * 32
WISH = Wish(
    purpose="https://w3id.org/fairnode/policy#TraffickingStatistics",
    requester=ASKING,
    algorithm=IMAGE,
    variables=frozenset({"exploitationForm", "sex", "ageBroad"}),
    stages=frozenset({"visit", "combine"}),
    legal_basis=frozenset({"https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"}),
    recipients=frozenset({ASKING}),
)


def described(key):
    organisation = next(o for o in example().ORGANISATIONS if o.key == key)
    record = with_policy(
        example().record(organisation, BASE), key, f"{BASE}/dataset/{key}-victims", ASKING, IMAGE
    )
    return record, describe(record.encode(), read_dataset(record).iri)


@pytest.mark.parametrize("key", ["police", "kmar", "labour", "coordinators", "shelters", "others"])
def test_the_demos_study_is_granted_by_two_and_asked_about_by_the_others(key):
    _, description = described(key)
    expected = Effect.GRANT if key in GRANTING else Effect.ASK
    assert decide(description.policy, WISH).effect is expected


@pytest.mark.parametrize(
    "changes",
    [
        {"requester": "http://other.example/organisation"},
        {"algorithm": "sha256:" + "34" * 32},
        {"variables": frozenset({"sex", "citizenship"})},
        {"recipients": frozenset({ASKING, "http://other.example/organisation"})},
        {"stages": frozenset({"visit", "estimate"})},
        {"purpose": "https://w3id.org/fairnode/policy#PrevalenceEstimation"},
    ],
)
def test_whatever_the_policy_does_not_name_is_a_question_for_people(changes):
    _, description = described("labour")
    wish = Wish(**{**vars(WISH), **changes})
    assert decide(description.policy, wish).effect is Effect.ASK


def test_the_shelters_refuse_counts_by_citizenship_with_a_sentence_for_the_researcher():
    _, description = described(REFUSING)
    decision = decide(description.policy, Wish(**{**vars(WISH), "variables": frozenset({"citizenship"})}))
    assert (decision.effect, decision.sentence) == (Effect.REFUSE, SENTENCE)


@pytest.mark.parametrize("key", ["labour", REFUSING])
def test_the_records_with_these_policies_conform_to_the_shapes(nodes, key):
    node = nodes["police"]
    iri = f"{node.iri}/dataset/{key}-victims"
    organisation = next(o for o in example().ORGANISATIONS if o.key == key)
    record = with_policy(example().record(organisation, node.iri), key, iri, ASKING, IMAGE)
    assert check_record(node, record.encode())[0] == iri
