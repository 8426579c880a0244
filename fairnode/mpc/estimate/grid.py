"""The values that may be released: whole numbers of two significant figures (P17), and the search for one."""

from __future__ import annotations

import bisect
from collections.abc import Awaitable, Callable, Sequence

LARGEST = 1_000_000
"""Estimates from here on are reported as having no finite value."""

VALUES: tuple[int, ...] = tuple(range(100)) + tuple(
    value * 10**power for power in range(1, 5) for value in range(10, 100)
)
"""0 to 99, then two figures and zeros, below `LARGEST`."""

TWICE_LIMITS: tuple[int, ...] = tuple(a + b for a, b in zip(VALUES, (*VALUES[1:], LARGEST), strict=True))
"""Twice the middle between neighbours: a value is the number of limits that twice the exact one reaches."""


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


def index_of(reached: Sequence[int]) -> int:
    """The index of a value from one bit a limit: whether the number reaches it. They are ones, then zeros."""
    return sum(reached)


def value_at(index: int) -> int | None:
    """The value that a number reaching so many limits rounds to; None if it reaches all."""
    return VALUES[index] if index < len(VALUES) else None


def bracket(index: int) -> tuple[int, int]:
    """Twice the smallest and twice the largest number that rounds to the value at `index`."""
    return (TWICE_LIMITS[index - 1] if index else 0), TWICE_LIMITS[index]
