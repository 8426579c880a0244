"""Starts a job of `fairnode.jobs` as a child process and hands back its result.

A job gets a JSON object in a file (never in argv or the environment, which other users can read) and
answers with one. It runs isolated (`python -I`), in a process group of its own, with a time limit.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairnode import errors


class Ended(errors.Unavailable):
    """The child was ended by a limit, or died without an answer."""


def run_child(name: str, job: Mapping[str, Any], *, spool: Path, seconds: float = 600.0) -> dict[str, Any]:
    """Run `fairnode.jobs.<name>` on `job` and return its result.

    `spool` is a directory on this node's disk, readable by this user only. Raises the `FairnodeError`
    that the job raised, or `Ended` (an `Unavailable`) when it ran longer than `seconds` or died without an answer.
    """
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=spool) as folder:
        job_path, result_path = Path(folder, "job.json"), Path(folder, "result.json")
        job_path.write_text(json.dumps(job), encoding="utf-8")
        stderr = _run([f"fairnode.jobs.{name}", str(job_path), str(result_path)], folder, seconds, name)
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


def _run(arguments: list[str], folder: str, seconds: float, name: str) -> str:
    """Run the module to its end within `seconds`; its standard error."""
    with subprocess.Popen(
        [sys.executable, "-I", "-m", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={"TMPDIR": folder, "PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
    ) as process:
        try:
            _, stderr = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Ended(
                f"The step '{name}' took longer than {seconds:.0f} seconds and was ended.",
                to_do="Ask for fewer rows or variables, or ask the operator for a higher limit.",
            ) from None
    return stderr.decode(errors="replace")


def _revive(told: Mapping[str, Any]) -> errors.FairnodeError:
    """The error that the child described, as an exception of the same class."""
    kinds = {kind.code: kind for kind in errors.FairnodeError.__subclasses__()}
    kind = kinds.get(told["code"], errors.FairnodeError)
    findings = tuple(errors.Finding(where, what) for where, what in told["findings"])
    return kind(told["what"], to_do=told["to_do"], findings=findings, internal=told["internal"])
