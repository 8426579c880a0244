"""Whole runs from the warm server, as a node starts them: the smallest sum, again and again."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.mpc.dealt import Uploads
from fairnode.mpc.dealing import new_receiver_key
from fairnode.mpc.gateway import Gateway
from fairnode.mpc.party.start import WarmParties, take_part
from fairnode.mpc.programs import program
from fairnode.network.certificate import make_certificate

PARAMETERS = {
    "cells": 1,
    "k": 3,
    "base": 1,
    "earlier": 0,
    "largest": 7,
    "lists": "disjoint",
    "engine": "bits",
}


@dataclass(frozen=True)
class Ready:
    """Parties that can start at once: `fresh` makes the jobs of a new run."""

    fresh: Callable[[], list[dict[str, Any]]]
    warm: WarmParties
    folder: Path

    def outcomes(self, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What became of the jobs, all started at once."""
        with ThreadPoolExecutor(len(jobs)) as pool:
            spool = self.folder / "spool"
            running = [pool.submit(take_part, job, spool=spool, warm=self.warm) for job in jobs]
            return [each.result() for each in running]


@contextmanager
def ready(parties: int) -> Iterator[Ready]:
    """A warm server and all that runs of `sum` at so many parties need; one run was done before."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        warm = stack.enter_context(WarmParties(folder / "warm"))
        (folder / "uploads").mkdir()
        uploads = Uploads(folder / "uploads", parties)
        for number in range(parties + 1):
            dealt = program("sum").encode([[number + 1]], PARAMETERS, number)
            uploads.add(np.asarray(dealt), program("sum").ring(PARAMETERS))
        jobs = [_job(folder / str(party), party, uploads, stack) for party in range(parties)]
        places = [job.pop("place") for job in jobs]
        recipient = new_receiver_key().public.hex()

        def fresh() -> list[dict[str, Any]]:
            told = {"run": secrets.token_hex(16), "parties": places, "recipient": recipient}
            return [{**job, **told} for job in jobs]

        made = Ready(fresh, warm, folder)
        made.outcomes(fresh())  # the warm server has loaded everything
        yield made


@contextmanager
def warm_runs(parties: int) -> Iterator[Callable[[], float]]:
    """A function that does one run of `sum` at all parties and tells its seconds."""
    with ready(parties) as made:

        def once() -> float:
            jobs = made.fresh()
            start = time.perf_counter()
            outcomes = made.outcomes(jobs)
            seconds = time.perf_counter() - start
            if any(outcome["outcome"] != "done" for outcome in outcomes):
                raise RuntimeError(f"the warm run ended: {outcomes}")
            return seconds

        yield once


def _job(home: Path, party: int, uploads: Uploads, stack: ExitStack) -> dict[str, Any]:
    home.mkdir()
    fingerprint = make_certificate(home, "node")
    gateway = stack.enter_context(Gateway("127.0.0.1", 0, home / "sockets"))
    told = uploads.job
    (home / "receiver.key").write_text(told["secrets"][party])
    return {
        "place": {"host": "127.0.0.1", "port": gateway.port, "fingerprint": fingerprint},
        "party": party,
        "certificate": str(home / "tls.crt"),
        "key": str(home / "tls.key"),
        "sockets": str(home / "sockets"),
        "study": "ab" * 32,
        "attempt": 1,
        "program": {"name": "sum", "digest": program("sum").digest},
        "parameters": PARAMETERS,
        "inputs": [
            {
                "sender": each["sender"],
                "key": each["key"],
                "package": str(Path(each["folder"], f"{party}.package")),
                "correction": str(Path(each["folder"], "block")),
            }
            for each in told["inputs"]
        ],
        "receivers": told["receivers"],
        "receiver_key": str(home / "receiver.key"),
        "seconds": 60,
    }
