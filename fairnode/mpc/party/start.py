"""How a node starts its compute party: a process of its own, cold, or forked from a warm server.

Starting Python and loading numpy and MPyC takes longer than a small computation. `WarmParties` keeps one
process that has loaded everything and forks for each run; the fork is a process like any other, with the
same job and result file. Nothing here loads MPyC.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fairnode import errors
from fairnode.child import run_child
from fairnode.mpc.gateway import short_path

JOB = "mpc_party"
GRACE_SECONDS = 15.0
"""A party ends itself at its own deadline; after so much more it is killed."""
_PID = struct.Struct("<I")


def take_part(job: Mapping[str, Any], *, spool: Path, warm: WarmParties | None = None) -> dict[str, Any]:
    """Run this node's part of the computation in `job` and return its outcome (see `party.run`).

    Blocks until the run is over, at most `job["seconds"]` and a little. Raises NotValid for a job that
    cannot be run, Unavailable if the process died without an outcome.
    """
    seconds = float(job["seconds"]) + GRACE_SECONDS
    if warm is None:
        return run_child(JOB, job, spool=spool, seconds=seconds)
    return warm.run(job, spool=spool, seconds=seconds)


class WarmParties:
    """The warm server's process and the way to it; `folder` is where its socket lies (this user only)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        (self._folder / "warm").unlink(missing_ok=True)
        # It ends when this end of its standard input closes, however this process ends.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", f"fairnode.jobs.{JOB}", "warm", str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)

    def run(self, job: Mapping[str, Any], *, spool: Path, seconds: float) -> dict[str, Any]:
        """As `fairnode.child.run_child`, in a fork of the warm server."""
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{JOB}-", dir=spool) as folder:
            job_path, result_path = Path(folder, "job.json"), Path(folder, "result.json")
            job_path.write_text(json.dumps(job), encoding="utf-8")
            self._forked([str(job_path), str(result_path)], seconds)
            if not result_path.exists():
                raise errors.Unavailable(
                    "The computation ended without an answer.",
                    to_do="The node's operator finds the reason in its log.",
                )
            outcome = json.loads(result_path.read_text(encoding="utf-8"))
        if "error" in outcome:
            raise errors.NotValid(outcome["error"]["what"], to_do=outcome["error"]["to_do"])
        return dict(outcome["result"])

    def _forked(self, files: list[str], seconds: float) -> None:
        """Have the server fork for these files, and wait until the fork has ended."""
        with self._connected(time.monotonic() + seconds) as connection:
            connection.settimeout(seconds)
            connection.sendall(json.dumps(files).encode() + b"\n")
            (pid,) = _PID.unpack(connection.recv(_PID.size, socket.MSG_WAITALL))
            try:
                connection.recv(1)  # the end of the connection is the end of the process
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                raise errors.Unavailable(
                    f"The computation took longer than {seconds:.0f} seconds and was ended.",
                    to_do="Ask the operator of this node for its log.",
                ) from None

    def _connected(self, until: float) -> socket.socket:
        """A connection to the server; waits while it is still loading."""
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                with short_path(self._folder) as place:
                    connection.connect(f"{place}/warm")
                return connection
            except (FileNotFoundError, ConnectionRefusedError):
                connection.close()
            if time.monotonic() > until or self._process is None or self._process.poll() is not None:
                raise errors.Unavailable(
                    "The node's warm server for computations does not run.",
                    to_do="Restart the worker of this node.",
                )
            time.sleep(0.02)


def read_request(connection: socket.socket) -> list[str]:
    """The names of job and result file that a client of the warm server sent. Raises ValueError."""
    data = b""
    while not data.endswith(b"\n"):
        part = connection.recv(4096)
        if not part or len(data) > 16384:
            raise ValueError("not a request")
        data += part
    files = json.loads(data)
    if not isinstance(files, list) or len(files) != 2:
        raise ValueError("not a request")
    return [str(name) for name in files]


def tell_pid(connection: socket.socket, pid: int) -> None:
    """Tell the client which process works for it."""
    connection.sendall(_PID.pack(pid))
