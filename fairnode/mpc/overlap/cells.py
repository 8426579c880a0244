"""Exact cells from superset counts, and what of them may be shown: on lanes of one word, still shared.

Lane s of a word stands for the set of lists whose bits are set in s (lane 0: nobody's set). All steps
move lanes about, which is local, and add or compare numbers of one word.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.numbers import Number, add_modulo, all_of, at_least, keep, subtract
from fairnode.mpc.kernels.opening import apart, beside
from fairnode.mpc.kernels.rounding import round_to_base
from fairnode.mpc.kernels.sharing import ALL_ONES, from_planes, pack, unpack
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.overlap.matches import SharedCounts
from fairnode.mpc.overlap.shape import OverlapShape, Pattern, patterns

LANES = 64


def lane(pattern: Pattern) -> int:
    """The lane of a set of lists."""
    return sum(1 << i for i in pattern)


def on_lanes(kernel: BitKernel, counts: SharedCounts, shape: OverlapShape) -> Number:
    """List sizes and superset counts as one number of a word, each on the lane of its set of lists.

    Local; none of them is above the agreed bound, which gives the number of bits. This is the form in
    which a table stays shared between programs.
    """
    sizes = unpack(counts.sizes, LANES * shape.lists).reshape(len(kernel.held), shape.lists, LANES)
    single = [1 << i for i in range(shape.lists)]
    several = [lane(pattern) for pattern in counts.patterns]
    supersets = [unpack(plane, len(several)) for plane in counts.supersets]
    planes: Number = []
    for i in range(shape.bound.bit_length()):
        bits = np.zeros((len(kernel.held), LANES), np.bool_)
        bits[:, single] = sizes[:, :, i]
        if i < len(supersets):
            bits[:, several] = supersets[i]
        planes.append(pack(bits))
    return planes


async def exact_cells(kernel: BitKernel, supersets: Number, lists: int) -> Number:
    """Persons on exactly the lists of each lane, from persons on at least these: K subtractions.

    Inclusion and exclusion one list at a time: f(S) becomes f(S) - f(S with list i), for S without i.
    """
    cells = list(supersets)
    for i in range(lists):
        without = ~_lanes_with(i)
        cells = await subtract(kernel, cells, [_moved(plane, 1 << i) & without for plane in cells])
    return [plane & ~np.uint64(1) for plane in cells]  # lane 0 would hold minus the number of all persons


async def judge_cells(
    kernel: BitKernel, supersets: Number, lists: int, least: int, base: int = 5
) -> tuple[Words, Number]:
    """Status and rounded count of each cell under P9; all cells are hidden if the rule fails for any list.

    A cell is shown if it is >= k; for each list i the hidden cells containing i must sum to 0 or >= k, and
    the size of i minus any shown cell containing i must be >= k, as the owner of a list knows its size.
    """
    cells = await exact_cells(kernel, supersets, lists)
    inside = [_lanes_with(i) & _lanes_below(1 << lists) for i in range(lists)]
    large = await at_least(kernel, cells, least) & reduce(np.bitwise_or, inside)
    shown = await keep(kernel, large, cells)
    hidden = [c ^ s for c, s in zip(cells, shown, strict=True)]
    fine = [
        await _hidden_sums_are_fine(kernel, hidden, inside, least),
        await _rests_are_fine(kernel, supersets, (large, shown), inside, least),
    ]
    words = await all_of(kernel, [word for vector in fine for word in apart(vector, 1)])
    verdict = await _and_of_lanes(kernel, words)
    rounded = await round_to_base(kernel, shown, base)
    status, *total = await keep(kernel, verdict, [large, *rounded])
    return status, total


def read_cells(opened: Words, shape: OverlapShape) -> dict[Pattern, int | None]:
    """The recipient's cells from the joined words of status and totals: rounded, or None for hidden."""
    shown, totals = from_planes(opened[:1, None], LANES), from_planes(opened[1:, None], LANES)
    return {p: int(totals[lane(p)]) if shown[lane(p)] else None for p in patterns(shape.lists)}


async def _hidden_sums_are_fine(
    kernel: BitKernel, hidden: Number, inside: Sequence[np.uint64], least: int
) -> Words:
    """A word a list, all ones if its hidden cells sum to 0 or >= k: sum - 1 is >= k - 1, as in `opening`."""
    sums = beside([[plane & mask for plane in hidden] for mask in inside])
    for shift in (32, 16, 8, 4, 2, 1):
        sums = await add_modulo(kernel, sums, [_moved(plane, shift) for plane in sums])
    ones = kernel.public(np.full(len(inside), ALL_ONES))
    less_one = await add_modulo(kernel, sums, [ones] * len(sums))
    on_lane_0 = await at_least(kernel, less_one, least - 1)
    return kernel.invert(kernel.invert(on_lane_0) & np.uint64(1))


async def _rests_are_fine(
    kernel: BitKernel,
    supersets: Number,
    shown: tuple[Words, Number],
    inside: Sequence[np.uint64],
    least: int,
) -> Words:
    """A word a list: on each lane containing it, the cell is hidden or the list's size minus it is >= k."""
    large, cells = shown
    sizes = beside([[_repeated(plane, 1 << i) for plane in supersets] for i in range(len(inside))])
    rests = await subtract(kernel, sizes, beside([list(cells)] * len(inside)))
    enough = await at_least(kernel, rests, least)
    concerned = np.concatenate([large & mask for mask in inside], axis=1)
    return kernel.invert(await kernel.and_(concerned, kernel.invert(enough)))


async def _and_of_lanes(kernel: BitKernel, word: Words) -> Words:
    """The AND of all lanes, on every lane."""
    for shift in (32, 16, 8, 4, 2, 1):
        turned = _moved(word, shift) | (word << np.uint64(LANES - shift))
        word = await kernel.and_(word, turned)
    return word


def _moved(plane: Words, lanes: int) -> Words:
    """Lane s gets what lane s + `lanes` has; the upper ones get zeros."""
    return plane >> np.uint64(lanes)


def _repeated(plane: Words, lane: int) -> Words:
    """All lanes get what the one lane has."""
    return ((plane >> np.uint64(lane)) & np.uint64(1)) * ALL_ONES


def _lanes_with(i: int) -> np.uint64:
    """The lanes of all sets that contain list i."""
    return np.uint64(sum(1 << s for s in range(LANES) if s >> i & 1))


def _lanes_below(count: int) -> np.uint64:
    return np.uint64((1 << count) - 1)
