"""Estimators from the number of persons on exactly k lists: Chao, Zelterman and the Mth lower bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import MethodError
from .glm import Design, fit_batch
from .patterns import Floats, masks_of_order, sizes
from .table import Table

Z95 = 1.959963984540054


@dataclass(frozen=True)
class Chao:
    """Totals by formula and the log-normal 95 % interval of the first one."""

    estimate: float
    interval: tuple[float, float]
    bias_corrected: float
    scaled: float  # Chao's term times (t - 1) / t


def _once_and_twice(table: Table) -> tuple[int, int]:
    once, twice = (*table.by_lists, 0)[:2]
    if twice == 0:
        raise MethodError("no-pairs", "Nobody is on exactly two lists, so f1^2 / (2 f2) has no value.")
    if once == 0:
        raise MethodError("no-singles", "Nobody is on exactly one list: nothing is said of the unseen.")
    return once, twice


def chao(table: Table) -> Chao:
    """Compute n + f1^2 / (2 f2) and variants (Chao 1987, Biometrics 43:783; interval Chao 1989).

    Raises MethodError when f1 or f2 is 0.
    """
    once, twice = _once_and_twice(table)
    n, t, ratio = table.persons, len(table.lists), once / twice
    unseen = once**2 / (2 * twice)
    variance = twice * (ratio**4 / 4 + ratio**3 + ratio**2 / 2)
    spread = float(np.exp(Z95 * np.sqrt(np.log1p(variance / unseen**2))))
    return Chao(
        estimate=n + unseen,
        interval=(n + unseen / spread, n + unseen * spread),
        bias_corrected=n + once * (once - 1) / (2 * (twice + 1)),
        scaled=n + unseen * (t - 1) / t,
    )


def zelterman(table: Table) -> tuple[float, tuple[float, float]]:
    """Compute n / (1 - exp(-2 f2 / f1)) and its 95 % interval (Zelterman 1988; variance Boehning 2008)."""
    once, twice = _once_and_twice(table)
    n, rate = table.persons, 2 * twice / once
    hit = -float(np.expm1(-rate))
    estimate = n / hit
    rate_variance = rate**2 * (1 / once + 1 / twice)
    variance = n * (1 - hit) / hit**2 + (n * (1 - hit) / hit**2) ** 2 * rate_variance
    half = Z95 * float(np.sqrt(variance))
    return estimate, (max(float(n), estimate - half), estimate + half)


def mth_lower_bound(table: Table) -> float:
    """The Mth model of Rcapture with Chao's lower bound (Rivest and Baillargeon 2007).

    Main effects plus eta_j max(k - j + 1, 0), j = 3..t for a person on k lists; negative eta are set to
    0 one at a time. Raises MethodError when the fit does not converge.
    """
    t = len(table.lists)
    heights = list(range(3, t + 1))
    while True:
        alpha = _fit_heights(table, heights)
        negative = [j for j, eta in zip(heights, alpha[t + 1 :], strict=True) if eta < 0]
        if not negative:
            return table.persons + float(np.exp(alpha[0]))
        heights.remove(negative[0])


def _fit_heights(table: Table, heights: list[int]) -> Floats:
    t = len(table.lists)
    on_lists = sizes(t)
    singles = [((np.arange(2**t) & m) > 0).astype(float) for m in masks_of_order(t, 1)]
    ladder = [np.maximum(on_lists - j + 1, 0).astype(float) for j in heights]
    x = np.column_stack([np.ones(2**t), *singles, *ladder])[1:]
    seen = table.counts[1:].astype(float)
    base = Design(t, np.array([0, *masks_of_order(t, 1)], dtype=np.int64))
    start = fit_batch(base, table.counts[None].astype(float), np.ones((1, t + 1), dtype=bool)).alpha[0]
    alpha = np.concatenate([start, np.zeros(len(heights))])
    return _maximise(x, seen, alpha)


def _maximise(x: Floats, seen: Floats, alpha: Floats) -> Floats:
    """Newton with halving; a height without persons above it ends at a large negative value."""
    for _ in range(60):
        mu = np.exp(np.minimum(x @ alpha, 500))
        information = x.T @ (mu[:, None] * x)
        step = np.linalg.lstsq(information, x.T @ (seen - mu), rcond=1e-13)[0]
        value = seen @ (x @ alpha) - mu.sum()
        for _ in range(40):
            eta = x @ (alpha + step)
            if seen @ eta - np.exp(np.minimum(eta, 500)).sum() >= value - 1e-9 * abs(value):
                break
            step = step / 2
        alpha = alpha + step
        if np.abs(step).max() < 1e-9 or alpha[-1] < -30:
            return alpha
    raise MethodError("not-converged", "The Mth lower-bound model did not converge.")
