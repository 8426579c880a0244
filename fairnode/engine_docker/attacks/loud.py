"""Attacks that end the container or that only the outside can judge."""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

OUT = Path("/fairnode/out/result")
VALID = '{"type":"fairnode.result/1","tables":[]}'


def memory() -> None:
    """Leave a valid result, then use up all memory."""
    OUT.write_text(VALID)
    _hoard()


def memory_in_children() -> None:
    """Leave a valid result, let children use up all memory, and end well."""
    OUT.write_text(VALID)
    for _ in range(8):
        if os.fork() == 0:
            _hoard()
    for _ in range(8):
        os.wait()


def scratch_memory() -> None:
    """Use up all memory through the memory disks."""
    OUT.write_text(VALID)
    for number in range(64):
        Path(f"/tmp/{number}").write_bytes(b"x" * (16 << 20))  # noqa: S108


def unseen_memory() -> None:
    """Leave a valid result, then use up all memory in files that have no name."""
    OUT.write_text(VALID)
    held = []
    while True:
        held.append(os.memfd_create("attack"))
        os.write(held[-1], b"x" * (16 << 20))


def shared_memory() -> None:
    """Leave a valid result, then use up all memory in mappings shared with children that do nothing."""
    OUT.write_text(VALID)
    held = []
    while True:
        held.append(mmap.mmap(-1, 16 << 20))
        held[-1].write(b"x" * (16 << 20))


def growing() -> None:
    """Let another process lengthen the result again and again, until the first one ends."""
    OUT.write_text(VALID)
    if os.fork() == 0:
        while True:
            with OUT.open("ab") as file:
                file.write(b" ")
    time.sleep(1)


def colours() -> None:
    """Print commands for a terminal and markup for a page."""
    os.write(1, b"\x1b]0;evil\x07\x1b[2J\x9b31m<script>alert(1)</script>\xe2\x80\xae\n")
    OUT.write_text(VALID)


def code_of_parameters() -> None:
    """Leave a valid result and end with the code that run.json holds as "code"."""
    OUT.write_text(VALID)
    os._exit(int(json.loads(Path("/fairnode/run.json").read_text())["parameters"]["code"]))


def _hoard() -> None:
    held = []
    while True:
        held.append(bytearray(16 << 20))


def overtime() -> None:
    """Leave a valid result, then stay."""
    OUT.write_text(VALID)
    time.sleep(3600)


def deaf() -> None:
    """Ignore every signal, and stay."""
    OUT.write_text(VALID)
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue  # the two that nobody can ignore, and those that do not exist
    while True:
        time.sleep(1)


def stopped() -> None:
    """Stop oneself, so that no end comes."""
    OUT.write_text(VALID)
    child = os.fork()
    if child == 0:
        os.kill(os.getppid(), signal.SIGSTOP)
        time.sleep(3600)
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(3600)


def daemon() -> None:
    """Leave a grandchild behind that writes after the end."""
    OUT.write_text(VALID)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1)
            OUT.write_text("written after the end")
            time.sleep(3600)
        os._exit(0)
    os.wait()


def kill_all() -> None:
    """Kill every process that can be seen."""
    OUT.write_text(VALID)
    os.kill(-1, signal.SIGKILL)
    time.sleep(1)


def failing() -> None:
    """Leave a valid result and end with a code of one's own: eight bits for a friend outside."""
    OUT.write_text(VALID)
    sys.exit(77)


def talkative() -> None:
    """Write half a gigabyte to standard output and error."""
    OUT.write_text(VALID)
    for _ in range(4096):
        os.write(1, b"secret " * 9362)
        os.write(2, b"secret " * 9362)


def burn() -> None:
    """Burn processor time in nine processes, without end."""
    OUT.write_text(VALID)
    for _ in range(8):
        if os.fork() == 0:
            break
    while True:
        pass


def large() -> None:
    """Write more than the output may be, less than a file may be."""
    OUT.write_bytes(b" " * (2 << 20))


def lock() -> None:
    """Take a lock on the records and tell whether somebody else holds one."""
    with Path("/fairnode/in/records.parquet").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            OUT.write_text("alone")
        except OSError:
            OUT.write_text("another")
        time.sleep(2)


def bytes_of_parameters() -> None:
    """Write whatever run.json holds as "output": used to hand in any bytes as a result."""
    asked = json.loads(Path("/fairnode/run.json").read_text())
    OUT.write_bytes(bytes.fromhex(asked["parameters"]["output"]))


ATTACKS: dict[str, Callable[[], None]] = {
    "memory": memory,
    "memory-in-children": memory_in_children,
    "scratch-memory": scratch_memory,
    "overtime": overtime,
    "deaf": deaf,
    "stopped": stopped,
    "daemon": daemon,
    "kill-all": kill_all,
    "failing": failing,
    "talkative": talkative,
    "burn": burn,
    "large": large,
    "lock": lock,
    "bytes": bytes_of_parameters,
    "unseen-memory": unseen_memory,
    "shared-memory": shared_memory,
    "growing": growing,
    "colours": colours,
    "code": code_of_parameters,
}
