"""What the methods share: the table, the settings, and the records they write their answers in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .. import aic
from ..bootstrap import Bca
from ..chao import Z95
from ..fit import Fit, fit_model
from ..model import interactions, term_name
from ..patterns import Bools, Ints, members
from ..result import Interval, Value
from ..sensitivity import Sensitivity
from ..settings import Settings
from ..stepwise import Selection, stepwise
from ..table import Table

MANY_LISTS = 7
MOST_BOOT = {7: 200, 8: 200, 9: 100, 10: 100}


@dataclass(frozen=True, eq=False)
class Work:
    """A table, the settings, and what several methods share."""

    table: Table
    settings: Settings

    @property
    def lists(self) -> int:
        """Number of lists."""
        return len(self.table.lists)

    @property
    def boot(self) -> int:
        """Resamples; fewer above six lists, where every one is a search over hundreds of cells."""
        return min(self.settings.boot, MOST_BOOT.get(self.lists, self.settings.boot))

    @cached_property
    def selection(self) -> Selection:
        """The stepwise selection on the table itself."""
        return stepwise(self.lists, self.table.counts[None].astype(float), self.settings.threshold)

    @cached_property
    def selected(self) -> Fit:
        """Its final model. Raises MethodError if even main effects have no estimate."""
        return fit_model(self.table, terms_of(self.selection.terms.masks, self.selection.active[0]))

    def names(self, terms: frozenset[int]) -> tuple[str, ...]:
        """Readable interactions."""
        return tuple(interactions(terms, self.table.lists))


def terms_of(masks: Ints, active: Bools) -> frozenset[int]:
    """A boolean row as a set of terms."""
    return frozenset(int(m) for m in masks[active])


def conditional(persons: int, missing: float, se: float) -> Interval:
    """N + x exp(+-1.96 se / x): log-normal, given the model."""
    spread = float(np.exp(Z95 * se / missing))
    return Interval(
        persons + missing / spread, persons + missing * spread, 0.95, "log-normal, conditional on the model"
    )


def fit_diagnostics(fit: Fit, lists: tuple[str, ...]) -> dict[str, Value]:
    """Coefficients and the usual measures of one fitted model."""
    errors = fit.standard_errors()
    order = sorted(fit.coefficients, key=lambda m: (m.bit_count(), members(m)))
    return {
        "standardError": fit.standard_error,
        "logLikelihood": fit.loglik,
        "deviance": fit.deviance,
        "residualDf": fit.residual_df,
        "aic": fit.aic,
        "bic": fit.bic,
        "coefficients": [
            {
                "term": term_name(m, lists),
                "value": fit.coefficients[m] if m in errors else None,
                "standardError": errors.get(m),
                "minusInfinity": m not in errors,
            }
            for m in order
        ],
    }


def sensitivity_json(found: Sensitivity) -> dict[str, Value]:
    """One-person sensitivity in the output format."""
    return {"largestFall": found.lowest, "largestRise": found.highest, "changesWithoutEstimate": found.lost}


def bca_json(found: Bca) -> tuple[tuple[Interval, ...], dict[str, Value]]:
    """Intervals and diagnostics of a bootstrap."""
    intervals = tuple(
        Interval(lo, hi, level, "BCa bootstrap, selection repeated")
        for level, (lo, hi) in found.intervals.items()
    )
    return intervals, {
        "replicates": found.replicates,
        "replicatesWithoutEstimate": found.failed,
        "biasCorrection": found.bias_correction,
        "acceleration": found.acceleration,
        "levelsAtExtremeResample": list(found.at_extreme),
        "bootstrapMedian": found.median,
    }


def profiled(work: Work, fit: Fit) -> tuple[tuple[Interval, ...], dict[str, Value]]:
    """Profile likelihood intervals of a fitted model."""
    found = aic.profile(work.table, fit)
    intervals = tuple(
        Interval(lo, hi, level, "profile likelihood, conditional on the model")
        for level, (lo, hi) in found.intervals.items()
    )
    return intervals, {"profileMaximum": found.maximum}
