"""A disk that is full at one party costs a run and nothing else: no output leaves, and the shares serve again."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from mpc_network import warm_parties

from fairnode.errors import FairnodeError, NotValid
from fairnode.mpc.party.start import take_part

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="needs a small disk")
TOLD = {
    "cells": 20_000,
    "k": 11,
    "base": 5,
    "earlier": 0,
    "largest": 1000,
    "lists": "disjoint",
    "engine": "bits",
}


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def attempt(job, spool):
    try:
        return take_part(job, spool=spool, warm=warm_parties[0])
    except FairnodeError as error:
        return {"outcome": "ended", "what": error.what}


def test_a_full_disk_at_one_party_opens_nothing_and_the_run_is_made_again(three, tmp_path, small_disk):
    inputs = [[7, 40] * 10_000, [5, 1] * 10_000, [0, 30] * 10_000]
    jobs = three.jobs("sum", TOLD, inputs)
    spools = [tmp_path / "0", tmp_path / "1", small_disk]
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(attempt, jobs, spools))
    assert [outcome["outcome"] for outcome in outcomes] == ["done", "done", "ended"]
    assert not [path for path in small_disk.rglob("*") if path.is_file()]
    with pytest.raises(NotValid, match="missing"):
        three.combine("sum", TOLD, outcomes[:2])
    with ThreadPoolExecutor(3) as pool:
        again = list(pool.map(attempt, jobs, [tmp_path / name for name in "abc"]))
    assert three.combine("sum", TOLD, again)["cells"] == [None, 70] * 10_000
