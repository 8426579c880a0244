"""Child job: join the sealed output shares of all compute parties, at the recipient's node only.

In: `{"program", "parameters", "outputs": [base64], "secret": base64}`. Out: the program's table.
"""

from __future__ import annotations

import base64
from typing import Any

from fairnode.jobs.process import main
from fairnode.mpc.openings.outputs import combine_outputs, open_output
from fairnode.mpc.programs import programs


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Open. Raises `NotValid` when a share is damaged or does not fit the others."""
    secret = base64.b64decode(job["secret"])
    shares = [open_output(base64.b64decode(box), secret) for box in job["outputs"]]
    return dict(combine_outputs(programs()[job["program"]], job["parameters"], shares))


if __name__ == "__main__":
    main(run)
