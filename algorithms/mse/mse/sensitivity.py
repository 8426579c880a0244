"""How far one person more or less moves an estimate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bootstrap import Estimator, leave_one_out
from .table import Table


@dataclass(frozen=True)
class Sensitivity:
    """Largest fall and rise of the estimate over all patterns, and changes without an estimate."""

    lowest: float
    highest: float
    lost: int


def one_person(table: Table, estimate: Estimator) -> Sensitivity:
    """Add one person to, or remove one from, every pattern and estimate again."""
    base = table.counts[None].astype(float)
    more = np.repeat(base, base.shape[1] - 1, axis=0)
    more[np.arange(len(more)), np.arange(1, base.shape[1])] += 1
    less, _ = leave_one_out(table)
    tables = np.vstack([base, more, less])
    totals = tables.sum(axis=1) + estimate(tables)
    change = totals[1:] - totals[0]
    usable = change[np.isfinite(change)]
    low, high = (float(usable.min()), float(usable.max())) if len(usable) else (0.0, 0.0)
    return Sensitivity(min(low, 0.0), max(high, 0.0), len(change) - len(usable))
