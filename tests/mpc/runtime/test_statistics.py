"""Mean, variance and quantiles over contributors equal those of the pooled values, or nothing is opened."""

import itertools
import random
import statistics

import pytest
from mpc_network import Network, run_all

from fairnode.errors import NotValid
from fairnode.mpc.openings import rule
from fairnode.mpc.programs import program
from fairnode.mpc.programs.mean_variance import significant

MEAN = {
    "cells": 8,
    "k": 11,
    "lists": "disjoint",
    "engine": "mpyc",
    "largest": 5000,
    "persons": 1000,
    "dominance": 10,
    "codes": 1,
}
QUANTILE = {
    "grid": list(range(0, 101, 5)),
    "order": 50,
    "k": 11,
    "lists": "disjoint",
    "engine": "mpyc",
    "persons": 10_000,
}


def summary(groups):
    """One contributor's five lists, from its values in each group."""
    tops = [[*sorted(values, reverse=True), 0, 0] for values in groups]
    return [
        [len(values) for values in groups],
        [sum(values) for values in groups],
        [sum(value * value for value in values) for values in groups],
        [top[0] for top in tops],
        [top[1] for top in tops],
    ]


def mean_in_clear(parts, parties):
    pooled = sorted(itertools.chain.from_iterable(parts), reverse=True)
    counts = [len(part) for part in parts]
    if not rule.allowed(counts, [], 11, parties):
        return None
    if 100 * sum(pooled[2:]) < 10 * pooled[0] or len(set(pooled)) == 1:
        return None
    return {
        "n": rule.rounded(len(pooled), 5),
        "mean": significant(statistics.mean(pooled)),
        "standard_deviation": significant(statistics.stdev(pooled)),
    }


@pytest.mark.parametrize("parties", [3, pytest.param(5, marks=pytest.mark.long)])
def test_mean_and_deviation_are_those_of_the_pooled_values(tmp_path, parties):
    rng = random.Random(1)
    many = [[rng.randrange(100) for _ in range(rng.randrange(12, 30))] for _ in range(4)]
    few = [[1, 2], [3], [4], []]
    giant = [[5000, 1, 1], [0] * 20, [1] * 20, [0] * 20]
    two_giants = [[5000, 4900], [0] * 20, [1] * 20, [499 - 20] + [0] * 20]
    just_fair = [[5000, 4900], [0] * 20, [1] * 20, [500 - 20] + [0] * 20]
    no_rest = [[9] * 30, [], [], [7] * 5]
    alike = [[3] * 20] * 4
    groups = [many, few, giant, two_giants, just_fair, no_rest, alike, many]
    contributors = [summary([group[i] for group in groups]) for i in range(4)]
    for told, rare in zip(contributors, (2, 1, 0, 4), strict=True):
        told.append([*told[0][:-1], rare])  # of the last group few persons have the value that is counted
    with Network(tmp_path / "network", parties) as network:
        outcomes = run_all(network.jobs("mean-variance", MEAN, contributors), tmp_path / "run")
        table = network.combine("mean-variance", MEAN, outcomes)
    wanted = [*(mean_in_clear(group, parties) for group in groups[:-1]), None]
    assert table["cells"] == wanted
    assert [cell is None for cell in wanted] == [False, True, True, True, False, True, True, True]


def quantile_in_clear(parts, told, parties):
    pooled = list(itertools.chain.from_iterable(parts))
    value = next(g for g in told["grid"] if 100 * sum(v <= g for v in pooled) >= told["order"] * len(pooled))
    for who in ((), *rule.coalitions(len(parts), parties)):
        rest = [v for i, part in enumerate(parts) if i not in who for v in part]
        if min(sum(v <= value for v in rest), sum(v > value for v in rest)) < 11:
            return None
    return value


@pytest.mark.parametrize(
    ("order", "shift"), [(50, 0), pytest.param(60, 20, marks=pytest.mark.long), (50, 60)]
)
def test_a_quantile_is_that_of_the_pooled_values(three, tmp_path, order, shift):
    rng = random.Random(order + shift)
    parts = [[min(100, rng.randrange(60) + shift * (i == 0)) for _ in range(40)] for i in range(3)]
    if shift == 60:
        parts = [[100] * 40, [1] * 40, [99] * 3]
    told = QUANTILE | {"order": order}
    columns = [[[sum(v <= g for v in part) for g in told["grid"]]] for part in parts]
    outcomes = run_all(three.jobs("quantile", told, columns), tmp_path / "run")
    wanted = quantile_in_clear(parts, told, 3)
    assert three.combine("quantile", told, outcomes)["value"] == wanted
    assert (wanted is None) == (shift == 60)


@pytest.mark.parametrize(
    ("name", "told", "columns"),
    [
        ("mean-variance", MEAN, [[1] * 8] * 5),
        ("mean-variance", MEAN, [[1] * 8] * 4 + [[5001] * 8, [1] * 8]),
        ("quantile", QUANTILE, [[5] * 20 + [4]]),
        ("quantile", QUANTILE, [[-1] * 21]),
    ],
)
def test_numbers_that_a_program_does_not_take_are_refused(name, told, columns):
    with pytest.raises(NotValid):
        program(name).encode(columns, told, 0)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mean-variance", MEAN | {"dominance": 0}),
        ("mean-variance", MEAN | {"cells": 21, "codes": 50}),
        ("mean-variance", MEAN | {"largest": 1 << 24, "persons": 1 << 22}),
        ("quantile", QUANTILE | {"grid": [3, 2]}),
        ("quantile", QUANTILE | {"grid": "all"}),
        ("quantile", QUANTILE | {"order": 100}),
        ("quantile", {**QUANTILE, "more": 1}),
    ],
)
def test_parameters_that_a_program_does_not_take_are_refused(name, told):
    with pytest.raises(NotValid):
        program(name).check(told, 4, 3)
