"""How many bits of long secret vectors are set: the counting of matches in an overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.numbers import Number, add
from fairnode.mpc.kernels.sharing import pack, unpack
from fairnode.mpc.kernels.streams import Words

LANES = 64
_SLAB = 1024  # words transposed at a time: 64 x 64 Ki octets


def transpose(vectors: Sequence[Words]) -> Words:
    """At most 64 shared vectors (rows, W) -> one (rows, 64 W): bit v of word i is bit i of vector v.

    Moving bits about is local: it commutes with XOR.
    """
    held, words = vectors[0].shape
    lanes = np.empty((held, LANES * words), np.uint64)
    for row in range(held):
        for start in range(0, words, _SLAB):
            stop = min(start + _SLAB, words)
            bits = np.zeros((LANES * (stop - start), LANES), np.bool_)
            for v, vector in enumerate(vectors):
                bits[:, v] = unpack(vector[row, start:stop], LANES * (stop - start))
            lanes[row, LANES * start : LANES * stop] = pack(bits)[:, 0]
    return lanes


async def count_bits(kernel: BitKernel, vectors: Sequence[Words]) -> Number:
    """The number of ones in each of at most 64 shared vectors of W words.

    The answer is a number of one word: lane v counts vector v. A Wallace tree of carry-save adders over
    the transposed vectors (about 64 W gates words, 3 log(64 W) rounds), then one adder.
    """
    assert 0 < len(vectors) <= LANES
    columns = {0: transpose(vectors)}  # columns[i]: shared words of weight 2^i, still to be added up
    while max(column.shape[1] for column in columns.values()) > 2:
        columns = await _three_to_two(kernel, columns)
    zero = kernel.zeros(1)
    empty = zero[:, :0]
    ordered = [np.concatenate([columns.get(w, empty), zero, zero], axis=1) for w in range(max(columns) + 1)]
    return await add(kernel, [word[:, :1] for word in ordered], [word[:, 1:2] for word in ordered])


async def _three_to_two(kernel: BitKernel, columns: dict[int, Words]) -> dict[int, Words]:
    """One layer: each three words of a weight become one of the same weight and one of the next."""
    thirds = {weight: column.shape[1] // 3 for weight, column in columns.items()}
    parts = {
        weight: (column[:, :k], column[:, k : 2 * k], column[:, 2 * k : 3 * k])
        for (weight, column), k in zip(columns.items(), thirds.values(), strict=True)
        if k
    }
    products = await kernel.and_many([(a ^ b, b ^ c) for a, b, c in parts.values()])
    left: dict[int, list[Words]] = {w: [column[:, 3 * thirds[w] :]] for w, column in columns.items()}
    for (weight, (a, b, c)), product in zip(parts.items(), products, strict=True):
        left[weight].append(a ^ b ^ c)
        left.setdefault(weight + 1, []).append(product ^ b)
    return {weight: np.concatenate(words, axis=1) for weight, words in left.items()}
