"""One compute party of a benchmark: reads the job, runs the named measurement, prints what it measured."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
from mpyc.runtime import mpc

from fairnode.mpc.estimate.program import EstimateShape, estimates
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.exchange import held_by
from fairnode.mpc.kernels.linear import open_shamir, open_sum, share_and_add
from fairnode.mpc.kernels.opening import OpeningRule, judge
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.kernels.sharing import FileRow, from_planes, to_planes
from fairnode.mpc.overlap.cells import exact_cells, lane, on_lanes
from fairnode.mpc.overlap.matches import count_overlaps
from fairnode.mpc.overlap.shape import OverlapShape, patterns

Job = dict[str, Any]


def own_vector(cells: int) -> np.ndarray:
    return np.random.default_rng(mpc.pid).integers(0, 1000, cells, np.uint64)


async def sum_opened(job: Job) -> object:
    return await open_sum(await connect(mpc), own_vector(job["cells"]))


async def sum_shared(job: Job) -> object:
    exchange = await connect(mpc)
    return await open_shamir(exchange, await share_and_add(exchange, own_vector(job["cells"])))


async def sum_mpyc(job: Job) -> object:
    secint = mpc.SecInt(32)
    inputs = mpc.input(secint.array(own_vector(job["cells"]).astype(object)))
    return await mpc.output(sum(inputs[1:], start=inputs[0]))


async def table(job: Job) -> object:
    kernel = BitKernel(await connect(mpc))
    numbers = []
    planes = to_planes(own_vector(job["cells"]) % np.uint64(40), 32)
    for dealer in range(kernel.parties):
        words = planes.reshape(-1) if dealer == mpc.pid else None
        x = (await kernel.share(words, dealer, planes.size)).reshape(len(kernel.held), *planes.shape)
        numbers.append([x[:, i] for i in range(32)])
    result = await judge(kernel, numbers, [], OpeningRule(10, base=job["base"]))
    return await kernel.open_to_all(np.concatenate([result.status, *result.total], axis=1))


async def table_mpyc(job: Job) -> object:
    """The same rule in MPyC arrays: T >= K, and without any one contributor 0 or >= K; no rounding."""
    secint = mpc.SecInt(32)
    inputs = mpc.input(secint.array((own_vector(job["cells"]) % np.uint64(40)).astype(object)))
    total = sum(inputs[1:], start=inputs[0])
    bound = 10
    shown = 1 - mpc.np_less(total, bound)
    for x in inputs:
        rest = total - x
        shown *= 1 - mpc.np_less(rest, bound) * (1 - mpc.np_equal(rest, 0))
    return await mpc.output(shown * total)


async def table_mpyc_threshold(job: Job) -> object:
    """The smaller task of the earlier measurements: T >= K only."""
    secint = mpc.SecInt(32)
    inputs = mpc.input(secint.array((own_vector(job["cells"]) % np.uint64(40)).astype(object)))
    total = sum(inputs[1:], start=inputs[0])
    return await mpc.output((1 - mpc.np_less(total, 10)) * total)


async def overlap(job: Job) -> object:
    exchange = await connect(mpc)
    kernel = BitKernel(exchange)
    shape = OverlapShape.of(job["shape"])
    held = held_by(mpc.pid, kernel.parties, kernel.threshold)
    folder = Path(job["folder"])
    lists = [
        {row: FileRow(folder / f"{i}-{'-'.join(map(str, row))}") for row in held} for i in range(shape.lists)
    ]
    counts = await count_overlaps(kernel, lists, shape)
    table = on_lanes(kernel, counts, shape)
    cells = await exact_cells(kernel, table, shape.lists)
    lanes = from_planes((await kernel.open_to_all(np.concatenate(cells, axis=1)))[:, None], 64)
    opened = [int(lanes[lane(p)]) for p in patterns(shape.lists)]
    return {"cells": opened, "rounds": exchange.traffic.rounds, "gates": kernel.and_gates}


async def estimate(job: Job) -> object:
    """From a shared overlap table (party 0 shares the supersets' counts) to released figures."""
    exchange = await connect(mpc)
    kernel = BitKernel(exchange)
    planes = to_planes(np.array(job["lanes"], np.uint64), job["study"]["bound"].bit_length())
    shared = await kernel.share(planes.reshape(-1) if mpc.pid == 0 else None, 0, planes.size)
    table = [shared[:, i : i + 1] for i in range(len(planes))]
    opened = await estimates(kernel, table, EstimateShape.of(job["study"]))
    return {"opened": opened, "rounds": exchange.traffic.rounds}


MEASUREMENTS: dict[str, Callable[[Job], Awaitable[object]]] = {
    f.__name__: f
    for f in (sum_opened, sum_shared, sum_mpyc, table, table_mpyc, table_mpyc_threshold, overlap, estimate)
}


def peak_memory() -> int:
    """Bytes; `getrusage` would count the parent's pages from before exec."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


async def main(job: Job) -> None:
    await mpc.start()
    await mpc.transfer(0)  # all are there
    start, used = time.perf_counter(), time.process_time()
    answer = await MEASUREMENTS[job["name"]](job)
    seconds, busy = time.perf_counter() - start, time.process_time() - used
    sent = sum(peer.protocol.nbytes_sent for peer in mpc.parties if peer.pid != mpc.pid)
    await mpc.shutdown()
    peak = peak_memory()
    extra = answer if isinstance(answer, dict) else {}
    print(json.dumps({"seconds": seconds, "cpu": busy, "sent": sent, "peak": peak, **extra}))


if __name__ == "__main__":
    mpc.run(main(json.load(sys.stdin)))
