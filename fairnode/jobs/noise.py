"""Child job: noise for differential privacy, by OpenDP; the budget is charged before, in the node's database.

Job: {"values": [numbers], "epsilon": thousandths, "sensitivity": what one person changes in all (L1),
      "counts": bool}
Result: {"values": [numbers]}
"""

from __future__ import annotations

from typing import Any

import opendp.prelude as dp

from fairnode import errors
from fairnode.jobs.process import main


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Geometric noise on counts, Laplace on other numbers. Raises `Unavailable` should it cost more than told."""
    dp.enable_features("contrib")
    values, counts = job["values"], bool(job["counts"])
    epsilon, kind = job["epsilon"] / 1000, int if counts else float
    sensitivity = kind(job["sensitivity"])
    domain = dp.atom_domain(T=int) if counts else dp.atom_domain(T=float, nan=False)
    space = dp.vector_domain(domain, size=len(values)), dp.l1_distance(T=kind)
    noisy = space >> dp.m.then_laplace(scale=sensitivity / epsilon)
    if noisy.map(sensitivity) > epsilon * (1 + 1e-9):
        raise errors.Unavailable("The noise would cost more than was charged for it.")
    return {"values": noisy([kind(value) for value in values])}


if __name__ == "__main__":
    main(run)
