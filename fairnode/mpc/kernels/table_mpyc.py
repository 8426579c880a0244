"""The table program in plain MPyC (`engine="mpyc"`): slow, and the oracle that the kernel is held against.

It tells all compute parties the table, so it is for tests on synthetic data only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.exchange import Row
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.kernels.result import Result
from fairnode.mpc.kernels.sharing import RowSource
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.kernels.table import TableShape
from fairnode.mpc.kernels.to_mpyc import to_secret_numbers

if TYPE_CHECKING:
    from mpyc.runtime import Runtime
    from mpyc.sectypes import SecureArray


async def run(
    mpc: Runtime, rows: Sequence[Mapping[Row, Words | RowSource]], parameters: Mapping[str, Any]
) -> Result:
    """The same work as `table.run` with MPyC's secret integers; `opened["table"]` holds the outcome."""
    exchange = await connect(mpc)
    kernel = BitKernel(exchange)
    shape = TableShape.of(parameters)
    kind = mpc.SecInt(shape.total_bits + 8)
    tables: list[list[SecureArray]] = [[] for _ in range(1 + shape.earlier)]
    for dealt in rows:
        planes = kernel.dealt(dealt, 0, shape.length).reshape(len(kernel.held), -1, shape.words)
        for e, numbers in enumerate(tables):
            part = [planes[:, e * shape.bits + i] for i in range(shape.bits)]
            numbers.append(to_secret_numbers(mpc, kernel, part, shape.cells, kind))
    shown, total = _judged(mpc, tables, shape)
    status = [int(s) for s in await mpc.output(shown)]
    totals = [int(t) for t in await mpc.output(shown * total)]
    base = shape.rule.base
    outcome = [(t + base // 2) // base * base if s else None for s, t in zip(status, totals, strict=True)]
    return Result({}, {"table": outcome}, exchange.traffic)


def _judged(
    mpc: Runtime, tables: Sequence[Sequence[SecureArray]], shape: TableShape
) -> tuple[SecureArray, SecureArray]:
    counts, rule = tables[0], shape.rule
    total = _sum(counts)
    shown = 1 - mpc.np_less(total, rule.least)
    rests = [
        total - _sum(coalition)
        for size in range(1, rule.coalition + 1)
        for coalition in combinations(counts, size)
    ]
    for value in [*rests, *map(_sum, tables[1:])]:
        shown = shown * (1 - mpc.np_less(value, rule.least) * (1 - mpc.np_equal(value, 0)))
    for count in counts if rule.dominance is not None else ():
        shown = shown * (1 - mpc.np_less(rule.dominance * total, 100 * count))
    return shown, total


def _sum(numbers: Sequence[SecureArray]) -> SecureArray:
    return sum(numbers[1:], start=numbers[0])
