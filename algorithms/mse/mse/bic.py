"""Choosing by BIC among all hierarchical models (Silverman, Chan and Vincent 2024, Stat. Comput. 34:44)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import MethodError
from .existence import fit_existing
from .glm import Batch, Design, design
from .model import hierarchical_models
from .patterns import Bools, Floats, Ints, superset_sums
from .table import Table

ENUMERABLE_LISTS = 6
WORK = 20_000
ADDITIONS = 5


@dataclass(frozen=True, eq=False)
class Ranking:
    """Admissible models, best BIC first."""

    terms: Design
    active: Bools  # (M, P)
    bic: Floats
    totals: Floats
    enumerated: int
    max_order: int


def default_order(lists: int) -> int:
    """Highest order listed in full: 2 for three lists, 3 for four and five, 2 for six."""
    return 3 if lists in (4, 5) else 2


def rank_models(table: Table, max_order: int | None = None) -> Ranking:
    """Fit every hierarchical model up to `max_order` and rank those that have an estimate.

    Raises MethodError: `too-many-lists` above six lists (2^21 pair models for seven), `order` when the
    order cannot be listed, `not-estimable` when no model stands.
    """
    lists = len(table.lists)
    order = max_order or default_order(lists)
    if lists > ENUMERABLE_LISTS:
        raise MethodError(
            "too-many-lists",
            f"{lists} lists have 2^{lists * (lists - 1) // 2} pair models, "
            "too many to fit them all; `bic-downhill` searches them instead.",
        )
    if not 1 <= order < min(lists, 4) or (lists > 5 and order > 2):
        raise MethodError("order", f"Models up to order {order} cannot be listed for {lists} lists.")
    space = design(lists, order)
    models = list(hierarchical_models(lists, order))
    active = space.rows(models)
    counts = table.counts[None].astype(float)
    batch, code = fit_existing(space, counts, active)
    bic = bic_of(batch.loglik, active, table.persons)
    found = np.flatnonzero(code == 0)
    if not len(found):
        raise MethodError("not-estimable", "No model of this table has an estimate.")
    best = found[np.argsort(bic[found], kind="stable")]
    return Ranking(space, active[best], bic[best], table.persons + batch.missing[best], len(models), order)


def bic_of(loglik: Floats, active: Bools, persons: int) -> Floats:
    """-2 log L + p log n; terms of minus infinity are counted."""
    return -2 * loglik + active.sum(axis=1) * np.log(persons)


def weights(bic: Floats) -> Floats:
    """exp(-BIC / 2), normalised: approximate posterior weights of the models."""
    relative = np.exp(-(bic - bic.min()) / 2)
    return relative / relative.sum()


def choose_among(space: Design, active: Bools, counts: Floats) -> Floats:
    """Unseen persons of the best-BIC model among `active` (M, P), for every table (R, 2^t).

    NaN where no model has an estimate.
    """
    size = max(1, WORK // len(active))
    return np.concatenate([_choose(space, active, counts[i : i + size]) for i in range(0, len(counts), size)])


def _choose(space: Design, active: Bools, counts: Floats) -> Floats:
    rows, models = len(counts), len(active)
    batch, code = fit_existing(space, np.repeat(counts, models, axis=0), np.tile(active, (rows, 1)))
    bic = np.where(
        code == 0,
        -2 * batch.loglik + batch.parameters * np.log(np.repeat(counts.sum(axis=1), models)),
        np.inf,
    )
    bic = bic.reshape(rows, models)
    best = bic.argmin(axis=1)
    missing = batch.missing.reshape(rows, models)[np.arange(rows), best]
    return np.where(np.isfinite(bic.min(axis=1)), missing, np.nan)


@dataclass(frozen=True, eq=False)
class Downhill:
    """Where the search ended for every table."""

    terms: Design
    active: Bools
    bic: Floats
    missing: Floats


@dataclass(eq=False)
class _Search:
    """Where every table stands while the search goes on."""

    space: Design
    counts: Floats
    active: Bools
    bic: Floats
    missing: Floats
    alpha: Floats
    mu: Floats

    @property
    def pairs(self) -> Ints:
        """Columns of the pairs."""
        return np.arange(self.space.lists + 1, len(self.space.masks))

    def cost(self, batch: Batch, code: Ints, owner: Ints) -> Floats:
        """BIC of fitted rows, infinite without an estimate."""
        log_n = np.log(self.counts[owner].sum(axis=1))
        return np.where(code == 0, -2 * batch.loglik + batch.parameters * log_n, np.inf)

    def candidates(self, rows: Ints) -> tuple[Ints, Ints]:
        """(owner, pair column) of every removal and of the additions with the largest score statistics."""
        present = self.active[np.ix_(rows, self.pairs)]
        score = np.where(present, np.inf, self._scores(rows))
        order = np.argsort(np.argsort(-score, axis=1, kind="stable"), axis=1)
        chosen = present | (order < present.sum(axis=1)[:, None] + ADDITIONS)
        row, pair = np.nonzero(chosen)
        return rows[row], self.pairs[pair]

    def _scores(self, rows: Ints) -> Floats:
        """Rao's score statistic of every pair: gain in 2 log L, to second order, if it entered."""
        finite = self.active[rows] & np.isfinite(self.alpha[rows])
        whole = superset_sums(self.mu[rows])[:, self.space.unions]
        inside = whole * (finite[:, :, None] & finite[:, None, :])
        diagonal = np.einsum("rii->ri", inside)
        diagonal += ~finite
        cross = whole[:, :, self.pairs] * finite[:, :, None]
        explained = (cross * np.linalg.solve(inside, cross)).sum(axis=1)
        own = np.einsum("rii->ri", whole)[:, self.pairs]
        gap = superset_sums(self.counts[rows])[:, self.space.masks[self.pairs]] - own
        return gap**2 / np.maximum(own - explained, 1e-9 + 1e-6 * own)

    def step(self, rows: Ints) -> Ints:
        """Move every row to its best neighbour, if that is better; the rows that moved."""
        owner, column = self.candidates(rows)
        trial = self.active[owner]
        trial[np.arange(len(owner)), column] ^= True
        start = np.where(np.isfinite(self.alpha[owner]), self.alpha[owner], 0.0)
        batch, code = fit_existing(self.space, self.counts[owner], trial, start)
        value = self.cost(batch, code, owner)
        order = np.lexsort((value, owner))
        best = order[np.unique(owner[order], return_index=True)[1]]
        best = best[value[best] < self.bic[owner[best]] - 1e-9]
        self.take(owner[best], batch, best, value[best])
        return owner[best]

    def take(self, into: Ints, batch: Batch, source: Ints, value: Floats) -> None:
        """Put the rows `into` where the fitted rows `source` are."""
        self.active[into], self.bic[into], self.missing[into] = (
            batch.active[source],
            value,
            batch.missing[source],
        )
        self.alpha[into], self.mu[into] = batch.alpha[source], batch.mu[source]


def downhill(lists: int, counts: Floats) -> Downhill:
    """From main effects, add or remove the pair that lowers BIC most, until none does (tables (R, 2^t)).

    Of the additions only the five with the largest score statistics are fitted in each step.
    """
    space = design(lists, 2)
    active = np.zeros((len(counts), len(space.masks)), dtype=bool)
    active[:, : lists + 1] = True
    batch, code = fit_existing(space, counts, active)
    nothing = np.full(len(counts), np.nan)
    search = _Search(
        space, counts, active, nothing + np.inf, nothing, np.array(batch.alpha), np.array(batch.mu)
    )
    moving = np.flatnonzero(code == 0)
    search.take(moving, batch, moving, search.cost(batch, code, np.arange(len(counts)))[moving])
    while len(moving):
        moving = search.step(moving)
    return Downhill(space, search.active, search.bic, search.missing)
