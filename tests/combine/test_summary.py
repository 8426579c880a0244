"""Means and quantiles over the organisations' own files: what is released is that of all records, or nothing."""

from __future__ import annotations

import itertools
import json
import statistics
from collections import Counter

import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st

from fairnode import errors
from fairnode.algorithms.own import own_programs
from fairnode.combine import announce
from fairnode.combine.memory import check_alone, check_opened_one_way
from fairnode.demo.make import case_files
from fairnode.demo.members import example
from fairnode.gate.refusals import Refused
from fairnode.gate.step import read_case
from fairnode.mpc.openings import rule
from fairnode.mpc.programs import program
from fairnode.mpc.programs.mean_variance import significant
from fairnode.records.result import Dimension, Kind, TableSpec, Unit
from fairnode.records.states import PublicState, VisitState
from fairnode.release.releases import render, title
from fairnode.release.summary import summary_of
from fairnode.studies.summary import Summary
from tests.combine import test_regression as fits
from tests.combine.test_regression import KEYS, tabulate, town_with
from tests.combine.test_six_files import CACHE
from tests.network import plain

OWN = own_programs()["combined-summary"]
VALUES = {"sexual": 1, "labour": 3, "criminal": 5, "domestic": 7}
MEAN = {
    "outcome": "exploitationForm",
    "values": VALUES,
    "groups": {"sex": ["female", "male"]},
    "dimensions": ["exploitationForm", "sex"],
}
QUANTILE = {
    "outcome": "ageBroad",
    "values": {"minor": 9, "adult": 30},
    "order": 10,
    "dimensions": ["ageBroad"],
}
"""Of the files' registrations."""

FORMS, SEXES = ("a", "b", "c", "d"), ("f", "m", "x")
COUNTS = st.lists(st.integers(0, 40), min_size=12, max_size=12)
NUMBERS = st.fixed_dictionaries({}, optional={c: st.integers(0, 9) for c in FORMS}).filter(
    lambda told: len(set(told.values())) > 1
)


def spec(*names_and_codes):
    return TableSpec(
        id="counts",
        kind=Kind.COUNT,
        unit=Unit.REGISTRATION,
        input="records",
        dimensions=tuple(Dimension(name, codes) for name, codes in names_and_codes),
    )


@given(COUNTS, NUMBERS, st.sampled_from([{}, {"sex": ["m", "f"]}]))
def test_what_is_dealt_for_a_mean_is_made_of_the_records_by_group(counts, values, groups):
    table = spec(("form", FORMS), ("sex", SEXES))
    table = table if groups else spec(("form", FORMS))
    counts = counts if groups else counts[:4]
    told = {"outcome": "form", "values": values, "groups": groups}
    asked = Summary.of("mean-variance", told, [d.variable for d in table.dimensions])
    records = [key for key, n in zip(table.keys(), counts, strict=True) for _ in range(n)]
    columns = asked.columns(table, counts)
    for place, cell in enumerate(itertools.product(*groups.values())):
        mine = sorted(values[key[0]] for key in records if key[0] in values and key[1:] == cell)
        dealt = [column[place] for column in columns]
        assert dealt[:3] == [len(mine), sum(mine), sum(v * v for v in mine)]
        assert dealt[3:5] == [*reversed([0, 0, *mine][-2:])]
        assert dealt[5:] == [mine.count(v) for v in sorted(set(values.values()))]
    shape = asked.shape() | {"k": 11, "lists": "disjoint", "engine": "mpyc"}
    program("mean-variance").check(shape, 4, 3)
    assert len(program("mean-variance").encode(columns, shape, 0)) == program("mean-variance").length(
        shape, 0
    )


@given(COUNTS.map(lambda told: told[:4]), NUMBERS, st.integers(1, 99))
def test_what_is_dealt_for_a_quantile_are_the_records_up_to_each_number(counts, values, order):
    table = spec(("form", FORMS))
    asked = Summary.of("quantile", {"outcome": "form", "values": values, "order": order}, ["form"])
    records = [values[c] for c, n in zip(FORMS, counts, strict=True) if c in values for _ in range(n)]
    columns = asked.columns(table, counts)
    assert columns == [[sum(v <= g for v in records) for g in sorted(set(values.values()))]]
    shape = asked.shape() | {"k": 11, "lists": "disjoint", "engine": "mpyc"}
    program("quantile").check(shape, 4, 3)
    assert list(program("quantile").encode(columns, shape, 0)) == columns[0]


@pytest.mark.parametrize(
    ("name", "changes", "where"),
    [
        ("mean-variance", {"values": {"a": 1, "b": 1}}, "values"),
        ("mean-variance", {"values": {"a": 1, "b": -1}}, "values"),
        ("mean-variance", {"values": [1]}, "parameters"),
        ("mean-variance", {"outcome": "sex"}, "dimensions"),
        ("mean-variance", {"groups": {"sex": ["f", "f"]}}, "groups"),
        ("mean-variance", {"order": 50}, "order"),
        ("quantile", {}, "order"),
        ("quantile", {"order": 50}, "groups"),
        ("quantile", {"order": 100, "groups": {}}, "order"),
    ],
)
def test_what_cannot_be_made_is_said_with_its_place(name, changes, where):
    told = {"outcome": "form", "values": {"a": 1, "b": 2}, "groups": {"sex": ["f", "m"]}} | changes
    with pytest.raises(errors.NotValid) as refused:
        Summary.of(name, told, ["form", "sex"])
    assert any(where in finding.where for finding in refused.value.findings)


def test_codes_that_are_not_there_are_named():
    asked = Summary.of("quantile", {"outcome": "form", "values": {"a": 1, "z": 2}, "order": 50}, ["form"])
    with pytest.raises(errors.NotValid) as refused:
        asked.check_codes(spec(("form", FORMS)))
    assert "'z' is no code" in str(refused.value.findings)


@pytest.mark.parametrize("name", ["mean-variance", "quantile"])
def test_data_of_which_a_table_was_opened_are_not_summarised(name):
    check_alone(name, [])
    check_alone("sum", ["dealing/0"])
    with pytest.raises(errors.NotValid):
        check_alone(name, ["dealing/0"])


@pytest.fixture(scope="module")
def files():
    CACHE.mkdir(parents=True, exist_ok=True)
    return case_files(CACHE)


@pytest.fixture(scope="module")
def town(tmp_path_factory, files, warm):
    with town_with(tmp_path_factory.mktemp("summary"), files, warm, OWN) as made:
        yield made


@pytest.fixture(scope="module")
def second(tmp_path_factory, files, warm):
    """Another such town: of its data nothing was opened."""
    with town_with(tmp_path_factory.mktemp("quantile"), files, warm, OWN) as made:
        yield made


def ask(town, name, parameters, **changes):
    told = {
        "title": "How much",
        "algorithm": {"name": OWN.told.name, "version": OWN.told.version, "identity": OWN.identity},
        "stages": [
            {"name": "count", "kind": "visit"},
            {"name": "fit", "kind": "combine", "program": name, "inputs": ["count"]},
        ],
        **changes,
    }
    return fits.ask(town, parameters=parameters, **told)


def whole(town, name, parameters):
    study = ask(town, name, parameters)
    assert tabulate(town, study) == {VisitState.READY}
    announce.step_combinations(town.home)
    town.carry()
    for key in KEYS:
        if town.visit(key, study).state == VisitState.READY:
            town.deal(key, study)
    town.carry()
    town.compute()
    return study, town.finish(study)


def pooled(folder, asked):
    """For each group what is to be shown, from the files' rows."""
    organisations = {o.key: o for o in example().ORGANISATIONS}
    told = [plain.counts(folder, organisations[key], asked["dimensions"]) for key in KEYS]
    found = []
    for group in itertools.product(*asked["groups"].values()):
        by_value = [Counter({v: one[(code, *group)] for code, v in asked["values"].items()}) for one in told]
        counts = [[one[v] for one in by_value] for v in asked["values"].values()]
        counts.append([one.total() for one in by_value])
        records = list(sum(by_value, Counter()).elements())
        fine = all(not any(each) or rule.allowed(each, [], 22, 3) for each in counts)
        shown = (group, rule.rounded(len(records), 5), significant(statistics.mean(records)),
                 significant(statistics.stdev(records)))  # fmt: skip
        found.append(shown if fine else (group, None, None, None))
    return found


@pytest.fixture(scope="module")
def story(town):
    study, (release,) = whole(town, "mean-variance", MEAN)
    return town, study, release


@pytest.mark.long
def test_the_released_means_are_those_of_the_pooled_records_and_small_groups_are_hidden(story, files):
    _, _, release = story
    told = summary_of(release)
    assert [(g.codes, g.n, g.mean, g.deviation) for g in told.groups] == pooled(files, MEAN)
    assert [g.n is None for g in told.groups] == [False, True]  # seventeen men in domestic exploitation
    assert json.loads(release.table)["tables"] == []


@pytest.mark.long
def test_a_mean_is_rendered_for_people_and_machines(story):
    _, _, release = story
    assert title(release) == "Mean of form of exploitation by sex"
    assert render(release, "csv").decode().splitlines()[2] == "male,,,"
    graph = rdflib.Graph().parse(data=render(release, "turtle"), format="turtle")
    fn = rdflib.Namespace("https://w3id.org/fairnode/node#")
    shown = [g.mean for g in summary_of(release).groups if g.mean is not None]
    assert [float(o) for o in graph.objects(None, fn["mean"])] == shown
    assert "hidden" in render(release, "svg").decode()


@pytest.mark.long
@pytest.mark.parametrize("name", ["sum", "regression", "mean-variance", "quantile"])
def test_the_cells_of_a_mean_are_not_opened_in_another_way(story, name):
    town, study, _ = story
    case = read_case(town.nodes["police"], town.visit("police", study))
    with pytest.raises(Refused):
        check_opened_one_way(case, frozenset(n.iri for n in town.nodes.values()), name)


@pytest.mark.long
def test_the_same_mean_is_answered_again_and_a_quantile_of_other_cells_is_not_opened(story):
    town, _, release = story
    study = ask(town, "mean-variance", MEAN)
    tabulate(town, study)
    (again,) = town.finish(study)
    assert json.loads(again.table)["answerOf"] == release.id
    other = ask(town, "quantile", QUANTILE)
    tabulate(town, other)
    assert town.finish(other) == []
    assert {line.state for line in town.lines(other)} == {PublicState.NOT_RELEASED}


def test_rounds_that_would_show_steps_are_refused(town):
    stages = [
        {"name": "count", "kind": "visit"},
        {"name": "fit", "kind": "combine", "program": "quantile", "inputs": ["count"], "maxRounds": 3},
    ]
    with pytest.raises(errors.NotValid) as refused:
        ask(town, "quantile", QUANTILE, stages=stages)
    assert "no step of the computation is shown" in str(refused.value.findings)


@pytest.mark.long
def test_the_quantile_of_all_records_is_released(second, files):
    _, (release,) = whole(second, "quantile", QUANTILE)
    organisations = {o.key: o for o in example().ORGANISATIONS}
    told = [plain.counts(files, organisations[key], QUANTILE["dimensions"]) for key in KEYS]
    records = [v for one in told for code, v in QUANTILE["values"].items() for _ in range(one[(code,)])]
    below = {g: sum(v <= g for v in records) for g in QUANTILE["values"].values()}
    assert 100 * below[9] > QUANTILE["order"] * len(records)
    assert summary_of(release).value == 9
    assert title(release) == "10 % quantile of minor or adult"
    assert render(release, "csv").decode() == "quantile_percent,value\n10,9\n"
    rdflib.Graph().parse(data=render(release, "turtle"), format="turtle")
