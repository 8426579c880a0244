"""A network that is cut (between real namespaces) ends the run, and the party behind the cut is named."""

import os
import shutil
import subprocess
import sys
import time

import pytest
from mpc_network import Party

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


def test_a_cut_wire_is_noticed_long_before_the_deadline(three, tmp_path, wires):
    names, hub = wires
    within = [("ip", "netns", "exec", name) for name in names]
    jobs = three.jobs("sum", PARAMETERS, [[20, 1]] * 3, seconds=50)
    places = [
        place | {"host": f"10.77.0.{i + 1}", "port": 7400} for i, place in enumerate(jobs[0]["parties"])
    ]
    jobs = [job | {"parties": places} for job in jobs]
    gateways, parties = [], []
    try:
        for i, job in enumerate(jobs):
            command = [*within[i], sys.executable, "-I", "-c", GATEWAY, f"10.77.0.{i + 1}", job["sockets"]]
            gateway = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            gateways.append(gateway)
            assert gateway.stdout.readline() == b"ready\n"
        for i, job in enumerate(jobs):
            odd = "odd_party.py waits" if i == 1 else None
            parties.append(Party(job, tmp_path / f"{i}", odd, within[i]))
        time.sleep(4)
        assert all(party.process.poll() is None for party in parties)
        cut = time.monotonic()
        ip("-n", hub, "link", "set", "port1", "down")
        outcomes = [party.outcome() for party in parties]
        seconds = time.monotonic() - cut
    finally:
        for party in parties:
            party.kill()
        for gateway in gateways:
            gateway.communicate(timeout=10)
    assert [(outcomes[i]["reason"]["code"], outcomes[i]["reason"]["party"]) for i in (0, 2)] == [
        ("lost", 1)
    ] * 2
    assert outcomes[1]["reason"]["code"] == "lost"
    assert seconds < 25
