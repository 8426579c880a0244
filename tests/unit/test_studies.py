"""The study document: its form, its one hash, and what each mistake is called."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode import errors
from fairnode.keys import canonical
from fairnode.studies.document import LIMIT_BYTES, read_study, read_study_bytes
from fairnode.studies.send import home_of

GOOD = {
    "@context": "https://w3id.org/fairnode/context/study/1",
    "@type": "Study",
    "@id": "urn:uuid:6f1c0c52-6f0f-4b57-9d0e-0d8f5a3f1a02",
    "protocol": 1,
    "title": "Victims by region",
    "question": "How many were registered, by region and year?",
    "purpose": "https://w3id.org/fairnode/policy#TraffickingStatistics",
    "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
    "requester": {"id": "p-1", "name": "Rosa de Wit", "organisation": "http://n.example/organisation"},
    "recipients": ["http://n.example/organisation"],
    "algorithm": {"name": "counts", "version": "1.0.0", "identity": "sha256:" + "a" * 64},
    "parameters": {"dimensions": ["region", "year"]},
    "datasets": ["http://n.example/dataset/d"],
    "filter": [{"variable": "year", "in": ["2012", "2013"]}],
    "dimensions": ["region", "year"],
    "stages": [{"name": "count", "kind": "visit"}],
    "openings": [],
    "created": "2026-11-21T12:00:00Z",
    "expires": "2026-12-21T12:00:00Z",
}
COMBINE = {"name": "all", "kind": "combine", "program": "sum", "inputs": ["count"]}


def test_a_good_study_is_read_whole() -> None:
    plan = read_study(GOOD)
    assert plan.datasets == ("http://n.example/dataset/d",)
    assert plan.dimensions == ("region", "year")
    assert plan.filter == {"year": ("2012", "2013")}
    assert [s.name for s in plan.visits] == ["count"]
    assert not plan.combines("count")
    assert plan.wish().variables == {"region", "year"}
    assert read_study({**GOOD, "stages": [*GOOD["stages"], COMBINE]}).combines("count")


def test_the_hash_is_over_the_content_whatever_the_order_of_its_fields() -> None:
    turned = dict(reversed(GOOD.items()))
    assert read_study(turned).hash == read_study(GOOD).hash == read_study_bytes(canonical(GOOD)).hash


@given(st.sampled_from(["title", "question"]), st.text(min_size=10, max_size=60))
def test_every_change_of_content_changes_the_hash(field, words) -> None:
    try:
        other = read_study({**GOOD, field: words})
    except errors.NotValid:
        return
    assert (other.hash == read_study(GOOD).hash) == (words == GOOD[field])


@pytest.mark.parametrize("field", list(GOOD))
def test_a_study_without_one_of_its_fields_is_refused_by_its_name(field) -> None:
    with pytest.raises(errors.NotValid) as refused:
        read_study({name: value for name, value in GOOD.items() if name != field})
    assert field in str(refused.value)


WRONG = {
    "protocol": (2, "protocol"),
    "title": ("", "title"),
    "purpose": ("research", "purpose"),
    "datasets": ([], "datasets"),
    "expires": ("2026-13-41T99:00:00Z", "expires"),
    "created": ("2027-01-01T00:00:00Z", "expires"),
    "algorithm": ({"name": "counts", "version": "1.0.0", "identity": "latest"}, "identity"),
    "stages": ([], "stages"),
    "filter": ([{"variable": "year"}], "filter"),
}


@pytest.mark.parametrize("field", WRONG)
def test_a_mistake_is_told_with_its_place_and_without_its_value(field) -> None:
    value, where = WRONG[field]
    with pytest.raises(errors.NotValid) as refused:
        read_study({**GOOD, field: value})
    assert any(where in finding.where for finding in refused.value.findings), refused.value
    assert "latest" not in str(refused.value)


STAGES = {
    "twice": ([{"name": "count", "kind": "visit"}, {"name": "count", "kind": "visit"}], "used twice"),
    "later": ([COMBINE, {"name": "count", "kind": "visit"}], "not an earlier stage"),
    "itself": ([{**COMBINE, "inputs": ["all"]}], "not an earlier stage"),
    "no program": (
        [GOOD["stages"][0], {"name": "all", "kind": "combine", "inputs": ["count"]}],
        "needs program",
    ),
    "no inputs": ([GOOD["stages"][0], {"name": "all", "kind": "combine", "program": "sum"}], "needs program"),
}


@pytest.mark.parametrize("what", STAGES)
def test_stages_that_contradict_each_other_are_refused(what) -> None:
    stages, words = STAGES[what]
    with pytest.raises(errors.NotValid, match=words):
        read_study({**GOOD, "stages": stages})


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"{", "not JSON"), (b"\xff", "not JSON"), (b"[" * 100_000, "not JSON"), (b"[]", "agreed form"),
     (b" " * (LIMIT_BYTES + 1), "larger"), (json.dumps(GOOD).encode(), "canonical")],
)  # fmt: skip
def test_bytes_that_are_no_canonical_study_are_refused(content, words) -> None:
    with pytest.raises(errors.NotValid, match=words):
        read_study_bytes(content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "more"]), json_values, max_size=4))
def test_whatever_is_handed_in_is_read_or_refused_and_nothing_else_happens(changes) -> None:
    try:
        plan = read_study({**GOOD, **changes})
    except errors.NotValid:
        return
    assert read_study_bytes(canonical(plan.document)).hash == plan.hash


def test_the_home_of_a_dataset_stands_in_its_iri() -> None:
    assert home_of("https://n.example/a/dataset/d") == "https://n.example/a"
    with pytest.raises(errors.NotValid, match="at which node"):
        home_of("https://n.example/d")
