"""The far side of `fairnode.child`: reads the job file, runs the job, leaves the result file."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fairnode.errors import FairnodeError

Job = Callable[[dict[str, Any]], dict[str, Any]]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(run: Job) -> None:
    """Run one job: argv[1] names the job file, argv[2] the result file, which appears whole or not at all.

    argv[3], if there is one, is the process that waits for it: without it the job ends too.

    An error of the family of `fairnode.errors` becomes `{"error": ...}`; any other ends the process with
    its traceback on standard error, which the parent keeps to itself.
    """
    if sys.argv[3:]:
        end_with(int(sys.argv[3]))
    answer(run, Path(sys.argv[1]), Path(sys.argv[2]))


def answer(run: Job, job_path: Path, result_path: Path) -> None:
    """Run the job in one file and leave its outcome in the other."""
    sys.meta_path.insert(0, _WithoutPandas)
    try:
        outcome: dict[str, Any] = {"result": run(json.loads(job_path.read_text(encoding="utf-8")))}
    except FairnodeError as error:
        outcome = {"error": describe(error)}
    part = result_path.with_suffix(".part")
    part.write_text(json.dumps(outcome), encoding="utf-8")
    part.replace(result_path)


class _WithoutPandas:
    """No job uses pandas; Arrow loads it wherever it is installed, which takes longer than most jobs."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        """Say that there is no pandas; leave all else to those who know."""
        if name == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name=name)


def end_with(parent: int) -> None:
    """End when `parent` ends, also by kill -9: nobody is left to read the answer, or to tidy up after it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it had ended before we asked to be told
        sys.exit(1)


def describe(error: FairnodeError) -> dict[str, Any]:
    """The error as a JSON object from which `fairnode.child` raises it again."""
    return {
        "code": error.code,
        "what": error.what,
        "to_do": error.to_do,
        "internal": error.internal,
        "findings": [[f.where, f.what] for f in error.findings],
    }
