"""The opening rule (P4, P5, P6 of the privacy model) on a shared table, as a circuit.

A cell with total T is opened iff T >= K, and without any coalition A of at most c contributors the rest
T - x(A) is 0 or >= K, and for each earlier intersecting release the number of changed persons is 0 or
>= K. What opens is rounded first. A hidden cell leaves as zero with status zero, whatever the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from fairnode.errors import NotValid
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.numbers import (
    Number,
    add,
    add_modulo,
    all_of,
    at_least_each,
    keep,
    sum_numbers,
    widen,
)
from fairnode.mpc.kernels.rounding import round_to_base
from fairnode.mpc.kernels.sharing import ALL_ONES
from fairnode.mpc.kernels.streams import Words


@dataclass(frozen=True)
class OpeningRule:
    """What a study may open: at least `least` (K), safe from coalitions of `coalition` (c) contributors.

    `base`: multiples to which opened totals are rounded (1: none). `dominance`: if given, a cell is also
    hidden when one contributor has more than that per cent of its total.
    """

    least: int
    coalition: int = 1
    base: int = 5
    dominance: int | None = None

    def check(self, contributors: int) -> None:
        """Raise `NotValid` if the rule has no meaning, or not with that few contributors."""
        if self.least < 1 or self.coalition < 1 or not 1 <= self.base <= 16:
            raise NotValid("The opening rule needs K >= 1, c >= 1 and a rounding base of 1 to 16.")
        if self.dominance is not None and not 1 <= self.dominance <= 100:
            raise NotValid("A dominance limit is a percentage from 1 to 100.")
        if contributors < self.coalition + 2:
            raise NotValid(
                f"{contributors} contributors are too few: with coalitions of {self.coalition} "
                f"at least {self.coalition + 2} must contribute.",
                to_do="Ask more organisations to take part; a smaller table does not help.",
            )


@dataclass(frozen=True)
class OpenedCells:
    """Still shared: one status bit a cell (1 = shown) and the rounded total where shown, else zero."""

    status: Words
    total: Number


async def judge(
    kernel: BitKernel, counts: Sequence[Number], changes: Sequence[Sequence[Number]], rule: OpeningRule
) -> OpenedCells:
    """Judge each cell: `counts` one number a contributor, `changes` the same for each earlier release.

    Exact for any counts of the given width; hiding does not depend on the rounding.
    """
    rule.check(len(counts))
    verdict, (rounded, undominated) = await kernel.both(
        _large_or_empty(kernel, counts, changes, rule), _total(kernel, counts, rule)
    )
    status = await all_of(kernel, [verdict, *undominated])
    return OpenedCells(status, await keep(kernel, status, rounded))


async def _total(
    kernel: BitKernel, counts: Sequence[Number], rule: OpeningRule
) -> tuple[Number, list[Words]]:
    """The rounded total, and the verdict on dominance if the rule has one."""
    total = await sum_numbers(kernel, counts, len(counts[0]) + len(counts).bit_length())
    rounding = round_to_base(kernel, total, rule.base)
    if rule.dominance is None:
        return await rounding, []
    rounded, undominated = await kernel.both(rounding, _undominated(kernel, total, counts, rule.dominance))
    return rounded, [undominated]


async def _large_or_empty(
    kernel: BitKernel, counts: Sequence[Number], changes: Sequence[Sequence[Number]], rule: OpeningRule
) -> Words:
    """One bit a cell: T >= K, every rest 0 or >= K, every change 0 or >= K; all judged side by side."""
    sums = await _Small.of(kernel, counts, changes, rule)
    lanes = beside([sums.total, await sums.less_one(kernel, rule.coalition)])
    return await _reach(kernel, lanes, rule.least, sums.words)


async def empty_or_large(kernel: BitKernel, counts: Sequence[Number], rule: OpeningRule) -> Words:
    """One bit a cell: its total and every rest is 0 or >= K; for cells that are conditions, not results."""
    sums = await _Small.of(kernel, counts, [], rule)
    ones = [kernel.public(np.full(sums.words, ALL_ONES))] * len(sums.total)
    lanes = beside([await add_modulo(kernel, sums.total, ones), await sums.less_one(kernel, rule.coalition)])
    large = await at_least_each(kernel, lanes, [(rule.least - 1, lanes[0].shape[1])])
    return await all_of(kernel, apart(large, sums.words))


async def _reach(kernel: BitKernel, lanes: Number, least: int, words: int) -> Words:
    """The first stretch of words is >= K and all others are >= K - 1, one bit a lane of a stretch."""
    large = await at_least_each(kernel, lanes, [(least, words), (least - 1, lanes[0].shape[1] - words)])
    return await all_of(kernel, apart(large, words))


@dataclass(frozen=True)
class _Small:
    """Total, contributors' counts and sums of changes after every single number over K was put down.

    To the largest number of K's bits: a sum that has one is over K before and after, so the rule decides
    the same on numbers of a few bits.
    """

    total: Number
    counts: Sequence[Number]
    changed: Sequence[Number]
    words: int

    @classmethod
    async def of(
        cls,
        kernel: BitKernel,
        counts: Sequence[Number],
        changes: Sequence[Sequence[Number]],
        rule: OpeningRule,
    ) -> _Small:
        n, words = len(counts), counts[0][0].shape[1]
        everything = beside([*counts, *(x for by_contributor in changes for x in by_contributor)])
        low = await _put_down(kernel, everything, rule.least.bit_length())
        bits = (n * ((1 << len(low)) - 1)).bit_length()
        apiece = [list(number) for number in zip(*(apart(plane, words) for plane in low), strict=True)]
        sums = [await sum_numbers(kernel, apiece[i : i + n], bits) for i in range(0, len(apiece), n)]
        return cls(sums[0], apiece[:n], sums[1:], words)

    async def less_one(self, kernel: BitKernel, coalition: int) -> Number:
        """Every rest and every change, less one, side by side; v is 0 or >= K exactly if v - 1 is >= K - 1.

        T - x - 1 is T plus the inverse of x, modulo 2^bits.
        """
        bits = len(self.total)
        coalitions = await _coalition_sums(kernel, self.counts, coalition, bits)
        wholes = beside([*[self.total] * len(coalitions), *self.changed])
        nothing = widen(kernel, [kernel.zeros(self.words)], bits)
        parts = beside([*coalitions, *[nothing] * len(self.changed)])
        return await add_modulo(kernel, wholes, [kernel.invert(x) for x in parts])


async def _put_down(kernel: BitKernel, number: Number, bits: int) -> Number:
    """The number, or the largest one of `bits` bits where it has more."""
    if len(number) <= bits:
        return list(number)
    not_high = await all_of(kernel, [kernel.invert(plane) for plane in number[bits:]])
    made = await kernel.and_many([(kernel.invert(plane), not_high) for plane in number[:bits]])
    return [kernel.invert(plane) for plane in made]


async def _coalition_sums(
    kernel: BitKernel, counts: Sequence[Number], largest: int, bits: int
) -> list[Number]:
    """The joint count of every coalition of 1..`largest` contributors."""
    words = counts[0][0].shape[1]
    sums = [widen(kernel, x, bits) for x in counts]
    for size in range(2, largest + 1):
        coalitions = list(combinations(range(len(counts)), size))
        members = [beside([counts[c[k]] for c in coalitions]) for k in range(size)]
        joint = await sum_numbers(kernel, members, (size * ((1 << len(counts[0])) - 1)).bit_length())
        planes = [apart(plane, words) for plane in widen(kernel, joint, bits)]
        sums += [[plane[i] for plane in planes] for i in range(len(coalitions))]
    return sums


async def _undominated(kernel: BitKernel, total: Number, counts: Sequence[Number], percent: int) -> Words:
    """One bit a cell: no contributor has more than `percent` of the total: percent T - 100 x >= 0 for all."""
    words = total[0].shape[1]
    bits = len(total) + 7  # 100 < 2^7
    limit = await _times_public(kernel, total, percent, bits)
    shares = await _times_public(kernel, beside([widen(kernel, x, len(total)) for x in counts]), 100, bits)
    limits = beside([limit] * len(counts))
    inverse = [kernel.invert(x) for x in widen(kernel, shares, bits)]
    one = [kernel.public(np.full(limits[0].shape[1], ALL_ONES))]
    less_one = await add(kernel, limits, inverse)  # its carry out is [limit > share]
    exactly = await add(kernel, less_one[:-1], one)  # and this one's [limit == share]
    return await all_of(kernel, apart(less_one[-1] ^ exactly[-1], words))


async def _times_public(kernel: BitKernel, number: Number, factor: int, bits: int) -> Number:
    """The number times a public factor, modulo 2^bits: a sum of shifted copies."""
    words = number[0].shape[1]
    shifted = [
        widen(kernel, [*[kernel.zeros(words)] * i, *number], bits)
        for i in range(factor.bit_length())
        if factor >> i & 1
    ]
    return await sum_numbers(kernel, shifted, bits)


def beside(numbers: Sequence[Number]) -> Number:
    """Numbers of equal width laid side by side along the words, so that one gate serves them all."""
    return [np.concatenate(planes, axis=1) for planes in zip(*numbers, strict=True)]


def apart(plane: Words, words: int) -> list[Words]:
    """The stretches of `words` words of a shared vector: the inverse of `beside`."""
    return [plane[:, i : i + words] for i in range(0, plane.shape[1], words)]
