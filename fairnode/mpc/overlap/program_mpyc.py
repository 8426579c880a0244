"""The overlap in plain MPyC (`engine="mpyc"`): every slot of every bin compared with MPyC's equality.

The oracle of `program` on a handful of persons; it tells all parties the cells, so synthetic data only. A
list of ten persons takes seconds, and the time grows with the number of bins.
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
from fairnode.mpc.kernels.to_mpyc import to_secret_numbers
from fairnode.mpc.overlap.shape import OverlapShape, Pattern, patterns

if TYPE_CHECKING:
    from mpyc.runtime import Runtime
    from mpyc.sectypes import SecureArray

Dealt = Mapping[Row, Words | RowSource]


async def run(mpc: Runtime, rows: Sequence[Dealt], parameters: Mapping[str, Any]) -> Result:
    """The exact cells in the order of `shape.patterns` as `opened["cells"]`. Raises `NotAllowed`."""
    if parameters.get("synthetic") is not True:
        raise NotAllowed("The whole table may be opened for synthetic data only, and this study is not.")
    exchange = await connect(mpc)
    kernel, shape = BitKernel(exchange), OverlapShape.of(parameters)
    cuckoo = [_numbers(mpc, kernel, dealt, (0, 1), shape) for dealt in rows[:-1]]
    starts = [shape.simple_start(place) for place in range(shape.lists)]
    simple = [_numbers(mpc, kernel, rows[j], (starts[j], shape.slots), shape) for j in range(1, shape.lists)]
    member: dict[Pattern, SecureArray] = {}
    for i, j in combinations(range(shape.lists), 2):
        member[i, j] = mpc.np_sum(mpc.np_equal(simple[j - 1], cuckoo[i]), axis=0)
    counts: dict[Pattern, SecureArray] = {}
    for i in range(shape.lists):
        counts[i,] = _size(mpc, kernel, rows[i], shape.length(i))
    for size in range(2, shape.lists + 1):
        for chosen in combinations(range(shape.lists), size):
            if size > 2:
                member[chosen] = member[chosen[:-1]] * member[chosen[0], chosen[-1]]
            counts[chosen] = mpc.np_sum(member[chosen])
    supersets = [int(await mpc.output(counts[pattern])) for pattern in patterns(shape.lists)]
    return Result({}, {"cells": exact_in_clear(supersets, shape.lists)}, exchange.traffic)


def exact_in_clear(supersets: Sequence[int], lists: int) -> list[int]:
    """Persons on exactly each set of lists, from persons on at least these, in the order of `patterns`."""
    order = patterns(lists)
    at_least = dict(zip(order, supersets, strict=True))
    return [
        sum((-1) ** (len(r) - len(s)) * n for r, n in at_least.items() if set(s) <= set(r)) for s in order
    ]


def _numbers(
    mpc: Runtime, kernel: BitKernel, dealt: Dealt, table: tuple[int, int], shape: OverlapShape
) -> SecureArray:
    """The fingerprints of a table as secret integers (slots, bins); tables of one block only."""
    assert shape.blocks == 1, "the oracle is for short lists"
    start, slots = table
    words = slots * shape.width
    planes = kernel.dealt(dealt, start, start + shape.fingerprint * words)
    planes = planes.reshape(len(kernel.held), shape.fingerprint, words)
    parts = [planes[:, i] for i in range(shape.fingerprint)]
    numbers = to_secret_numbers(mpc, kernel, parts, 64 * words, mpc.SecInt(shape.fingerprint + 2))
    return mpc.np_reshape(numbers, (slots, 64 * shape.width))


def _size(mpc: Runtime, kernel: BitKernel, dealt: Dealt, length: int) -> SecureArray:
    """The list's size word as one secret integer."""
    word = kernel.dealt(dealt, length - 1, length)
    parts = [(word >> np.uint64(i)) & np.uint64(1) for i in range(24)]
    return mpc.np_sum(to_secret_numbers(mpc, kernel, parts, 1, mpc.SecInt(32)))
