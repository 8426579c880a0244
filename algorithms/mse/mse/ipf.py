"""Iterative proportional fitting with the unseen cell carried along (Bishop, Fienberg and Holland 1975).

Every scaling makes one margin of the *seen* cells right; the unseen cell takes the factor of its own
margin cell but is never counted in a margin. Its limit is the extended maximum likelihood estimate,
terms of minus infinity included. The oracle of the version inside secure computation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import MethodError
from .patterns import Floats, Ints
from .table import Table

MAX_SWEEPS = 20_000
TOLERANCE = 1e-12


@dataclass(frozen=True)
class Ipf:
    """Unseen persons, sweeps used and the fitted seen cells (2^t,)."""

    missing: float
    sweeps: int
    fitted: Floats


def generators(terms: frozenset[int]) -> list[int]:
    """The terms that no other term contains."""
    return sorted(m for m in terms if not any(m != o and m & o == m for o in terms))


def ipf(table: Table, terms: frozenset[int]) -> Ipf:
    """Fit by proportional scaling, with a last Aitken step on the unseen cell.

    Raises MethodError (`not-converged`) when it moves after 20,000 sweeps, as it does without a maximum.
    """
    cells = np.arange(len(table.counts))
    groups = [cells & mask for mask in generators(terms)]
    goals = [np.bincount(g[1:], weights=table.counts[1:], minlength=len(cells)) for g in groups]
    fitted = np.ones(len(cells))
    track = [1.0]
    for sweep in range(1, MAX_SWEEPS + 1):
        before = fitted.copy()
        for group, goal in zip(groups, goals, strict=True):
            fitted *= _factors(fitted, group, goal)
        track = [*track[-2:], float(fitted[0])]
        if np.all(np.abs(fitted - before) <= TOLERANCE * np.maximum(fitted, 1e-9)) and sweep > 2:
            return Ipf(_aitken(track), sweep, np.where(cells > 0, fitted, 0.0))
    raise MethodError(
        "not-converged",
        f"Proportional fitting still moves after {MAX_SWEEPS} sweeps: the "
        "model probably has no maximum likelihood estimate on this table.",
    )


def _factors(fitted: Floats, group: Ints, goal: Floats) -> Floats:
    now = np.bincount(group[1:], weights=fitted[1:], minlength=len(fitted))
    return np.divide(goal, now, out=np.zeros_like(now), where=now > 0)[group]


def _aitken(track: list[float]) -> float:
    first, second, third = track
    bend = third - 2 * second + first
    step = (third - second) ** 2 / bend if abs(bend) > 1e-12 * third else 0.0
    return third - step if abs(step) < 1e-3 * third else third
