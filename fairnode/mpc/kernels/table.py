"""Tables of counts as planes of bits, judged by the opening rule cell by cell, before anything is opened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairnode.errors import NotValid
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.exchange import Row
from fairnode.mpc.kernels.numbers import Number
from fairnode.mpc.kernels.opening import OpeningRule, judge
from fairnode.mpc.kernels.sharing import RowSource, from_planes, to_planes
from fairnode.mpc.kernels.streams import Words

WORDS_AT_ONCE = 1 << 22  # of one plane of all coalitions, over all bits and held rows: 32 MiB


@dataclass(frozen=True)
class TableShape:
    """What the study says of a table: its cells, bits of a count, who contributes, and the rule."""

    cells: int
    bits: int
    contributors: int
    earlier: int
    rule: OpeningRule

    @property
    def words(self) -> int:
        """Words of one plane."""
        return -(-self.cells // 64)

    @property
    def length(self) -> int:
        """Words that each contributor deals."""
        return (1 + self.earlier) * self.bits * self.words

    def stretch(self, held: int) -> int:
        """So many words of cells are judged at a time, so that a party's memory has a bound."""
        coalitions = sum(math.comb(self.contributors, size) for size in range(1, self.rule.coalition + 1))
        judged = (1 + coalitions + self.earlier) * (self.rule.least * self.contributors).bit_length()
        dealt = self.contributors * (1 + self.earlier) * self.bits
        return max(1, WORDS_AT_ONCE // (held * (judged + dealt)))


def words(numbers: NDArray[np.uint64], bits: int) -> Words:
    """Lists of numbers (lists, cells) as planes, list by list. Raises `NotValid` if one does not fit."""
    return np.concatenate([to_planes(one, bits).reshape(-1) for one in numbers])


async def judged(
    kernel: BitKernel, rows: Sequence[Mapping[Row, Words | RowSource]], shape: TableShape
) -> tuple[Words, Number]:
    """The shared status and rounded total of each cell; `rows` as dealt by each contributor, in order."""
    if len(rows) != shape.contributors:
        raise NotValid(f"{shape.contributors} contributors are named, but {len(rows)} tables were dealt.")
    dealt = [
        kernel.dealt(each, 0, shape.length).reshape(len(kernel.held), -1, shape.bits, shape.words)
        for each in rows
    ]
    parts = []
    for start in range(0, shape.words, step := shape.stretch(len(kernel.held))):
        tables = [
            [[planes[:, e, i, start : start + step] for i in range(shape.bits)] for planes in dealt]
            for e in range(1 + shape.earlier)
        ]
        parts.append(await judge(kernel, tables[0], tables[1:], shape.rule))
    status = np.concatenate([part.status for part in parts], axis=1)
    planes = zip(*(part.total for part in parts), strict=True)
    return status, [np.concatenate(plane, axis=1) for plane in planes]


def read_table(opened: Words, cells: int) -> list[int | None]:
    """The recipient's table from the joined words: a rounded total, or None for hidden."""
    planes = opened.reshape(-1, -(-cells // 64))
    shown, totals = from_planes(planes[:1], cells), from_planes(planes[1:], cells)
    return [int(t) if s else None for s, t in zip(shown, totals, strict=True)]
