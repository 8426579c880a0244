"""Choosing by BIC among all hierarchical models (Silverman, Chan and Vincent 2024, Stat. Comput. 34:44)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import MethodError
from .existence import fit_existing
from .glm import Design, design
from .model import hierarchical_models
from .patterns import Bools, Floats
from .table import Table

ENUMERABLE_LISTS = 6
WORK = 20_000


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


def downhill(lists: int, counts: Floats) -> Downhill:
    """From main effects, add or remove the pair that lowers BIC most, until none does (tables (R, 2^t))."""
    space = design(lists, 2)
    rows = len(counts)
    active = np.zeros((rows, len(space.masks)), dtype=bool)
    active[:, : lists + 1] = True
    log_n = np.log(counts.sum(axis=1))
    batch, code = fit_existing(space, counts, active)
    bic = np.where(code == 0, -2 * batch.loglik + batch.parameters * log_n, np.inf)
    missing = np.where(code == 0, batch.missing, np.nan)
    alpha = np.where(np.isfinite(batch.alpha), batch.alpha, 0.0)
    moving = np.flatnonzero(code == 0)
    while len(moving):
        moving = _descend(space, counts, log_n, (active, bic, missing, alpha), moving)
    return Downhill(space, active, bic, missing)


def _descend(
    space: Design,
    counts: Floats,
    log_n: Floats,
    state: tuple[Bools, Floats, Floats, Floats],
    rows: np.ndarray,
) -> np.ndarray:
    """One step for the moving rows; answers the rows that moved. Changes `state` in place."""
    active, bic, missing, alpha = state
    pairs = np.arange(space.lists + 1, len(space.masks))
    trial = np.repeat(active[rows], len(pairs), axis=0)
    flip = np.tile(pairs, len(rows))
    trial[np.arange(len(trial)), flip] ^= True
    owner = np.repeat(rows, len(pairs))
    batch, code = fit_existing(space, counts[owner], trial, alpha[owner])
    value = np.where(code == 0, -2 * batch.loglik + batch.parameters * log_n[owner], np.inf)
    best = value.reshape(len(rows), -1).argmin(axis=1) + np.arange(len(rows)) * len(pairs)
    better = value[best] < bic[rows] - 1e-9
    into, source = rows[better], best[better]
    active[into], bic[into], missing[into] = batch.active[source], value[source], batch.missing[source]
    alpha[into] = np.where(np.isfinite(batch.alpha[source]), batch.alpha[source], 0.0)
    return into
