"""What a table must fulfil before anything of its fit is opened, as one shared bit.

At least ten persons a coefficient, and at least K; every cell of every two-way table of covariates holds no
person or at least K, and so does every level with and without the outcome; for each earlier release every cell
has no or at least K changed persons (P6); all of that also without any coalition of contributors (P4).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.numbers import Number, all_of, at_least, subtract, sum_numbers
from fairnode.mpc.kernels.opening import OpeningRule, beside, empty_or_large
from fairnode.mpc.kernels.sharing import ALL_ONES, pack
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.regression.design import Design

PERSONS_A_COEFFICIENT = 10


async def allowed(
    kernel: BitKernel,
    design: Design,
    tables: Sequence[tuple[Number, Number]],
    rule: OpeningRule,
    changes: Sequence[Sequence[Number]] = (),
) -> Words:
    """One bit (in one word): `tables` has, for each contributor, persons by pattern and those with the outcome.

    `changes`: for each earlier release, each contributor's changed persons by cell.
    """
    cells = [await _cells(kernel, design, persons, affected) for persons, affected in tables]
    fine = await empty_or_large(kernel, cells, rule)
    unchanged = [await empty_or_large(kernel, changed, rule) for changed in changes]
    total = await sum_numbers(kernel, cells, len(cells[0]) + len(cells).bit_length())
    everyone = [plane[:, :1] & np.uint64(1) for plane in total]  # lane 0 counts all persons
    least = max(rule.least, PERSONS_A_COEFFICIENT * design.columns)
    enough = await at_least(kernel, everyone, least)
    words = [bits[:, i : i + 1] for bits in (fine, *unchanged) for i in range(bits.shape[1])]
    return await all_of(kernel, [enough & np.uint64(1), await _all_lanes(kernel, words)])


async def _cells(kernel: BitKernel, design: Design, persons: Number, affected: Number) -> Number:
    """One contributor's cells on lanes: all persons first, then the others."""
    without = await subtract(kernel, persons, affected)
    found = [await sums_over(kernel, persons, design.groups())]
    found += [await sums_over(kernel, side, design.single_groups()) for side in (affected, without)]
    return beside(found)


async def sums_over(kernel: BitKernel, number: Number, groups: Sequence[NDArray[np.bool_]]) -> Number:
    """The sums of numbers on lanes over groups of lanes: one lane for each group; whole words."""
    member = pack(np.stack(groups, axis=1))  # (patterns, words of groups)
    apiece = []
    for lane, mask in enumerate(member):
        bits = [(plane[:, lane // 64] >> np.uint64(lane % 64)) & np.uint64(1) for plane in number]
        apiece.append([(bit * ALL_ONES)[:, None] & mask for bit in bits])
    return await sum_numbers(kernel, apiece, len(number) + len(member).bit_length())


async def _all_lanes(kernel: BitKernel, words: Sequence[Words]) -> Words:
    """The AND of all lanes of all words, in lane 0."""
    word = await all_of(kernel, words)
    for shift in (32, 16, 8, 4, 2, 1):
        word = await kernel.and_(word, word >> np.uint64(shift))
    return word & np.uint64(1)
