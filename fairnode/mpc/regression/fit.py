"""Newton's method (IRLS) under sharing: a fixed, public number of steps, nothing opened on the way.

It begins at the fit of the intercept alone, from where a step hardly ever leaps. Everything is divided by the
number of persons first, so that fixed-point numbers are of the order of one. The information matrix is
inverted by Newton's and Schulz's iteration V (2 - A V) on the matrix over its trace. Linear predictors are
clamped to +-16 before they go into an exponential; with the wide masks of `kernels.fixed` nothing that data
can do, separation included, makes a number too large to be hidden.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairnode.mpc.kernels.field import FieldKernel, Share, modulo
from fairnode.mpc.kernels.fixed import ONE, dot, exponential, fixed, reciprocal, times
from fairnode.mpc.kernels.numbers import all_of
from fairnode.mpc.kernels.sharing import unpack
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.regression.design import LOGISTIC, Design
from fairnode.mpc.regression.figures import LARGEST

STEPS = 10
_LOG_STEPS, _LOG_START = 34, 16
_INVERSE_STEPS = 32
_CLAMP = 16
_SETTLED = 2.0**-20
_INVERTED = 2.0**-6
WIDE = 200
"""Bits, with sign, of numbers that are compared: more than any step can reach."""


@dataclass(frozen=True)
class Fit:
    """Shared in units of 2^-FRACTION: coefficients and variances; and one bit: the last step was small.

    A fit that did not settle has no finite maximum (separable data), or none that these steps reach.
    """

    coefficients: Share
    variances: Share
    settled: Words


@dataclass(frozen=True)
class _Step:
    """One step: the change of the coefficients, A = information / trace, its inverse, and 1 / trace."""

    change: Share
    scaled: Share
    inverse: Share
    over_trace: Share


async def fit(field: FieldKernel, design: Design, persons: Share, events: Share, most: int) -> Fit:
    """The fit to shared whole numbers of persons and events by pattern; `most`: a public bound of all persons."""
    over_all = await reciprocal(field, modulo(persons.sum(keepdims=True) * ONE), 2.0 * most, 1.0)
    beta = field.public(np.zeros(design.columns, object))
    beta[:1] = await _intercept(field, design, await field.multiply(events.sum(keepdims=True), over_all))
    for _ in range(STEPS):
        step = await _step(field, design, beta, (persons, events, over_all))
        beta = modulo(beta + step.change)
    diagonal = await times(field, step.inverse.diagonal(), step.over_trace)
    variances = await times(field, diagonal, over_all)
    return Fit(beta, variances, await _settled(field, step, np.concatenate([beta, variances])))


async def _intercept(field: FieldKernel, design: Design, rate: Share) -> Share:
    """The fit of the intercept alone: log of the rate, or of the odds; wrong, not wild, for extreme rates."""
    if design.family != LOGISTIC:
        return await _logarithm(field, rate)
    logs = await _logarithm(field, np.concatenate([rate, modulo(ONE - rate)]))
    return modulo(logs[:1] - logs[1:])


async def _logarithm(field: FieldKernel, x: Share) -> Share:
    """Log x by l - 1 + x e^-l from above: down by one a step, then quadratically; at least -18."""
    log = field.public(np.full(x.shape, _LOG_START * ONE, object))
    for _ in range(_LOG_STEPS):
        log = modulo(log - ONE + await times(field, x, await exponential(field, modulo(-log))))
    return log


async def _step(field: FieldKernel, design: Design, beta: Share, data: tuple[Share, Share, Share]) -> _Step:
    persons, events, over_all = data
    means, weights = await _means(field, design, modulo(design.rows.dot(beta)))
    expected = await field.multiply(np.concatenate([persons, persons]), np.concatenate([means, weights]))
    gradient = modulo(design.rows.T.dot(modulo(events * ONE - expected[: design.patterns])))
    weighted = expected[design.patterns :]
    information = modulo(design.rows.T.dot(modulo(design.rows * weighted[:, None])))
    scaled = await times(field, np.concatenate([information, gradient[:, None]], axis=1), over_all)
    information, gradient = scaled[:, :-1], scaled[:, -1]
    trace = modulo(information.diagonal().sum(keepdims=True))
    over_trace = await reciprocal(field, trace, _largest_trace(design), 2.0**-24)
    both = await times(field, np.concatenate([information, gradient[:, None]], axis=1), over_trace)
    inverse = await _inverse(field, both[:, :-1])
    return _Step(await dot(field, inverse, both[:, -1]), both[:, :-1], inverse, over_trace)


def _largest_trace(design: Design) -> float:
    """Of information for one person: the largest row, times the largest weight."""
    largest = float((design.rows**2).sum(axis=1).max())
    return largest / 4 if design.family == LOGISTIC else largest * 2.0**24


async def _inverse(field: FieldKernel, matrix: Share) -> Share:
    """The inverse of a matrix with eigenvalues in (0, 1]; bounded, not right, if one is nearly zero."""
    identity = np.eye(len(matrix), dtype=int).astype(object) * ONE
    inverse = field.public(identity)
    for _ in range(_INVERSE_STEPS):
        inverse = await dot(field, inverse, modulo(2 * identity - await dot(field, matrix, inverse)))
    return inverse


async def _means(field: FieldKernel, design: Design, eta: Share) -> tuple[Share, Share]:
    """Expected events a person, and their variance, by pattern."""
    limit = _CLAMP * ONE
    count = len(eta)
    signs = await field.not_negative(modulo(np.concatenate([eta, eta - limit, -eta - limit])), WIDE)
    bits = await field.from_bits(signs, 3 * count)
    over = await field.multiply(bits[count:], modulo(np.concatenate([eta - limit, eta + limit])))
    eta = modulo(eta - over[:count] - over[count:])
    if design.family != LOGISTIC:
        means = await exponential(field, eta)
        return means, means
    positive = bits[:count]
    minus_size = modulo(eta - 2 * await field.multiply(positive, eta))
    upper = await _over_one_plus(field, await exponential(field, minus_size))
    folded = await field.multiply(positive, modulo(2 * upper - ONE))
    return modulo(ONE - upper + folded), await times(field, upper, modulo(ONE - upper))


async def _over_one_plus(field: FieldKernel, x: Share) -> Share:
    """1 / (1 + x) for 0 <= x <= 1: Newton's iteration from 1 - x / 2, at most an eighth off."""
    y = modulo(ONE - await field.truncate(x, 1, WIDE))
    for _ in range(5):
        y = await times(field, y, modulo(2 * ONE - y - await times(field, x, y)))
    return y


async def _settled(field: FieldKernel, step: _Step, values: Share) -> Words:
    """One bit: the last step was small, the information was really inverted, and no value is over 999."""
    identity = np.eye(len(step.scaled), dtype=int).astype(object) * ONE
    rest = modulo(identity - await dot(field, step.scaled, step.inverse)).reshape(-1)
    sides = [
        side
        for numbers, limit in ((step.change, _SETTLED), (rest, _INVERTED), (values, LARGEST))
        for side in (fixed(limit) - numbers, fixed(limit) + numbers)
    ]
    together = modulo(np.concatenate(sides))
    bits = unpack(await field.not_negative(together, WIDE), together.size).astype(np.uint64)
    return await all_of(field.bits, [bits[:, i : i + 1] for i in range(bits.shape[1])])
