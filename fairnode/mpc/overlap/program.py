"""Programs `overlap` and `overlap-cells`: who is on which of three to six lists, counted and never named.

Shape: `lists` K, `bound` N persons a list, `fingerprint` bits and `slots`, signed with the study; each
contributor deals `OverlapShape.length(place)` words (`tables.bins`). Range: by construction. Exact up to a
false match (`shape`). Output of `overlap`: the table of superset counts, shared, kept by the compute
parties for the next program; nothing is opened and nobody learns anything. Output of `overlap-cells`: the
exact cells under P9 with k = `least`, shared, for the recipient to join; compute parties learn nothing, the
recipient which cells are hidden and the others rounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fairnode.errors import NotValid
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.exchange import Row
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.kernels.result import Result
from fairnode.mpc.kernels.sharing import RowSource
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.overlap.cells import judge_cells, on_lanes
from fairnode.mpc.overlap.matches import count_overlaps
from fairnode.mpc.overlap.shape import OverlapShape

if TYPE_CHECKING:
    from mpyc.runtime import Runtime

Dealt = Sequence[Mapping[Row, Words | RowSource]]


async def run(mpc: Runtime, rows: Dealt, parameters: Mapping[str, Any]) -> Result:
    """Program `overlap`: `rows` in the order of places; the shared table as bits of 64 lanes (`cells`)."""
    exchange = await connect(mpc)
    kernel = BitKernel(exchange)
    shape = OverlapShape.of(parameters)
    table = on_lanes(kernel, await count_overlaps(kernel, rows, shape), shape)
    return Result(kernel.to_rows(np.concatenate(table, axis=1)), traffic=exchange.traffic)


async def run_cells(mpc: Runtime, rows: Dealt, parameters: Mapping[str, Any]) -> Result:
    """Program `overlap-cells`: as `run`, then P9. The recipient reads the result by `cells.read_cells`."""
    exchange = await connect(mpc)
    kernel = BitKernel(exchange)
    shape = OverlapShape.of(parameters)
    least, base = int(parameters["least"]), int(parameters.get("base", 5))
    if least < 3:
        raise NotValid("The smallest cell that a study may show is at least 3.")
    table = on_lanes(kernel, await count_overlaps(kernel, rows, shape), shape)
    status, total = await judge_cells(kernel, table, shape.lists, least, base)
    return Result(kernel.to_rows(np.concatenate([status, *total], axis=1)), traffic=exchange.traffic)
