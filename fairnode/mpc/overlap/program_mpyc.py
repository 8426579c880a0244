"""The overlap in plain MPyC (`engine="mpyc"`): every value of every bin met with the code by MPyC's products.

The oracle of `matches` and `cells` on a handful of persons; it tells all parties the cells, so synthetic data
only. A list of ten persons takes seconds, and the time grows with the number of bins. A bit b is the sign 1 - 2 b
here, so that the XOR of bits is the product of signs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from fairnode.errors import NotAllowed
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.exchange import Row
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.kernels.result import Result
from fairnode.mpc.kernels.sharing import RowSource
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.kernels.to_mpyc import to_secret_bits, to_secret_numbers
from fairnode.mpc.overlap.shape import OverlapShape, Pattern, patterns

if TYPE_CHECKING:
    from mpyc.runtime import Runtime
    from mpyc.sectypes import SecureArray

Dealt = Mapping[Row, Words | RowSource]
P = 2**61 - 1


async def run(mpc: Runtime, rows: Sequence[Dealt], parameters: Mapping[str, Any]) -> Result:
    """The exact cells in the order of `shape.patterns` as `opened["cells"]`. Raises `NotAllowed`."""
    if parameters.get("synthetic") is not True:
        raise NotAllowed("The whole table may be opened for synthetic data only, and this study is not.")
    exchange = await connect(mpc)
    kernel, shape = BitKernel(exchange), OverlapShape.of(parameters)
    assert shape.blocks == 1, "the oracle is for short lists"
    cuckoo = [_bits(mpc, kernel, dealt, (0, shape.cuckoo_words)) for dealt in rows[:-1]]
    starts = [shape.solved_start(place) for place in range(shape.lists)]
    values = [_bits(mpc, kernel, rows[j], (starts[j], shape.solved_words)) for j in range(1, shape.lists)]
    member: dict[Pattern, SecureArray] = {}
    for i, j in combinations(range(shape.lists), 2):
        member[i, j] = _matches(mpc, cuckoo[i], values[j - 1], shape)
    counts: dict[Pattern, SecureArray] = {}
    for i in range(shape.lists):
        counts[i,] = _size(mpc, kernel, rows[i], shape.length(i))
    for size in range(2, shape.lists + 1):
        for chosen in combinations(range(shape.lists), size):
            if size > 2:
                member[chosen] = member[chosen[:-1]] * member[chosen[0], chosen[-1]]
            counts[chosen] = mpc.np_sum(member[chosen])
    supersets = [int(await mpc.output(counts[pattern])) for pattern in patterns(shape.lists)]
    return Result({"cells": exact_in_clear(supersets, shape.lists)}, exchange.traffic)


def exact_in_clear(supersets: Sequence[int], lists: int) -> list[int]:
    """Persons on exactly each set of lists, from persons on at least these, in the order of `patterns`."""
    order = patterns(lists)
    at_least = dict(zip(order, supersets, strict=True))
    return [
        sum((-1) ** (len(r) - len(s)) * n for r, n in at_least.items() if set(s) <= set(r)) for s in order
    ]


def _bits(mpc: Runtime, kernel: BitKernel, dealt: Dealt, where: tuple[int, int]) -> SecureArray:
    """The bits of so many dealt words from a start on, in order."""
    start, words = where
    return to_secret_bits(mpc, kernel, kernel.dealt(dealt, start, start + words), 64 * words, mpc.SecFld(P))


def _matches(mpc: Runtime, cuckoo: SecureArray, values: SecureArray, shape: OverlapShape) -> SecureArray:
    """One number 0 or 1 a bin: code times values is the fingerprint."""
    bins, half = 64 * shape.width, shape.fingerprint // 2
    code = mpc.np_reshape(cuckoo[: 2 * shape.slots * bins], (shape.slots, 2, 1, bins))
    print_ = mpc.np_reshape(cuckoo[2 * shape.slots * bins :], (2, half, bins))
    value = mpc.np_reshape(values, (shape.slots, 2, half, bins))
    a, b, c, d = code[:, 0], code[:, 1], value[:, 0], value[:, 1]
    halves = []
    for k, sums in enumerate(([a * c, b * d], [b * c, (a + b - 2 * a * b) * d])):
        signs = [1 - 2 * mpc.np_reshape(bits, (-1, half, bins)) for bits in (*sums, print_[k])]
        halves.append(mpc.np_prod(mpc.np_concatenate(signs), axis=0))
    return mpc.np_prod((1 + mpc.np_concatenate(halves)) * pow(2, -1, P), axis=0)


def _size(mpc: Runtime, kernel: BitKernel, dealt: Dealt, length: int) -> SecureArray:
    """The list's size word as one secret integer."""
    word = kernel.dealt(dealt, length - 1, length)
    parts = [(word >> np.uint64(i)) & np.uint64(1) for i in range(24)]
    return mpc.np_sum(to_secret_numbers(mpc, kernel, parts, 1, mpc.SecFld(P)))
