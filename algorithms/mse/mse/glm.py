"""Many Poisson log-linear models fitted at once: extended maximum likelihood for sparse tables.

A *row* is one model on one table; a call fits many rows together, because selection and the bootstrap
fit thousands of small models. Formulas: Chan, Silverman and Vincent (2021, JASA 116:1297) for terms
without any person (their estimate is minus infinity), McCullagh and Nelder (1989) for the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import gammaln

from .patterns import Bools, Floats, Ints, masks_of_order, superset_sums

STEP_SIZE = 1e-6  # convergence is quadratic: after a step this small the error is about its square
MAX_STEPS = 25
CHUNK_VALUES = 8_000_000


@dataclass(frozen=True, eq=False)
class Design:
    """The universe of terms a batch can use: `masks` (P,), intercept first; lists = t."""

    lists: int
    masks: Ints

    @cached_property
    def x(self) -> Floats:
        """Design matrix (2^t, P): 1 where the cell contains the term. Row 0 is the unseen cell."""
        cells = np.arange(2**self.lists)[:, None]
        return ((cells & self.masks) == self.masks).astype(float)

    @cached_property
    def unions(self) -> Ints:
        """Masks theta_i | theta_j (P, P): the information matrix is a superset sum at these masks."""
        return self.masks[:, None] | self.masks[None, :]

    def rows(self, models: list[frozenset[int]]) -> Bools:
        """The models as rows of a boolean matrix (R, P)."""
        return np.array([[int(mask) in model for mask in self.masks] for model in models])


def design(lists: int, max_order: int) -> Design:
    """All terms up to `max_order` lists, intercept first, then singles, pairs (1,2), (1,3), ..."""
    masks = [0] + [m for order in range(1, max_order + 1) for m in masks_of_order(lists, order)]
    return Design(lists, np.array(masks, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Batch:
    """Fitted rows. `alpha` (R, P) is -inf for terms without persons and 0 for terms not in the model."""

    alpha: Floats
    mu: Floats  # (R, 2^t), 0 in cells that were left out
    active: Bools  # terms in the model
    finite: Bools  # terms with a finite estimate
    kept: Bools  # cells that were fitted
    loglik: Floats  # with the -log y! part
    converged: Bools
    identifiable: Bools

    @property
    def missing(self) -> Floats:
        """Estimated number of unseen persons, exp(alpha_0), shape (R,)."""
        return np.exp(np.minimum(self.alpha[:, 0], 700.0))

    @property
    def parameters(self) -> Ints:
        """Number of terms, infinite ones counted too, as AIC and BIC do."""
        return self.active.sum(axis=1)


def fit_batch(
    terms: Design,
    counts: Floats,
    active: Bools,
    start: Floats | None = None,
    *,
    unseen: bool = False,
    max_steps: int = MAX_STEPS,
) -> Batch:
    """Fit every row: `counts` (R, 2^t) or (1, 2^t), `active` (R, P) or (1, P); rows are matched up.

    `unseen=True` treats cell 0 as observed (for profile likelihoods). A row that does not converge in
    `max_steps` has, or may have, no maximum: `existence` decides. Raises nothing on odd data: such rows
    are not converged or not identifiable.
    """
    rows = max(len(counts), len(active))
    counts = np.broadcast_to(counts, (rows, counts.shape[1]))
    active = np.broadcast_to(active, (rows, active.shape[1]))
    size = max(1, CHUNK_VALUES // (active.shape[1] ** 2 + 2 * counts.shape[1]))
    parts = [
        _fit_used(
            terms,
            (counts[i : i + size], active[i : i + size], None if start is None else start[i : i + size]),
            unseen,
            max_steps,
        )
        for i in range(0, rows, size)
    ]
    return parts[0] if len(parts) == 1 else _joined(parts)


def _fit_used(
    terms: Design, rows: tuple[Floats, Bools, Floats | None], unseen: bool, max_steps: int
) -> Batch:
    """Fit with the columns that some row uses, and widen the answer to all terms."""
    counts, active, start = rows
    used = active.any(axis=0)
    if used.all():
        return _fit(terms, counts, active, start, unseen, max_steps)
    narrow = Design(terms.lists, terms.masks[used])
    found = _fit(
        narrow, counts, active[:, used], None if start is None else start[:, used], unseen, max_steps
    )
    alpha, finite = np.zeros(active.shape), np.zeros(active.shape, dtype=bool)
    alpha[:, used], finite[:, used] = found.alpha, found.finite
    return replace(found, alpha=alpha, active=active, finite=finite)


def _joined(parts: list[Batch]) -> Batch:
    names = ("alpha", "mu", "active", "finite", "kept", "loglik", "converged", "identifiable")
    return Batch(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def support(terms: Design, counts: Floats, active: Bools, unseen: bool = False) -> tuple[Bools, Bools]:
    """Which terms stay finite and which cells are fitted, after dropping terms nobody has."""
    nobody = active & (superset_sums(counts)[:, terms.masks] == 0)
    kept = (nobody.astype(float) @ terms.x.T) == 0
    kept[:, 0] = unseen
    return active & ~nobody, kept


def identifiable(finite: Bools, kept: Bools) -> Bools:
    """Whether the kept cells determine all finite terms: at least as many cells as terms.

    Counting is exact for hierarchical models: by inclusion and exclusion over the non-empty subsets of a
    kept cell w, the rows span [w in model] alpha_w - (-1)^|w| alpha_0, every finite term is itself a kept
    cell, so alpha_0 is free exactly when no kept cell is without a term of its own.
    """
    return kept.sum(axis=1) >= finite.sum(axis=1)


def _fit(
    terms: Design, counts: Floats, active: Bools, start: Floats | None, unseen: bool, steps: int
) -> Batch:
    finite, kept = support(terms, counts, active, unseen)
    known = identifiable(finite, kept)
    seen = np.where(kept, counts, 0.0)
    alpha = _start(terms, seen, finite, kept) if start is None else np.where(finite, start, 0.0)
    converged = np.zeros(len(counts), dtype=bool)
    if known.any():
        part = np.flatnonzero(known)
        solved, done = _newton(terms, seen[part], finite[part], kept[part], alpha[part], steps)
        alpha[part], converged[part] = solved, done
    mu = _means(terms, alpha, kept)
    loglik = _objective(terms, alpha, mu, seen) - gammaln(seen + 1).sum(axis=1)
    alpha = np.where(active & ~finite, -np.inf, alpha)
    return Batch(alpha, mu, active, finite, kept, loglik, converged, known)


def _means(terms: Design, alpha: Floats, kept: Bools) -> Floats:
    return np.where(kept, np.exp(np.minimum(alpha @ terms.x.T, 600.0)), 0.0)


def _objective(terms: Design, alpha: Floats, mu: Floats, seen: Floats) -> Floats:
    return ((seen @ terms.x) * alpha).sum(axis=1) - mu.sum(axis=1)


def _start(terms: Design, seen: Floats, finite: Bools, kept: Bools) -> Floats:
    """Closed form of the independence model, then two rounds of coordinate ascent (never overshoots)."""
    margins = superset_sums(seen)
    on = margins[:, [1 << i for i in range(terms.lists)]]
    total = np.maximum(margins[:, :1], 1e-3)
    unseen = independence_missing(total[:, 0], on)[:, None]
    alpha = np.zeros(finite.shape)
    alpha[:, :1] = np.log(unseen)
    odds = np.maximum(on, 1e-3) / (unseen + total - np.minimum(on, total) + 1e-9)
    alpha[:, 1 : 1 + terms.lists] = np.log(odds)
    alpha *= finite
    mu = _means(terms, alpha, kept)
    for _ in range(2):
        for column in range(finite.shape[1]):
            _ascend(terms, column, alpha, mu, margins[:, terms.masks[column]], finite[:, column])
    return alpha


def _ascend(terms: Design, column: int, alpha: Floats, mu: Floats, goal: Floats, finite: Bools) -> None:
    if not finite.any():
        return
    now = mu @ terms.x[:, column]
    factor = np.where(finite & (now > 0) & (goal > 0), goal / np.maximum(now, 1e-300), 1.0)
    factor = np.clip(factor, 1e-8, 1e8)
    alpha[:, column] += np.log(factor)
    cells = terms.x[:, column] > 0
    mu[:, cells] *= factor[:, None]


def independence_missing(total: Floats, on: Floats) -> Floats:
    """Unseen persons under independence: root of prod_i (x + n - n_i) = x (x + n)^(t-1), by bisection.

    `total` (R,), `on` (R, t); Darroch 1958. At least 0.05, and capped at 10^4 n where no finite root exists:
    a start further out would let rounding look like convergence.
    """
    low = np.full(len(total), np.log(0.05))
    high = np.log(total) + np.log(1e4)
    for _ in range(90):
        middle = (low + high) / 2
        x = np.exp(middle)
        gap = np.log(x[:, None] + np.maximum(total[:, None] - on, 1e-9)).sum(axis=1)
        gap -= middle + (on.shape[1] - 1) * np.log(x + total)
        low, high = np.where(gap > 0, middle, low), np.where(gap > 0, high, middle)
    return np.exp((low + high) / 2)


def _newton(
    terms: Design, seen: Floats, finite: Bools, kept: Bools, alpha: Floats, steps: int
) -> tuple[Floats, Bools]:
    """Newton-Raphson with step halving. A direction without maximum keeps moving by about one a step,
    so convergence within `steps` is also the evidence that the maximum exists.
    """
    alpha = np.array(alpha)
    done = np.zeros(len(alpha), dtype=bool)
    mu = _means(terms, alpha, kept)
    value = _objective(terms, alpha, mu, seen)
    for _ in range(steps):
        open_rows = np.flatnonzero(~done)
        if not len(open_rows):
            break
        step = _newton_step(terms, seen[open_rows], finite[open_rows], mu[open_rows])
        done[open_rows] = np.abs(step).max(axis=1) < STEP_SIZE
        _advance(terms, (seen, kept), (alpha, mu, value), open_rows, step)
    return alpha, done


def _newton_step(terms: Design, seen: Floats, finite: Bools, mu: Floats) -> Floats:
    gradient = np.where(finite, (seen - mu) @ terms.x, 0.0)
    information = fisher(terms, mu, finite)
    try:
        step = np.linalg.solve(information, gradient[..., None])[..., 0]
    except np.linalg.LinAlgError:
        ridge = 1e-9 * np.einsum("rii->ri", information)
        step = np.linalg.solve(information + ridge[:, :, None] * np.eye(ridge.shape[1]), gradient[..., None])[
            ..., 0
        ]
    return np.clip(np.nan_to_num(step, nan=1.0, posinf=20.0, neginf=-20.0), -20.0, 20.0)


def fisher(terms: Design, mu: Floats, finite: Bools) -> Floats:
    """Information matrices (R, P, P); rows and columns of terms not estimated are those of the identity."""
    information = superset_sums(mu)[:, terms.unions]
    information *= finite[:, :, None] & finite[:, None, :]
    diagonal = np.einsum("rii->ri", information)
    diagonal += ~finite
    return information


def _advance(
    terms: Design, data: tuple[Floats, Bools], state: tuple[Floats, Floats, Floats], rows: Ints, step: Floats
) -> None:
    """Move the rows along `step`, halving it where the likelihood would fall. Changes `state` in place."""
    (seen, kept), (alpha, mu, value) = data, state
    for _ in range(40):
        trial = alpha[rows] + step
        fitted = _means(terms, trial, kept[rows])
        reached = _objective(terms, trial, fitted, seen[rows])
        better = reached >= value[rows] - 1e-9 * (1 + np.abs(value[rows]))
        took = rows[better]
        alpha[took], mu[took], value[took] = trial[better], fitted[better], reached[better]
        rows, step = rows[~better], step[~better] / 2
        if not len(rows):
            break
