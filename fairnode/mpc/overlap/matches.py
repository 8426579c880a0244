"""Who is on which lists, bit by bit and shared: comparing tables block by block, then counting.

For i < j, the code in bin b of list i's cuckoo table is multiplied with the values in bin b of list j's solved
table. The person who lies there is on list j exactly if that gives the person's fingerprint (`solving`). All
products of a bin are summed up before anything is sent; then comes one comparison of two fingerprints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from fairnode.errors import NotValid
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.count import count_bits
from fairnode.mpc.kernels.exchange import Row
from fairnode.mpc.kernels.numbers import Number
from fairnode.mpc.kernels.sharing import RowSource
from fairnode.mpc.kernels.streams import SLACK_WORDS, Words
from fairnode.mpc.overlap.shape import OverlapShape, Pattern

BATCH_WORDS = 8 << 20  # words, over all held rows, of the fingerprints that are compared at a time

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

    Tables are read block by block, each word once; what is left of a comparison is one word a fingerprint bit.
    """
    held, words = len(kernel.held), shape.blocks * shape.width
    pairs = list(combinations(range(shape.lists), 2))
    matches = {pair: np.empty((held, words), np.uint64) for pair in pairs}
    at_once = max(1, BATCH_WORDS // (held * len(pairs) * shape.fingerprint * shape.width))
    for start in range(0, shape.blocks, at_once):
        blocks = range(start, min(start + at_once, shape.blocks))
        found = await _match_blocks(kernel, lists, shape, blocks)
        found = found.reshape(held, len(blocks), len(pairs), shape.width)
        for k, pair in enumerate(pairs):
            columns = slice(start * shape.width, (start + len(blocks)) * shape.width)
            matches[pair][:, columns] = found[:, :, k].reshape(held, -1)
    return matches


async def _match_blocks(
    kernel: BitKernel, lists: Sequence[Dealt], shape: OverlapShape, blocks: range
) -> Words:
    """The match bits (rows held, words) of some blocks, block by block and pair by pair."""
    held, bits, width = len(kernel.held), shape.fingerprint, shape.width
    pairs = list(combinations(range(shape.lists), 2))
    count = len(blocks) * len(pairs)
    # The sums of products, and the inverse fingerprints they are to be compared with, a column a comparison.
    sums = np.empty(bits * count * width + SLACK_WORDS, np.uint64)
    columns = sums[:-SLACK_WORDS].reshape(bits, count, width)
    inverse = np.empty((held, bits, count, width), np.uint64)
    for n, block in enumerate(blocks):
        pivots = [_cuckoo_block(kernel, lists[i], shape, block) for i in range(shape.lists - 1)]
        for j in range(1, shape.lists):
            factors = kernel.right_factors(_solved_block(kernel, lists[j], shape, (j, block)))
            products = _inner_products([pivot.factors for pivot in pivots[:j]], factors)
            for i in range(j):
                k = n * len(pairs) + pairs.index((i, j))
                columns[:, k] = products[i]
                inverse[:, :, k] = pivots[i].inverse
    same = await kernel.share_sums(sums)
    same ^= inverse.reshape(held, -1)
    del inverse
    await _and_planes(kernel, same, bits)
    return same[:, : count * width]


@dataclass(frozen=True)
class _Pivots:
    """A block of a cuckoo table: this party's factors of the codes, and its rows of inverse fingerprints."""

    factors: list[Words]
    inverse: Words


def _cuckoo_block(kernel: BitKernel, dealt: Dealt, shape: OverlapShape, block: int) -> _Pivots:
    start, width = block * shape.cuckoo_words, shape.width
    words = kernel.dealt(dealt, start, start + shape.cuckoo_words)
    codes, prints = np.split(words, [2 * shape.slots * width], axis=1)
    prints = np.ascontiguousarray(prints)
    kernel.invert_in_place(prints)
    factors = kernel.left_factors(codes.reshape(-1, shape.slots, 2, 1, width))
    return _Pivots(factors, prints.reshape(-1, shape.fingerprint, width))


def _solved_block(kernel: BitKernel, dealt: Dealt, shape: OverlapShape, which: tuple[int, int]) -> Words:
    """Values (rows held, slots, 2, fingerprint / 2, width) of a list and block."""
    place, block = which
    start = shape.solved_start(place) + block * shape.solved_words
    words = kernel.dealt(dealt, start, start + shape.solved_words)
    return words.reshape(-1, shape.slots, 2, shape.fingerprint // 2, shape.width)


def _inner_products(codes: Sequence[Sequence[Words]], values: Sequence[Words]) -> Words:
    """This party's part of the sum over slots of code times value, for the codes of several lists: local.

    (a + b w)(c + d w) = ac + bd + (bc + (a + b) d) w, so c is met by (a, b), and d by (b, a + b).
    """
    slots, _, half, width = values[0].shape
    totals = np.zeros((len(codes), 2, half, width), np.uint64)
    product = np.empty_like(totals[0])
    for k, value in enumerate(values):
        turned = [np.stack([code[k][:, 1], code[k][:, 0] ^ code[k][:, 1]], axis=1) for code in codes]
        for slot in range(slots):
            for i, code in enumerate(codes):  # a value is in the cache for all of them
                for factor, part in ((code[k][slot], value[slot, 0]), (turned[i][slot], value[slot, 1])):
                    np.bitwise_and(factor, part, out=product)
                    np.bitwise_xor(totals[i], product, out=totals[i])
    return totals.reshape(len(codes), 2 * half, width)


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
