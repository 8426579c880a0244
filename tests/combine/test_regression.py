"""A regression over the six organisations' own files: what is released is the fit of all records, or why none is."""

from __future__ import annotations

import itertools
import json
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
import rdflib
import statsmodels.api as sm

from fairnode import errors
from fairnode.algorithms.own import keep_own, own_programs
from fairnode.combine import announce
from fairnode.combine.memory import check_opened_one_way
from fairnode.demo.make import case_files
from fairnode.demo.members import example
from fairnode.demo.policies import granting_offer
from fairnode.gate.refusals import Refused
from fairnode.gate.step import read_case
from fairnode.ledger.commit import Entry, commit
from fairnode.records.rows import Dataset, Quarantine
from fairnode.records.states import PublicState, VisitState
from fairnode.release.ended import tell_ended
from fairnode.release.regression import regression_of
from fairnode.release.releases import render, title
from fairnode.studies.regression import Question
from fairnode.visits.steps import step_approved
from fairnode.worker.steps import step
from tests.combine.test_six_files import CACHE
from tests.engine.process import ProcessEngine
from tests.network import plain
from tests.network.town import Town, agreement_of, join_all, make_nodes

KEYS = ("police", "labour", "coordinators", "kmar")
OWN = own_programs()["combined-regression"]
DIMENSIONS = ["exploitationForm", "sex", "ageBroad"]
LEVELS = {"sex": ["female", "male"], "ageBroad": ["adult", "minor"]}
ASKED = {
    "family": "logistic",
    "outcome": "exploitationForm",
    "values": {"sexual": 1, "labour": 0, "criminal": 0},
    "levels": LEVELS,
    "dimensions": DIMENSIONS,
}
GRANTED = (*DIMENSIONS, "region", "year", "registrationCount")


@pytest.fixture(scope="module")
def files():
    CACHE.mkdir(parents=True, exist_ok=True)
    return case_files(CACHE)


@contextmanager
def town_with(folder, files, warm, own):
    """Nodes with their case files, that know their own programs and grant the one told."""
    nodes = make_nodes(folder, KEYS)
    for key, node in nodes.items():
        keep_own(node)
        organisation = next(o for o in example().ORGANISATIONS if o.key == key)
        source = dict(tomllib.loads(example().source(organisation))["source"])
        source["path"] = str(files / key / source["path"])
        iri, home = f"{node.iri}/dataset/{key}-victims", nodes["coordinators"].iri
        offer = granting_offer(iri, f"{home}/organisation", own.identity, GRANTED).encode()
        with node.store.read() as reader:
            row = reader.one(Dataset)
        commit(
            node.desk,
            lambda tx, r=row, o=offer, s=source: tx.change(r, record=r.record + o, source=s),
            Entry("test.given", key, "operator"),
        )
    join_all(nodes, agreement_of(nodes))
    made = Town(nodes, warm=warm)
    made.know_each_other()
    yield made
    for node in nodes.values():
        node.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory, files, warm):
    with town_with(tmp_path_factory.mktemp("regression"), files, warm, OWN) as made:
        yield made


def ask(town, keys=KEYS, parameters=ASKED, **changes):
    told = {
        "title": "Sexual exploitation or not",
        "question": "How does the form of exploitation differ by sex and age?",
        "algorithm": {"name": OWN.told.name, "version": OWN.told.version, "identity": OWN.identity},
        "dimensions": parameters["dimensions"],
        "parameters": parameters,
        "stages": [
            {"name": "count", "kind": "visit"},
            {"name": "fit", "kind": "combine", "program": "regression", "inputs": ["count"]},
        ],
        "openings": ["fit"],
        **changes,
    }
    return town.ask(keys, **told)


def tabulate(town, study):
    """The worker's own step at every node."""

    def one(key):
        node = town.nodes[key]
        return step(node, ProcessEngine(node.config.spool, {}), step_approved(node, town.visit(key, study)))

    town.carry()
    with ThreadPoolExecutor(2) as pool:
        visits = list(pool.map(one, KEYS))
    town.carry()
    return {visit.state for visit in visits}


def whole(town, keys=KEYS, **asked):
    study = ask(town, keys, **asked)
    assert tabulate(town, study) == {VisitState.READY}
    announce.step_combinations(town.home)
    town.carry()
    for key in keys:
        if town.visit(key, study).state == VisitState.READY:
            town.deal(key, study)
    town.carry()
    town.compute()
    return study, town.finish(study)


def pooled(files, asked=ASKED):
    """Coefficients and errors of statsmodels on the records of all files, counted without the project's code."""
    question = Question.of(asked, asked["dimensions"])
    organisations = {o.key: o for o in example().ORGANISATIONS}
    counted = [plain.counts(files, organisations[key], asked["dimensions"]) for key in KEYS]
    covariates = sorted(asked["levels"])
    place = {name: asked["dimensions"].index(name) for name in asked["dimensions"]}
    rows = []
    for pattern in itertools.product(*(asked["levels"][name] for name in covariates)):
        n = dict.fromkeys((0, 1), 0)
        for cells in counted:
            for cell, number in cells.items():
                value = asked["values"].get(cell[place[asked["outcome"]]])
                if value is not None and tuple(cell[place[name]] for name in covariates) == pattern:
                    n[value] += number
        dummies = [
            int(pattern[i] == code) for i, name in enumerate(covariates) for code in asked["levels"][name][1:]
        ]
        rows.append((n[1], n[0], [1, *dummies]))
    both = np.array([[yes, no] for yes, no, _ in rows])
    assert question.terms[0] == ("", "")
    return sm.GLM(both, np.array([x for *_, x in rows], float), sm.families.Binomial()).fit(tol=1e-12)


def three(x):
    return float(f"{x:.3g}")


@pytest.fixture(scope="module")
def story(town):
    study, (release,) = whole(town)
    return town, study, release


def test_the_released_figures_are_those_of_the_pooled_records_to_three_digits(story, files):
    _, _, release = story
    told, fit = regression_of(release), pooled(files)
    assert told.state == "shown"
    assert [(c.variable, c.code) for c in told.coefficients] == [
        ("", ""), ("ageBroad", "minor"), ("sex", "male"),
    ]  # fmt: skip
    assert [c.value for c in told.coefficients] == [three(b) for b in fit.params]
    assert np.allclose([c.error for c in told.coefficients], fit.bse, rtol=0.006)


def test_no_container_ran_and_nothing_but_the_fit_left(story):
    town, study, release = story
    told = json.loads(release.table)
    assert told["tables"] == []
    assert set(told["regression"]["told"]) == {
        "family", "bound", "lists", "state", "coefficients", "standardErrors",
    }  # fmt: skip
    for key in KEYS:
        with town.nodes[key].store.read() as reader:
            assert reader.get(Quarantine, town.visit(key, study).id).result == b""
        assert not any((town.nodes[key].config.spool / "visits").iterdir())
    assert {line.state for line in town.lines(study)} == {PublicState.RELEASED}


def test_it_is_rendered_for_people_and_machines(story):
    _, _, release = story
    assert title(release) == "Logistic regression of form of exploitation by minor or adult and sex"
    lines = render(release, "csv").decode().splitlines()
    assert lines[0].endswith("odds_ratio,low,high")
    assert len(lines) == 4
    graph = rdflib.Graph().parse(data=render(release, "turtle"), format="turtle")
    fn = rdflib.Namespace("https://w3id.org/fairnode/node#")
    told = regression_of(release)
    assert sorted(float(o) for o in graph.objects(None, fn.coefficient)) == sorted(
        c.value for c in told.coefficients
    )
    assert "odds ratio 1: no difference" in render(release, "svg").decode()


def test_the_same_question_gets_the_stored_answer(story):
    town, _, release = story
    study = ask(town)
    tabulate(town, study)
    (again,) = town.finish(study)
    assert json.loads(again.table)["answerOf"] == release.id
    assert town.combination(study).facts["runs"] == 0


@pytest.mark.parametrize("program", ["sum", "regression"])
def test_the_same_cells_are_not_opened_in_another_way(story, program):
    town, study, _ = story
    node = town.nodes["police"]
    case, nodes = read_case(node, town.visit("police", study)), frozenset(n.iri for n in town.nodes.values())
    with pytest.raises(Refused):
        check_opened_one_way(case, nodes, program)


@pytest.mark.long
def test_another_regression_of_the_same_cells_ends_without_a_result(story):
    town, _, _ = story
    study = ask(town, parameters=ASKED | {"values": {"sexual": 0, "labour": 1}})
    tabulate(town, study)
    announce.step_combinations(town.home)
    town.carry()
    assert {town.deal(key, study).state for key in KEYS} == {VisitState.BLOCKED}
    town.carry()
    assert town.finish(study) == []
    assert {line.state for line in town.lines(study)} == {PublicState.NOT_RELEASED}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"levels": {"sex": ["female"], "ageBroad": ["adult", "minor"]}}, "levels"),
        ({"values": {"sexual": 1, "labour": 1}}, "values"),
        ({"values": {"sexual": 2, "labour": 0}}, "values"),
        ({"outcome": "sex"}, "dimensions"),
        ({"values": {"sexual": 1, "made-up": 0}}, "exploitationForm"),
        ({"levels": {"sex": ["female", "man"], "ageBroad": ["adult", "minor"]}}, "sex"),
        ({"levels": {"sex": ["female", "male"]}}, "dimensions"),
        ({"family": "probit"}, "family"),
    ],
)
def test_a_regression_that_cannot_be_made_is_refused_before_it_is_sent(town, changes, where):
    with pytest.raises(errors.NotValid) as refused:
        ask(town, parameters=ASKED | changes)
    assert any(where in finding.where for finding in refused.value.findings)


def test_rounds_that_would_show_steps_of_the_fit_are_refused(town):
    stages = [
        {"name": "count", "kind": "visit"},
        {"name": "fit", "kind": "combine", "program": "regression", "inputs": ["count"], "maxRounds": 10},
    ]
    with pytest.raises(errors.NotValid) as refused:
        ask(town, stages=stages)
    assert "no step of the fit is shown" in str(refused.value.findings)


def test_counting_alone_is_no_study(town):
    with pytest.raises(errors.NotValid):
        ask(town, stages=[{"name": "count", "kind": "visit"}], openings=[])


def test_a_code_that_a_filter_leaves_out_cannot_be_compared(town):
    with pytest.raises(errors.NotValid) as refused:
        ask(town, filter=[{"variable": "ageBroad", "in": ["minor"]}])
    assert "'adult' is no code of it in this study" in str(refused.value.findings)


def test_a_study_of_nobody_has_no_counts_and_nothing_is_released(town):
    few = [{"variable": "region", "in": ["unknown"]}, {"variable": "year", "in": ["2010"]}]
    study = ask(town, filter=few)
    assert tabulate(town, study) == {VisitState.FAILED}
    time.sleep(1.1)  # the slot at which ends are told
    assert all(tell_ended(town.nodes[key], set()) for key in KEYS)
    town.carry()
    assert town.finish(study) == []
    assert {line.state for line in town.lines(study)} == {PublicState.NOT_RELEASED}
