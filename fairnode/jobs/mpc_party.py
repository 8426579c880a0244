"""Job `mpc_party`: take part in one computation between nodes, in a process of its own."""

from __future__ import annotations

from typing import Any

from fairnode.jobs.process import main
from fairnode.mpc.party.job import parse_job
from fairnode.mpc.party.run import run_party


def run(job: dict[str, Any]) -> dict[str, Any]:
    """The outcome of the run that the job file describes (see `fairnode.mpc.party.run`)."""
    return run_party(parse_job(job))


if __name__ == "__main__":
    main(run)
