"""The noisy sum: noise of the distribution it claims, vectors that are too long left out, nothing else opened."""

import math
import statistics
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from mpc_network import STUDY, Network, run_all

from fairnode.errors import NotValid
from fairnode.mpc.dealing import Terms, deal
from fairnode.mpc.programs import noisy_sum, program
from fairnode.mpc.programs.gaussian import Stream, discrete_gaussian

PARAMETERS = {"cells": 200, "clip": 2.0, "noise": 4, "engine": "mpyc"}
SPREAD = 4 * noisy_sum.STEPS


def drawn(sigma, many, seed=b"seed"):
    stream = Stream(seed)
    return [discrete_gaussian(stream, sigma) for _ in range(many)]


def test_the_noise_has_the_chances_of_the_discrete_gaussian():
    sigma, many = 2, 20_000
    found = drawn(sigma, many)
    weights = {y: math.exp(-(y**2) / (2 * sigma**2)) for y in range(-40, 41)}
    total = sum(weights.values())
    chi = sum(
        (found.count(y) - many * w / total) ** 2 / (many * w / total)
        for y, w in weights.items()
        if abs(y) < 7
    )
    assert chi < 34.5, "99.9 % of chi-square with 13 cells"
    assert max(map(abs, found)) < 20


def test_a_wide_noise_has_its_standard_deviation():
    found = drawn(SPREAD, 3000)
    assert statistics.pstdev(found) == pytest.approx(SPREAD, rel=0.06)
    assert abs(statistics.fmean(found)) < 4 * SPREAD / math.sqrt(3000)


@given(st.binary(min_size=1, max_size=64), st.integers(1, 10_000))
def test_who_has_the_seed_draws_the_same_noise(seed, sigma):
    assert drawn(sigma, 3, seed) == drawn(sigma, 3, seed)


@given(st.lists(st.integers(-1200, 1200), min_size=4, max_size=4))
def test_a_node_deals_no_vector_that_is_longer_than_a_clip(steps):
    parameters = {**PARAMETERS, "cells": 4}
    if math.hypot(*steps) > noisy_sum.STEPS:
        with pytest.raises(NotValid):
            noisy_sum.encode([steps], parameters)
    else:
        assert len(noisy_sum.encode([steps], parameters)) == 4


@pytest.mark.parametrize(
    "wrong", [{"noise": 3}, {"noise": True}, {"clip": 0}, {"clip": "1"}, {"cells": 257}, {"k": 11}]
)
def test_weaker_noise_and_other_parameters_are_refused(wrong):
    with pytest.raises(NotValid):
        noisy_sum.check({**PARAMETERS, **wrong}, 4, 3)


@pytest.mark.parametrize("parties", [3, pytest.param(5, marks=pytest.mark.long)])
def test_short_vectors_are_added_a_long_one_counts_as_nothing_and_noise_is_on_every_number(tmp_path, parties):
    clip, cells = noisy_sum.STEPS, PARAMETERS["cells"]
    one = [[clip, *[0] * (cells - 1)]] * 60
    other = [[0, -clip, *[0] * (cells - 2)]] * 60
    with Network(tmp_path / "network", parties) as network:
        jobs = network.jobs("noisy-sum", PARAMETERS, [*one, *other, [0] * cells])
        planted = _longer(network, jobs, [0, 0, *[900 * clip] * (cells - 2)])
        outcomes = run_all(planted, tmp_path / "run")
        table = network.combine("noisy-sum", PARAMETERS, outcomes)
    first, second, *rest = table["numbers"]
    spread = 2.0 * 4 * math.sqrt(math.comb(parties, (parties - 1) // 2))  # in the units of the vectors
    assert abs(first - 120) < 5 * spread
    assert abs(second + 120) < 5 * spread
    assert statistics.pstdev(rest) == pytest.approx(spread, rel=0.25), "a long vector would stand 1800 higher"
    assert abs(statistics.fmean(rest)) < spread


def _longer(network, jobs, steps):
    """The jobs with a last contributor whose node broke the rule: its vector is far longer than a clip."""
    chosen, number = program("noisy-sum"), len(jobs[0]["inputs"]) - 1
    sender, key = jobs[0]["inputs"][number]["sender"], Ed25519PrivateKey.generate()
    public = tuple(receiver.public for receiver in network.receivers)
    terms = Terms(STUDY, 1, sender, chosen.ring(PARAMETERS), chosen.length(PARAMETERS, number), public)
    dealing = deal(np.array(steps, dtype=np.uint64), terms, key)
    for party, job in enumerate(jobs):
        told = job["inputs"][number]
        Path(told["package"]).write_bytes(dealing.packages[party])
        Path(told["correction"]).write_bytes(dealing.correction)
        told["key"] = key.public_key().public_bytes_raw().hex()
    return jobs


def test_what_is_opened_has_three_figures():
    told = noisy_sum.table({"numbers": [123_456, noisy_sum.P61 - 123_456]}, PARAMETERS)
    assert told["numbers"] == [247.0, -247.0]
