"""The programs that a study may name: a closed list, each with a digest over its source."""

from __future__ import annotations

from fairnode.errors import NotFound
from fairnode.mpc.programs.contract import Program
from fairnode.mpc.programs.hidden_population import OVERLAP_ESTIMATE, OVERLAP_OPEN_SYNTHETIC
from fairnode.mpc.programs.mean_variance import MEAN_VARIANCE
from fairnode.mpc.programs.noisy_sum import NOISY_SUM
from fairnode.mpc.programs.overlap_cells import OVERLAP_CELLS
from fairnode.mpc.programs.quantile import QUANTILE
from fairnode.mpc.programs.regression import REGRESSION
from fairnode.mpc.programs.suppressed_sum import SUM


def programs() -> dict[str, Program]:
    """All programs by name."""
    overlaps = (OVERLAP_ESTIMATE, OVERLAP_CELLS, OVERLAP_OPEN_SYNTHETIC)
    known = (SUM, MEAN_VARIANCE, QUANTILE, REGRESSION, NOISY_SUM, *overlaps)
    return {program.name: program for program in known}


def program(name: str) -> Program:
    """The program of that name. Raises NotFound."""
    known = programs()
    if name not in known:
        raise NotFound(
            f"There is no program '{name}'.", to_do=f"Programs of this node: {', '.join(sorted(known))}."
        )
    return known[name]
