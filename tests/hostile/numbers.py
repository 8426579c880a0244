"""Cases 55-66: attacks on the numbers themselves, as tests/hostile_sdc lists them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.hostile.case import Outcome, Target, Verdict, case
from tests.hostile_sdc.cases import cases


def _add() -> None:
    for number, attack, expected, run in cases():
        case(number, attack, expected, is_long=True)(_against(run))


def _against(run: Callable[[Path], tuple[str, str]]) -> Callable[[Target], Outcome]:
    def attack(target: Target) -> Outcome:
        verdict, figure = run(target.folder)
        return Outcome(Verdict(verdict), str(figure))

    return attack


_add()
