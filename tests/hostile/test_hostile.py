"""Every case comes out as the list says."""

from __future__ import annotations

import pytest

from tests.hostile.against import attack_with
from tests.hostile.all import CASES, run_case, target_on

pytestmark = pytest.mark.needs_docker


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    target = target_on(tmp_path_factory.mktemp("hostile"))
    yield target
    target.engine.close()


# The rest is covered by the self-test (tests/engine/test_probe.py) and the tests of archives, more quickly.
QUICK = frozenset(
    {1, 2, 3, 5, 6, 13, 15, 26, 38, 42, 44, 47, 48, 49, 51, 53, 69, 78, 79, 81, 82, 84, 85, 88, 92, 94}
)


ELSEWHERE = range(55, 67)  # tests/hostile_sdc runs them itself


def _name(case) -> str:
    return f"{case.number} {case.attack}"


def _mark(case):
    return pytest.param(case, marks=[] if case.number in QUICK else [pytest.mark.long], id=_name(case))


@pytest.mark.parametrize("case", [_mark(case) for case in CASES if case.number not in ELSEWHERE])
def test_the_attack_comes_to_nothing(target, case):
    outcome = run_case(case, target)
    assert outcome.verdict is case.expected, outcome.figure


PLAIN = "docker run --rm -v {{attacks}}:/a.pyz:ro -v {{folder}}:/fairnode {image} python3 /a.pyz {{name}}"


@pytest.mark.long
def test_another_system_is_judged_by_the_same_attacks(target, capsys):
    assert attack_with(PLAIN.format(image=target.image_id)) == 1
    told = dict(
        line.split()[:2] for line in capsys.readouterr().out.splitlines() if line and line[0].isalpha()
    )
    assert {told[name] for name in ("sockets", "calls", "rights", "data", "output", "old-calls")} == {
        "ESCAPED"
    }
    assert told["honest"] == "contained"


def test_silence_is_no_proof_that_it_held(capsys):
    assert attack_with("echo {attacks} {name}") == 1
    assert "contained, 18 ESCAPED" in capsys.readouterr().out
    with pytest.raises(ValueError, match="must hold"):
        attack_with("docker run image")
