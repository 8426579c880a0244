"""Bias-corrected and accelerated (BCa) intervals with the whole selection redone in every resample.

Efron (1987, JASA 82:171); for multiple systems estimation Chan, Silverman and Vincent (2021).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from .errors import MethodError
from .patterns import Floats
from .table import Table

LEVELS = (0.95, 0.80)
MIN_USABLE = 50
Estimator = Callable[[Floats], Floats]  # tables (R, 2^t) -> unseen persons (R,), NaN where none


@dataclass(frozen=True)
class Bca:
    """Intervals by level and what a reader needs to judge them."""

    intervals: dict[float, tuple[float, float]]
    replicates: int
    failed: int
    bias_correction: float
    acceleration: float
    at_extreme: tuple[float, ...]  # levels whose limit is the smallest or largest resample
    median: float


def resamples(table: Table, number: int, seed: int) -> Floats:
    """`number` multinomial resamples of the persons, shape (number, 2^t)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(table.persons, table.counts / table.persons, size=number).astype(float)


def leave_one_out(table: Table) -> tuple[Floats, Floats]:
    """The tables with one person less, one for every pattern seen, and the persons of the pattern."""
    seen = np.flatnonzero(table.counts)
    tables = np.repeat(table.counts[None].astype(float), len(seen), axis=0)
    tables[np.arange(len(seen)), seen] -= 1
    return tables, table.counts[seen].astype(float)


def acceleration(table: Table, estimate: Estimator) -> float:
    """BCa acceleration by the jackknife over patterns, weighted by their counts."""
    tables, weights = leave_one_out(table)
    values = tables.sum(axis=1) + estimate(tables)
    usable = np.isfinite(values)
    values, weights = values[usable], weights[usable]
    rest = np.average(values, weights=weights) - values if len(values) else values
    spread = (weights * rest**2).sum()
    return float((weights * rest**3).sum() / (6 * spread**1.5)) if spread > 0 else 0.0


def bca(table: Table, point: float, estimate: Estimator, number: int, seed: int) -> Bca:
    """The BCa intervals of `point` (persons in all) from `number` resamples.

    Raises MethodError (`bootstrap-failed`) when fewer than 50 resamples, or half, have an estimate.
    """
    tables = resamples(table, number, seed)
    totals = table.persons + estimate(tables)
    usable = np.sort(totals[np.isfinite(totals)])
    if len(usable) < max(MIN_USABLE, number / 2):
        raise MethodError(
            "bootstrap-failed",
            f"Only {len(usable)} of {number} resamples have an estimate: no honest interval can be given.",
        )
    below = np.clip((usable < point).mean(), 0.5 / len(usable), 1 - 0.5 / len(usable))
    z0, a = float(ndtri(below)), acceleration(table, estimate)
    limits = {level: _limits(usable, z0, a, level) for level in LEVELS}
    extreme = tuple(v for v, (lo, hi) in limits.items() if lo <= usable[0] or hi >= usable[-1])
    return Bca(limits, number, number - len(usable), z0, a, extreme, float(np.median(usable)))


def _limits(values: Floats, z0: float, a: float, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low, high = (_adjusted(z0, a, ndtri(p)) for p in (tail, 1 - tail))
    found = np.quantile(values, [low, high], method="median_unbiased")
    return float(found[0]), float(found[1])


def _adjusted(z0: float, a: float, z: float) -> float:
    shrink = 1 - a * (z0 + z)
    return float(ndtr(z0 + (z0 + z) / shrink)) if shrink > 1e-9 else float(z > 0)
