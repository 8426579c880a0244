"""Latent classes with a Dirichlet process prior: Manrique-Vallier (2016, Biometrics 72:1246).

Persons fall in unseen classes within which the lists are independent. Gibbs sampler with a truncated
stick of K classes; all chains move together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bayes import split_rhat
from .patterns import Floats, Ints
from .table import Table

CHAINS = 6
CLASSES = 10
ITERATIONS = 20_000
CEILING = 20  # unseen persons at most 20 n


@dataclass(frozen=True, eq=False)
class Latent:
    """Draws of the unseen number (steps, chains) after burn-in."""

    unseen: Floats
    persons: int
    rhat: float
    at_ceiling: float  # share of draws above 95 % of the ceiling

    def quantile(self, q: float) -> float:
        """Posterior quantile of the total over all chains."""
        return self.persons + float(np.quantile(self.unseen, q))


@dataclass
class _State:
    rates: Floats  # lambda (chains, lists, K)
    shares: Floats  # nu (chains, K)
    alpha: Floats  # (chains,)
    unseen: Ints  # (chains,)


def lcmcr(table: Table, seed: int, iterations: int = ITERATIONS) -> Latent:
    """Sample; the first half of the iterations is burn-in."""
    generator = np.random.default_rng(seed)
    seen = np.flatnonzero(table.counts)
    histories = (seen[:, None] >> np.arange(len(table.lists)) & 1).astype(float)
    counts = table.counts[seen]
    state = _first(table, generator)
    burn, draws = iterations // 2, []
    for step in range(iterations):
        _sweep(state, histories, counts, generator)
        if step >= burn:
            draws.append(state.unseen.copy())
    unseen = np.array(draws, dtype=float)
    close = float((unseen > 0.95 * CEILING * table.persons).mean())
    return Latent(unseen, table.persons, split_rhat(np.log(unseen + 1)), close)


def _first(table: Table, generator: np.random.Generator) -> _State:
    shape = (CHAINS, len(table.lists), CLASSES)
    shares = generator.dirichlet(np.ones(CLASSES), size=CHAINS)
    unseen = np.full(CHAINS, table.persons, dtype=np.int64)
    return _State(generator.uniform(0.02, 0.5, shape), shares, np.ones(CHAINS), unseen)


def _sweep(state: _State, histories: Floats, counts: Ints, generator: np.random.Generator) -> None:
    """One round: classes, unseen persons, rates, shares, concentration. Changes `state`."""
    on, off = np.log(state.rates), np.log1p(-state.rates)
    base = np.log(state.shares) + off.sum(axis=1)  # log share of a class times being on no list
    logs = np.einsum("pj,cjk->cpk", histories, on - off) + base[:, None, :]
    weight = np.exp(logs - logs.max(axis=2, keepdims=True))
    weight /= weight.sum(axis=2, keepdims=True)
    members = generator.multinomial(np.broadcast_to(counts, weight.shape[:2]), weight)
    hidden = np.exp(base)
    missed = np.clip(hidden.sum(axis=1), 1e-12, 1 - 1e-9)
    drawn = generator.negative_binomial(counts.sum(), 1 - missed)
    state.unseen = np.minimum(drawn, CEILING * counts.sum())
    ghosts = generator.multinomial(state.unseen, hidden / hidden.sum(axis=1, keepdims=True))
    _rates(state, histories, members, ghosts, generator)
    _shares(state, members.sum(axis=1) + ghosts, generator)


def _rates(
    state: _State, histories: Floats, members: Ints, ghosts: Ints, generator: np.random.Generator
) -> None:
    hits = np.einsum("pj,cpk->cjk", histories, members)
    everyone = (members.sum(axis=1) + ghosts)[:, None, :]
    state.rates = np.clip(generator.beta(1 + hits, 1 + everyone - hits), 1e-12, 1 - 1e-12)


def _shares(state: _State, sizes: Ints, generator: np.random.Generator) -> None:
    later = sizes[:, ::-1].cumsum(axis=1)[:, ::-1] - sizes
    sticks = generator.beta(1 + sizes[:, :-1], state.alpha[:, None] + later[:, :-1])
    sticks = np.clip(sticks, 1e-12, 1 - 1e-12)
    left = np.cumprod(1 - sticks, axis=1)
    state.shares = np.concatenate([sticks[:, :1], sticks[:, 1:] * left[:, :-1], left[:, -1:]], axis=1)
    state.shares = np.maximum(state.shares, 1e-300)
    rate = 0.25 - np.log1p(-sticks).sum(axis=1)
    state.alpha = generator.gamma(0.25 - 1 + sizes.shape[1], 1 / rate)
