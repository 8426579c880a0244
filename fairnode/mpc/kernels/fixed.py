"""Fixed-point numbers on shares of large integers: products, reciprocals and exponentials.

A number x is shared as x * 2^FRACTION over 2^521 - 1. The field is so large that masks hide whatever these
functions can make of their inputs, wild ones included, if the caller keeps |x| below 2^(WIDTH - 2 FRACTION - 2).
"""

from __future__ import annotations

import math

import numpy as np

from fairnode.errors import FairnodeError
from fairnode.mpc.kernels.field import FieldKernel, Share, modulo

FRACTION = 48
ONE = 1 << FRACTION
WIDTH = 400
"""Bits of a product, with sign: 2^302 in the integer part."""
_HALVINGS, _DEGREE = 5, 8


class FixedPointFailed(FairnodeError):
    """The fixed-point division does not work as it must; no estimate was made."""

    code = "fixed-point-failed"
    http_status = 500


def fixed(number: float) -> int:
    """A public number in units of 2^-FRACTION."""
    return round(number * ONE)


async def times(field: FieldKernel, x: Share, y: Share, width: int = WIDTH) -> Share:
    """Products, elementwise with broadcasting: one round."""
    return await field.multiply_fixed(x, y, FRACTION, width)


async def dot(field: FieldKernel, x: Share, y: Share) -> Share:
    """The matrix product: one round, one opening for each number of the result."""
    return await field.truncate(modulo(x.dot(y)), FRACTION, WIDTH)


async def reciprocal(
    field: FieldKernel, x: Share, largest: float, smallest: float = 2.0**-8, width: int = WIDTH
) -> Share:
    """1 / x for 0 <= x <= `largest` by Newton's iteration y (2 - x y), from below; some bounded number for 0.

    Exact to the last few bits for x from `smallest` on: the first guess doubles until it is near.
    """
    guess = np.floor(np.log2(largest)) + 1
    doublings = int(guess - np.log2(smallest)) + 1
    y = field.public(np.full(x.shape, int(2.0 ** (FRACTION - guess)), object))
    for _ in range(doublings + 6):
        y = await times(field, y, modulo(2 * ONE - await times(field, x, y, width)), width)
    return y


async def check_division(field: FieldKernel) -> None:
    """Divide known numbers before any secret one. Raises `FixedPointFailed` if a quotient is wrong."""
    known = np.array([3.0, 1000.0, 0.01, 199999.0])
    shared = field.public(np.array([int(v * ONE) for v in known], object))
    opened = await field.open(await reciprocal(field, shared, 200000.0))
    if not np.allclose(opened.astype(float) / ONE, 1 / known, rtol=1e-6):
        raise FixedPointFailed("Fixed-point division failed its self-test; no estimate was made.")


async def exponential(field: FieldKernel, x: Share) -> Share:
    """e^x for |x| <= 18, within 10^-6 of it (10^-11 for |x| <= 5): the series at x / 32, squared five times.

    The series up to x^8 / 8! is summed with the whole numbers 8! / k!, so that public factors need no round.
    """
    small = await field.truncate(x, _HALVINGS, WIDTH)
    square = await times(field, small, small)
    third = await times(field, square, small)
    fourth = await times(field, square, square)
    whole = [math.factorial(_DEGREE) // math.factorial(k) for k in range(_DEGREE + 1)]
    low = modulo(whole[0] * ONE + whole[1] * small + whole[2] * square + whole[3] * third)
    middle = modulo(
        whole[4] * ONE + whole[5] * small + whole[6] * square + whole[7] * third + whole[8] * fourth
    )
    series = modulo(low + await times(field, fourth, middle))
    power = await times(field, series, field.public(np.full(x.shape, fixed(1 / whole[0]), object)))
    for _ in range(_HALVINGS):
        power = await times(field, power, power)
    return power
