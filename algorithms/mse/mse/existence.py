"""Does a maximum likelihood estimate exist, and is it unique?

Fienberg and Rinaldo (2012, Annals of Statistics 40:996): the maximum exists exactly when some strictly
positive table has the margins of the observed one. That depends only on the model and on which cells are
zero, so answers are remembered by these two.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.optimize import linprog

from .glm import Batch, Design, fit_batch, identifiable, support
from .patterns import Bools, Floats

SLACK = 1e-7


def statuses(terms: Design, counts: Floats, batch: Batch) -> np.ndarray:
    """0 where the row's estimate stands, 1 no maximum exists, 2 not identifiable, 3 both.

    Converged rows exist (see `glm`) unless the unseen number ran to an end of the scale; the linear
    programme decides the others.
    """
    code = np.where(batch.identifiable, 0, 2)
    extreme = (batch.missing < 1e-4) | (batch.missing > 1e5 * counts.sum(axis=1))
    for row in np.flatnonzero(~batch.converged | extreme):
        cells = counts[row if len(counts) > 1 else 0] > 0
        code[row] += not maximum_exists(terms.lists, _key(terms, batch.active[row]), cells.tobytes())
    return code


def fit_existing(
    terms: Design, counts: Floats, active: Bools, start: Floats | None = None
) -> tuple[Batch, np.ndarray]:
    """Fit rows and tell their status; slow rows whose maximum exists are given more steps."""
    batch = fit_batch(terms, counts, active, start)
    code = statuses(terms, counts, batch)
    slow = np.flatnonzero((code == 0) & ~batch.converged)
    if len(slow):
        again = counts[slow] if len(counts) > 1 else counts
        refit = fit_batch(terms, again, batch.active[slow], max_steps=200)
        for name in ("alpha", "mu", "loglik", "converged"):
            getattr(batch, name)[slow] = getattr(refit, name)
        code[slow[~refit.converged]] = 1
    return batch, code


def status(terms: Design, counts: Floats, active: Bools) -> int:
    """The status of one model on one table by the definition: linear programme and rank, no fit."""
    finite, kept = support(terms, counts[None], active[None])
    code = 0 if identifiable(finite, kept)[0] else 2
    return code + (not maximum_exists(terms.lists, _key(terms, active), (counts > 0).tobytes()))


def _key(terms: Design, active: Bools) -> tuple[int, ...]:
    return tuple(int(mask) for mask in terms.masks[active])


@lru_cache(maxsize=200_000)
def maximum_exists(lists: int, model: tuple[int, ...], occupied: bytes) -> bool:
    """Whether the extended maximum exists; `occupied` are the 2^t booleans of the cells with persons.

    maximise s subject to A'x = t, x >= s, 0 <= s <= 1, over the cells kept; exists when s > 1e-7. The
    margins are those of the table of ones in the occupied cells, which has the same answer.
    """
    cells = np.frombuffer(occupied, dtype=bool)
    terms = Design(lists, np.array(model, dtype=np.int64))
    finite, kept = support(terms, cells.astype(float)[None], np.ones((1, len(model)), dtype=bool))
    rows = terms.x[kept[0]][:, finite[0]]
    margins = cells[kept[0]].astype(float) @ rows
    matrix = np.column_stack([rows.T, rows.sum(axis=0)])
    cost = np.zeros(matrix.shape[1])
    cost[-1] = -1.0
    bounds = [(0, None)] * len(rows) + [(0, 1)]
    answer = linprog(cost, A_eq=matrix, b_eq=margins, bounds=bounds, method="highs")
    return bool(answer.success and -answer.fun > SLACK)
