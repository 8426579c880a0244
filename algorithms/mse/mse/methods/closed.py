"""Decomposable models in closed form, and proportional fitting."""

from __future__ import annotations

import numpy as np

from .. import decomposable, ipf
from ..errors import MethodError
from ..result import Estimate
from .work import Work, conditional


def decomposable_method(work: Work) -> Estimate:
    """The decomposable graph with the best BIC."""
    answer, score = decomposable.best_graph(work.table)
    best = int(np.argmin(score))
    if not np.isfinite(score[best]) or np.isnan(answer.standard_error[best]):
        raise MethodError("not-estimable", "No decomposable model of this table has an estimate.")
    missing, se = float(answer.missing[best]), float(answer.standard_error[best])
    terms = decomposable.model_terms(answer.signs[best])
    return Estimate(
        "decomposable",
        work.table.persons + missing,
        (conditional(work.table.persons, missing, se),),
        work.names(terms),
        {
            "standardError": se,
            "bic": float(score[best]),
            "logLikelihood": float(answer.loglik[best]),
            "graphs": len(score),
        },
    )


def ipf_method(work: Work) -> Estimate:
    """The stepwise model again, by proportional fitting."""
    found = ipf.ipf(work.table, work.selected.terms)
    se = found.missing * float(np.sqrt(work.selected.missing_variance))
    return Estimate(
        "ipf",
        work.table.persons + found.missing,
        (conditional(work.table.persons, found.missing, se),),
        work.names(work.selected.terms),
        {"sweeps": found.sweeps, "differenceFromLikelihood": found.missing - work.selected.missing},
    )
