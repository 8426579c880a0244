"""Bayesian methods: graphs averaged, interactions thresholded, latent classes."""

from __future__ import annotations

import numpy as np

from .. import bayes, dga, lcmcr
from ..graphs import edge_masks
from ..model import term_name
from ..result import Estimate, Interval, Value
from .work import MANY_LISTS, Work

SHOWN_MODELS = 10
MANY_LISTS_KEEP = 1500
KNIFE_EDGE, MOST_ALTERNATIVES = 0.1, 3


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
    settings = bayes.Settings(
        prior=prior, seed=work.settings.seed, keep=bayes.KEEP if work.lists < MANY_LISTS else MANY_LISTS_KEEP
    )
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
    near = [m for m, r in found.ratios.items() if abs(r - settings.threshold) < KNIFE_EDGE]
    return Estimate(
        name,
        found.quantile(0.5),
        intervals,
        work.names(found.terms),
        {
            "prior": prior,
            "threshold": settings.threshold,
            "ratios": ratios,
            "nearThreshold": [term_name(m, work.table.lists) for m in near],
            "alternatives": [_alternative(work, settings, found, m) for m in near[:MOST_ALTERNATIVES]],
            "minusInfinity": [term_name(m, work.table.lists) for m in found.infinite],
            "rHat": found.rhat,
            "acceptance": found.acceptance,
            "seed": work.settings.seed,
        },
    )


def _alternative(work: Work, settings: bayes.Settings, found: bayes.Posterior, term: int) -> Value:
    """What the answer would be had a term near the threshold fallen the other way."""
    other = bayes.posterior(work.table, settings, found.terms ^ {term})
    return {
        "term": term_name(term, work.table.lists),
        "kept": term in other.terms,
        "estimate": other.quantile(0.5),
        "lower": other.quantile(0.025),
        "upper": other.quantile(0.975),
    }


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
