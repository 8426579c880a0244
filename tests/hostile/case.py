"""What a case is: its number in the list, the attack in words, and a function that carries it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fairnode.engine_docker import DockerEngine

ROOT = Path(__file__).parents[2]


class Verdict(StrEnum):
    """What came of an attack: it ran and reached nothing, it was not let in, or it got out."""

    CONTAINED = "contained"
    REFUSED = "refused"
    ESCAPED = "ESCAPED"


@dataclass(frozen=True)
class Outcome:
    """The verdict and what was observed."""

    verdict: Verdict
    figure: str


@dataclass(frozen=True)
class Target:
    """What is attacked: an engine, an image with python3 on it, the packed attacks, a folder for scratch."""

    engine: DockerEngine
    image_id: str
    program: Path
    folder: Path


@dataclass(frozen=True)
class Case:
    """One attack. `number` is that of the list in README.md; several attacks can share one."""

    number: int
    attack: str
    expected: Verdict
    run: Callable[[Target], Outcome]
    is_long: bool


CASES: list[Case] = []
Run = Callable[[Target], Outcome]


def case(
    number: int, attack: str, expected: str = "contained", *, is_long: bool = False
) -> Callable[[Run], Run]:
    """Adds the function below it to the list of cases."""

    def add(run: Run) -> Run:
        CASES.append(Case(number, attack, Verdict(expected), run, is_long))
        return run

    return add


def contained(held: bool, figure: str) -> Outcome:
    """Contained if it held."""
    return Outcome(Verdict.CONTAINED if held else Verdict.ESCAPED, figure)


def refused(was: bool, figure: str) -> Outcome:
    """Refused if it was."""
    return Outcome(Verdict.REFUSED if was else Verdict.ESCAPED, figure)
