"""Overlap and estimate between real parties over TLS: the published Dutch table, cell by cell, and its estimates."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from mpc_network import run_all

from fairnode.errors import NotAllowed, NotValid
from fairnode.mpc.estimate.grid import figures
from fairnode.mpc.estimate.models import Model
from fairnode.mpc.estimate.plain import hidden_number, standard_error
from fairnode.mpc.overlap.shape import OverlapShape, patterns
from fairnode.mpc.overlap.tables import HashingKey, bins
from fairnode.mpc.programs import program

LISTS = ("P", "K", "I", "R", "O", "Z")
MODELS = [[], [[0, 3]], [[0, 3], [3, 4]], [[0, 3], [3, 4], [0, 2]]]
BOUND = 5000


def published() -> list[int]:
    """The cells of the Dutch table in the order of `patterns`."""
    path = Path(__file__).parents[1] / "tables" / "Ned.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {
        tuple(i for i, letter in enumerate(LISTS) if row[letter] == "1"): int(row["count"]) for row in rows
    }
    return [found.get(pattern, 0) for pattern in patterns(6)]


@pytest.fixture(scope="module")
def lists():
    people = {i: [] for i in range(6)}
    for pattern, number in zip(patterns(6), published(), strict=True):
        for i in pattern:
            people[i] += [f"{pattern}/{n}" for n in range(number)]
    shape, key = OverlapShape(6, BOUND), HashingKey(b"secret", "ab" * 32)
    return [bins(people[i], key, shape, i).words for i in range(6)]


def shape_of(**more):
    return {"lists": 6, "bound": BOUND, "fingerprint": 62, "slots": 25, **more}


def run(three, tmp_path, name, parameters, inputs):
    outcomes = run_all(three.jobs(name, parameters, inputs, seconds=150.0), tmp_path)
    assert {outcome["outcome"] for outcome in outcomes} == {"done"}, outcomes
    return three.combine(name, parameters, outcomes), outcomes


def test_every_cell_is_the_published_one(three, tmp_path, lists):
    told, _ = run(three, tmp_path, "overlap-open-synthetic", shape_of(synthetic=True), lists)
    assert [n for _, n in told["overlap"]] == published()


def test_the_estimates_are_those_made_in_clear_rounded(three, tmp_path, lists):
    asked = shape_of(models=MODELS, standard_errors=True, observed=True)
    told, outcomes = run(three, tmp_path, "overlap-estimate", asked, lists)
    cells = published()
    exact = [hidden_number(cells, Model.of(6, m)) for m in MODELS]
    errors = [standard_error(cells, Model.of(6, m), n0) for m, n0 in zip(MODELS, exact, strict=True)]
    assert told["estimable"] is True
    assert told["observed"] == figures(sum(cells))
    assert [m["hidden"] for m in told["models"]] == [figures(n0) for n0 in exact]
    assert [m["standardError"] for m in told["models"]] == [figures(e) for e in errors]
    for each in told["models"]:
        low, high = each["interval"]
        assert low < told["observed"] + each["hidden"] < high
    assert all(outcome["statistics"]["opened_values"] > 0 for outcome in outcomes)


def test_a_small_table_is_not_estimable_and_nothing_else_is_told(three, tmp_path):
    shape = {"lists": 3, "bound": 50, "fingerprint": 62, "slots": 25}
    key = HashingKey(b"secret", "ab" * 32)
    inputs = [bins([f"{p}" for p in range(i, 45 + i)], key, OverlapShape(3, 50), i).words for i in range(3)]
    asked = {**shape, "models": [[]], "standard_errors": True, "observed": True}
    told, _ = run(three, tmp_path, "overlap-estimate", asked, inputs)
    assert told == {"estimable": False}


@pytest.mark.parametrize(
    ("name", "parameters", "error"),
    [
        ("overlap-estimate", shape_of(models=[[]] * 2, standard_errors=False, observed=True), NotValid),
        ("overlap-estimate", shape_of(models=[[[0, i]] for i in range(1, 6)], standard_errors=True, observed=True),
         NotValid),
        ("overlap-estimate", shape_of(models=[[]], standard_errors=True), NotValid),
        ("overlap-open-synthetic", shape_of(synthetic=False), NotAllowed),
        ("overlap-open-synthetic", shape_of(synthetic=True) | {"lists": 7}, NotValid),
    ],
)  # fmt: skip
def test_what_no_study_may_ask_is_refused_before_a_run(name, parameters, error):
    with pytest.raises(error):
        program(name).check(parameters, 6, 3)
