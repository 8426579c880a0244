"""Runs attacks by name, each in a process of its own, and tells what came of them.

    python3 attacks.pyz NAME...     (or, in a visit, the names in the parameter "attacks" of run.json)

Writes {"attacks": [{"name", "held", "figure"}]} to /fairnode/out/result, or each as a line to standard output
where there is no such file. `held` is true when the container held.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from fairnode.engine_docker.attacks import files, kernel, limits, loud, network, syscalls, work

RUN_JSON, RESULT = Path("/fairnode/run.json"), Path("/fairnode/out/result")
SECONDS = 30
Attack = Callable[[], tuple[bool, str]]
QUIET: dict[str, Attack] = {
    **network.ATTACKS,
    **syscalls.ATTACKS,
    **files.ATTACKS,
    **limits.ATTACKS,
    **work.ATTACKS,
    **kernel.ATTACKS,
}


def main() -> None:
    """Run what was asked for and leave the result."""
    names = sys.argv[1:] or json.loads(RUN_JSON.read_text())["parameters"]["attacks"]
    for name in names:
        if name in loud.ATTACKS:
            loud.ATTACKS[name]()  # these end the container, or write the output themselves
            return
    told = []
    for name in names:
        told.append(run(name))
        if RESULT.exists():
            RESULT.write_text(json.dumps({"attacks": told}))
        else:
            sys.stdout.write(json.dumps(told[-1]) + "\n")


def run(name: str) -> dict[str, object]:
    """One attack in a child process, which may die of it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.close(reader)
        Path("/proc/self/oom_score_adj").write_text("1000")  # should memory run out, it is this one that goes
        os.write(writer, json.dumps(QUIET[name]()).encode())
        os._exit(0)
    os.close(writer)
    status, in_time = _wait(child)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    if told:
        held, figure = json.loads(told)
    else:
        held = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGSYS, signal.SIGKILL)
        figure = f"ended by signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "broke down"
        if not in_time:
            held, figure = False, f"went on for {SECONDS} seconds, and nothing stopped it"
    return {"name": name, "held": bool(held), "figure": str(figure)}


def _wait(child: int) -> tuple[int, bool]:
    """How the child ended, and whether it did so by itself; its whole group is gone then."""
    deadline, in_time = time.monotonic() + SECONDS, True
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            in_time = False
            break
        time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError):  # it left nothing behind
        os.killpg(child, signal.SIGKILL)
    return status, in_time
