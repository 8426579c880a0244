"""Child process that has loaded what jobs on data need, and then does one of them (see `fairnode.child.Spare`).

`python -m fairnode.jobs.spare PARENT`. One line comes on standard input, as JSON: the name of the job, its
folder, its job file and its result file. Where none comes, it ends.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from fairnode.child import SPARED
from fairnode.jobs import recount, view
from fairnode.jobs.process import Job, answer, end_with

JOBS: dict[str, Job] = {"recount": recount.run, "view": view.run}
assert JOBS.keys() == SPARED


def main() -> None:
    """Wait for the job, and do it."""
    end_with(int(sys.argv[1]))
    told = sys.stdin.readline()
    if told:
        name, folder, job, result = json.loads(told)
        tempfile.tempdir = folder
        answer(JOBS[name], Path(job), Path(result))


if __name__ == "__main__":
    main()
