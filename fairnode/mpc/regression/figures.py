"""Three significant figures of a shared number, as shared bits: what a regression releases of each value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairnode.mpc.kernels.field import FieldKernel, Share, modulo
from fairnode.mpc.kernels.fixed import FRACTION, ONE
from fairnode.mpc.kernels.numbers import Number
from fairnode.mpc.kernels.sharing import from_planes, unpack
from fairnode.mpc.kernels.streams import Words

DIGIT_BITS = 10  # 0 to 1000
LARGEST = 999
PLACES = tuple(range(9))
"""Powers of ten by which a number is multiplied to have three figures before the point; 8 at most."""
_WIDE = 240


def planes_of_figures() -> int:
    """How many planes `three_figures` makes: the figures, and which of PLACES but the last."""
    return DIGIT_BITS + len(PLACES) - 1


async def three_figures(field: FieldKernel, x: Share) -> Number:
    """The numbers 0 <= x <= 999, to three figures and never finer than 10^-8: figures, then comparisons of size.

    Exact where x is not within 2^-FRACTION of a limit. All that is opened are masked numbers.
    """
    limits = [100 * ONE // 10**place for place in PLACES[:-1]]
    over = modulo(np.concatenate([x - limit for limit in limits]))
    sizes = await field.not_negative(over, _WIDE)
    bits = (await field.from_bits(sizes, over.size)).reshape(len(limits), -1)
    factor = modulo(_factor(bits))
    scaled = modulo(await field.multiply(x, factor) + ONE // 2)
    figures = (await field.to_planes(scaled, _WIDE))[FRACTION : FRACTION + DIGIT_BITS]
    return [*figures, *_rows(sizes, len(limits), len(x))]


def _factor(reached: Share) -> Share:
    """10^place: the last place, less what is too much for each limit that is reached."""
    total = np.full(reached.shape[1], 10 ** PLACES[-1], object)
    for i, bit in enumerate(reached):
        total = total + bit * (10 ** PLACES[i] - 10 ** PLACES[i + 1])
    return total


def _rows(shared: Words, rows: int, count: int) -> list[Words]:
    """Bits laid one row after the other as one vector a row; at most 64 numbers."""
    bits = unpack(shared, rows * count).reshape(len(shared), rows, count).astype(np.uint64)
    weights = np.uint64(1) << np.arange(count, dtype=np.uint64)
    return [np.bitwise_or.reduce(bits[:, i] * weights, axis=1)[:, None] for i in range(rows)]


def read_figures(planes: Sequence[int], count: int) -> list[float]:
    """The recipient's numbers from the opened words of `three_figures`."""
    words = np.array(planes, np.uint64)[:, None]
    figures = from_planes(words[:DIGIT_BITS], count)
    reached = [from_planes(word[None], count) for word in words[DIGIT_BITS:]]
    smaller = np.array([len(PLACES) - 1 - sum(int(r[i]) for r in reached) for i in range(count)])
    return [float(f) / 10.0 ** PLACES[s] for f, s in zip(figures, smaller, strict=True)]
