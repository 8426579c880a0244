"""Starting the demo's processes, waiting until they answer, and ending them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from fairnode import errors
from fairnode.demo.members import Member

PIDS = "pids.json"


def start(members: list[Member], folder: Path) -> list[subprocess.Popen[bytes]]:
    """Start web and worker of every node; their process ids are kept in `folder`/pids.json."""
    started = [start_one(member, command) for member in members for command in ("serve", "work")]
    (folder / PIDS).write_text(json.dumps([process.pid for process in started]), encoding="utf-8")
    return started


def start_one(member: Member, command: str) -> subprocess.Popen[bytes]:
    """One process of a node; what it says goes to a log in the node's directory."""
    with (member.directory / f"{command}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "fairnode", command, "--dir", str(member.directory)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def wait_until_up(members: list[Member], seconds: float = 60.0) -> None:
    """Wait until every web process answers. Raises `Unavailable` naming the one that does not."""
    until = time.monotonic() + seconds
    for member in members:
        while not _answers(f"{member.url}/healthz"):
            if time.monotonic() > until:
                raise errors.Unavailable(
                    f"The node of {member.name} does not answer.",
                    to_do=f"Look into {member.directory / 'serve.log'}.",
                )
            time.sleep(0.1)


def _answers(url: str) -> bool:
    """Whether a page answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (our own loopback address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def stop(folder: Path, seconds: float = 15.0) -> None:
    """End the processes of the demo in `folder`, politely first; nothing happens when there are none."""
    path = folder / PIDS
    if not path.exists():
        return
    pids = [pid for pid in json.loads(path.read_text(encoding="utf-8")) if _is_ours(pid)]
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + seconds
    while any(_is_ours(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    for pid in pids:
        if _is_ours(pid):
            os.kill(pid, signal.SIGKILL)
    path.unlink()


def _is_ours(pid: int) -> bool:
    """Whether this process is (still) a fairnode process, and not one that got the same number later."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        ended = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False
    return b"fairnode" in words and not ended
