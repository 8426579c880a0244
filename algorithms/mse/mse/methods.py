"""Every method under its name: from a table and settings to an `Estimate`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from . import aic, bayes, bic, chao, decomposable, dga, ipf, lcmcr
from .bootstrap import Bca, Estimator, bca
from .errors import MethodError, Refusal
from .fit import Fit, fit_model
from .glm import design
from .graphs import edge_masks
from .model import interactions, main_effects, parse_model, term_name
from .patterns import Bools, members
from .result import Estimate, Interval, Value
from .sensitivity import Sensitivity, one_person
from .settings import Settings
from .stepwise import Selection, stepwise
from .table import Table

Z95 = chao.Z95
MANY_LISTS, MANY_LISTS_BOOT = 7, 200
KNIFE_EDGE = 0.1
SHOWN_MODELS = 10


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
        return min(self.settings.boot, MANY_LISTS_BOOT) if self.lists > MANY_LISTS - 1 else self.settings.boot

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


def terms_of(masks: np.ndarray, active: Bools) -> frozenset[int]:
    """A boolean row as a set of terms."""
    return frozenset(int(m) for m in masks[active])


def conditional(persons: int, missing: float, se: float) -> Interval:
    """N + x exp(+-1.96 se / x): log-normal, given the model."""
    spread = float(np.exp(Z95 * se / missing))
    return Interval(
        persons + missing / spread, persons + missing * spread, 0.95, "log-normal, conditional on the model"
    )


def _fit_diagnostics(fit: Fit, lists: tuple[str, ...]) -> dict[str, Value]:
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


def _sensitivity(found: Sensitivity) -> dict[str, Value]:
    return {"largestFall": found.lowest, "largestRise": found.highest, "changesWithoutEstimate": found.lost}


def _bca(found: Bca) -> tuple[tuple[Interval, ...], dict[str, Value]]:
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


def _profiled(work: Work, fit: Fit) -> tuple[tuple[Interval, ...], dict[str, Value]]:
    found = aic.profile(work.table, fit)
    intervals = tuple(
        Interval(lo, hi, level, "profile likelihood, conditional on the model")
        for level, (lo, hi) in found.intervals.items()
    )
    return intervals, {"profileMaximum": found.maximum}


def independence(work: Work) -> Estimate:
    """Main effects, profile interval, one-person sensitivity."""
    fit = fit_model(work.table, main_effects(work.lists))
    intervals, extra = _profiled(work, fit)
    space = design(work.lists, 1)
    everything = np.ones((1, len(space.masks)), dtype=bool)
    moved = one_person(work.table, lambda tables: bic.choose_among(space, everything, tables))
    return Estimate(
        "independence",
        fit.estimate,
        intervals,
        (),
        {**_fit_diagnostics(fit, work.table.lists), **extra, "onePerson": _sensitivity(moved)},
    )


def stepwise_method(work: Work) -> Estimate:
    """Pairs by p < threshold, BCa with reselection, one-person sensitivity."""
    fit = work.selected

    def again(tables: np.ndarray) -> np.ndarray:
        return stepwise(work.lists, tables, work.settings.threshold).missing

    intervals, extra = _bca(bca(work.table, fit.estimate, again, work.boot, work.settings.seed))
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
            **_fit_diagnostics(fit, work.table.lists),
            **extra,
            "entered": steps,
            "threshold": work.settings.threshold,
            "seed": work.settings.seed,
            "onePerson": _sensitivity(one_person(work.table, again)),
        },
    )


def aic_method(work: Work) -> Estimate:
    """Pairs by AIC, profile interval."""
    fit, steps = aic.aic_stepwise(work.table)
    intervals, extra = _profiled(work, fit)
    entered: list[Value] = [{"term": term_name(m, work.table.lists), "aic": a, "p": p} for m, a, p in steps]
    return Estimate(
        "aic-stepwise",
        fit.estimate,
        intervals,
        work.names(fit.terms),
        {**_fit_diagnostics(fit, work.table.lists), **extra, "entered": entered},
    )


def _bic(work: Work, name: str, order: int | None) -> Estimate:
    ranking = bic.rank_models(work.table, order)
    top = ranking.active[: work.settings.top]

    def again(tables: np.ndarray) -> np.ndarray:
        return bic.choose_among(ranking.terms, top, tables)

    fit = fit_model(work.table, terms_of(ranking.terms.masks, ranking.active[0]))
    intervals, extra = _bca(bca(work.table, fit.estimate, again, work.boot, work.settings.seed))
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
            **_fit_diagnostics(fit, work.table.lists),
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
    again: Estimator = lambda tables: bic.downhill(work.lists, tables).missing  # noqa: E731
    intervals, extra = _bca(bca(work.table, fit.estimate, again, work.boot, work.settings.seed))
    return Estimate(
        "bic-downhill",
        fit.estimate,
        intervals,
        work.names(fit.terms),
        {**_fit_diagnostics(fit, work.table.lists), **extra, "seed": work.settings.seed},
    )


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
    number = min(work.boot, 200)

    def again(tables: np.ndarray) -> np.ndarray:
        return np.array([_mth_missing(work.table.lists, t) for t in tables])

    intervals, extra = _bca(bca(work.table, point, again, number, work.settings.seed))
    return Estimate("mth-chao", point, intervals, None, {**extra, "seed": work.settings.seed})


def _mth_missing(lists: tuple[str, ...], counts: np.ndarray) -> float:
    table = Table(lists, counts.astype(np.int64))
    try:
        return chao.mth_lower_bound(table) - table.persons
    except MethodError:
        return float("nan")


def dga_method(work: Work) -> Estimate:
    """Average over graphs; median and quantiles."""
    found = dga.average(work.table)
    best = np.argsort(-found.graph_weights, kind="stable")[:SHOWN_MODELS]
    weights = tuple(
        (
            ", ".join(work.names(edge_masks(int(found.codes[k]), work.lists))) or "main effects",
            float(found.graph_weights[k]),
            None,
        )
        for k in best
    )
    intervals = tuple(
        Interval(found.quantile((1 - v) / 2), found.quantile((1 + v) / 2), v, "posterior quantiles")
        for v in (0.95, 0.80)
    )
    return Estimate(
        "dga",
        found.quantile(0.5),
        intervals,
        None,
        {
            "graphs": len(found.codes),
            "posteriorMean": found.mean,
            "posteriorMode": found.mode,
            "gridPoints": len(found.unseen),
            "largestTotal": float(found.unseen[-1]) + work.table.persons,
            "massAtEdge": found.at_edge,
        },
        weights,
    )


def _bayes(work: Work, name: str, prior: str) -> Estimate:
    settings = bayes.Settings(prior=prior, seed=work.settings.seed)
    found = bayes.bayes_threshold(work.table, settings)
    intervals = tuple(
        Interval(
            found.quantile((1 - v) / 2),
            found.quantile((1 + v) / 2),
            v,
            "posterior quantiles, conditional on the retained pairs",
        )
        for v in (0.95, 0.80)
    )
    ratios: dict[str, Value] = {term_name(m, work.table.lists): r for m, r in found.ratios.items()}
    near: list[Value] = [
        t for t, r in ratios.items() if isinstance(r, float) and abs(r - settings.threshold) < KNIFE_EDGE
    ]
    return Estimate(
        name,
        found.quantile(0.5),
        intervals,
        work.names(found.terms),
        {
            "prior": prior,
            "threshold": settings.threshold,
            "ratios": ratios,
            "nearThreshold": near,
            "minusInfinity": [term_name(m, work.table.lists) for m in found.infinite],
            "rHat": found.rhat,
            "acceptance": found.acceptance,
            "seed": work.settings.seed,
        },
    )


def bayes_method(work: Work) -> Estimate:
    """N(0, 1) prior on pairs."""
    return _bayes(work, "bayes-threshold", "normal")


def bayes_flat(work: Work) -> Estimate:
    """Flat prior on pairs."""
    return _bayes(work, "bayes-threshold-flat", "flat")


def lcmcr_method(work: Work) -> Estimate:
    """Latent classes."""
    found = lcmcr.lcmcr(work.table, work.settings.seed)
    intervals = tuple(
        Interval(found.quantile((1 - v) / 2), found.quantile((1 + v) / 2), v, "posterior quantiles")
        for v in (0.95, 0.80)
    )
    return Estimate(
        "lcmcr",
        found.quantile(0.5),
        intervals,
        None,
        {
            "rHat": found.rhat,
            "converged": found.rhat < 1.1,
            "massAtCeiling": found.at_ceiling,
            "chains": lcmcr.CHAINS,
            "iterations": lcmcr.ITERATIONS,
            "seed": work.settings.seed,
        },
    )


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


def fixed_method(work: Work, number: int, text: str) -> Estimate:
    """A model named beforehand."""
    fit = fit_model(work.table, parse_model(text, work.table.lists))
    se = fit.missing * float(np.sqrt(fit.missing_variance))
    return Estimate(
        f"fixed#{number}",
        fit.estimate,
        (conditional(work.table.persons, fit.missing, se),),
        work.names(fit.terms),
        _fit_diagnostics(fit, work.table.lists),
    )


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
