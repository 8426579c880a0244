"""A node starts its part of a run cold or from a warm server; the outcome is the same."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from fairnode.errors import NotValid, Unavailable
from fairnode.mpc.party.start import WarmParties, take_part

PARAMETERS = {
    "cells": 2,
    "k": 11,
    "base": 5,
    "earlier": 0,
    "largest": 1000,
    "lists": "disjoint",
    "engine": "bits",
}


def take_part_all(jobs, folder, warm):
    with ThreadPoolExecutor(3) as pool:
        return list(
            pool.map(lambda i: take_part(jobs[i], spool=folder / f"{i}", warm=warm[i]), range(len(jobs)))
        )


def test_warm_and_cold_parties_compute_together_and_leave_nothing_in_the_spool(three, tmp_path):
    with ExitStack() as stack:
        warm = [stack.enter_context(WarmParties(tmp_path / f"warm{i}")) for i in range(2)]
        for _ in range(2):
            jobs = three.jobs("sum", PARAMETERS, [[20, 5], [30, 5], [40, 5]])
            outcomes = take_part_all(jobs, tmp_path / "spool", [*warm, None])
            assert three.combine("sum", PARAMETERS, outcomes)["cells"] == [90, None]
        with pytest.raises(NotValid, match="job file"):
            take_part({"seconds": 1}, spool=tmp_path / "spool", warm=warm[0])
    assert [path for path in (tmp_path / "spool").rglob("*") if path.is_file()] == []
    with pytest.raises(Unavailable, match="does not run"):
        take_part({"seconds": 1}, spool=tmp_path / "spool", warm=warm[0])


def test_a_warm_server_ends_with_the_process_that_started_it(tmp_path):
    warm = WarmParties(tmp_path / "warm").__enter__()
    with pytest.raises(NotValid):
        take_part({"seconds": 1}, spool=tmp_path / "spool", warm=warm)
    warm._process.stdin.close()
    assert warm._process.wait(60) == 0


def test_a_forked_party_that_is_killed_is_an_error_at_its_node_only(three, tmp_path):
    jobs = three.jobs("sum", PARAMETERS, [[20, 5], [30, 5], [40, 5]])
    with WarmParties(tmp_path / "warm") as warm, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(take_part, jobs[0], spool=tmp_path / "spool", warm=warm)
        while not list((three.home(0) / "sockets").iterdir()):
            time.sleep(0.05)
        children = Path(f"/proc/{warm._process.pid}/task/{warm._process.pid}/children").read_text()
        os.kill(int(children.split()[0]), signal.SIGKILL)
        with pytest.raises(Unavailable, match="without an answer"):
            waiting.result(10)
        with pytest.raises(NotValid):
            take_part({"seconds": 1}, spool=tmp_path / "spool", warm=warm)
