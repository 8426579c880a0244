"""Bayesian averaging over all decomposable graphs: Madigan and York (1997, Biometrika 84:19)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

from .errors import MethodError
from .graphs import decomposable_graphs
from .patterns import Floats, Ints, sizes
from .table import Table

MAX_LISTS = 6
POINTS = 1000
REACH = 30


@dataclass(frozen=True, eq=False)
class Average:
    """Posterior of the unseen number on a grid, and the weight of every graph."""

    unseen: Floats  # (K,)
    posterior: Floats  # (K,), sums to 1
    codes: Ints  # (G,) edge sets
    graph_weights: Floats  # (G,)
    persons: int
    at_edge: float  # posterior mass on the largest 1 % of the grid

    def quantile(self, q: float) -> float:
        """The total N at cumulative probability q."""
        k = int(np.searchsorted(np.cumsum(self.posterior), q))
        return self.persons + float(self.unseen[min(k, len(self.unseen) - 1)])

    @property
    def mean(self) -> float:
        """Posterior mean of the total."""
        return self.persons + float(self.unseen @ self.posterior)

    @property
    def mode(self) -> float:
        """Total with the largest posterior."""
        return self.persons + float(self.unseen[np.argmax(self.posterior)])


def grid(persons: int) -> Floats:
    """1000 equally spaced whole numbers from 1 to 30 n."""
    return np.unique(np.round(np.linspace(1, REACH * persons, POINTS)))


def negative_binomial(total: Floats, shape: float, scale: float) -> Floats:
    """Log prior of N when N is Poisson with a gamma(shape, scale) mean, as in Madigan and York."""
    counts = gammaln(total + shape) - gammaln(total + 1)
    return counts + total * np.log(scale / (1 + scale))


def average(
    table: Table, unseen: Floats | None = None, delta: float | None = None, log_prior: Floats | None = None
) -> Average:
    """Posterior of the unseen persons, averaged over all decomposable graphs with equal prior weight.

    `delta` is the hyper-Dirichlet parameter a cell (default 2^-t); `log_prior` on the grid (default
    -log N). Raises MethodError (`too-many-lists`) above six lists (617,675 graphs for seven).
    """
    lists = len(table.lists)
    if lists > MAX_LISTS:
        raise MethodError(
            "too-many-lists",
            f"{lists} lists have more than 600,000 decomposable graphs; "
            f"averaging is exact and is done for at most {MAX_LISTS} lists.",
        )
    unseen = grid(table.persons) if unseen is None else unseen
    codes, signs = decomposable_graphs(lists)
    scores = _log_posterior(table, signs, unseen, 2.0**-lists if delta is None else delta)
    scores += -np.log(unseen + table.persons) if log_prior is None else log_prior
    joint = np.exp(scores - logsumexp(scores))
    posterior = joint.sum(axis=0)
    edge = float(posterior[int(0.99 * len(unseen)) :].sum())
    return Average(unseen, posterior, codes, joint.sum(axis=1), table.persons, edge)


def _log_posterior(table: Table, signs: Ints, unseen: Floats, delta: float) -> Floats:
    """(G, K) log marginal likelihoods: sums over cliques less separators of Dirichlet integrals."""
    lists = len(table.lists)
    parts = np.array([_integral(table, mask, unseen, delta) for mask in range(2**lists)])
    total = unseen + table.persons
    signed = signs.astype(float)
    signed[:, 0] = 0.0
    prior_mass = 2.0**lists * delta
    constant = gammaln(prior_mass) - gammaln(total + prior_mass)
    ways = gammaln(total + 1) - gammaln(unseen + 1) - gammaln(table.counts + 1.0).sum()
    return signed @ parts + signed.sum(axis=1)[:, None] * constant + ways


def _integral(table: Table, mask: int, unseen: Floats, delta: float) -> Floats:
    """L(D) of one set of lists D for every grid value."""
    if mask == 0:
        return np.zeros(len(unseen))
    lists, width = len(table.lists), int(sizes(len(table.lists))[mask])
    share = delta * 2.0 ** (lists - width)
    cells = np.arange(2**lists) & mask
    margin = np.bincount(cells, weights=table.counts, minlength=2**lists)
    inside = [c for c in range(mask + 1) if c & mask == c]
    fixed = gammaln(margin[inside[1:]] + share).sum() - len(inside) * gammaln(share)
    return gammaln(unseen + margin[0] + share) + fixed
