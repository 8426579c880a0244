"""The estimators in clear on a small table: the oracle of the ones under sharing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairnode.errors import NotValid
from fairnode.mpc.estimate.grid import LARGEST
from fairnode.mpc.estimate.models import Clique, Model
from fairnode.mpc.overlap.shape import patterns


def missed_by(cells: Sequence[float], lists: int, clique: Clique) -> float:
    """a_C: observed persons on no list of the clique."""
    return sum(n for n, p in zip(cells, patterns(lists), strict=True) if not set(p) & set(clique))


def _sides(cells: Sequence[float], model: Model) -> tuple[list[float], list[float]]:
    separators = model.separators
    if separators is None:
        raise NotValid("The model has no closed form: its generators are not the cliques of a chordal graph.")
    left = [missed_by(cells, model.lists, c) for c in model.generators]
    return left, [missed_by(cells, model.lists, s) for s in separators]


def hidden_number(cells: Sequence[float], model: Model) -> float:
    """n0 of a decomposable model: the root of prod (n0 + a_C) = n0 prod (n0 + a_S) (P14); inf if none.

    Raises `NotValid` for a model that is not decomposable.
    """
    left, right = _sides(cells, model)

    def excess(n0: float) -> float:
        return float(np.prod([n0 + a for a in left])) - n0 * float(np.prod([n0 + a for a in right]))

    low, high = 0.0, 1.0
    while excess(high) > 0:
        if high > 100 * LARGEST:
            return float("inf")
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return (low + high) / 2


def standard_error(cells: Sequence[float], model: Model, n0: float) -> float:
    """The standard error of n0 in a decomposable model, closed form of P14."""
    left, right = _sides(cells, model)
    curvature = 1 / n0 + sum(1 / (n0 + a) for a in right) - sum(1 / (n0 + a) for a in left)
    return float(curvature**-0.5)


def fitted_number(cells: Sequence[float], model: Model, sweeps: int = 2000) -> float:
    """n0 of any model by iterative proportional fitting with the missing cell carried along (P15).

    The cell of nobody's set is scaled like all others but counts in no margin.
    """
    margins = margin_matrices(model)
    observed = np.array([*cells], float)
    fitted = np.ones(len(observed) + 1)
    last = 0.0
    for _ in range(sweeps):
        for margin in margins:
            goal, now = margin[:, 1:] @ observed, margin[:, 1:] @ fitted[1:]
            ratio = np.divide(goal, now, out=np.zeros_like(goal), where=now > 0)
            fitted = fitted * (ratio @ margin)
        if abs(fitted[0] - last) <= 1e-12 * fitted[0]:
            break
        last = float(fitted[0])
    return float(fitted[0])


def margin_matrices(model: Model) -> list[NDArray[np.float64]]:
    """For each generator the 0/1 matrix (configurations, 2^K): which cells make up which margin.

    Column 0 is the missing cell, then the order of `shape.patterns`. The configuration "on none" of a
    generator includes the missing cell.
    """
    cells = [(), *patterns(model.lists)]
    return [
        np.array(
            [
                [
                    1.0 if config == sum(1 << k for k, i in enumerate(g) if i in cell) else 0.0
                    for cell in cells
                ]
                for config in range(1 << len(g))
            ]
        )
        for g in model.generators
    ]
