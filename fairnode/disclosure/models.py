"""Results of class B, which the node cannot recompute: models, quantiles, anything else.

Limiting digits and bits is mitigation, not protection (six numbers of three digits hold a case record),
so each also needs two reviews, or differential privacy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log2

from fairnode.disclosure.rounding import limit_digits
from fairnode.disclosure.rules import RuleSet


@dataclass(frozen=True)
class Model:
    """What is known of numbers about some persons: how many they could be the parameters of a model for."""

    persons: int
    parameters: int

    @property
    def residual_dof(self) -> int:
        """Observations left over after the parameters are fixed; none of a saturated model."""
        return self.persons - self.parameters


def model_allowed(model: Model, rules: RuleSet) -> bool:
    """Whether a model may be shown: enough left over, so that it is not saturated, and few parameters."""
    return (
        model.persons >= rules.k
        and model.residual_dof >= rules.number("model.residual_dof")
        and model.parameters <= rules.number("model.parameters_per_row") * model.persons
    )


def limited(values: Sequence[float], rules: RuleSet) -> tuple[float, ...] | None:
    """The numbers with few digits; None if they are too many or hold too many bits in all."""
    digits = rules.count("class-b.digits")
    if len(values) > rules.count("class-b.numbers") or bits(len(values), digits) > rules.count(
        "class-b.bits"
    ):
        return None
    return tuple(limit_digits(value, digits) for value in values)


def bits(numbers: int, digits: int) -> int:
    """An upper bound of what so many numbers can carry: digits, a sign, and an exponent of five bits."""
    return numbers * (ceil(log2(9 * 10 ** (digits - 1))) + 1 + 5)
