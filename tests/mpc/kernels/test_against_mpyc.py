"""Every gadget gives what MPyC's own expression gives on the same secrets, between real processes."""

from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).with_name("gadgets_party.py")


@pytest.mark.parametrize("compute_parties", [3, 5])
def test_each_gadget_equals_the_same_expression_in_mpyc(parties, compute_parties):
    rng = np.random.default_rng(compute_parties)
    edge = [0, 0, 255, 255, 11, 10, 1]
    values = [
        [*edge, *rng.integers(0, 30, 13).tolist()],
        [*edge[::-1], *rng.integers(0, 256, 13).tolist()],
        [*[0] * 7, *rng.integers(0, 30, 13).tolist()],
    ]
    answers = parties(SCRIPT, compute_parties, {"values": values, "bound": 11})
    for answer in answers:
        for name, (ours, theirs) in answer["opened"].items():
            assert ours == theirs, name
        assert len(answer["opened"]) == 11
        assert answer["rounds"] > 0
