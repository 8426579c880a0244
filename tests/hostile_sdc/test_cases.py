from __future__ import annotations

import runpy
from pathlib import Path

import pytest

CASES = runpy.run_path(str(Path(__file__).with_name("cases.py")))["cases"]()


@pytest.mark.parametrize(
    ("number", "attack", "expected", "run"), CASES, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(CASES)]
)
def test_the_attack_ends_as_expected(tmp_path, number, attack, expected, run):
    outcome, figure = run(tmp_path)
    assert outcome == expected, f"{number} {attack}: {outcome}, {figure}"
    assert figure
