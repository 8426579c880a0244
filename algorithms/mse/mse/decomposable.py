"""Decomposable models in closed form: no iteration over cells, one equation in the unseen number.

With a_C the persons on no list of C, the unseen x solves prod_C (x + a_C) = x prod_S (x + a_S) over
cliques and separators (empty ones counted); Lauritzen (1996, section 4.4). The same equation is solved
inside secure computation, so this module is its oracle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy

from .errors import MethodError
from .graphs import decomposable_graphs, graph_signs, model_terms
from .patterns import Floats, Ints, sizes, superset_sums
from .table import Table

MAX_LISTS = 6
CAP = 1e9


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """Unseen persons, their standard error, and the likelihood, per graph (NaN without an estimate)."""

    signs: Ints
    missing: Floats
    standard_error: Floats
    loglik: Floats
    parameters: Ints


def on_none(table: Table) -> Floats:
    """a_C for every mask C: persons on no list of C (all seen persons for the empty set)."""
    everyone = 2 ** len(table.lists) - 1
    outside = superset_sums(table.counts[::-1].astype(float))  # indexed by complement
    return outside[np.arange(everyone + 1)]


def solve(table: Table, signs: Ints) -> ClosedForm:
    """Solve for all graphs given by `signs` (G, 2^t) at once, by bisection on log x."""
    a = on_none(table)
    low = np.full(len(signs), np.log(1e-9))
    high = np.full(len(signs), np.log(CAP * table.persons))
    ends = _gap(signs, a, low) > 0, _gap(signs, a, high) < 0
    for _ in range(100):
        middle = (low + high) / 2
        up = _gap(signs, a, middle) > 0
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    missing = np.where(ends[0] & ends[1], np.exp((low + high) / 2), np.nan)
    terms = signs @ (1 << sizes(len(table.lists)))
    return ClosedForm(
        signs, missing, _standard_error(signs, a, missing), _loglik(table, signs, a, missing), terms
    )


def _gap(signs: Ints, a: Floats, log_x: Floats) -> Floats:
    return (signs * np.log(np.exp(log_x)[:, None] + a)).sum(axis=1) - log_x


def _standard_error(signs: Ints, a: Floats, missing: Floats) -> Floats:
    curvature = 1 / missing - (signs / (missing[:, None] + a)).sum(axis=1)
    return np.where(curvature > 0, 1 / np.sqrt(np.where(curvature > 0, curvature, 1.0)), np.nan)


def _loglik(table: Table, signs: Ints, a: Floats, missing: Floats) -> Floats:
    """Sum over cliques (minus separators) of margin log margin, with x in the empty margin cell."""
    seen = np.array([_entropy(table, mask) for mask in range(len(a))])
    empty = a * np.log(np.where(np.isnan(missing), 1.0, missing)[:, None] + a)
    return (signs * (seen + empty)).sum(axis=1) - table.persons - gammaln(table.counts + 1.0).sum()


def _entropy(table: Table, mask: int) -> float:
    cells = np.arange(len(table.counts)) & mask
    margin = np.bincount(cells, weights=table.counts, minlength=len(table.counts))[1:]
    return float(xlogy(margin, margin).sum())


def closed_form(table: Table, pairs: frozenset[int]) -> tuple[float, float, frozenset[int]]:
    """Unseen, its standard error and all terms for the graph with these `pairs`.

    Raises MethodError: `not-decomposable`, or `not-estimable` when the equation has no finite root.
    """
    signs = graph_signs(len(table.lists), pairs)
    if signs is None:
        raise MethodError(
            "not-decomposable",
            "The graph of these pairs has a cycle of four or more lists "
            "without a chord, so there is no closed form.",
        )
    answer = solve(table, signs[None])
    if np.isnan(answer.missing[0]):
        raise MethodError("not-estimable", "The closed-form equation has no finite positive root.")
    return float(answer.missing[0]), float(answer.standard_error[0]), model_terms(signs)


def best_graph(table: Table) -> tuple[ClosedForm, Floats]:
    """All decomposable graphs solved, with their BIC (inf where no estimate). Up to six lists."""
    if len(table.lists) > MAX_LISTS:
        raise MethodError(
            "too-many-lists",
            f"{len(table.lists)} lists have hundreds of thousands of "
            "decomposable graphs or more; name one with --model instead.",
        )
    answer = solve(table, decomposable_graphs(len(table.lists))[1])
    bic = -2 * answer.loglik + answer.parameters * np.log(table.persons)
    return answer, np.where(np.isnan(answer.missing), np.inf, bic)
