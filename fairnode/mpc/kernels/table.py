"""Program `table`: the sum of contributors' tables, judged by the opening rule before anything is opened.

Shape: `contributors` tables of the same `cells` cells, each cell a count below 2^`bits`, and for each of
`earlier` intersecting releases as many numbers of changed persons. Range: by construction, as a number is
dealt as `bits` planes. Output: one status bit and one rounded total a cell, shared; only the recipient
joins them. Leakage to compute parties: nothing beyond the shape. To the recipient: which cells are hidden,
and the others rounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairnode.errors import NotValid
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.exchange import Row
from fairnode.mpc.kernels.numbers import Number
from fairnode.mpc.kernels.opening import OpeningRule, judge
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.kernels.result import Result
from fairnode.mpc.kernels.sharing import RowSource, from_planes, to_planes
from fairnode.mpc.kernels.streams import Words

if TYPE_CHECKING:
    from mpyc.runtime import Runtime

LARGEST_TABLE = 10_000_000


@dataclass(frozen=True)
class TableShape:
    """What the study says of a table program: sizes, and the rule."""

    cells: int
    bits: int
    contributors: int
    earlier: int
    rule: OpeningRule

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> TableShape:
        """From a study's parameters. Raises `NotValid` for sizes or rules without meaning."""
        dominance = parameters.get("dominance")
        shape = cls(
            int(parameters["cells"]),
            int(parameters["bits"]),
            int(parameters["contributors"]),
            int(parameters.get("earlier", 0)),
            OpeningRule(
                int(parameters["least"]),
                int(parameters["coalition"]),
                int(parameters.get("base", 5)),
                None if dominance is None else int(dominance),
            ),
        )
        if not 1 <= shape.cells <= LARGEST_TABLE or not 1 <= shape.bits <= 40 or shape.earlier < 0:
            raise NotValid("A table program has at least one cell, 1 to 40 bits, and no negative numbers.")
        shape.rule.check(shape.contributors)
        return shape

    @property
    def words(self) -> int:
        """Words of one plane."""
        return -(-self.cells // 64)

    @property
    def length(self) -> int:
        """Words that each contributor deals."""
        return (1 + self.earlier) * self.bits * self.words

    @property
    def total_bits(self) -> int:
        """Bits of a rounded total."""
        return self.bits + self.contributors.bit_length() + 1


def words(counts: NDArray[np.uint64], changes: Sequence[NDArray[np.uint64]], shape: TableShape) -> Words:
    """What a contributor deals: its counts and changes as planes. Raises `NotValid` if they do not fit."""
    tables = [counts, *changes]
    if len(changes) != shape.earlier or any(len(table) != shape.cells for table in tables):
        raise NotValid(
            f"The study asks for {shape.cells} cells and {shape.earlier} lists of changes; these differ.",
            to_do="Make the table again from the study's dimensions.",
        )
    return np.concatenate([to_planes(table, shape.bits).reshape(-1) for table in tables])


async def run(
    mpc: Runtime, rows: Sequence[Mapping[Row, Words | RowSource]], parameters: Mapping[str, Any]
) -> Result:
    """Judge and round in the kernel; `rows` in the order of contributors. Opens nothing."""
    exchange = await connect(mpc)
    kernel = BitKernel(exchange)
    status, total = await judged(kernel, rows, TableShape.of(parameters))
    return Result(kernel.to_rows(np.concatenate([status, *total], axis=1)), traffic=exchange.traffic)


async def judged(
    kernel: BitKernel, rows: Sequence[Mapping[Row, Words | RowSource]], shape: TableShape
) -> tuple[Words, Number]:
    """The shared status and rounded total of each cell."""
    if len(rows) != shape.contributors:
        raise NotValid(f"{shape.contributors} contributors are named, but {len(rows)} tables were dealt.")
    tables: list[list[Number]] = [[] for _ in range(1 + shape.earlier)]
    for dealt in rows:
        planes = kernel.dealt(dealt, 0, shape.length).reshape(len(kernel.held), -1, shape.words)
        for e, numbers in enumerate(tables):
            numbers.append([planes[:, e * shape.bits + i] for i in range(shape.bits)])
    opened = await judge(kernel, tables[0], tables[1:], shape.rule)
    return opened.status, opened.total


def table(opened: Words, shape: TableShape) -> list[int | None]:
    """The recipient's table from the joined rows: a rounded total, or None for hidden."""
    planes = opened.reshape(1 + shape.total_bits, shape.words)
    shown, totals = from_planes(planes[:1], shape.cells), from_planes(planes[1:], shape.cells)
    return [int(t) if s else None for s, t in zip(shown, totals, strict=True)]
