"""Job `mpc_party`: take part in one computation between nodes, in a process of its own.

`python -m fairnode.jobs.mpc_party JOB RESULT` runs one; `... warm FOLDER` is the warm server, which forks
for each job that it is sent over the Unix socket FOLDER/warm (see `fairnode.mpc.party.start`).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from fairnode.jobs.process import main
from fairnode.mpc.gateway import short_path
from fairnode.mpc.kernels.streams import load_cipher
from fairnode.mpc.party.job import parse_job
from fairnode.mpc.party.run import run_party
from fairnode.mpc.party.start import read_request, tell_pid


def run(job: dict[str, Any]) -> dict[str, Any]:
    """The outcome of the run that the job file describes (see `fairnode.mpc.party.run`)."""
    return run_party(parse_job(job))


def serve(folder: Path) -> None:
    """Fork for each request until standard input ends. One thread only, so that forking is safe."""
    load_cipher()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks that ended leave nothing behind
    with socket.socket(socket.AF_UNIX) as listener:
        with short_path(folder) as place:
            listener.bind(f"{place}/warm")
        listener.listen(16)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError, ValueError):
                connection.settimeout(1.0)
                _fork(read_request(connection), connection, listener)


def _fork(files: list[str], connection: socket.socket, listener: socket.socket) -> None:
    """Run the job of `files` in a new process, which holds `connection` until it ends."""
    pid = os.fork()
    if pid:
        tell_pid(connection, pid)
        return
    try:
        listener.close()
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        sys.argv[1:] = files
        main(run)
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        os._exit(0)  # not back into the server's loop, whatever happened


if __name__ == "__main__":
    if sys.argv[1] == "warm":
        serve(Path(sys.argv[2]))
    else:
        main(run)
