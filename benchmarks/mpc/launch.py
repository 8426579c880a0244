"""Start one process a compute party, hand each the job, and collect what each measured."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

PARTY = Path(__file__).with_name("party.py")


def free_ports(count: int) -> list[int]:
    """Ports below the ephemeral range that nobody listens on now."""
    found: list[int] = []
    port = random.randrange(12000, 30000)
    while len(found) < count:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                found.append(port)
        port += 1
    return found


def run(parties: int, job: dict[str, Any], timeout: float = 540) -> list[dict[str, Any]]:
    """The answer of each party to `job`, in party order. Raises RuntimeError if one of them fails."""
    ports = free_ports(parties)
    processes = []
    for me in range(parties):
        addresses = [f"{'' if p == me else '127.0.0.1'}:{port}" for p, port in enumerate(ports)]
        arguments = [argument for address in addresses for argument in ("-P", address)]
        command = [sys.executable, "-I", str(PARTY), *arguments, "--no-log", "-K", "40"]
        processes.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    try:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps(job))
            process.stdin.close()
            process.stdin = None
        printed = [process.communicate(timeout=timeout)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    if not all(text.strip() for text in printed):
        raise RuntimeError(f"a party of {job['name']} ended without an answer")
    return [json.loads(text.splitlines()[-1]) for text in printed]
