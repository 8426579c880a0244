"""Differential privacy that a study asks for in a stage's options: instead of hiding, or of two reviews.

    {"epsilon": 0.5}                                          counts of persons, with geometric noise
    {"epsilon": 0.5, "blocks": 30, "low": 0, "high": 100}     any image: sample and aggregate (class B)

In the second form the image runs on `blocks` disjoint parts of the persons; each number is the mean of what
the parts said, each brought within `low` and `high`, with Laplace noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from math import isfinite

from fairnode import errors
from fairnode.disclosure.rules import RuleSet
from fairnode.records.result import Kind, OutputContract, Unit
from fairnode.studies.document import Stage, StudyPlan

_NAMES = ("epsilon", "blocks", "low", "high")
MOST_BLOCKS = 60


@dataclass(frozen=True)
class PrivacyTerms:
    """What was asked for. `epsilon` is in thousandths, for the whole stage; `blocks` is 0 for counts."""

    epsilon: int
    blocks: int = 0
    low: float = 0.0
    high: float = 0.0

    @property
    def middle(self) -> float:
        """What a part counts for that gave no answer: it must not depend on the data."""
        return (self.low + self.high) / 2

    def within(self, value: float) -> float:
        """A number brought within the bounds."""
        return min(self.high, max(self.low, value))


def privacy_of(plan: StudyPlan, stage: str) -> PrivacyTerms | None:
    """The terms of a stage; None where it asks for none. Raises `NotValid` for terms that cannot be."""
    options = next((s for s in plan.stages if s.name == stage), Stage(stage, "visit")).options
    if not any(name in options for name in _NAMES):
        return None
    numbers = [options.get(name, 0) for name in _NAMES]
    if any(isinstance(n, bool) or not isinstance(n, (int, float)) or not isfinite(n) for n in numbers):
        raise _wrong(stage, "epsilon, blocks, low and high are numbers")
    epsilon, blocks, low, high = numbers
    if round(epsilon * 1000) < 1 or blocks != int(blocks) or not 0 <= blocks <= MOST_BLOCKS:
        raise _wrong(stage, f"epsilon is 0.001 or more, blocks a whole number up to {MOST_BLOCKS}")
    return PrivacyTerms(round(epsilon * 1000), int(blocks), float(low), float(high))


def check_privacy(
    terms: PrivacyTerms, contract: OutputContract, multiple: frozenset[str], rules: RuleSet
) -> None:
    """Raise `NotValid` unless these terms fit the tables. `multiple` are variables with several values.

    Counts are of persons, each in one cell of a table: only then is it known what one person changes.
    """
    if terms.epsilon > rules.number("privacy-loss.epsilon") * 1000:
        raise _wrong("epsilon", rules.explain("privacy-loss"))
    if contract.class_b:
        if terms.blocks < rules.count("privacy-loss.blocks") or not terms.low < terms.high:
            raise _wrong("blocks, low, high", rules.explain("privacy-loss"))
        return
    counted = all(
        table.kind is Kind.COUNT
        and table.unit is Unit.PERSON
        and not multiple & {axis.variable for axis in table.dimensions}
        for table in contract.tables
    )
    if terms.blocks or not counted:
        raise _wrong("epsilon", "noise is added to counts of persons by variables with one value each")


def check_installed() -> None:
    """Raise `Unavailable` where the library that makes the noise is not installed."""
    if find_spec("opendp") is None:
        raise errors.NotValid(
            "This node has no differential privacy.",
            to_do="Its operator installs it: pip install 'fairnode[dp]'",
        )


def _wrong(where: str, what: str) -> errors.NotValid:
    finding = errors.Finding(where, what)
    return errors.NotValid("The study's terms of differential privacy cannot be.", findings=(finding,))
