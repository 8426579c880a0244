"""One party of plain MPyC, in the peers' environment: it knows nothing of this project.

Reads the job as JSON, runs the named measurement in MPyC's array API (its fastest), prints what it measured.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
from mpyc.runtime import mpc

Job = dict[str, Any]


def own_vector(job: Job) -> np.ndarray:
    """The party's made-up numbers as MPyC takes them: made before the clock starts."""
    below = 1000 if job["name"] == "sum_opened" else 40
    return np.random.default_rng(mpc.pid).integers(0, below, job.get("cells", 0)).astype(object)


async def hello(_: Job) -> object:
    secint = mpc.SecInt(32)
    return await mpc.output(sum(mpc.input(secint(1))))


async def sum_opened(job: Job) -> object:
    secint = mpc.SecInt(32)
    inputs = mpc.input(secint.array(job["drawn"]))
    return await mpc.output(sum(inputs[1:], start=inputs[0]))


async def table_threshold(job: Job) -> object:
    """Only T >= K, the smaller task of the first measurements."""
    secint = mpc.SecInt(32)
    inputs = mpc.input(secint.array(job["drawn"]))
    total = sum(inputs[1:], start=inputs[0])
    return await mpc.output((1 - mpc.np_less(total, 10)) * total)


async def table_dominance(job: Job) -> object:
    """T >= K, and nobody above 85 %: one batch of comparisons."""
    secint = mpc.SecInt(48)
    inputs = mpc.input(secint.array(job["drawn"]))
    total = sum(inputs[1:], start=inputs[0])
    sides = mpc.np_stack([total - 10, *(85 * total - 100 * x for x in inputs)])
    return await mpc.output(mpc.np_prod(1 - mpc.np_less(sides, 0), axis=0) * total)


MEASUREMENTS = {f.__name__: f for f in (hello, sum_opened, table_threshold, table_dominance)}


async def main(job: Job) -> None:
    await mpc.start()
    await mpc.transfer(0)  # all are there
    job["drawn"] = own_vector(job)
    start, used = time.perf_counter(), time.process_time()
    await MEASUREMENTS[job["name"]](job)
    seconds, busy = time.perf_counter() - start, time.process_time() - used
    sent = sum(peer.protocol.nbytes_sent for peer in mpc.parties if peer.pid != mpc.pid)
    await mpc.shutdown()
    print(json.dumps({"seconds": seconds, "cpu": busy, "sent": sent}))


if __name__ == "__main__":
    mpc.run(main(json.load(sys.stdin)))
