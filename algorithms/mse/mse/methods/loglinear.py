"""Log-linear models: named, selected by p-value, AIC or BIC."""

from __future__ import annotations

import numpy as np

from .. import aic, bic
from ..bootstrap import bca
from ..fit import fit_model
from ..glm import design
from ..model import main_effects, parse_model, term_name
from ..patterns import Floats
from ..result import Estimate, Value
from ..sensitivity import one_person
from ..stepwise import stepwise
from .work import Work, bca_json, conditional, fit_diagnostics, profiled, sensitivity_json, terms_of

SHOWN_MODELS = 10


def independence(work: Work) -> Estimate:
    """Main effects, profile interval, one-person sensitivity."""
    fit = fit_model(work.table, main_effects(work.lists))
    intervals, extra = profiled(work, fit)
    space = design(work.lists, 1)
    everything = np.ones((1, len(space.masks)), dtype=bool)
    moved = one_person(work.table, lambda tables: bic.choose_among(space, everything, tables))
    return Estimate(
        "independence",
        fit.estimate,
        intervals,
        (),
        {**fit_diagnostics(fit, work.table.lists), **extra, "onePerson": sensitivity_json(moved)},
    )


def stepwise_method(work: Work) -> Estimate:
    """Pairs by p < threshold, BCa with reselection, one-person sensitivity."""
    fit = work.selected

    def again(tables: Floats) -> Floats:
        return stepwise(work.lists, tables, work.settings.threshold).missing

    intervals, extra = bca_json(bca(work.table, fit.estimate, again, work.boot, work.settings.seed))
    steps: list[Value] = [
        {"term": term_name(m, work.table.lists), "p": p, "estimate": work.table.persons + x}
        for m, p, x in work.selection.entries[0]
    ]
    return Estimate(
        "stepwise",
        fit.estimate,
        intervals,
        work.names(fit.terms),
        {
            **fit_diagnostics(fit, work.table.lists),
            **extra,
            "entered": steps,
            "threshold": work.settings.threshold,
            "seed": work.settings.seed,
            "onePerson": sensitivity_json(one_person(work.table, again)),
        },
    )


def aic_method(work: Work) -> Estimate:
    """Pairs by AIC, profile interval."""
    fit, steps = aic.aic_stepwise(work.table)
    intervals, extra = profiled(work, fit)
    entered: list[Value] = [{"term": term_name(m, work.table.lists), "aic": a, "p": p} for m, a, p in steps]
    return Estimate(
        "aic-stepwise",
        fit.estimate,
        intervals,
        work.names(fit.terms),
        {**fit_diagnostics(fit, work.table.lists), **extra, "entered": entered},
    )


def _bic(work: Work, name: str, order: int | None) -> Estimate:
    ranking = bic.rank_models(work.table, order)
    top = ranking.active[: work.settings.top]

    def again(tables: Floats) -> Floats:
        return bic.choose_among(ranking.terms, top, tables)

    fit = fit_model(work.table, terms_of(ranking.terms.masks, ranking.active[0]))
    intervals, extra = bca_json(bca(work.table, fit.estimate, again, work.boot, work.settings.seed))
    share = bic.weights(ranking.bic)
    shown = range(min(SHOWN_MODELS, len(share)))
    models = [terms_of(ranking.terms.masks, ranking.active[k]) for k in shown]
    weights = tuple(
        (", ".join(work.names(m)) or "main effects", float(share[k]), float(ranking.totals[k]))
        for k, m in zip(shown, models, strict=True)
    )
    ranked: list[Value] = [
        {"bic": float(ranking.bic[k]), "estimate": float(ranking.totals[k])} for k in shown
    ]
    return Estimate(
        name,
        fit.estimate,
        intervals,
        work.names(fit.terms),
        {
            **fit_diagnostics(fit, work.table.lists),
            **extra,
            "maxOrder": ranking.max_order,
            "modelsListed": ranking.enumerated,
            "modelsAdmissible": len(ranking.bic),
            "ranking": ranked,
            "modelsInBootstrap": len(top),
            "seed": work.settings.seed,
        },
        weights,
    )


def bic_method(work: Work) -> Estimate:
    """All hierarchical models up to the default or asked order."""
    return _bic(work, "bic", work.settings.max_order)


def bic_pairs(work: Work) -> Estimate:
    """All models of pairs."""
    return _bic(work, "bic-pairs", 2)


def bic_downhill(work: Work) -> Estimate:
    """Search by single additions and removals."""
    found = bic.downhill(work.lists, work.table.counts[None].astype(float))
    fit = fit_model(work.table, terms_of(found.terms.masks, found.active[0]))

    def again(tables: Floats) -> Floats:
        return bic.downhill(work.lists, tables).missing

    intervals, extra = bca_json(bca(work.table, fit.estimate, again, work.boot, work.settings.seed))
    return Estimate(
        "bic-downhill",
        fit.estimate,
        intervals,
        work.names(fit.terms),
        {**fit_diagnostics(fit, work.table.lists), **extra, "seed": work.settings.seed},
    )


def fixed_method(work: Work, number: int, text: str) -> Estimate:
    """A model named beforehand."""
    fit = fit_model(work.table, parse_model(text, work.table.lists))
    se = fit.missing * float(np.sqrt(fit.missing_variance))
    return Estimate(
        f"fixed#{number}",
        fit.estimate,
        (conditional(work.table.persons, fit.missing, se),),
        work.names(fit.terms),
        fit_diagnostics(fit, work.table.lists),
    )
