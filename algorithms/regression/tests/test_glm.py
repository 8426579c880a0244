"""The fit against closed forms, against its own score equations, and on data that have no fit."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from glm import FEW, SEPARABLE, Group, NoFit, design, fit

TWO = [["a", "b"], ["x"]]


def test_with_one_yes_or_no_predictor_the_coefficient_is_the_log_odds_ratio():
    found = fit([Group(("a", "x"), 50, 10), Group(("b", "x"), 60, 30)], TWO, "logistic")
    assert found.beta[0] == pytest.approx(math.log(10 / 40))
    assert found.beta[1] == pytest.approx(math.log((30 / 30) / (10 / 40)))
    assert found.error[1] == pytest.approx(math.sqrt(1 / 10 + 1 / 40 + 1 / 30 + 1 / 30))


def test_with_one_predictor_the_poisson_coefficient_is_the_log_rate_ratio():
    found = fit([Group(("a", "x"), 50, 100), Group(("b", "x"), 60, 30)], TWO, "poisson")
    assert found.beta[1] == pytest.approx(math.log((30 / 60) / (100 / 50)))
    assert found.error[1] == pytest.approx(math.sqrt(1 / 100 + 1 / 30))


counts = st.lists(st.tuples(st.integers(20, 500), st.floats(0.1, 0.9)), min_size=6, max_size=6)


@given(counts, st.sampled_from(["logistic", "poisson"]))
@settings(deadline=None)
def test_at_the_fit_the_score_is_zero(drawn, family):
    levels = [["a", "b", "c"], ["x", "y"]]
    codes = [(a, b) for a in levels[0] for b in levels[1]]
    groups = [Group(c, n, float(round(n * p))) for c, (n, p) in zip(codes, drawn, strict=True)]
    found = fit(groups, levels, family)
    x = design(groups, levels)
    eta = x @ np.array(found.beta)
    mean = np.array([g.n for g in groups]) * (1 / (1 + np.exp(-eta)) if family == "logistic" else np.exp(eta))
    score = x.T @ (np.array([g.total for g in groups]) - mean)
    assert np.abs(score).max() < 1e-6 * sum(g.n for g in groups)


@pytest.mark.parametrize(
    "groups",
    [
        [Group(("a", "x"), 50, 0), Group(("b", "x"), 60, 60)],
        [Group(("a", "x"), 50, 0), Group(("b", "x"), 60, 30)],
        [Group(("a", "x"), 50, 0), Group(("b", "x"), 60, 0)],
        [Group(("a", "x"), 50, 50), Group(("b", "x"), 60, 60)],
    ],
)
def test_separable_data_are_said_to_be_so(groups):
    with pytest.raises(NoFit, match=SEPARABLE):
        fit(groups, TWO, "logistic")


@pytest.mark.parametrize(
    ("groups", "levels"),
    [
        ([], TWO),
        ([Group(("a", "x"), 5, 2), Group(("b", "x"), 6, 3)], TWO),
        ([Group(("a", "x"), 50, 20), Group(("b", "y"), 60, 30)], [["a", "b"], ["x", "y"]]),
    ],
)
def test_too_few_records_and_predictors_that_say_the_same_give_no_fit(groups, levels):
    with pytest.raises(NoFit, match=FEW):
        fit(groups, levels, "logistic")
