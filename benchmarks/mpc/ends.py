"""How soon honest parties know that a run is over, and why: from the moment when one party goes wrong.

Real processes, the honest ones from the warm server as at nodes. What counts is the last honest party's outcome:
it has told the others by then, and hung up. The reason must name the party, or there is no figure.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.mpc.warm import Ready, ready
from fairnode.mpc.party.start import take_part
from fairnode.network.certificate import make_certificate

HERE = Path(__file__).parent
ODD = 1
"""The number of the party that goes wrong."""
Job = dict[str, Any]
_SLEEPER = """
import socket, sys, time
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
time.sleep(60)
"""


def measured(times: int = 3) -> dict[str, float]:
    """Median seconds by what goes wrong; of `stalls` and `absent` those after the deadline."""
    with ready(3) as made:
        found = {
            code: median(_strange(made, how, code) for _ in range(times))
            for how, code in (("dies", "lost"), ("garbage", "garbage"), ("version", "other-engine"))
        }
        for code, change in (
            ("foreign", _foreign(made)),
            ("other-parameters", {"recipient": "11" * 32}),
            ("other-program", {"program": {"name": "sum", "digest": "00" * 32}}),
            ("input", {"study": "cd" * 32}),
        ):
            found[code] = median(_changed(made, code, change) for _ in range(times))
        found["stalled"] = _strange(made, "stalls", "stalled", seconds=12.0)
        found["absent"] = median(_absent(made) for _ in range(times))
    return found


def bare_close(times: int = 5) -> float:
    """Median seconds from the death of a process to the end of its plain connection at another."""
    return median(_bare_close() for _ in range(times))


def _strange(made: Ready, how: str, code: str, seconds: float = 60.0) -> float:
    """One run in which party `ODD` goes wrong on its own; of a deadline only what comes after it counts."""
    jobs = [{**job, "seconds": seconds} for job in made.fresh()]
    with _odd_party(made.folder, how, jobs.pop(ODD)) as moment, ThreadPoolExecutor(2) as pool:
        started = time.monotonic()
        outcomes = pool.submit(made.outcomes, jobs)
        _check(outcomes.result(), code)
        return time.monotonic() - (started + seconds if seconds < 60 else moment())


def _changed(made: Ready, code: str, change: Job) -> float:
    """One run in which party `ODD` has another job than the others: from the start of all."""
    jobs = made.fresh()
    jobs[ODD] |= change
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        odd = pool.submit(take_part, jobs.pop(ODD), spool=made.folder / "spool", warm=made.warm)
        _check(made.outcomes(jobs), code)
        seconds = time.monotonic() - started
        odd.result()
    return seconds


def _absent(made: Ready) -> float:
    """One run to which party `ODD` does not come: what comes after the limit for that."""
    jobs = [{**job, "join_seconds": 1.0} for job in made.fresh()]
    del jobs[ODD]
    started = time.monotonic()
    _check(made.outcomes(jobs), "absent")
    return time.monotonic() - started - 1.0


def _foreign(made: Ready) -> Job:
    home = made.folder / "foreign"
    home.mkdir()
    make_certificate(home, "foreign")
    return {"certificate": str(home / "tls.crt"), "key": str(home / "tls.key"), "seconds": 3}


def _check(outcomes: list[Job], code: str) -> None:
    said = {(o.get("reason", {}).get("code"), o.get("reason", {}).get("party")) for o in outcomes}
    if said != {(code, ODD)}:
        raise RuntimeError(f"{code}: the honest parties said {said}")


@contextmanager
def _odd_party(folder: Path, how: str, job: Job) -> Iterator[Callable[[], float]]:
    """The strange party's process; yields what tells the moment when it went wrong."""
    told = folder / "odd.json"
    told.write_text(json.dumps(job))
    command = [sys.executable, "-I", str(HERE / "odd.py"), how, str(told), str(folder / "odd.result")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = process.stdout
    try:
        yield lambda: next(float(line.split()[-1]) for line in lines if line.startswith("wrong at"))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _bare_close() -> float:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen([sys.executable, "-I", "-c", _SLEEPER, str(listener.getsockname()[1])])
        try:
            with listener.accept()[0] as connection:
                started = time.monotonic()
                process.send_signal(signal.SIGKILL)
                connection.recv(1)
                return time.monotonic() - started
        finally:
            process.kill()
            process.wait()
