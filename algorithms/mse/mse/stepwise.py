"""Forward selection of pairs by Poisson p-values: the approach of Chan, Silverman and Vincent (2021).

All tables of a call (resamples, leave-one-out tables) are selected side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import pdtr, pdtrc

from .existence import fit_existing
from .glm import Batch, Design, design
from .patterns import Bools, Floats, Ints, superset_sums

THRESHOLD = 0.02


@dataclass(frozen=True, eq=False)
class Selection:
    """Per table: the chosen model and its unseen number (NaN if even main effects have no estimate)."""

    terms: Design
    active: Bools  # (R, P)
    missing: Floats  # (R,)
    entries: list[list[tuple[int, float, float]]]  # (pair mask, p, unseen after) in order of entry


class _State:
    """The rows' current models while terms are entering."""

    def __init__(self, terms: Design, counts: Floats) -> None:
        rows, self.terms, self.counts = len(counts), terms, counts
        self.active = np.zeros((rows, len(terms.masks)), dtype=bool)
        self.active[:, : terms.lists + 1] = True
        batch, code = fit_existing(terms, counts, self.active)
        self.alpha, self.mu = np.array(batch.alpha), np.array(batch.mu)
        self.missing = np.where(code == 0, batch.missing, np.nan)
        self.p = np.ones((rows, len(self.pairs)))
        self.entries: list[list[tuple[int, float, float]]] = [[] for _ in range(rows)]
        self.score(np.flatnonzero(code == 0))

    @property
    def pairs(self) -> Ints:
        return self.terms.masks[self.terms.lists + 1 :]

    def expected(self, rows: Ints) -> Floats:
        """Expected persons on each pair of lists, over the cells now kept."""
        return superset_sums(self.mu[rows])[:, self.pairs]

    def score(self, rows: Ints) -> None:
        """p-values of the absent pairs: the smaller tail of a Poisson with the model's expectation."""
        observed, expected = superset_sums(self.counts[rows])[:, self.pairs], self.expected(rows)
        p = np.minimum(pdtr(observed, expected), np.where(observed > 0, pdtrc(observed - 1, expected), 1.0))
        absent = ~self.active[rows, self.terms.lists + 1 :]
        self.p[rows] = np.where(absent & (expected > 0), p, 1.0)

    def propose(self, rows: Ints, chosen: Ints) -> tuple[Batch, Ints]:
        """Fit the rows with one more pair each, started where the new margin is matched."""
        column = chosen + self.terms.lists + 1
        active = np.array(self.active[rows])
        active[np.arange(len(rows)), column] = True
        start = np.where(np.isfinite(self.alpha[rows]), self.alpha[rows], 0.0)
        observed = superset_sums(self.counts[rows])[:, self.pairs][np.arange(len(rows)), chosen]
        expected = self.expected(rows)[np.arange(len(rows)), chosen]
        start[np.arange(len(rows)), column] = np.log(np.maximum(observed, 0.5) / expected)
        return fit_existing(self.terms, self.counts[rows], active, start)

    def accept(self, rows: Ints, chosen: Ints, batch: Batch, taken: Bools) -> None:
        """Enter the pairs of the rows `taken`."""
        for k in np.flatnonzero(taken):
            row, pair = int(rows[k]), int(chosen[k])
            self.entries[row].append(
                (int(self.pairs[pair]), float(self.p[row, pair]), float(batch.missing[k]))
            )
        into = rows[taken]
        self.active[into], self.alpha[into] = batch.active[taken], batch.alpha[taken]
        self.mu[into], self.missing[into] = batch.mu[taken], batch.missing[taken]
        self.score(into)


def stepwise(lists: int, counts: Floats, threshold: float = THRESHOLD) -> Selection:
    """Select pairs for every table `counts` (R, 2^t).

    From main effects, the absent pair with the smallest p enters while p < `threshold`; pairs whose
    model has no (identifiable) estimate are passed over.
    """
    state = _State(design(lists, 2), counts)
    while True:
        chosen = np.argmin(state.p, axis=1) if state.p.size else np.zeros(len(counts), dtype=int)
        rows = np.flatnonzero(state.p[np.arange(len(counts)), chosen] < threshold) if state.p.size else []
        if not len(rows):
            return Selection(state.terms, state.active, state.missing, state.entries)
        batch, code = state.propose(rows, chosen[rows])
        state.p[rows[code != 0], chosen[rows[code != 0]]] = 1.0
        state.accept(rows, chosen[rows], batch, code == 0)
