"""Forward selection by AIC and the profile likelihood interval.

Bales, Hesketh and Silverman (2015, Significance 12:16) used it for the United Kingdom; interval by
Cormack (1992, Biometrics 48:567) through the multinomial likelihood as in Baillargeon and Rivest (2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, ndtr, xlogy
from scipy.stats import chi2

from .errors import MethodError
from .existence import fit_existing
from .fit import Fit, fit_model
from .glm import Design, design, fisher, fit_batch
from .model import main_effects
from .patterns import Bools, Floats
from .table import Table

MAX_P = 0.05
GRID = 41
ZOOMS = 6
LEAST = float(np.log(1e-3))  # below this the unseen number is taken as none


def aic_stepwise(table: Table) -> tuple[Fit, list[tuple[int, float, float]]]:
    """The fit that AIC ends at, and per step (pair mask, AIC, Wald p).

    The absent pair with the best AIC enters while AIC falls and its Wald p <= 0.05. A pair that nobody is
    on has p near 1 in the unrestricted fit this procedure uses, so it ends the search.
    """
    space = design(len(table.lists), 2)
    fit = fit_model(table, main_effects(len(table.lists)))
    steps: list[tuple[int, float, float]] = []
    while True:
        best = _best_pair(table, space, fit)
        if best is None or best[1] >= fit.aic or best[2] > MAX_P:
            return fit, steps
        steps.append(best)
        fit = fit_model(table, fit.terms | {best[0]})


def _best_pair(table: Table, space: Design, fit: Fit) -> tuple[int, float, float] | None:
    absent = [int(m) for m in space.masks if int(m) not in fit.terms]
    if not absent:
        return None
    counts = table.counts[None].astype(float)
    batch, code = fit_existing(space, counts, space.rows([fit.terms | {m} for m in absent]))
    aic = -2 * batch.loglik + 2 * batch.parameters
    row = int(np.argmin(aic))
    column = int(np.flatnonzero(space.masks == absent[row])[0])
    p = 1.0
    if code[row] == 0 and batch.finite[row, column]:
        information = fisher(space, batch.mu[row : row + 1], batch.finite[row : row + 1])[0]
        z = batch.alpha[row, column] / np.sqrt(np.linalg.inv(information)[column, column])
        p = float(2 * ndtr(-abs(z)))
    return absent[row], float(aic[row]), p


@dataclass(frozen=True)
class Profile:
    """Maximum of the multinomial profile likelihood over N, and intervals by level."""

    maximum: float
    intervals: dict[float, tuple[float, float]]


def profile(table: Table, fit: Fit, levels: tuple[float, ...] = (0.95, 0.80)) -> Profile:
    """Profile the total N of a fitted model.

    For a trial N the model is refitted with N - n persons in the unseen cell. Raises MethodError
    (`profile-open`) when the likelihood does not fall on the right.
    """
    curve = _Curve(table, fit)
    width = 6 * np.sqrt(fit.missing_variance + 1 / max(fit.missing, 1e-3)) + 0.5
    centre = np.log(max(fit.missing, 1e-3))
    top, height = curve.maximum(max(centre - width, LEAST), max(centre + width, LEAST + 1))
    intervals = {}
    for level in levels:
        cut = height - chi2.ppf(level, 1) / 2
        intervals[level] = (curve.crossing(top, cut, -width), curve.crossing(top, cut, width))
    return Profile(table.persons + float(np.exp(top)), intervals)


class _Curve:
    """The profile log-likelihood as a function of log(N - n)."""

    def __init__(self, table: Table, fit: Fit) -> None:
        order = max(2, *(m.bit_count() for m in fit.terms))
        self.terms = design(len(table.lists), order)
        self.active: Bools = self.terms.rows([fit.terms])
        known = [fit.coefficients.get(int(m), 0.0) for m in self.terms.masks]
        self.start = np.where(np.isfinite(known), known, 0.0)
        self.table = table

    def values(self, log_unseen: Floats) -> Floats:
        """Multinomial log-likelihood up to a constant, with x = N - n unseen.

        -deviance / 2 + log(N! / x!) + x log x - N log N; Cormack's x - N - log(x / N) / 2 is Stirling's
        approximation of the last terms, which runs off to infinity for x near 0.
        """
        unseen = np.exp(log_unseen)
        counts = np.repeat(self.table.counts[None].astype(float), len(unseen), axis=0)
        counts[:, 0] = unseen
        start = np.repeat(self.start[None], len(unseen), axis=0)
        start[:, 0] = log_unseen
        batch = fit_batch(self.terms, counts, self.active, start, unseen=True, max_steps=60)
        ratio = np.divide(counts, batch.mu, out=np.ones_like(counts), where=batch.mu > 0)
        half_deviance = xlogy(counts, ratio).sum(axis=1)
        total = self.table.persons + unseen
        ways = gammaln(total + 1) - gammaln(unseen + 1)
        return -half_deviance + ways + xlogy(unseen, unseen) - xlogy(total, total)

    def maximum(self, low: float, high: float) -> tuple[float, float]:
        """Place and height of the maximum, by grids that zoom in."""
        for _ in range(ZOOMS):
            grid = np.linspace(low, high, GRID)
            heights = self.values(grid)
            k = int(np.argmax(heights))
            low, high = grid[max(k - 1, 0)], grid[min(k + 1, GRID - 1)]
        return float(grid[k]), float(heights[k])

    def crossing(self, top: float, cut: float, reach: float) -> float:
        """N where the curve falls through `cut`, left (`reach` < 0) or right of the maximum."""
        near, far = top, max(top + reach, LEAST)
        for _ in range(12):
            if near == far:
                return float(self.table.persons)
            if self.values(np.array([far]))[0] < cut:
                break
            near, far = far, max(far + reach, LEAST)
        else:
            raise MethodError(
                "profile-open",
                "The profile likelihood does not fall for large N: no upper limit can be given.",
            )
        for _ in range(ZOOMS):
            grid = np.linspace(near, far, GRID)
            k = int(np.argmax(self.values(grid) < cut))
            near, far = grid[k - 1], grid[k]
        return self.table.persons + float(np.exp((near + far) / 2))
