"""Estimators from the number of persons on exactly k lists: Chao, Zelterman and the Mth lower bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import MethodError
from .glm import Design, fit_batch
from .patterns import Bools, Floats, masks_of_order, sizes
from .table import Table

Z95 = 1.96  # as the papers and Rcapture print the formula


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
    unseen = float(mth_missing(len(table.lists), table.counts[None].astype(float))[0])
    if np.isnan(unseen):
        raise MethodError("not-converged", "The Mth lower-bound model did not converge.")
    return table.persons + unseen


def mth_missing(lists: int, counts: Floats) -> Floats:
    """Unseen persons by that model for every table (R, 2^t); NaN without convergence."""
    found = np.full(len(counts), np.nan)
    waiting = {tuple(range(3, lists + 1)): np.arange(len(counts))}
    while waiting:
        heights, rows = waiting.popitem()
        alpha, done = _fit_heights(lists, counts[rows], heights)
        negative = alpha[:, lists + 1 :] < 0
        good = ~negative.any(axis=1)
        found[rows[good]] = np.where(done[good], np.exp(np.minimum(alpha[good, 0], 600)), np.nan)
        first = np.argmax(negative, axis=1) if heights else np.zeros(len(rows), dtype=int)
        for k in np.unique(first[~good]):
            rest = heights[:k] + heights[k + 1 :]
            more = rows[~good & (first == k)]
            waiting[rest] = np.concatenate([waiting.get(rest, more[:0]), more])
    return found


def _fit_heights(lists: int, counts: Floats, heights: tuple[int, ...]) -> tuple[Floats, Bools]:
    cells = np.arange(2**lists)
    singles = [((cells & m) > 0).astype(float) for m in masks_of_order(lists, 1)]
    ladder = [np.maximum(sizes(lists) - j + 1, 0).astype(float) for j in heights]
    x = np.column_stack([np.ones(2**lists), *singles, *ladder])[1:]
    base = Design(lists, np.array([0, *masks_of_order(lists, 1)], dtype=np.int64))
    start = fit_batch(base, counts, np.ones((1, lists + 1), dtype=bool)).alpha
    alpha = np.column_stack(
        [np.where(np.isfinite(start), start, -30.0), np.zeros((len(counts), len(heights)))]
    )
    return _maximise(x, counts[:, 1:], alpha, lists + 1)


def _maximise(x: Floats, seen: Floats, alpha: Floats, singles: int) -> tuple[Floats, Bools]:
    """Newton with halving for many tables; a height without persons above it is left at -25 or less."""
    done = np.zeros(len(alpha), dtype=bool)
    products = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    for _ in range(80):
        rows = np.flatnonzero(~done)
        if not len(rows):
            break
        now, mu, y = alpha[rows], np.exp(np.minimum(alpha[rows] @ x.T, 500)), seen[rows]
        information = (mu @ products).reshape(len(rows), x.shape[1], x.shape[1])
        information += 1e-12 * np.trace(information, axis1=1, axis2=2)[:, None, None] * np.eye(x.shape[1])
        step = np.linalg.solve(information, ((y - mu) @ x)[..., None])[..., 0]
        value, scale = (y * (now @ x.T)).sum(axis=1) - mu.sum(axis=1), np.ones(len(rows))
        for _ in range(40):
            eta = (now + scale[:, None] * step) @ x.T
            worse = (y * eta).sum(axis=1) - np.exp(np.minimum(eta, 500)).sum(axis=1) < value - 1e-9 * abs(
                value
            )
            if not worse.any():
                break
            scale = np.where(worse, scale / 2, scale)
        alpha[rows] = now + scale[:, None] * step
        done[rows] = (np.abs(scale[:, None] * step).max(axis=1) < 1e-9) | (
            alpha[rows, singles:].min(axis=1, initial=0.0) < -25
        )
    return alpha, done
