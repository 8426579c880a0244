"""Any hierarchical model under sharing: iterative proportional fitting in fixed point (P15).

The missing cell is scaled like every other but counts in no margin; its fitted value is n0. All models are
fitted side by side. The number of sweeps is public and fixed: stopping when nothing changes any more would
tell about the cells. A few sweeps divide; from then on the ratio of a goal to its fitted margin is near one
and 1 + d + d^2 takes its place, d = 1 - margin / goal, which has the same fixed point and is never negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairnode.mpc.estimate.decomposable import open_bits
from fairnode.mpc.estimate.grid import locate, value_at
from fairnode.mpc.estimate.models import Model
from fairnode.mpc.estimate.plain import margin_matrices
from fairnode.mpc.kernels.field import FieldKernel, Share, modulo
from fairnode.mpc.kernels.fixed import FRACTION, ONE, check_division, reciprocal, times

SWEEPS = 40  # with the last step extrapolated, enough for 0.1 % on every public table
DIVIDED = 4  # sweeps that divide
INTEGER = 48  # bits; a fitted number stays far below 2^48
_WIDTH = INTEGER + 2 * FRACTION + 2
_STEADY, _WILD = 2.0**-8, 2.0**34  # squares of changes of step, in persons, between which is extrapolated


@dataclass(frozen=True)
class _Goals:
    """Observed margins of step k of a sweep, (models, configurations), and what the ratios need of them."""

    margins: NDArray[np.object_]
    counts: Share
    present: Share
    inverse: Share


async def estimate_by_fitting(
    field: FieldKernel, cells: Share, models: Sequence[Model], bound: int, sweeps: int = SWEEPS
) -> list[int | None]:
    """n0 of each model to two significant figures; `cells` shared integers in pattern order.

    Opens the comparisons of `grid.locate`. No standard errors: they need the inverse of a secret matrix.
    """
    hidden = await fit(field, cells, models, bound, sweeps)

    async def reaches(limits: NDArray[np.object_]) -> NDArray[np.uint8]:
        difference = modulo(2 * hidden[:, None] - limits * ONE)
        return await open_bits(
            field, await field.not_negative(difference, INTEGER + FRACTION + 2), limits.shape
        )

    return [value_at(index) for index in await locate(len(models), reaches)]


async def fit(
    field: FieldKernel, cells: Share, models: Sequence[Model], bound: int, sweeps: int = SWEEPS
) -> Share:
    """The fitted missing cell of each model, shared, in units of 2^-FRACTION."""
    await check_division(field)
    largest = models[0].lists * bound
    goals = [await _goals(field, margins, cells, largest) for margins in padded_margins(models)]
    fitted = field.public(np.full((len(models), 1 << models[0].lists), ONE, object))
    steps = []
    for sweep in range(sweeps):
        for goal in goals:
            now = _apply(goal.margins[:, :, 1:], fitted[:, 1:])
            if sweep < DIVIDED:
                ratio = await field.multiply(goal.counts, await reciprocal(field, now, 4 * largest))
            else:
                ratio = await _ratio_near_one(field, goal, now)
            fitted = await _times(field, fitted, _apply(goal.margins.transpose(0, 2, 1), ratio))
        steps.append(fitted[:, 0])
    return await _extrapolated(field, steps[-3:])


def padded_margins(models: Sequence[Model]) -> list[NDArray[np.object_]]:
    """For step k of a sweep the margins of every model's k-th generator: (models, configurations, cells).

    A model with fewer generators does its last one again, which changes nothing; one with smaller
    generators has empty configurations.
    """
    of_models = [margin_matrices(model) for model in models]
    configurations = max(len(margin) for margins in of_models for margin in margins)
    padded = []
    for k in range(max(len(margins) for margins in of_models)):
        step = np.zeros((len(models), configurations, 1 << models[0].lists), int)
        for m, margins in enumerate(of_models):
            margin = margins[min(k, len(margins) - 1)]
            step[m, : len(margin)] = margin
        padded.append(step.astype(object))
    return padded


async def _goals(field: FieldKernel, margins: NDArray[np.object_], cells: Share, largest: int) -> _Goals:
    """Goals, whether each is above zero (one or zero in fixed point), and one over it, zero if it is zero."""
    counts = modulo((margins[:, :, 1:] * cells).sum(axis=2))
    over = await reciprocal(field, modulo(counts * ONE), largest, 1.0)
    present = await field.multiply(counts, over)
    return _Goals(margins, counts, present, await _times(field, present, over))


async def _ratio_near_one(field: FieldKernel, goal: _Goals, now: Share) -> Share:
    less = modulo(goal.present - await _times(field, now, goal.inverse))
    return modulo(goal.present + less + await _times(field, less, less))


async def _extrapolated(field: FieldKernel, steps: Sequence[Share]) -> Share:
    """Aitken's limit of the last three iterates; where they hardly move, or leap, the last one."""
    last = modulo(steps[2] - steps[1])
    change = modulo(steps[1] - steps[0] - last)
    square = await _times(field, change, change)
    moves = await _between(field, square, _STEADY, _WILD)
    safe = modulo(await field.multiply(moves, modulo(square - ONE)) + ONE)
    over = await reciprocal(field, safe, _WILD, _STEADY)
    share_of_last = await _times(field, await _times(field, last, change), over)
    further = await _times(field, share_of_last, last)
    return modulo(steps[2] + await field.multiply(moves, further))


async def _between(field: FieldKernel, x: Share, low: float, high: float) -> Share:
    """One or zero: whether low <= x < high."""
    width = INTEGER + FRACTION + 2
    both = np.concatenate([modulo(x - int(low * ONE)), modulo(int(high * ONE) - 1 - x)])
    numbers = await field.from_bits(await field.not_negative(both, width), both.size)
    return await field.multiply(numbers[: x.size], numbers[x.size :])


async def _times(field: FieldKernel, x: Share, y: Share) -> Share:
    return await times(field, x, y, _WIDTH)


def _apply(matrices: NDArray[np.object_], vectors: Share) -> Share:
    """Public 0/1 matrices (models, rows, columns) times shared vectors (models, columns): local."""
    return modulo((matrices * vectors[:, None, :]).sum(axis=2))
