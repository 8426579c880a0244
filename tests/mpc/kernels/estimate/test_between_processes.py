"""From lists of keys to released figures between real processes, and the same from plain MPyC."""

from pathlib import Path

import numpy as np
import pytest

from fairnode.mpc.estimate.decomposable import Estimate
from fairnode.mpc.estimate.grid import figures
from fairnode.mpc.estimate.models import Model
from fairnode.mpc.estimate.plain import hidden_number, standard_error
from fairnode.mpc.estimate.program import interval
from fairnode.mpc.kernels.local import split
from fairnode.mpc.openings.lists import shown_cells
from fairnode.mpc.overlap.cells import read_cells
from fairnode.mpc.overlap.shape import OverlapShape, patterns
from fairnode.mpc.overlap.tables import HashingKey, bins

SCRIPT = Path(__file__).with_name("estimate_party.py")


def deal(folder, name, secret, parties):
    for row, part in split(secret, parties, (parties - 1) // 2).items():
        part.astype("<u8").tofile(folder / f"{name}-{'-'.join(map(str, row))}")


def joined(answers, field):
    rows = {}
    for answer in answers:
        for row, words in answer[field]:
            assert rows.setdefault(tuple(row), words) == words
    return np.bitwise_xor.reduce([np.array(words, np.uint64) for words in rows.values()])


@pytest.mark.parametrize(
    ("compute_parties", "plain", "errors_in_mpyc"),
    [
        (3, False, False),
        pytest.param(3, True, True, marks=pytest.mark.long),
        pytest.param(5, False, False, marks=pytest.mark.long),
    ],
)
def test_lists_become_estimates_without_an_opened_cell(
    parties, tmp_path, compute_parties, plain, errors_in_mpyc
):
    rng = np.random.default_rng(3)
    people = [[f"p{i}" for i in rng.choice(900, 250, replace=False)] for _ in range(3)]
    shape = OverlapShape(3, 300)
    key = HashingKey(b"secret", "study")
    for i, keys in enumerate(people):
        deal(tmp_path, f"list{i}", bins(keys, key, shape, i).words, compute_parties)
    small = [["a", "b", "c", "d", "e"], ["b", "c", "x"], ["c", "d", "x", "y"]]
    small_cells = [2, 0, 1, 1, 1, 1, 1]
    tiny = {"lists": 3, "bound": 5, "fingerprint": 16, "slots": 6, "synthetic": True}
    for i, keys in enumerate(small):
        dealt = bins(keys, key, OverlapShape.of(tiny), i).words
        deal(tmp_path, f"small{i}", dealt, compute_parties)
    job = {
        "folder": str(tmp_path),
        "overlap": {"lists": 3, "bound": 300},
        "estimate": {
            "models": [[], [[0, 1]], [[0, 1], [1, 2], [0, 2]]],
            "standard_errors": True,
            "observed": True,
        },
        "tiny": tiny,
        "plain": plain,
        "errors_in_mpyc": errors_in_mpyc,
    }
    answers = parties(SCRIPT, compute_parties, job, timeout=250)

    sets = [set(keys) for keys in people]
    on = [tuple(i for i in range(3) if p in sets[i]) for p in set().union(*sets)]
    cells = [on.count(pattern) for pattern in patterns(3)]
    exact = [hidden_number(cells, Model.of(3, m)) for m in ([], [[0, 1]])]
    errors = [standard_error(cells, Model.of(3, m), n0) for m, n0 in zip(([], [[0, 1]]), exact, strict=True)]
    for answer in answers:
        assert answer["whole"] == cells
        estimated = answer["estimated"]
        assert estimated["estimable"] is True
        assert estimated["observed"] == figures(sum(cells))
        assert [m["hidden"] for m in estimated["models"]][:2] == [figures(n0) for n0 in exact]
        assert [m["standard_error"] for m in estimated["models"]][:2] == [figures(e) for e in errors]
        assert estimated["models"][2]["standard_error"] is None
        if job["plain"]:
            assert answer["plain"] == [[figures(exact[1]), figures(errors[1]) if errors_in_mpyc else None]]
        if job["plain"]:
            assert answer["small"] == small_cells
    allowed = shown_cells(dict(zip(patterns(3), cells, strict=True)), 3, 11, (compute_parties - 1) // 2)
    rounded = {p: (n + 2) // 5 * 5 if p in allowed else None for p, n in zip(patterns(3), cells, strict=True)}
    assert read_cells(joined(answers, "cells"), shape) == rounded


def test_the_interval_is_around_the_estimate_and_conditional_on_an_error():
    low, high = interval(2700, Estimate(11000, 810))
    assert low < 2700 + 11000 < high
    assert interval(2700, Estimate(11000)) == (None, None)
