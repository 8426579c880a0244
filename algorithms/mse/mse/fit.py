"""One model on one table, with everything that is reported about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from .errors import MethodError
from .existence import status
from .glm import Batch, Design, design, fisher, fit_batch
from .patterns import Floats
from .table import Table

STATUS_TEXT = {
    1: "no maximum likelihood estimate exists (Fienberg-Rinaldo linear programme)",
    2: "the unseen cell is not identifiable (fewer fitted cells than terms)",
    3: "no maximum likelihood estimate exists and the unseen cell is not identifiable",
}


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model: `coefficients` by mask (-inf allowed), `covariance` of the finite ones."""

    terms: frozenset[int]
    persons: int
    missing: float
    coefficients: dict[int, float]
    covariance: Floats
    finite: tuple[int, ...]
    loglik: float
    deviance: float
    residual_df: int

    @property
    def estimate(self) -> float:
        """Persons seen and unseen."""
        return self.persons + self.missing

    @property
    def aic(self) -> float:
        """-2 log L + 2 p, terms with -inf counted."""
        return -2 * self.loglik + 2 * len(self.terms)

    @property
    def bic(self) -> float:
        """-2 log L + p log n with n persons, terms with -inf counted."""
        return -2 * self.loglik + len(self.terms) * float(np.log(self.persons))

    @property
    def missing_variance(self) -> float:
        """Variance of the intercept (log of the unseen number)."""
        return float(self.covariance[0, 0])

    @property
    def standard_error(self) -> float:
        """Of the estimate, with Poisson variation of the unseen: sqrt(m + m^2 V) as Rcapture prints it."""
        return float(np.sqrt(self.missing + self.missing**2 * self.missing_variance))

    def standard_errors(self) -> dict[int, float]:
        """Of the finite coefficients, by mask."""
        return dict(zip(self.finite, np.sqrt(np.diag(self.covariance)), strict=True))


def model_design(lists: int, terms: frozenset[int]) -> Design:
    """A design that can express the terms, in the usual order."""
    return design(lists, max(min(lists, 2), *(term.bit_count() for term in terms)))


def fit_model(table: Table, terms: frozenset[int]) -> Fit:
    """Fit one hierarchical model by extended maximum likelihood.

    Raises MethodError (`not-estimable`) when no estimate exists or it is not identifiable.
    """
    space = model_design(len(table.lists), terms)
    active = space.rows([terms])
    counts = table.counts.astype(float)
    code = status(space, counts, active[0])
    if code:
        raise MethodError("not-estimable", f"For this model {STATUS_TEXT[code]}.")
    batch = fit_batch(space, counts[None], active, max_steps=300)
    if not batch.converged[0]:
        raise MethodError("not-converged", "The fit did not converge in 300 steps.")
    return describe(space, batch, 0, table)


def describe(space: Design, batch: Batch, row: int, table: Table) -> Fit:
    """The full description of one row of a batch on `table`."""
    finite = batch.finite[row]
    information = fisher(space, batch.mu[row : row + 1], finite[None])[0][np.ix_(finite, finite)]
    seen, fitted, kept = table.counts.astype(float), batch.mu[row], batch.kept[row]
    ratio = np.divide(seen, fitted, out=np.ones_like(seen), where=kept & (fitted > 0))
    active = [int(m) for m in space.masks[batch.active[row]]]
    return Fit(
        terms=frozenset(active),
        persons=table.persons,
        missing=float(batch.missing[row]),
        coefficients=dict(zip(active, map(float, batch.alpha[row][batch.active[row]]), strict=True)),
        covariance=np.linalg.inv(information),
        finite=tuple(int(m) for m in space.masks[finite]),
        loglik=float(batch.loglik[row]),
        deviance=float(2 * (xlogy(seen, ratio) - (seen - fitted))[kept].sum()),
        residual_df=int(2 ** len(table.lists) - 1 - len(active)),
    )
