"""Start one process a compute party, over TLS, hand each the job, and collect what each measured."""

from __future__ import annotations

import json
import random
import secrets
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.mpc.certificates import for_mpyc
from benchmarks.mpc.peers import python_of
from fairnode.mpc.gateway import Gateway
from fairnode.network.certificate import make_certificate

HERE = Path(__file__).parent
Answers = list[dict[str, Any]]


def run(parties: int, job: dict[str, Any], timeout: float = 590) -> Answers:
    """Each party's answer to `job`: our runtime, as nodes run it. Raises RuntimeError if one fails."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        places, own = [], []
        for party in range(parties):
            home = Path(name, str(party))
            home.mkdir()
            fingerprint = make_certificate(home, "node")
            gateway = stack.enter_context(Gateway("127.0.0.1", 0, home / "sockets"))
            places.append({"host": "127.0.0.1", "port": gateway.port, "fingerprint": fingerprint})
            own.append({"party": party, "home": str(home)})
        told = {**job, "run": secrets.token_hex(16), "places": places}
        command = [sys.executable, "-I", str(HERE / "party.py")]
        return _answers([command] * parties, [{**told, **each} for each in own], timeout, Path.cwd())


def run_mpyc(parties: int, job: dict[str, Any], timeout: float = 590) -> Answers | None:
    """The same for plain MPyC as it is installed, with its own `--ssl`; None if it cannot be installed."""
    interpreter = python_of("mpyc")
    if interpreter is None:
        return None
    ports = _free_ports(parties)
    commands = []
    for me in range(parties):
        addresses = [f"{'' if p == me else '127.0.0.1'}:{port}" for p, port in enumerate(ports)]
        arguments = [argument for address in addresses for argument in ("-P", address)]
        script = [str(interpreter), "-I", str(HERE / "mpyc_party.py")]
        commands.append([*script, *arguments, "--no-log", "--ssl", "-K", "40"])
    with tempfile.TemporaryDirectory() as folder:
        for_mpyc(Path(folder), parties)
        return _answers(commands, [job] * parties, timeout, Path(folder))


def _free_ports(count: int) -> list[int]:
    """Ports below the ephemeral range that nobody listens on now."""
    found: list[int] = []
    port = random.randrange(12000, 30000)
    while len(found) < count:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                found.append(port)
        port += 1
    return found


def _answers(commands: list[list[str]], jobs: list[dict[str, Any]], timeout: float, folder: Path) -> Answers:
    """Run the commands side by side, each with its job on standard input; what each printed last."""
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=folder) for command in commands
    ]
    try:
        for process, job in zip(processes, jobs, strict=True):
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
        raise RuntimeError(f"a party of {jobs[0]['name']} ended without an answer")
    return [json.loads(text.splitlines()[-1]) for text in printed]
