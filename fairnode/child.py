"""Starts a job of `fairnode.jobs` as a child process and hands back its result.

A job gets a JSON object in a file (never in argv or the environment, which other users can read) and
answers with one. It runs isolated (`python -I`), in a process group of its own, with a time limit, and it
ends when the process that started it ends. Its folder is locked while it is in use; `sweep` removes the
folders that nobody holds any more, which a killed process left behind. Loading what a job needs takes longer
than many a job: who expects one has a `Spare` load it beforehand.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fairnode import errors

SPARED = frozenset({"view", "recount"})
"""The jobs that a `Spare` has loaded (`fairnode.jobs.spare`)."""


class Ended(errors.Unavailable):
    """The child was ended by a limit, or died without an answer."""


class Spare:
    """At most one process that has loaded DuckDB and Arrow, has seen no data, and waits for its one job."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """See that there is one; comes back at once, while it is still loading."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = _start("spare", stdin=subprocess.PIPE)

    def take(self) -> subprocess.Popen[bytes] | None:
        """The process, for one job; None when there is none."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None and process.poll() is not None:
            process.communicate()
            return None
        return process

    def end(self) -> None:
        """Let go of it: it ends without a job."""
        process = self.take()
        if process is not None:
            process.communicate()


def run_child(
    name: str,
    job: Mapping[str, Any],
    *,
    spool: Path,
    seconds: float = 600.0,
    spare: Spare | None = None,
) -> dict[str, Any]:
    """Run `fairnode.jobs.<name>` on `job` and return its result, in a `spare` process where that has one.

    `spool` is a directory on this node's disk, readable by this user only. Raises the `FairnodeError`
    that the job raised, `Ended` when it ran longer than `seconds` or died without an answer, `Unavailable` when
    the disk cannot take its files.
    """
    with _disk_told(), job_folder(spool, name) as folder:
        job_path, result_path = folder / "job.json", folder / "result.json"
        job_path.write_text(json.dumps(job), encoding="utf-8")
        stderr = _run(name, folder, seconds, spare)
        if not result_path.exists():
            raise Ended(
                f"The step '{name}' ended without an answer.",
                to_do="The node's operator finds the reason in its log.",
                internal=stderr[-4000:],
            )
        outcome = json.loads(result_path.read_text(encoding="utf-8"))
    if "error" in outcome:
        raise _revive(outcome["error"])
    return dict(outcome["result"])


@contextmanager
def _disk_told() -> Iterator[None]:
    """Say what the operator can do about a disk that takes nothing."""
    try:
        yield
    except OSError as error:
        raise errors.Unavailable(
            "The node's disk cannot be written.",
            to_do="Make room on the disk, then try again.",
            internal=str(error),
        ) from error


@contextmanager
def job_folder(spool: Path, name: str) -> Iterator[Path]:
    """A locked folder of one job, or of several that belong together; removed at its end, and by `sweep`."""
    jobs = spool / "jobs"
    jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(jobs, fcntl.LOCK_SH):  # no sweeping between the making and the locking
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=jobs))
        held = os.open(folder, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


@contextmanager
def _locked(folder: Path, kind: int) -> Iterator[None]:
    """Hold a lock on a folder. Raises `BlockingIOError` if `kind` says not to wait."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, kind)
        yield
    finally:
        os.close(held)


def sweep(spool: Path) -> None:
    """Remove the folders of jobs whose process was killed: job files and spilled data are plaintext."""
    jobs = spool / "jobs"
    if not jobs.is_dir():
        return
    with _locked(jobs, fcntl.LOCK_EX):
        for folder in jobs.iterdir():
            try:
                with _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    shutil.rmtree(folder, ignore_errors=True)
            except (BlockingIOError, FileNotFoundError):
                continue  # in use, or just ended


def _run(name: str, folder: Path, seconds: float, spare: Spare | None) -> str:
    """Run the job in `folder` to its end within `seconds`; its standard error."""
    files = [str(folder / "job.json"), str(folder / "result.json")]
    told = None
    process = spare.take() if spare is not None and name in SPARED else None
    if process is not None:
        told = json.dumps([name, str(folder), *files]).encode()
    else:
        process = _start(name, *files, temporary=folder)
    with process:
        try:
            _, stderr = process.communicate(told, timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Ended(
                f"The step '{name}' took longer than {seconds:.0f} seconds and was ended.",
                to_do="Ask for fewer rows or variables, or ask the operator for a higher limit.",
            ) from None
    return stderr.decode(errors="replace")


def _start(
    name: str, *files: str, temporary: Path | None = None, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start `fairnode.jobs.<name>`, isolated, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-I", "-m", f"fairnode.jobs.{name}", *files, str(os.getpid())],
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={
            "PATH": os.environ.get("PATH", ""),
            "LC_ALL": "C.UTF-8",
            **({"TMPDIR": str(temporary)} if temporary else {}),
        },
    )


def _revive(told: Mapping[str, Any]) -> errors.FairnodeError:
    """The error that the child described, as an exception of the same class."""
    kinds = {kind.code: kind for kind in errors.FairnodeError.__subclasses__()}
    kind = kinds.get(told["code"], errors.FairnodeError)
    findings = tuple(errors.Finding(where, what) for where, what in told["findings"])
    return kind(told["what"], to_do=told["to_do"], findings=findings, internal=told["internal"])
