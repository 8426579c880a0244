"""Who is on which lists, bit by bit and shared: comparing tables block by block, then counting.

For i < j, bin b of list i's cuckoo table is compared with all slots of bin b of list j's simple table. At
most one slot matches, so the XOR over slots is the bit "the person in bin b of list i is on list j".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from fairnode.errors import NotValid
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.count import count_bits
from fairnode.mpc.kernels.exchange import Row
from fairnode.mpc.kernels.numbers import Number
from fairnode.mpc.kernels.sharing import RowSource
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.overlap.shape import OverlapShape, Pattern

BATCH_WORDS = 20 << 20  # words, over all held rows, of the comparisons that are under way at a time

Dealt = Mapping[Row, Words | RowSource]


@dataclass(frozen=True)
class SharedCounts:
    """Still shared: the size word of each list (bits of one word), and one count a lane for each superset."""

    sizes: Words
    supersets: Number
    patterns: tuple[Pattern, ...]


async def count_overlaps(kernel: BitKernel, lists: Sequence[Dealt], shape: OverlapShape) -> SharedCounts:
    """For every set of two or more lists, how many persons are on all of them: shared, nothing opened.

    `lists` are the rows dealt by the owner of each list, in the order of places. Raises `NotValid` if
    there are more or fewer lists than the study says, or a row is too short.
    """
    if len(lists) != shape.lists:
        raise NotValid(f"The study names {shape.lists} lists, but {len(lists)} were dealt.")
    matches = await match_pairs(kernel, lists, shape)
    members = await _join_matches(kernel, matches, shape.lists)
    order = tuple(sorted(members, key=lambda pattern: (len(pattern), pattern)))
    sizes = [kernel.dealt(rows, shape.length(i) - 1, shape.length(i)) for i, rows in enumerate(lists)]
    supersets = await count_bits(kernel, [members[pattern] for pattern in order])
    return SharedCounts(np.concatenate(sizes, axis=1), supersets, order)


async def match_pairs(
    kernel: BitKernel, lists: Sequence[Dealt], shape: OverlapShape
) -> dict[tuple[int, int], Words]:
    """For i < j one bit for each bin: the person of list i who lies there is on list j.

    Only a batch of comparisons is in memory at a time: tables are read block by block.
    """
    held = len(kernel.held)
    words = shape.blocks * shape.width
    matches = {pair: np.empty((held, words), np.uint64) for pair in combinations(range(shape.lists), 2)}
    at_once = max(1, BATCH_WORDS // (held * shape.slotted_words))
    units = [(block, i, j) for block in range(shape.blocks) for j in range(1, shape.lists) for i in range(j)]
    tables = _tables(kernel, lists, shape, units)
    memory = np.empty(held * at_once * shape.slotted_words, np.uint64)
    for start in range(0, len(units), at_once):
        batch = units[start : start + at_once]
        planes = (held, shape.fingerprint, len(batch), shape.slots, shape.width)
        same = memory[: math.prod(planes)].reshape(planes)
        for k in range(len(batch)):
            pivot, inverse = next(tables)
            np.bitwise_xor(pivot, inverse, out=same[:, :, k])
        await _and_planes(kernel, same.reshape(held, -1), shape.fingerprint)
        found = np.bitwise_xor.reduce(same[:, 0], axis=2)
        for k, (block, i, j) in enumerate(batch):
            matches[i, j][:, block * shape.width : (block + 1) * shape.width] = found[:, k]
    return matches


def _tables(
    kernel: BitKernel, lists: Sequence[Dealt], shape: OverlapShape, units: Sequence[tuple[int, int, int]]
) -> Iterator[tuple[Words, Words]]:
    """For each unit the block of list i's cuckoo table and the inverse of that of list j's simple one."""
    held, last = len(kernel.held), (-1, -1)
    inverse: Words = np.empty(0, np.uint64)
    for block, i, j in units:
        if (block, j) != last:
            start = shape.simple_start(j) + block * shape.slotted_words
            inverse = kernel.dealt(lists[j], start, start + shape.slotted_words)
            kernel.invert_in_place(inverse)
            inverse = inverse.reshape(held, shape.fingerprint, shape.slots, shape.width)
            last = (block, j)
        start = block * shape.single_words
        pivot = kernel.dealt(lists[i], start, start + shape.single_words)
        yield pivot.reshape(held, shape.fingerprint, 1, shape.width), inverse


async def _and_planes(kernel: BitKernel, bits: Words, planes: int) -> None:
    """The first of `planes` equal stretches of a shared vector becomes the AND of all: a tree, in place."""
    words = bits.shape[1] // planes
    while planes > 1:
        half = planes // 2
        await kernel.and_in_place(bits, half * words)
        if planes % 2:
            bits[:, half * words : (half + 1) * words] = bits[:, 2 * half * words : planes * words]
        planes = half + planes % 2


async def _join_matches(
    kernel: BitKernel, matches: Mapping[tuple[int, int], Words], lists: int
) -> dict[Pattern, Words]:
    """For each set of lists one bit a bin of its first list: the person there is on all of them."""
    members: dict[Pattern, Words] = {}
    members.update({(i, j): bits for (i, j), bits in matches.items()})
    for size in range(3, lists + 1):
        larger = list(combinations(range(lists), size))
        made = await kernel.and_many([(members[s[:-1]], matches[s[0], s[-1]]) for s in larger])
        members.update(zip(larger, made, strict=True))
    return members
