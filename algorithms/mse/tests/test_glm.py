"""The fitting core against independent oracles: statsmodels, exact roots, rank, other algorithms."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mse import decomposable, ipf
from mse.errors import MethodError
from mse.existence import fit_existing, maximum_exists, status
from mse.fit import fit_model
from mse.glm import design, fit_batch, identifiable, support
from mse.graphs import decomposable_graphs, model_terms
from mse.model import hierarchical_models, is_hierarchical, main_effects, parse_model
from mse.patterns import subset_sums, superset_sums
from mse.table import Table

counts_of_three = st.lists(st.integers(0, 40), min_size=7, max_size=7)
counts_of_four = st.lists(st.integers(0, 60), min_size=15, max_size=15)


def table_of(counts):
    lists = len(counts).bit_length()
    return Table(tuple("abcdefgh"[:lists]), np.array([0, *counts]))


def statsmodels_fit(table, terms):
    space = design(len(table.lists), 3)
    columns = [k for k, m in enumerate(space.masks) if int(m) in terms]
    x = space.x[1:, columns]
    return sm.GLM(table.counts[1:], x, family=sm.families.Poisson()).fit(tol=1e-12, maxiter=200)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("UKdat_5", "LA:NG, NG:GP, PFNCA:GP, LA:PFNCA, GO:GP, NG:GO"),
        ("Kosovo", "EXH:ABA:OSCE, OSCE:HRW, EXH:HRW"),
        ("UKdat", "PF:NCA, LA:NG"),
        ("Ned_5", ""),
        ("Korea", "b:c"),
    ],
)
def test_a_single_fit_equals_statsmodels(tables, name, model):
    table = tables[name]
    terms = parse_model(model, table.lists)
    mine, theirs = fit_model(table, terms), statsmodels_fit(table, terms)
    assert mine.missing == pytest.approx(np.exp(theirs.params[0]), rel=1e-8)
    assert mine.deviance == pytest.approx(theirs.deviance, rel=1e-8)
    assert mine.loglik == pytest.approx(theirs.llf, rel=1e-9)
    assert mine.missing_variance == pytest.approx(theirs.cov_params()[0, 0], rel=1e-7)


def test_independence_of_six_lists_is_the_exact_root_of_darrochs_equation(tables):
    table = tables["UKdat"]
    n, sizes = table.persons, table.list_sizes

    def gap(unseen):
        product = Fraction(1)
        for size in sizes:
            product *= unseen + n - size
        return product - unseen * (unseen + n) ** 5

    low, high = Fraction(9469), Fraction(9471)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (gap(middle) > 0) == (gap(low) > 0) else (low, middle)
    assert fit_model(table, main_effects(6)).missing == pytest.approx(float(low), rel=1e-11)


@given(counts_of_four)
@settings(max_examples=60, deadline=None)
def test_a_converged_fit_has_the_margins_of_the_table(counts):
    table = table_of(counts)
    space = design(4, 2)
    observed = table.counts[None].astype(float)
    active = space.rows(list(hierarchical_models(4, 2))[:64:7])
    batch, code = fit_existing(space, observed, active)
    for row in np.flatnonzero(code == 0):
        gap = superset_sums(batch.mu[row]) - superset_sums(observed[0])
        scale = 1 + superset_sums(observed[0])[space.masks]
        assert np.all(np.abs(gap[space.masks]) * active[row] <= 1e-6 * scale)


@given(counts_of_three)
@settings(max_examples=150, deadline=None)
def test_status_by_converging_equals_status_by_linear_programme(counts):
    table = table_of(counts)
    assume(table.persons > 0)
    space = design(3, 2)
    active = space.rows(list(hierarchical_models(3, 2)))
    observed = table.counts.astype(float)
    _, code = fit_existing(space, observed[None], active)
    exact = [status(space, observed, row) for row in active]
    assert [bool(c) for c in code] == [bool(c) for c in exact]


@given(counts_of_four, st.integers(0, 112))
@settings(max_examples=100, deadline=None)
def test_identifiable_by_counting_equals_the_rank_of_the_design(counts, number):
    table = table_of(counts)
    model = list(hierarchical_models(4, 3))[number]
    space = design(4, 3)
    finite, kept = support(space, table.counts[None].astype(float), space.rows([model]))
    rank = np.linalg.matrix_rank(space.x[kept[0]][:, finite[0]]) if kept.any() else 0
    assert identifiable(finite, kept)[0] == (rank == finite.sum())


@given(counts_of_four, st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_closed_form_equals_the_likelihood_route(counts, number):
    table = table_of([c + 1 for c in counts])
    _, signs = decomposable_graphs(4)
    terms = model_terms(signs[number])
    assume(len(terms) < 16)
    answer = decomposable.solve(table, signs[number : number + 1])
    try:
        fit = fit_model(table, terms)
    except MethodError:
        assert np.isnan(answer.missing[0])
        return
    assert answer.missing[0] == pytest.approx(fit.missing, rel=1e-6)
    assert answer.loglik[0] == pytest.approx(fit.loglik, rel=1e-8)
    assert answer.parameters[0] == len(terms)
    # Closed-form standard error of the unseen number: its conditional variance plus, or without, Poisson.
    assert answer.standard_error[0] == pytest.approx(fit.standard_error, rel=1e-5)


def test_proportional_fitting_equals_the_likelihood_with_minus_infinity(tables):
    table = tables["Ned"]
    terms = parse_model("O:Z,P:Z,I:Z,P:R,O:P,K:R,I:K,K:O", table.lists)
    fit = fit_model(table, terms)
    assert sum(np.isneginf(v) for v in fit.coefficients.values()) == 2
    assert ipf.ipf(table, terms).missing == pytest.approx(fit.missing, rel=1e-8)


def test_proportional_fitting_refuses_a_model_without_maximum(tables):
    with pytest.raises(MethodError, match="still moves"):
        ipf.ipf(tables["Artificial_3"], parse_model("A:B", ("A", "B", "C")))


def test_decomposable_graphs_are_all_there():
    assert [len(decomposable_graphs(k)[0]) for k in (3, 4, 5, 6)] == [8, 61, 822, 18154]


def test_a_cycle_of_four_has_no_closed_form(tables):
    pairs = list(parse_model("EXH:ABA, ABA:OSCE, OSCE:HRW, EXH:HRW", tables["Kosovo"].lists))
    with pytest.raises(MethodError, match="cycle"):
        decomposable.closed_form(tables["Kosovo"], frozenset(m for m in pairs if m.bit_count() == 2))


def test_hierarchical_models_are_complete_and_hierarchical():
    assert [sum(1 for _ in hierarchical_models(k, o)) for k, o in ((3, 2), (4, 3), (5, 2))] == [8, 113, 1024]
    assert all(is_hierarchical(model) for model in hierarchical_models(4, 3))


@given(st.lists(st.integers(-50, 50), min_size=16, max_size=16))
@settings(deadline=None)
def test_sums_over_supersets_and_subsets_are_what_they_say(values):
    vector = np.array(values)
    expected = [sum(v for m, v in enumerate(values) if m & k == k) for k in range(16)]
    assert list(superset_sums(vector)) == expected
    assert list(subset_sums(vector)) == [
        sum(v for m, v in enumerate(values) if m & k == m) for k in range(16)
    ]


def test_rows_of_a_batch_do_not_influence_each_other(tables):
    table = tables["Kosovo"]
    space = design(4, 2)
    active = space.rows(list(hierarchical_models(4, 2)))
    counts = table.counts[None].astype(float)
    together = fit_batch(space, counts, active).missing
    alone = [fit_batch(space, counts, active[k : k + 1]).missing[0] for k in range(len(active))]
    assert together == pytest.approx(alone, rel=1e-9)


def test_existence_is_remembered_by_model_and_occupied_cells(tables):
    occupied = (tables["Korea"].counts > 0).tobytes()
    assert maximum_exists(3, (0, 1, 2, 4), occupied)
    assert not maximum_exists(3, (0, 1, 2, 4, 3, 5, 6), occupied)
