"""Every method under its name: from a table and settings to an `Estimate` or a refusal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import bic
from ..errors import MethodError, Refusal
from ..result import Estimate
from .bayesian import bayes_flat, bayes_method, dga_method, lcmcr_method
from .closed import decomposable_method, ipf_method
from .counts import chao_method, mth_method, zelterman_method
from .loglinear import (
    aic_method,
    bic_downhill,
    bic_method,
    bic_pairs,
    fixed_method,
    independence,
    stepwise_method,
)
from .work import Work

__all__ = ["COMPANIONS", "METHODS", "Work", "default_methods", "run"]

METHODS: dict[str, Callable[[Work], Estimate]] = {
    "independence": independence,
    "stepwise": stepwise_method,
    "bic": bic_method,
    "bic-pairs": bic_pairs,
    "bic-downhill": bic_downhill,
    "aic-stepwise": aic_method,
    "chao": chao_method,
    "zelterman": zelterman_method,
    "mth-chao": mth_method,
    "dga": dga_method,
    "bayes-threshold": bayes_method,
    "bayes-threshold-flat": bayes_flat,
    "decomposable": decomposable_method,
    "ipf": ipf_method,
    "lcmcr": lcmcr_method,
}
COMPANIONS = ("independence", "chao", "dga", "stepwise")


def default_methods(lists: int) -> tuple[str, ...]:
    """All but LCMCR; the BIC search instead of the full listing above six lists."""
    left_out = {"lcmcr"}
    left_out |= {"bic", "bic-pairs"} if lists > bic.ENUMERABLE_LISTS else {"bic-downhill"}
    if bic.default_order(lists) == 2:
        left_out.add("bic-pairs")
    return tuple(name for name in METHODS if name not in left_out)


def run(name: str, work: Work) -> Estimate | Refusal:
    """One method, with its refusal instead of an exception. `name` may be `fixed#k`."""
    try:
        with np.errstate(all="ignore"):
            if name.startswith("fixed#"):
                number = int(name.split("#")[1])
                found = fixed_method(work, number, work.settings.models[number - 1])
            else:
                found = METHODS[name](work)
    except MethodError as problem:
        return Refusal(problem.code, str(problem), name)
    except np.linalg.LinAlgError:
        return Refusal("numerical", "The equations of this method could not be solved on this table.", name)
    if not found.sound(work.table.persons):
        return Refusal("not-estimable", "The estimate or its interval has no finite, ordered value.", name)
    return found
