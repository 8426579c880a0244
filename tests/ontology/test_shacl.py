"""What the job that checks records says of good, bad and hostile ones."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode import vocabulary
from fairnode.child import run_child
from fairnode.errors import NotValid
from fairnode.jobs import shacl

EXAMPLES = vocabulary.folder() / "examples"
ALL = sorted(EXAMPLES.glob("*/*.ttl"))
PASSING = [path for path in ALL if path.name.startswith("pass-")]
FAILING = [path for path in ALL if path.name.startswith("fail-")]
DATASET = (EXAMPLES / "dataset" / "pass-full.ttl").read_text(encoding="utf-8")
STUDY = {
    "@context": "https://w3id.org/fairnode/context/study/1",
    "@type": "Study",
    "@id": "urn:uuid:6f1c0c52-6f0f-4b57-9d0e-0d8f5a3f1a01",
    "protocol": 1,
    "title": "Registrations by region and year",
    "question": "How many persons were registered in each region?",
    "purpose": "https://w3id.org/fairnode/policy#TraffickingStatistics",
    "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
    "requester": {"id": "r.jansen", "name": "R. Jansen", "organisation": "https://home.example/organisation"},
    "recipients": ["https://home.example/organisation"],
    "algorithm": {"name": "counts", "version": "1.0.0", "identity": "sha256:" + "0" * 64},
    "parameters": {"dimensions": ["region", "year"]},
    "datasets": ["https://police.example/dataset/police-victims"],
    "filter": [{"variable": "year", "in": ["2012", "2013"]}],
    "dimensions": ["region", "year"],
    "stages": [
        {"name": "count", "kind": "visit", "maxRounds": 1},
        {"name": "sum", "kind": "combine", "program": "sum", "inputs": ["count"]},
    ],
    "openings": [{"stage": "sum", "table": "counts"}],
    "created": "2026-11-21T09:00:00Z",
    "expires": "2027-05-21T09:00:00Z",
}


def check(turtle, shape="dataset", base="https://node.example/dataset/x"):
    return shacl.run({"turtle": turtle, "shape": shape, "base": base})


def check_study(**changes):
    return shacl.run({"jsonld": json.dumps({**STUDY, **changes}), "shape": "study"})


def name(path):
    return f"{path.parent.name}-{path.stem}"


def test_every_record_has_an_example_that_passes_and_some_that_fail():
    for shape in shacl.SHAPES:
        assert any(path.parent.name == shape for path in PASSING), shape
        assert sum(path.parent.name == shape for path in FAILING) >= 3, shape


@pytest.mark.parametrize("path", PASSING, ids=name)
def test_a_good_example_passes(path):
    assert check(path.read_text(encoding="utf-8"), path.parent.name) == {"conforms": True, "findings": []}


@pytest.mark.parametrize("path", FAILING, ids=name)
def test_a_bad_example_fails_for_one_reason_told_in_both_languages(path):
    answer = check(path.read_text(encoding="utf-8"), path.parent.name)
    assert not answer["conforms"]
    (finding,) = answer["findings"]
    for words in ("where", "what", "where_nl", "nl"):
        assert finding[words].strip(), words
    assert finding["what"] != finding["nl"]


def test_what_is_missing_is_told_by_its_label_and_not_by_its_iri():
    answer = check((EXAMPLES / "dataset" / "fail-no-licence.ttl").read_text(encoding="utf-8"))
    assert answer["findings"] == [
        {
            "where": "licence",
            "what": "The field 'licence' is missing. It says what may be done with what is released.",
            "where_nl": "licentie",
            "nl": "Het veld 'licentie' ontbreekt. Zij zegt wat er mag met wat wordt vrijgegeven.",
            "focus": "https://node.example/dataset/police-victims",
            "value": "",
        }
    ]


def test_a_finding_about_a_part_says_which_part():
    answer = check(
        (EXAMPLES / "binding" / "fail-code-without-concept.ttl").read_text(encoding="utf-8"), "binding"
    )
    assert answer["findings"][0]["where"] == "translation of a code 'dwangmiddelen', 'geweld': concept"


def test_broken_turtle_is_told_with_its_line():
    broken = DATASET.replace('"Data desk"', '"Data desk')
    line = next(number for number, text in enumerate(broken.splitlines(), 1) if '"Data desk' in text)
    with pytest.raises(NotValid, match=f"line {line}") as caught:
        check(broken)
    assert caught.value.findings[0].where == f"line {line}"


@pytest.mark.parametrize(
    "turtle",
    [
        "",
        "   ",
        "<a> <b>",
        "@prefix x: <y",
        "not turtle at all",
        "<x> a <y> .\x00",
        '<x> <y> """',
        "[" * 5000,
        "(" * 5000,
    ],
)
def test_rubbish_is_refused_or_found_to_be_no_dataset(turtle):
    try:
        answer = check(turtle)
    except NotValid:
        return
    assert not answer["conforms"]


def test_a_record_larger_than_the_limit_is_refused_before_it_is_read():
    with pytest.raises(NotValid, match="larger"):
        check("#" * (shacl.LARGEST + 1))


def test_a_bomb_of_blank_nodes_is_refused():
    bomb = "<https://node.example/x> <https://other.example/p> " + "[]," * (shacl.MOST_TRIPLES + 1) + "[] ."
    with pytest.raises(NotValid, match="statements"):
        check(bomb)


@pytest.mark.parametrize(
    "parts", ["[ fn:binding " * 3000 + "[]" + " ]" * 3000, "_:a . _:a fn:binding _:b . _:b fn:binding _:a"]
)
def test_parts_within_parts_without_end_are_refused(parts):
    with pytest.raises(NotValid, match="deep"):
        check(f"{DATASET}\n<https://node.example/x> fn:binding {parts} .")


@pytest.mark.parametrize("path", ["fn:dimension", "fn:stage"])
def test_a_list_that_bites_its_tail_does_not_hang_the_check(path):
    study = (EXAMPLES / "study" / "pass-full.ttl").read_text(encoding="utf-8")
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    circle = f"_:circle <{rdf}first> ht:year ; <{rdf}rest> _:circle .\n"
    assert not check(
        f"{study}\n[] {path} _:circle .\n{circle}<urn:x:y> a fn:Study ; {path} _:circle .", "study"
    )["conforms"]


@pytest.mark.parametrize("base", ["", "https://node.example/dataset/x"])
def test_addresses_of_this_machine_are_refused(base):
    found = check(
        DATASET.replace("<https://w3id.org/fairnode/profile/dataset>", "<file:///etc/passwd>"), base=base
    )
    assert [finding["where"] for finding in found["findings"]] == ["address"]


def test_relative_addresses_are_completed_with_the_base_or_refused_without_one():
    relative = DATASET.replace("<https://node.example/organisation>", "</organisation>")
    assert check(relative)["conforms"]
    (finding,) = check(relative, base="")["findings"]
    assert finding["value"] == "/organisation"


def test_an_unknown_shape_is_refused():
    with pytest.raises(NotValid, match="nonsense"):
        check(DATASET, shape="nonsense")


def test_many_mistakes_are_cut_at_a_number_a_person_can_read():
    bindings = ", ".join(f'[ fn:column "c{number}" ; fn:variable ht:x{number} ]' for number in range(300))
    many = DATASET.replace("fn:binding [", f"fn:binding {bindings}, [", 1)
    assert len(check(many)["findings"]) == shacl.MOST_FINDINGS


def test_the_job_runs_as_a_child_process(tmp_path):
    job = {"turtle": DATASET, "shape": "dataset", "base": ""}
    assert run_child("shacl", job, spool=Path(tmp_path), seconds=60) == {"conforms": True, "findings": []}
    with pytest.raises(NotValid, match="line 1"):
        run_child("shacl", {**job, "turtle": "broken"}, spool=Path(tmp_path), seconds=60)


def test_many_records_are_checked_in_one_job_and_a_broken_one_does_not_end_it():
    good, broken = {"turtle": DATASET, "shape": "dataset"}, {"turtle": "broken", "shape": "dataset"}
    answers = shacl.run({"records": [good, broken, good]})["answers"]
    assert [answer["conforms"] for answer in answers] == [True, False, True]
    assert "line 1" in answers[1]["findings"][0]["what"]


def test_a_study_in_json_passes():
    assert check_study() == {"conforms": True, "findings": []}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"title": ""}, "title"),
        ({"purpose": []}, "purpose"),
        ({"dimensions": ["regio"]}, "dimension"),
        ({"dimensions": ["familyName"]}, "dimension"),
        ({"filter": [{"variable": "region", "in": ["NL-XX"]}]}, "filter"),
        ({"filter": [{"variable": "year", "in": ["1066"]}]}, "filter"),
        ({"stages": []}, "stage"),
        ({"stages": [{"name": "count", "kind": "dance"}]}, "stage 'count': kind of stage"),
        ({"stages": [{"name": "sum", "kind": "combine"}]}, "node program"),
        ({"expires": "2026-01-01T00:00:00Z"}, "expires"),
        ({"protocol": "one"}, "protocol version"),
        ({"algorithm": {"name": "counts", "version": "1.0.0"}}, "chosen algorithm 'counts': image identity"),
    ],
)
def test_a_mistake_in_a_study_is_told_where_it_is(changes, where):
    assert where in {finding["where"] for finding in check_study(**changes)["findings"]}


@pytest.mark.parametrize(
    "changes",
    [
        {"@context": "https://other.example/context"},
        {"@context": "https://w3id.org/fairnode/context/../study/1"},
        {"@context": {"title": "http://purl.org/dc/terms/title"}},
        {"@context": ["https://w3id.org/fairnode/context/study/1", {"title": None}]},
        {"recipient": "https://home.example/organisation"},
        {"@graph": []},
        {"algorithm": {"@context": {"name": None}, "name": "counts"}},
        {"requester": {"id": "x", "@reverse": {}}},
        {"stages": [{"name": "count", "kind": "visit", "maxround": 1}]},
    ],
)
def test_a_study_with_another_context_or_fields_nobody_reads_is_refused(changes):
    with pytest.raises(NotValid):
        check_study(**changes)


@pytest.mark.parametrize(
    "text", ["", "[]", "1", '{"@context"', '{"@context": null}', '{"a":' * 2000 + "1" + "}" * 2000]
)
def test_json_that_is_no_document_is_refused(text):
    with pytest.raises(NotValid):
        shacl.run({"jsonld": text, "shape": "study"})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(set(STUDY) - {"@context"})), values)
def test_whatever_stands_in_a_field_of_a_study_the_answer_is_findings_or_a_refusal(field, value):
    try:
        answer = check_study(**{field: value})
    except NotValid:
        return
    assert answer["conforms"] == (not answer["findings"])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, len(DATASET) - 1),
    st.integers(0, 12),
    st.text(alphabet='<>"[](){}.;,^@\\_: \nа0', max_size=4),
)
def test_a_record_damaged_anywhere_gives_findings_or_a_refusal(place, length, text):
    try:
        answer = check(DATASET[:place] + text + DATASET[place + length :])
    except NotValid:
        return
    assert answer["conforms"] == (not answer["findings"])
