"""The far side of `fairnode.child`: reads the job file, runs the job, leaves the result file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fairnode.errors import FairnodeError

Job = Callable[[dict[str, Any]], dict[str, Any]]


def main(run: Job) -> None:
    """Run one job: argv[1] names the job file, argv[2] the result file, which appears whole or not at all.

    An error of the family of `fairnode.errors` becomes `{"error": ...}`; any other ends the process with
    its traceback on standard error, which the parent keeps to itself.
    """
    job_path, result_path = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        outcome: dict[str, Any] = {"result": run(json.loads(job_path.read_text(encoding="utf-8")))}
    except FairnodeError as error:
        outcome = {"error": describe(error)}
    part = result_path.with_suffix(".part")
    part.write_text(json.dumps(outcome), encoding="utf-8")
    part.replace(result_path)


def describe(error: FairnodeError) -> dict[str, Any]:
    """The error as a JSON object from which `fairnode.child` raises it again."""
    return {
        "code": error.code,
        "what": error.what,
        "to_do": error.to_do,
        "internal": error.internal,
        "findings": [[f.where, f.what] for f in error.findings],
    }
