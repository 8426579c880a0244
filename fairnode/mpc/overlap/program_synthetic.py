"""Program `overlap-open-synthetic` (P10): opens the whole exact table. For tests, with a digest of its own.

Whoever starts runs must refuse it unless every dataset is flagged synthetic; as a second lock it wants the
parameter `synthetic` to say so. Leakage: everything but the names, to all compute parties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairnode.errors import NotAllowed
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.exchange import Row, Runtime
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.kernels.result import Result
from fairnode.mpc.kernels.sharing import RowSource, from_planes
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.overlap.cells import LANES, exact_cells, lane, on_lanes
from fairnode.mpc.overlap.matches import count_overlaps
from fairnode.mpc.overlap.shape import OverlapShape, patterns


async def run(
    mpc: Runtime, rows: Sequence[Mapping[Row, Words | RowSource]], parameters: Mapping[str, Any]
) -> Result:
    """The exact cells in the order of `shape.patterns` as `opened["cells"]`. Raises `NotAllowed`."""
    if parameters.get("synthetic") is not True:
        raise NotAllowed("The whole table may be opened for synthetic data only, and this study is not.")
    exchange = await connect(mpc)
    kernel = BitKernel(exchange)
    shape = OverlapShape.of(parameters)
    table = on_lanes(kernel, await count_overlaps(kernel, rows, shape), shape)
    cells = await exact_cells(kernel, table, shape.lists)
    opened = await kernel.open_to_all(np.concatenate(cells, axis=1))
    counts = from_planes(opened[:, None], LANES)
    return Result({"cells": [int(counts[lane(p)]) for p in patterns(shape.lists)]}, exchange.traffic)
