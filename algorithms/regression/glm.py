"""A generalised linear model on grouped data, fitted by iteratively reweighted least squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEW, SEPARABLE = "too few records", "separable"
MOST_ROUNDS, TOLERANCE = 50, 1e-10
RESIDUAL, PER_PARAMETER = 10, 10  # groups' records left over, and records a parameter
BEYOND = 15.0  # a linear predictor this far out, and still going, has no maximum: odds of three million

Numbers = NDArray[np.float64]


class NoFit(Exception):
    """There is no estimate; the message is FEW or SEPARABLE."""


@dataclass(frozen=True)
class Group:
    """The records with one code of each predictor: how many, and the sum of their outcomes."""

    codes: tuple[str, ...]
    n: int
    total: float


@dataclass(frozen=True)
class Fit:
    """Coefficients (intercept first, then each predictor's codes but its first) and standard errors."""

    beta: tuple[float, ...]
    error: tuple[float, ...]


def fit(groups: Sequence[Group], levels: Sequence[Sequence[str]], family: str) -> Fit:
    """The maximum likelihood fit of family "logistic" or "poisson".

    Raises `NoFit`: with too few records, predictors that say the same, or an outcome that a combination of
    codes decides alone, so that the likelihood grows without end.
    """
    kept = [g for g in groups if all(code in codes for code, codes in zip(g.codes, levels, strict=True))]
    x = design(kept, levels)
    n, y = np.array([g.n for g in kept], float), np.array([g.total for g in kept], float)
    parameters = x.shape[1]
    if n.sum() < max(PER_PARAMETER * parameters, parameters + RESIDUAL):
        raise NoFit(FEW)
    if y.sum() <= 0 or (family == "logistic" and y.sum() >= n.sum()):
        raise NoFit(SEPARABLE)
    if np.linalg.matrix_rank(x) < parameters:
        raise NoFit(FEW)
    return climb(x, n, y, family)


def design(groups: Sequence[Group], levels: Sequence[Sequence[str]]) -> Numbers:
    """A column of ones, and one for each code but the first of each predictor."""
    columns = [np.ones(len(groups))]
    for place, codes in enumerate(levels):
        columns += [np.array([float(g.codes[place] == code) for g in groups]) for code in codes[1:]]
    return np.column_stack(columns)


def climb(x: Numbers, n: Numbers, y: Numbers, family: str) -> Fit:
    """Newton's method; with a canonical link the same as Fisher scoring."""
    beta = np.zeros(x.shape[1])
    beta[0] = np.log(y.sum() / (n.sum() - y.sum())) if family == "logistic" else np.log(y.sum() / n.sum())
    for _ in range(MOST_ROUNDS):
        eta = x @ beta
        if np.abs(eta).max() > BEYOND:
            raise NoFit(SEPARABLE)
        mean, weight = moments(eta, n, family)
        information = x.T @ (weight[:, None] * x)
        step = np.linalg.solve(information, x.T @ (y - mean))
        beta = beta + step
        if np.abs(step).max() < TOLERANCE:
            error = np.sqrt(np.diag(np.linalg.inv(information)))
            return Fit(tuple(map(float, beta)), tuple(map(float, error)))
    raise NoFit(SEPARABLE)


def moments(eta: Numbers, n: Numbers, family: str) -> tuple[Numbers, Numbers]:
    """Mean and variance of each group's total."""
    if family == "poisson":
        mean = n * np.exp(eta)
        return mean, mean
    chance = 1 / (1 + np.exp(-eta))
    return n * chance, n * chance * (1 - chance)
