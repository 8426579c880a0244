"""Bayesian thresholding of interactions (Silverman 2020, JRSS A 183:691, section 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import MethodError
from .existence import status
from .glm import Design, design
from .model import is_hierarchical
from .patterns import Bools, Floats, members, superset_sums
from .table import Table

CHAINS = 64
BURN = 1500
KEEP = 5000
NEAR = 0.05  # a ratio is a Monte Carlo value: a term this little below the threshold is kept, and reported


@dataclass(frozen=True)
class Settings:
    """`prior` is "normal" (N(0, 1) on interactions) or "flat"; `order` 2 or 3; `threshold` in sd."""

    prior: str = "normal"
    threshold: float = 2.0
    order: int = 2
    seed: int = 1
    keep: int = KEEP  # draws a chain; 64 chains


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of the unseen number under the retained terms."""

    terms: frozenset[int]
    infinite: tuple[int, ...]  # retained terms nobody has (flat prior): minus infinity
    ratios: dict[int, float]  # |mean| / sd of each interaction when it was judged
    unseen: Floats
    persons: int
    rhat: float
    acceptance: float

    def quantile(self, q: float) -> float:
        """Posterior quantile of the total."""
        return self.persons + float(np.quantile(self.unseen, q))


@dataclass(frozen=True, eq=False)
class _Target:
    """Log posterior of the finite terms `masks` on the kept cells."""

    masks: tuple[int, ...]
    x: Floats
    seen: Floats
    precision: Floats

    def value(self, alpha: Floats) -> Floats:
        eta = alpha @ self.x.T
        penalty = (alpha**2) @ self.precision / 2
        return eta @ self.seen - np.exp(np.minimum(eta, 600)).sum(axis=-1) - penalty


def bayes_threshold(table: Table, settings: Settings) -> Posterior:
    """Fit all pairs, drop those with |mean| / sd below the threshold, fit again.

    With order 3, three-list terms whose pairs all survive are judged the same way in a second round.
    Raises MethodError (`not-estimable`) for a flat prior without a maximum likelihood estimate.
    """
    space = design(len(table.lists), settings.order)
    generator = np.random.default_rng(settings.seed)
    chosen = space.masks[: 1 + table_pairs(space)]
    ratios: dict[int, float] = {}
    terms = _judge(table, settings, frozenset(map(int, chosen)), (ratios, generator), 2)
    if settings.order == 3:
        eligible = {
            int(m)
            for m in space.masks
            if m.bit_count() == 3
            and is_hierarchical(terms | {int(m)})
            and all(int(m) & ~(1 << i) in terms for i in members(int(m)))
        }
        terms = _judge(table, settings, terms | eligible, (ratios, generator), 3)
    return posterior(table, settings, terms, ratios)


def posterior(
    table: Table, settings: Settings, terms: frozenset[int], ratios: dict[int, float] | None = None
) -> Posterior:
    """The posterior under given terms (the last step above; also for asking what another choice gives)."""
    target, infinite = _target(table, settings, terms)
    draws, rhat, accepted = _sample(target, settings.keep, np.random.default_rng(settings.seed))
    return Posterior(terms, infinite, ratios or {}, np.exp(draws[:, 0]), table.persons, rhat, accepted)


def table_pairs(space: Design) -> int:
    """Number of terms of one or two lists."""
    return space.lists + space.lists * (space.lists - 1) // 2


def _judge(
    table: Table,
    settings: Settings,
    terms: frozenset[int],
    memory: tuple[dict[int, float], np.random.Generator],
    order: int,
) -> frozenset[int]:
    """Terms that stay after judging those of `order` lists."""
    ratios, generator = memory
    target, _ = _target(table, settings, terms)
    draws, _, _ = _sample(target, settings.keep, generator)
    ratio = np.abs(draws.mean(axis=0)) / draws.std(axis=0)
    judged = {m: float(r) for m, r in zip(target.masks, ratio, strict=True) if m.bit_count() == order}
    ratios.update(judged)
    return terms - {m for m, r in judged.items() if r < settings.threshold - NEAR}


def _target(table: Table, settings: Settings, terms: frozenset[int]) -> tuple[_Target, tuple[int, ...]]:
    masks = np.array(sorted(terms, key=lambda m: (m.bit_count(), members(m))), dtype=np.int64)
    space = Design(len(table.lists), masks)
    finite, kept = np.ones(len(masks), dtype=bool), np.arange(len(table.counts)) > 0
    if settings.prior == "flat":
        finite, kept = _without_infinite(table, space)
    precision = np.array([float(m.bit_count() > 1 and settings.prior == "normal") for m in masks.tolist()])
    target = _Target(
        tuple(masks[finite].tolist()),
        space.x[kept][:, finite],
        table.counts[kept].astype(float),
        precision[finite],
    )
    return target, tuple(masks[~finite].tolist())


def _without_infinite(table: Table, space: Design) -> tuple[Bools, Bools]:
    code = status(space, table.counts.astype(float), np.ones(len(space.masks), dtype=bool))
    if code:
        raise MethodError(
            "not-estimable",
            "With a flat prior the posterior of this model is improper: its "
            "maximum likelihood estimate does not exist or is not identifiable.",
        )
    empty = superset_sums(table.counts)[space.masks] == 0
    kept = ~(space.x[:, empty] > 0).any(axis=1)
    kept[0] = False
    return ~empty, kept


def _mode(target: _Target) -> tuple[Floats, Floats]:
    """Posterior mode and the inverse of the curvature there."""
    alpha = np.zeros(target.x.shape[1])
    alpha[0] = np.log(max(target.seen.sum() / len(target.seen), 1e-3))
    for _ in range(200):
        mu = np.exp(np.minimum(target.x @ alpha, 600))
        curvature = target.x.T @ (mu[:, None] * target.x) + np.diag(target.precision)
        gradient = target.x.T @ (target.seen - mu) - target.precision * alpha
        step = np.linalg.solve(curvature, gradient)
        value = target.value(alpha)
        while target.value(alpha + step) < value - 1e-9 * abs(value):
            step = step / 2
        alpha = alpha + step
        if np.abs(step).max() < 1e-8:
            return alpha, np.linalg.inv(curvature)
    raise MethodError("not-converged", "The posterior mode was not found in 200 steps.")


def _sample(target: _Target, keep: int, generator: np.random.Generator) -> tuple[Floats, float, float]:
    """Random-walk Metropolis, many chains side by side: draws (chains * keep, P), R-hat, acceptance."""
    mode, covariance = _mode(target)
    width = len(mode)
    spread = np.linalg.cholesky(covariance)
    state = mode + 1.5 * generator.standard_normal((CHAINS, width)) @ spread.T
    burned, _ = _walk(target, state, spread, BURN, generator)
    pooled = np.cov(burned[BURN // 2 :].reshape(-1, width).T).reshape(width, width)
    spread = np.linalg.cholesky(pooled + 1e-9 * np.diag(np.diag(pooled)))
    draws, accepted = _walk(target, burned[-1], spread, keep, generator)
    return draws.reshape(-1, width), split_rhat(draws[:, :, 0]), accepted


def _walk(
    target: _Target, state: Floats, spread: Floats, steps: int, generator: np.random.Generator
) -> tuple[Floats, float]:
    chains, width = state.shape
    moves = generator.standard_normal((steps, chains, width)) @ (spread.T * 2.38 / np.sqrt(width))
    hurdles = np.log(generator.random((steps, chains)))
    path = np.empty((steps, chains, width))
    value, accepted = target.value(state), 0
    for step in range(steps):
        trial = state + moves[step]
        reached = target.value(trial)
        take = hurdles[step] < reached - value
        state = np.where(take[:, None], trial, state)
        value = np.where(take, reached, value)
        path[step] = state
        accepted += int(take.sum())
    return path, accepted / (steps * chains)


def split_rhat(draws: Floats) -> float:
    """Potential scale reduction of (steps, chains) draws, each chain split in two (Gelman et al. 2013)."""
    half = len(draws) // 2
    parts = np.concatenate([draws[:half], draws[half : 2 * half]], axis=1)
    within = parts.var(axis=0, ddof=1).mean()
    between = half * parts.mean(axis=0).var(ddof=1)
    return float(np.sqrt((half - 1) / half + between / (half * within))) if within > 0 else 1.0
