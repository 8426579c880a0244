"""Child job: adds noise to counts, so that they are differentially private (OpenDP's discrete Laplace).

In: `{"counts", "sensitivity", "epsilon"}`: by how much one person changes all counts together at most, and the
privacy loss, which the node has charged already. Out: `{"noisy", "spent"}`.
"""

from __future__ import annotations

from typing import Any

import opendp.prelude as dp

from fairnode.errors import NotAllowed
from fairnode.jobs.process import main


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Draw the noise once. Raises `NotAllowed` if it would cost more than was charged."""
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    sensitivity, epsilon = int(job["sensitivity"]), float(job["epsilon"])
    mechanism = dp.m.make_laplace(*space, scale=sensitivity / epsilon)
    spent = float(mechanism.map(sensitivity))  # type: ignore[no-untyped-call]
    if spent > epsilon * (1 + 1e-9):
        raise NotAllowed("The noise would cost more privacy than was charged.")
    return {"noisy": list(mechanism([int(count) for count in job["counts"]])), "spent": spent}


if __name__ == "__main__":
    main(run)
