"""The values that may be released: whole numbers of two significant figures (P17), and the search for one."""

from __future__ import annotations

import bisect
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
from numpy.typing import NDArray

LARGEST = 1_000_000
"""Estimates from here on are reported as having no finite value."""

VALUES: tuple[int, ...] = tuple(range(100)) + tuple(
    value * 10**power for power in range(1, 5) for value in range(10, 100)
)
"""0 to 99, then two figures and zeros, below `LARGEST`."""

TWICE_LIMITS: tuple[int, ...] = tuple(a + b for a, b in zip(VALUES, (*VALUES[1:], LARGEST), strict=True))
"""Twice the middle between neighbours: a value is the number of limits that twice the exact one reaches."""

_EVERY = 23  # 460 limits are 20 times 23
assert len(TWICE_LIMITS) % _EVERY == 0


def figures(exact: float) -> int | None:
    """`exact` (>= 0) to two significant figures, halves up; None from the middle below `LARGEST` on."""
    index = bisect.bisect_right(TWICE_LIMITS, 2 * exact)
    return VALUES[index] if index < len(VALUES) else None


async def search(
    count: int, reaches: Callable[[list[int], list[int]], Awaitable[Sequence[bool]]]
) -> list[int]:
    """For each of `count` secret numbers how many limits it reaches, by one comparison a step for all.

    `reaches(which, limits)` tells for some of the numbers whether twice the number is at least the limit.
    What is told is a function of the answer, so a search opens nothing more than the value it finds.
    """
    low, high = [0] * count, [len(TWICE_LIMITS)] * count
    while active := [i for i in range(count) if low[i] < high[i]]:
        middle = [(low[i] + high[i]) // 2 for i in active]
        told = await reaches(active, [TWICE_LIMITS[k] for k in middle])
        for i, k, reached in zip(active, middle, told, strict=True):
            if reached:
                low[i] = k + 1
            else:
                high[i] = k
    return low


async def locate(
    count: int, reaches: Callable[[NDArray[np.object_]], Awaitable[NDArray[np.uint8]]]
) -> list[int]:
    """As `search`, in two steps instead of nine: every 23rd limit, then the 22 between two of these.

    `reaches(limits)` opens one bit for each of `limits` (count, k). They are ones, then zeros, so they say
    the value at the end and nothing more.
    """
    coarse = np.array(TWICE_LIMITS[_EVERY - 1 :: _EVERY], object)
    passed = (await reaches(np.broadcast_to(coarse, (count, len(coarse))))).sum(axis=1)
    starts = [_EVERY * min(int(p), len(coarse) - 1) for p in passed]
    fine = np.array([TWICE_LIMITS[s : s + _EVERY - 1] for s in starts], object)
    further = (await reaches(fine)).sum(axis=1)
    return [
        len(VALUES) if p == len(coarse) else s + int(f)
        for p, s, f in zip(passed, starts, further, strict=True)
    ]


def value_at(index: int) -> int | None:
    """The value that a number reaching so many limits rounds to; None if it reaches all."""
    return VALUES[index] if index < len(VALUES) else None


def bracket(index: int) -> tuple[int, int]:
    """Twice the smallest and twice the largest number that rounds to the value at `index`."""
    return (TWICE_LIMITS[index - 1] if index else 0), TWICE_LIMITS[index]
