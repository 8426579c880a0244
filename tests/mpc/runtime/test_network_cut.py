"""Bad networks between real namespaces: a run has its result, or ends with a reason, and opens nothing else."""

import contextlib
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mpc_network import Party

from fairnode.mpc.openings import rule

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("ip"), reason="needs network namespaces"),
]
GATEWAY = """
import sys
from pathlib import Path
from fairnode.mpc.gateway import Gateway
with Gateway(sys.argv[1], 7400, Path(sys.argv[2])):
    print("ready", flush=True)
    sys.stdin.read()
"""
PARAMETERS = {
    "cells": 2,
    "k": 11,
    "base": 5,
    "earlier": 0,
    "largest": 1000,
    "lists": "disjoint",
    "engine": "bits",
}
HUB = "10.77.0.100"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


@pytest.fixture
def wires():
    """Three namespaces on a bridge in a fourth; yields their names and the bridge's."""
    names = [f"fnmpc{os.getpid()}-{i}" for i in range(3)]
    hub = f"fnmpc{os.getpid()}-hub"
    made = []
    try:
        for name in (hub, *names):
            ip("netns", "add", name)
            made.append(name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", hub, "link", "add", "bridge", "type", "bridge")
        ip("-n", hub, "address", "add", f"{HUB}/24", "dev", "bridge")
        ip("-n", hub, "link", "set", "bridge", "up")
        for i, name in enumerate(names):
            ip("-n", hub, "link", "add", f"port{i}", "type", "veth", "peer", "name", "wire", "netns", name)
            ip("-n", hub, "link", "set", f"port{i}", "master", "bridge", "up")
            ip("-n", name, "address", "add", f"10.77.0.{i + 1}/24", "dev", "wire")
            ip("-n", name, "link", "set", "wire", "up")
        yield names, hub
    finally:
        for name in made:
            ip("netns", "del", name)


@contextlib.contextmanager
def helper(namespace, *command):
    """A process in a namespace that says when it is ready and ends with its standard input."""
    within = ["ip", "netns", "exec", namespace, sys.executable, "-I", *command]
    process = subprocess.Popen(within, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.communicate(timeout=10)


@contextlib.contextmanager
def running(jobs, names, folder, odd=None, through=None):
    """The parties, each in its namespace behind its gateway; they dial each other at `through`, if given."""
    hosts = [f"10.77.0.{i + 1}" for i in range(3)]
    places = [
        place | ({"host": through, "port": 7500 + i} if through else {"host": hosts[i], "port": 7400})
        for i, place in enumerate(jobs[0]["parties"])
    ]
    parties = []
    with contextlib.ExitStack() as stack:
        for name, host, job in zip(names, hosts, jobs, strict=True):
            stack.enter_context(helper(name, "-c", GATEWAY, host, job["sockets"]))
        try:
            for i, job in enumerate(jobs):
                strange = (odd or {}).get(i)
                within = ("ip", "netns", "exec", names[i])
                parties.append(Party(job | {"parties": places}, folder / f"{i}", strange, within))
            yield parties
        finally:
            for party in parties:
                party.kill()


def slow_wires(hub, delay, rate):
    wires = [f"{HUB}:{7500 + i}=10.77.0.{i + 1}:7400" for i in range(3)]
    return helper(hub, str(Path(__file__).with_name("slow_wire.py")), str(delay), str(rate), *wires)


def table(cells):
    rng = random.Random(cells)
    inputs = [[rng.choice([0, 1, 5, 11, 40]) for _ in range(cells)] for _ in range(3)]
    wanted = [
        rule.rounded(sum(v), 5) if rule.allowed(v, [], 11, 3) else None for v in zip(*inputs, strict=True)
    ]
    return PARAMETERS | {"cells": cells}, inputs, wanted


def test_a_cut_wire_is_noticed_long_before_the_deadline(three, tmp_path, wires):
    names, hub = wires
    jobs = three.jobs("sum", PARAMETERS, [[20, 1]] * 3, seconds=50)
    with running(jobs, names, tmp_path, {1: "odd_party.py waits"}) as parties:
        time.sleep(4)
        assert all(party.process.poll() is None for party in parties)
        cut = time.monotonic()
        ip("-n", hub, "link", "set", "port1", "down")
        outcomes = [party.outcome() for party in parties]
        seconds = time.monotonic() - cut
    assert [(outcomes[i]["reason"]["code"], outcomes[i]["reason"]["party"]) for i in (0, 2)] == [
        ("lost", 1)
    ] * 2
    assert outcomes[1]["reason"]["code"] == "lost"
    assert all("output" not in outcome for outcome in outcomes)
    assert seconds < 25


def test_a_delay_of_50_ms_and_10_mbit_a_second_are_waited_for(three, tmp_path, wires):
    names, hub = wires
    told, inputs, wanted = table(2000)
    jobs = three.jobs("sum", told, inputs, seconds=120)
    with slow_wires(hub, 0.05, 10e6 / 8), running(jobs, names, tmp_path, through=HUB) as parties:
        outcomes = [party.outcome(150) for party in parties]
    assert three.combine("sum", told, outcomes)["cells"] == wanted
    assert all(outcome["statistics"]["computing"] > 1 for outcome in outcomes)  # 20 rounds of 50 ms


def test_a_wire_cut_in_the_middle_of_a_slow_run_ends_it_everywhere(three, tmp_path, wires):
    names, hub = wires
    told, inputs, _ = table(20_000)
    jobs = three.jobs("sum", told, inputs, seconds=30)
    with slow_wires(hub, 0.05, 1e5), running(jobs, names, tmp_path, through=HUB) as parties:
        time.sleep(8)
        assert all(party.process.poll() is None for party in parties)
        ip("-n", hub, "link", "set", "port2", "down")
        outcomes = [party.outcome(60) for party in parties]
    assert all(outcome["outcome"] == "ended" and "output" not in outcome for outcome in outcomes)
    assert {outcome["reason"]["code"] for outcome in outcomes} <= {"lost", "stalled", "slow"}
    assert outcomes[0]["reason"]["party"] == 2


def test_one_lost_packet_in_a_hundred_is_sent_again(three, tmp_path, wires):
    names, _ = wires
    lossy = ("iptables", "-A", "INPUT", "-p", "tcp", "-m", "statistic", "--mode", "random")
    for name in names:
        rule_ = ["ip", "netns", "exec", name, *lossy, "--probability", "0.01", "-j", "DROP"]
        if subprocess.run(rule_, check=False, capture_output=True).returncode:
            pytest.skip("this kernel cannot lose packets on purpose")
    told, inputs, wanted = table(2000)
    jobs = three.jobs("sum", told, inputs, seconds=120)
    with running(jobs, names, tmp_path) as parties:
        outcomes = [party.outcome(150) for party in parties]
    assert three.combine("sum", told, outcomes)["cells"] == wanted
