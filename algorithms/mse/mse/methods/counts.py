"""Estimators from the number of persons on exactly k lists."""

from __future__ import annotations

from .. import chao
from ..bootstrap import bca
from ..patterns import Floats
from ..result import Estimate, Interval
from .work import Work, bca_json


def chao_method(work: Work) -> Estimate:
    """Chao, with its variants as diagnostics."""
    found = chao.chao(work.table)
    return Estimate(
        "chao",
        found.estimate,
        (Interval(*found.interval, 0.95, "log-normal"),),
        None,
        {"biasCorrected": found.bias_corrected, "scaledByLists": found.scaled},
    )


def zelterman_method(work: Work) -> Estimate:
    """Zelterman."""
    estimate, interval = chao.zelterman(work.table)
    return Estimate("zelterman", estimate, (Interval(*interval, 0.95, "normal"),), None)


def mth_method(work: Work) -> Estimate:
    """The Mth lower bound, bootstrapped without selection."""
    point = chao.mth_lower_bound(work.table)

    def again(tables: Floats) -> Floats:
        return chao.mth_missing(work.lists, tables)

    intervals, extra = bca_json(bca(work.table, point, again, work.boot, work.settings.seed))
    return Estimate("mth-chao", point, intervals, None, {**extra, "seed": work.settings.seed})
