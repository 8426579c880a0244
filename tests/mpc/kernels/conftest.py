"""Real compute parties: one process each, MPyC's runtime between them over loopback."""

import json
import random
import socket
import subprocess
import sys

import pytest


def free_ports(count):
    """Ports below the ephemeral range that nobody listens on now."""
    found, port = [], random.randrange(12000, 30000)
    while len(found) < count:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                found.append(port)
        port += 1
    return found


def run_parties(script, parties, job, timeout=120):
    """Run `script` once a party, with `job` as JSON on stdin; the JSON each prints, in party order."""
    ports = free_ports(parties)
    processes = []
    for me in range(parties):
        addresses = [f"{'' if p == me else '127.0.0.1'}:{port}" for p, port in enumerate(ports)]
        arguments = [a for address in addresses for a in ("-P", address)]
        processes.append(
            subprocess.Popen(
                [sys.executable, "-I", str(script), *arguments, "--no-log"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    try:
        for process in processes:
            process.stdin.write(json.dumps(job))
            process.stdin.close()
            process.stdin = None
        answers = [process.communicate(timeout=timeout) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    for out, err in answers:
        assert out.strip(), err
    return [json.loads(out.splitlines()[-1]) for out, _ in answers]


@pytest.fixture(scope="session")
def parties():
    return run_parties
