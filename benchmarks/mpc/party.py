"""One compute party of a benchmark: our links (TLS) and runtime as nodes run them, one measured program.

Reads the job, connects, takes the dealt inputs from files as a node does, runs the named measurement, and
prints seconds, CPU seconds, bytes, peak memory and rounds. Reading the dealings is part of what is measured.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fairnode.mpc.dealing import ReceiveKeys, Ring, Rows, Terms, receive
from fairnode.mpc.estimate.program import EstimateShape, estimates
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.linear import open_sum
from fairnode.mpc.kernels.numbers import at_least, keep, sum_numbers
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.kernels.sharing import from_planes, to_planes
from fairnode.mpc.kernels.streams import Words, load_cipher
from fairnode.mpc.overlap.cells import exact_cells, lane, on_lanes
from fairnode.mpc.overlap.matches import count_overlaps
from fairnode.mpc.overlap.shape import OverlapShape, patterns
from fairnode.mpc.party.runtime import PartyRuntime
from fairnode.mpc.party.session import PartySession
from fairnode.mpc.programs import program
from fairnode.mpc.transport.link import DONE, Limits, LinkTerms
from fairnode.mpc.transport.mesh import Identity, Mesh, Place, listening
from fairnode.mpc.transport.reason import Reason

Job = dict[str, Any]
Inputs = Sequence[Rows]


async def sum_opened(session: PartySession, _: Inputs, job: Job) -> Job:
    exchange = await connect(session.runtime)
    for _ in range(job.get("times", 1)):
        await open_sum(exchange, job["drawn"])
    return {"rounds": exchange.traffic.rounds}


async def program_run(session: PartySession, inputs: Inputs, job: Job) -> Job:
    await program(job["program"]).run(session, inputs, job["parameters"])
    return {}


async def threshold(session: PartySession, _: Inputs, job: Job) -> Job:
    """The same little work as the peers': parties' own counts, T >= K, opened to all; no coalitions."""
    kernel, bits = BitKernel(await connect(session.runtime)), 32
    mine = to_planes(job["drawn"], bits)
    shared = await asyncio.gather(
        *(
            kernel.share(mine.reshape(-1) if dealer == session.me else None, dealer, mine.size)
            for dealer in range(session.m)
        )
    )
    tables = [list(share.reshape(len(kernel.held), *mine.shape).swapaxes(0, 1)) for share in shared]
    total = await sum_numbers(kernel, tables, bits)
    shown = await keep(kernel, await at_least(kernel, total, 10), total)
    await kernel.open_to_all(np.concatenate(shown, axis=1))
    return {}


async def overlap(session: PartySession, inputs: Inputs, job: Job) -> Job:
    exchange = await connect(session.runtime)
    kernel, shape = BitKernel(exchange), OverlapShape.of(job["shape"])
    counts = await count_overlaps(kernel, [rows.rows for rows in inputs], shape)
    cells = await exact_cells(kernel, on_lanes(kernel, counts, shape), shape.lists)
    lanes = from_planes((await kernel.open_to_all(np.concatenate(cells, axis=1)))[:, None], 64)
    opened = [int(lanes[lane(p)]) for p in patterns(shape.lists)]
    return {"cells": opened, "rounds": exchange.traffic.rounds, "gates": kernel.and_gates}


async def estimate(session: PartySession, _: Inputs, job: Job) -> Job:
    """From a shared overlap table (party 0 shares the supersets' counts) to released figures."""
    exchange = await connect(session.runtime)
    kernel = BitKernel(exchange)
    planes = to_planes(np.array(job["lanes"], np.uint64), job["study"]["bound"].bit_length())
    shared = await kernel.share(planes.reshape(-1) if session.me == 0 else None, 0, planes.size)
    table = [shared[:, i : i + 1] for i in range(len(planes))]
    opened = await estimates(kernel, table, EstimateShape.of(job["study"]))
    return {"opened": opened, "rounds": exchange.traffic.rounds}


Measurement = Callable[[PartySession, Inputs, Job], Awaitable[Job]]
MEASUREMENTS: dict[str, Measurement] = {
    f.__name__: f for f in (sum_opened, program_run, threshold, overlap, estimate)
}


def read_inputs(job: Job) -> list[Rows]:
    """This party's rows of every contributor, from the files that the launcher dealt into."""
    found = []
    for told in job.get("inputs", []):
        receivers = tuple(bytes.fromhex(key) for key in job["receivers"])
        terms = Terms("ab" * 32, 1, told["sender"], Ring(told["ring"]), told["length"], receivers)
        sender = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told["key"]))
        keys = ReceiveKeys(bytes.fromhex(job["secrets"][job["party"]]), sender)
        package = Path(told["folder"], f"{job['party']}.package").read_bytes()
        block = Path(told["folder"], "block")
        found.append(receive(package, block, terms, job["party"], keys))
    return found


def drawn(job: Job) -> Words:
    """The party's own made-up numbers, where a measurement has such: made before the clock starts."""
    below = {"sum_opened": 1000, "threshold": 40}.get(job["name"], 1)
    return np.random.default_rng(job["party"]).integers(0, below, job.get("cells", 0), np.uint64)


def peak_memory() -> int:
    """Bytes; `getrusage` would count the parent's pages from before exec."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def ended(reason: Reason) -> None:
    """A link that breaks ends the measurement."""
    print(reason.sentence, file=sys.stderr)
    sys.exit(1)


async def main(job: Job) -> None:
    home = Path(job["home"])
    identity = Identity(job["run"], job["party"], home / "tls.crt", home / "tls.key")
    places = tuple(Place(**place) for place in job["places"])
    mesh = Mesh(identity, places, LinkTerms(ended, Limits(waiting=4 << 30)))
    with listening(home / "sockets", job["run"]) as inbox:
        await mesh.connect(inbox)
    runtime = PartyRuntime(job["party"], mesh.links)
    await runtime.exchange_keys()
    await runtime.output(runtime.input(runtime.SecInt(32)(1), senders=0))  # all are there
    sent = sum(link.nbytes_sent for link in mesh.links.values())
    load_cipher()  # as the warm server of a node has
    job["drawn"] = drawn(job)
    start, used = time.perf_counter(), time.process_time()
    answer = await MEASUREMENTS[job["name"]](PartySession(runtime), read_inputs(job), job)
    seconds, busy = time.perf_counter() - start, time.process_time() - used
    sent = sum(link.nbytes_sent for link in mesh.links.values()) - sent
    told = {"seconds": seconds, "cpu": busy, "sent": sent, "peak": peak_memory(), **answer}
    print(json.dumps(told), flush=True)
    for link in mesh.links.values():
        link.send_control(DONE, b"")
    for link in mesh.links.values():
        await link.control[DONE]
    for link in mesh.links.values():
        link.close_connection()
    await asyncio.gather(*(link.gone.wait() for link in mesh.links.values()))


if __name__ == "__main__":
    asyncio.run(main(json.load(sys.stdin)))
