"""The program `regression` between real parties: three figures of the pooled fit, or why there are none."""

import math

import numpy as np
import pytest
from mpc_network import Network, run_all

from fairnode.mpc.programs import program
from fairnode.mpc.regression.design import Design
from fairnode.mpc.regression.plain import fit_in_clear

ROWS = [[1, a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 2)]
TOLD = {
    "family": "logistic", "design": ROWS, "cells": 16, "earlier": 1, "k": 11, "lists": "disjoint",
    "engine": "bits", "largest": 500,
}  # fmt: skip


def three(x):
    return float(f"{x:.3g}")


def inputs(seed, events_of):
    rng = np.random.default_rng(seed)
    persons = rng.integers(60, 200, (4, len(ROWS)))
    return [[row.tolist(), [int(e) for e in events_of(rng, row)], [0] * 16] for row in persons]


def run(network, tmp_path, told, columns):
    outcomes = run_all(network.jobs("regression", told, columns, seconds=280), tmp_path / "run")
    return network.combine("regression", told, outcomes), outcomes


@pytest.mark.parametrize("parties", [3, pytest.param(5, marks=pytest.mark.long)])
def test_figures_are_those_of_the_pooled_persons(tmp_path, parties):
    columns = inputs(1, lambda rng, n: rng.binomial(n, [0.2, 0.4, 0.25, 0.5, 0.3, 0.3, 0.35, 0.6]))
    with Network(tmp_path / "network", parties) as network:
        table, outcomes = run(network, tmp_path, TOLD, columns)
    pooled = np.array([column[:2] for column in columns], float).sum(axis=0)
    beta, variances = fit_in_clear(Design.of(TOLD), *pooled)
    assert table["state"] == "shown"
    assert table["coefficients"] == [three(b) for b in beta]
    assert np.allclose(table["standardErrors"], np.sqrt(variances), rtol=0.006)
    assert all(o["statistics"]["opened_values"] > 1000 for o in outcomes)  # all of them masked


@pytest.mark.long
@pytest.mark.parametrize(
    ("state", "events_of"),
    [
        ("separable", lambda _, n: [0, n[1], 0, n[3], 0, n[5], 0, n[7]]),
        ("hidden", lambda *_: [0, 1, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_what_has_no_fit_or_may_not_be_shown_is_said_without_figures(three_nodes, tmp_path, state, events_of):
    table, _ = run(three_nodes, tmp_path, TOLD, inputs(2, events_of))
    assert table["state"] == state
    assert table["coefficients"] is None


@pytest.fixture
def three_nodes(tmp_path):
    with Network(tmp_path / "network") as network:
        yield network


def test_the_page_says_what_is_shown():
    assert "No step of the fit" in program("regression").describe(TOLD)
    assert math.isclose(three(0.12345), 0.123)
