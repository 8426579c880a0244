"""The fit in clear, by the same likelihood: the oracle of the one under sharing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairnode.mpc.regression.design import LOGISTIC, Design

Vector = NDArray[np.float64]


def fit_in_clear(design: Design, persons: Vector, events: Vector, steps: int = 50) -> tuple[Vector, Vector]:
    """Coefficients and their variances at the maximum of the likelihood; no guard against separation."""
    rows = design.rows.astype(float)
    rate = events.sum() / persons.sum()
    beta = np.zeros(design.columns)
    beta[0] = np.log(rate / (1 - rate)) if design.family == LOGISTIC else np.log(rate)
    for _ in range(steps):
        means, weights = _means(design, rows @ beta)
        information = rows.T @ (rows * (persons * weights)[:, None])
        beta = beta + np.linalg.solve(information, rows.T @ (events - persons * means))
    return beta, np.diag(np.linalg.inv(information))


def _means(design: Design, eta: Vector) -> tuple[Vector, Vector]:
    if design.family == LOGISTIC:
        means = 1 / (1 + np.exp(-eta))
        return means, means * (1 - means)
    return np.exp(eta), np.exp(eta)
