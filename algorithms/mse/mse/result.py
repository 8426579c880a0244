"""The records that methods hand to the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import floor, isfinite, log10

from .words import WORDS

Value = float | int | str | bool | None | list["Value"] | dict[str, "Value"]


@dataclass(frozen=True)
class Interval:
    """An interval for the total; `kind` tells how it was made."""

    lower: float
    upper: float
    level: float
    kind: str


@dataclass(frozen=True)
class Estimate:
    """What one method says about the total number of persons, seen and unseen."""

    method: str
    estimate: float
    intervals: tuple[Interval, ...]
    terms: tuple[str, ...] | None  # interactions of the model; None where the method has no single model
    diagnostics: dict[str, Value] = field(default_factory=dict)
    weights: tuple[tuple[str, float, float | None], ...] = ()  # (model, weight, its total)

    def sound(self, persons: int) -> bool:
        """Finite, not below the persons seen, with ordered limits, and no runaway above 10^6 n."""
        numbers = [self.estimate, *(v for i in self.intervals for v in (i.lower, i.upper))]
        ordered = all(i.lower <= i.upper for i in self.intervals)
        top = 1e6 * persons
        return ordered and all(isfinite(v) and persons - 1e-6 * persons <= v <= top for v in numbers)


def rounded(value: float, digits: int = 2) -> int:
    """To significant figures: what may be printed in a text for the public."""
    if value <= 0:
        return 0
    scale = 10 ** max(0, floor(log10(value)) + 1 - digits)
    return round(value / scale) * scale


def estimate_json(found: Estimate) -> dict[str, Value]:
    """One estimate in the output format."""
    words = WORDS[found.method.split("#")[0]]
    first, *others = found.intervals
    return {
        "method": found.method,
        "title": words.title,
        "estimate": found.estimate,
        "rounded": rounded(found.estimate),
        "interval": _interval(first),
        "otherIntervals": [_interval(i) for i in others],
        "model": None if found.terms is None else {"interactions": list(found.terms)},
        "modelWeights": [{"model": m, "weight": w, "estimate": e} for m, w, e in found.weights],
        "diagnostics": found.diagnostics,
        "assumptions": list(words.assumptions),
        "evidence": list(words.evidence),
        "page": f"docs/mse/{words.page}",
    }


def _interval(found: Interval) -> dict[str, Value]:
    return {"lower": found.lower, "upper": found.upper, "level": found.level, "kind": found.kind}
