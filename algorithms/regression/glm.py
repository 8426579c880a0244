"""A generalised linear model on grouped data, fitted by statsmodels; what has no estimate is found and said."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

FEW, SEPARABLE = "too few records", "separable"
MOST_ROUNDS, TOLERANCE = 50, 1e-12
RESIDUAL, PER_PARAMETER = 10, 10  # groups' records left over, and records a parameter
BEYOND = 15.0  # a linear predictor this far out has no maximum: odds of three million

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
    return fitted(x, n, y, family)


def design(groups: Sequence[Group], levels: Sequence[Sequence[str]]) -> Numbers:
    """A column of ones, and one for each code but the first of each predictor."""
    columns = [np.ones(len(groups))]
    for place, codes in enumerate(levels):
        columns += [np.array([float(g.codes[place] == code) for g in groups]) for code in codes[1:]]
    return np.column_stack(columns)


def fitted(x: Numbers, n: Numbers, y: Numbers, family: str) -> Fit:
    """The fit by iteratively reweighted least squares; where it runs away, the data are separable."""
    if family == "logistic":
        model = GLM(np.column_stack([y, n - y]), x, family=families.Binomial())
    else:
        model = GLM(y, x, family=families.Poisson(), exposure=n)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of separation it warns; it is told below, by the answer
        found = model.fit(maxiter=MOST_ROUNDS, tol=TOLERANCE)
    beta, error = np.asarray(found.params, float), np.asarray(found.bse, float)
    if not found.converged or not np.isfinite([*beta, *error]).all() or np.abs(x @ beta).max() > BEYOND:
        raise NoFit(SEPARABLE)
    return Fit(tuple(map(float, beta)), tuple(map(float, error)))
