"""Exact cells from superset counts, on lanes of one word, still shared; what may be shown of them is a program's.

Lane s of a word stands for the set of lists whose bits are set in s (lane 0: nobody's set). All steps
move lanes about, which is local, and subtract numbers of one word.
"""

from __future__ import annotations

import numpy as np

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.numbers import Number, subtract
from fairnode.mpc.kernels.sharing import from_planes, pack, unpack
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


def read_cells(opened: Words, shape: OverlapShape) -> dict[Pattern, int | None]:
    """The recipient's cells from the joined words of status and totals: rounded, or None for hidden."""
    shown, totals = from_planes(opened[:1, None], LANES), from_planes(opened[1:, None], LANES)
    return {p: int(totals[lane(p)]) if shown[lane(p)] else None for p in patterns(shape.lists)}


def _moved(plane: Words, lanes: int) -> Words:
    """Lane s gets what lane s + `lanes` has; the upper ones get zeros."""
    return plane >> np.uint64(lanes)


def _lanes_with(i: int) -> np.uint64:
    """The lanes of all sets that contain list i."""
    return np.uint64(sum(1 << s for s in range(LANES) if s >> i & 1))
