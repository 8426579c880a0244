"""The clipped gradient against its definition, and what training with it comes to."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "kit"))
from federated import gradient

CODES = ["a", "b"]
GROUPS = st.fixed_dictionaries(
    {
        c: st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda t: (t[0] + t[1], float(t[1])))
        for c in CODES
    }
)
WEIGHTS = st.lists(st.floats(-20, 20), min_size=3, max_size=3)


@given(GROUPS, WEIGHTS, st.floats(0.1, 1))
@settings(deadline=None)
def test_one_record_moves_the_sum_by_at_most_the_clip(groups, weights, clip):
    before = gradient(groups, CODES, weights, clip)
    n, positive = groups["a"]
    for one in (0.0, 1.0):
        after = gradient({**groups, "a": (n + 1, positive + one)}, CODES, weights, clip)
        assert math.dist(before, after) <= clip * (1 + 1e-9) + 1e-9


def test_unclipped_it_is_the_gradient_of_the_likelihood():
    found = gradient({"a": (10, 4.0), "b": (20, 5.0)}, CODES, [0.0, 0.0, 0.0], 1.0)
    assert found == pytest.approx([(10 * 0.5 - 4) + (20 * 0.5 - 5), 1.0, 5.0])


def test_rounds_of_it_come_to_the_chances_in_the_data():
    groups, weights = {"a": (400, 100.0), "b": (600, 420.0)}, [0.0, 0.0, 0.0]
    for _ in range(400):
        step = gradient(groups, CODES, weights, 1.5)  # no record is longer, so nothing is cut
        weights = [w - 0.004 * s for w, s in zip(weights, step, strict=True)]
    chances = [1 / (1 + math.exp(-(weights[0] + w))) for w in weights[1:]]
    assert chances == pytest.approx([0.25, 0.7], abs=0.01)
