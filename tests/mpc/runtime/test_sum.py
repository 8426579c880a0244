"""The program `sum` opens what the rule allows, rounded, to the recipient, and nothing to anyone else."""

import base64
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpc_network import Network, run_all

from fairnode.errors import NotValid
from fairnode.mpc.dealing import P61
from fairnode.mpc.openings import rule
from fairnode.mpc.openings.outputs import combine_outputs, open_output
from fairnode.mpc.programs import program
from fairnode.mpc.programs.conditional import small_roots
from fairnode.mpc.programs.sum_mpyc import _coefficients

SUM = program("sum")


def parameters(**changed):
    return {
        "cells": 60,
        "k": 11,
        "base": 5,
        "earlier": 0,
        "largest": 100_000,
        "lists": "disjoint",
        "engine": "bits",
    } | changed


def plain(inputs, told, parties):
    """The same rule in clear."""
    least, cells = rule.bound(told["k"], told["lists"]), []
    for i in range(told["cells"]):
        values = [columns[0][i] for columns in inputs]
        changed = [sum(columns[1 + e][i] for columns in inputs) for e in range(told["earlier"])]
        shown = rule.allowed(values, changed, least, parties)
        shown = shown and all(100 * v <= told.get("dominance", 100) * sum(values) for v in values)
        cells.append(rule.rounded(sum(values), told["base"]) if shown else None)
    return cells


def draw(rng, told, contributors):
    near = [0, 0, 0, 1, 2, 3, 10, 11, 12, 21, 22, 23, 99, 4_000]
    changed = [0] * 9 + [1, 10, 11, 30]
    size = told["cells"]
    return [
        [rng.choices(near, k=size), *(rng.choices(changed, k=size) for _ in range(told["earlier"]))]
        for _ in range(contributors)
    ]


@pytest.mark.parametrize(
    ("parties", "contributors", "changed"),
    [
        (3, 3, {}),
        (3, 6, {"earlier": 2, "lists": "overlapping", "base": 10, "dominance": 60}),
        (3, 4, {"k": 4, "base": 1, "engine": "mpyc"}),
        pytest.param(3, 22, {"k": 3, "base": 3}, marks=pytest.mark.long),
        (5, 4, {"cells": 130, "base": 3, "earlier": 1}),
        pytest.param(5, 4, {"cells": 30, "base": 3, "earlier": 1, "engine": "mpyc"}, marks=pytest.mark.long),
    ],
)
def test_the_sum_is_what_the_rule_in_clear_says(tmp_path, parties, contributors, changed):
    told = parameters(**changed)
    inputs = draw(random.Random(contributors), told, contributors)
    with Network(tmp_path / "network", parties) as network:
        outcomes = run_all(network.jobs("sum", told, inputs), tmp_path / "run")
        table = network.combine("sum", told, outcomes)
    wanted = plain(inputs, told, parties)
    assert table["cells"] == wanted
    assert 0 < sum(value is None for value in wanted) < len(wanted)
    opened = told["cells"] * (1 + contributors) if told["engine"] == "mpyc" else 0
    assert all(o["statistics"]["opened_values"] <= opened for o in outcomes)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_both_engines_give_the_same_table(three, tmp_path, data):
    earlier, contributors = data.draw(st.integers(0, 1)), data.draw(st.integers(3, 4))
    told = parameters(
        cells=9, earlier=earlier, k=data.draw(st.integers(3, 12)), base=data.draw(st.sampled_from([1, 5]))
    )
    told |= data.draw(st.sampled_from([{}, {"dominance": 50}, {"dominance": 90}]))
    near = st.integers(0, 2 * told["k"]) | st.just(0) | st.sampled_from([told["largest"], 5_000])
    lists = st.lists(near, min_size=9, max_size=9)
    columns = st.lists(lists, min_size=1 + earlier, max_size=1 + earlier)
    inputs = data.draw(st.lists(columns, min_size=contributors, max_size=contributors))
    tables = []
    for engine in ("bits", "mpyc"):
        outcomes = run_all(three.jobs("sum", told | {"engine": engine}, inputs), tmp_path / engine)
        tables.append(three.combine("sum", told | {"engine": engine}, outcomes))
    assert tables[0] == tables[1]
    assert tables[0]["cells"] == plain(inputs, told, 3)


def test_only_the_recipient_can_join_the_outputs_and_only_all_of_one_run(three, tmp_path):
    told = parameters(cells=2)
    inputs = [[20, 1], [20, 1], [20, 1]]
    runs = [run_all(three.jobs("sum", told, inputs), tmp_path / name) for name in "ab"]
    boxes = [[base64.b64decode(o["output"]) for o in outcomes] for outcomes in runs]
    with pytest.raises(NotValid):
        open_output(boxes[0][0], three.receivers[0].secret)
    first, second = ([open_output(box, three.recipient.secret) for box in each] for each in boxes)
    assert combine_outputs(SUM, told, first)["cells"] == [60, None]
    with pytest.raises(NotValid, match="missing"):
        combine_outputs(SUM, told, first[:2])
    with pytest.raises(NotValid, match="another run"):
        combine_outputs(SUM, told, [*first[:2], second[2]])
    rows = {label: (row[0] ^ 1, *row[1:]) for label, row in first[1].rows["cells"].items()}
    lie = replace(first[1], rows={"cells": rows})
    with pytest.raises(NotValid, match="contradict"):
        combine_outputs(SUM, told, [first[0], lie, first[2]])


@settings(deadline=None)
@given(st.integers(3, 60), st.lists(st.integers(0, 10**6) | st.integers(0, 70), min_size=1, max_size=5))
def test_the_product_of_roots_is_zero_for_small_values_only(least, values):
    factors = small_roots(np.array(values, dtype=object), least)
    zero = [any(factor[i] % P61 == 0 for factor in factors) for i in range(len(values))]
    assert zero == [1 <= value < least for value in values]


@settings(deadline=None)
@given(st.sampled_from([3, 5, 10]), st.data())
def test_the_remainder_is_a_polynomial_in_the_remainder_of_the_mask(base, data):
    degree, opened = 3 * (base - 1), data.draw(st.integers(0, base - 1))
    s = data.draw(st.integers(0, degree))
    value = sum(c * pow(s, i, P61) for i, c in enumerate(_coefficients(opened, base, degree))) % P61
    assert value == (opened - s) % base


@pytest.mark.parametrize(
    "changed",
    [
        {"cells": 0},
        {"cells": True},
        {"k": 2},
        {"base": 7},
        {"earlier": -1},
        {"largest": 2**40},
        {"lists": "some"},
        {"engine": "fast"},
        {"dominance": 0},
        {"dominance": True},
        {"more": 1},
    ],
)
def test_parameters_out_of_range_are_refused(changed):
    with pytest.raises(NotValid) as refusal:
        SUM.check(parameters(**changed), 6, 3)
    assert refusal.value.findings[0].where in changed


@pytest.mark.parametrize("columns", [[[1, 2]], [[1]], [[1, 2], [1]], [[1, -2], [0, 0]], [[1, 2], [0, 10**6]]])
def test_numbers_that_the_study_does_not_take_are_refused(columns):
    with pytest.raises(NotValid):
        SUM.encode(columns, parameters(cells=2, earlier=1), 0)


@pytest.mark.parametrize(
    ("contributors", "parties", "fine"), [(2, 3, False), (3, 3, True), (3, 5, False), (4, 5, True)]
)
def test_too_few_contributors_are_refused(contributors, parties, fine):
    if fine:
        SUM.check(parameters(), contributors, parties)
    else:
        with pytest.raises(NotValid, match="at least"):
            SUM.check(parameters(), contributors, parties)


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), min_size=4, max_size=7), st.sampled_from([3, 5]))
def test_no_coalition_of_contributors_finds_a_small_rest_in_an_opened_cell(values, parties):
    if rule.allowed(values, [], 11, parties):
        for who in rule.coalitions(len(values), parties):
            rest = sum(value for i, value in enumerate(values) if i not in who)
            assert rest == 0 or rest >= 11
    assert rule.coalition_size(len(values), parties) == (1 if parties == 3 else 2)
    assert rule.coalition_size(21, parties) == 1
