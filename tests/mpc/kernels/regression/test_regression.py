"""A regression under sharing is the one of the pooled persons, or nothing of it is opened."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode.errors import NotValid
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.field import FieldKernel
from fairnode.mpc.kernels.fixed import ONE, exponential, fixed
from fairnode.mpc.kernels.local import Network, run_locally, split
from fairnode.mpc.kernels.numbers import Number
from fairnode.mpc.kernels.opening import OpeningRule
from fairnode.mpc.kernels.sharing import to_planes
from fairnode.mpc.programs import program
from fairnode.mpc.regression.design import Design
from fairnode.mpc.regression.figures import planes_of_figures, read_figures, three_figures
from fairnode.mpc.regression.fit import fit
from fairnode.mpc.regression.plain import fit_in_clear
from fairnode.mpc.regression.rules import allowed

ROWS = [[1, a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1, 2)]


def design_of(family, rows=ROWS):
    return Design.of({"family": family, "design": rows})


def drawn(seed, beta, family, size=60):
    rng, rows = np.random.default_rng(seed), np.array(ROWS, float)
    persons = rng.integers(size // 2, size, len(rows))
    eta = rows @ np.array(beta)
    events = (
        rng.binomial(persons, 1 / (1 + np.exp(-eta)))
        if family == "logistic"
        else rng.poisson(persons * np.exp(eta))
    )
    return persons, events


def fitted(design, persons, events, parties=3):
    async def party(exchange):
        field = FieldKernel(BitKernel(exchange))
        numbers = [field.public(np.array([int(v) for v in each], object)) for each in (persons, events)]
        made = await fit(field, design, *numbers, 1 << 20)
        opened = await field.open(np.concatenate([made.coefficients, made.variances]))
        settled = await field.bits.open_to_all(made.settled)
        return opened.astype(float) / ONE, bool(settled[0] & np.uint64(1))

    values, settled = run_locally(Network(parties, (parties - 1) // 2), party)[0]
    return values[: design.columns], values[design.columns :], settled


@pytest.mark.parametrize(
    ("family", "beta"),
    [
        ("logistic", [-2.5, 0.8, -0.5, 0.3]),
        pytest.param("poisson", [0.7, 0.4, -0.6, 0.2], marks=pytest.mark.long),
    ],
)
def test_the_fit_is_that_of_the_pooled_persons_to_six_digits(family, beta):
    persons, events = drawn(1, beta, family)
    coefficients, variances, settled = fitted(design_of(family), persons, events)
    rows = np.array(ROWS, float)
    if family == "logistic":
        pooled = sm.GLM(np.stack([events, persons - events], axis=1), rows, sm.families.Binomial()).fit(
            tol=1e-12
        )
    else:
        pooled = sm.GLM(events, rows, sm.families.Poisson(), exposure=persons).fit(tol=1e-12)
    assert settled
    assert np.allclose(coefficients, pooled.params, rtol=0, atol=1e-6)
    assert np.allclose(np.sqrt(variances), pooled.bse, rtol=1e-6)
    plain = fit_in_clear(design_of(family), persons.astype(float), events.astype(float))
    assert np.allclose(plain[0], pooled.params, atol=1e-8)


@pytest.mark.long
def test_separable_data_do_not_settle():
    persons = np.full(len(ROWS), 40)
    events = np.array([40 if row[1] else 0 for row in ROWS])
    assert not fitted(design_of("logistic"), persons, events)[2]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(-16, 16), min_size=1, max_size=20))
def test_the_exponential_is_close(numbers):
    async def party(exchange):
        field = FieldKernel(BitKernel(exchange))
        shared = field.public(np.array([fixed(x) for x in numbers], object))
        return (await field.open(await exponential(field, shared))).astype(float) / ONE

    made = run_locally(Network(3, 1), party)[0]
    assert np.allclose(made, np.exp(numbers), rtol=1e-5, atol=1e-12)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.floats(0, 999) | st.floats(0, 1) | st.floats(0, 1e-5), min_size=1, max_size=12))
def test_three_figures_are_three_figures(numbers):
    async def party(exchange):
        field = FieldKernel(BitKernel(exchange))
        planes = await three_figures(field, field.public(np.array([fixed(x) for x in numbers], object)))
        assert len(planes) == planes_of_figures()
        return await field.bits.open_to_all(np.concatenate(planes, axis=1))

    words = run_locally(Network(3, 1), party)[0]
    for x, found in zip(numbers, read_figures([int(w) for w in words], len(numbers)), strict=True):
        place = 8 if x < 1e-6 else 2 - math.floor(math.log10(x))
        assert abs(found - x) <= 0.5001 * 10.0 ** -min(8, max(0, place)) + 1e-14


def judged(tables, design, least, coalition=1):
    """`tables`: persons and those with an event by contributor, then changed persons, if there are any."""
    bits, lists = 8, len(tables[0])
    dealt = [
        split(np.concatenate([to_planes(np.array(v, np.uint64), bits).reshape(-1) for v in t]), 3, 1)
        for t in tables
    ]

    async def party(exchange):
        kernel = BitKernel(exchange)
        numbers: list[tuple[Number, ...]] = []
        for rows in dealt:
            held = {r: rows[r] for r in kernel.held}
            planes = kernel.dealt(held, 0, lists * bits).reshape(2, lists, bits, 1)
            numbers.append(tuple([planes[:, k, i] for i in range(bits)] for k in range(lists)))
        changes = [[each[k] for each in numbers] for k in range(2, lists)]
        found = await allowed(
            kernel, design, [each[:2] for each in numbers], OpeningRule(least, coalition), changes
        )
        return await kernel.open_to_all(found)

    return bool(run_locally(Network(3, 1), party)[0][0] & np.uint64(1))


def allowed_in_clear(tables, design, least):
    def cells(persons, affected, *changed):
        found = [[v[m].sum() for m in design.groups()] for v in (persons,)]
        found += [[v[m].sum() for m in design.single_groups()] for v in (affected, persons - affected)]
        return np.concatenate([*found, *changed])

    apiece = [cells(*(np.array(v) for v in t)) for t in tables]
    total = sum(apiece)
    rests = [total, *(total - one for one in apiece)]
    return total[0] >= max(least, 10 * design.columns) and all(((r == 0) | (r >= least)).all() for r in rests)


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_the_rule_under_sharing_is_the_rule_in_clear(data):
    family = data.draw(st.sampled_from(["logistic", "poisson"]))
    design = design_of(family, [[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]])
    count = st.sampled_from([0, 0, 3, 11, 12, 30, 100])
    tables = []
    for _ in range(3):
        persons = data.draw(st.lists(count, min_size=4, max_size=4))
        affected = [n // data.draw(st.sampled_from([1, 2, 3])) for n in persons]
        changed = data.draw(st.sampled_from([[0] * 4, [0, 30, 0, 0], [0, 2, 0, 0]]))
        tables.append((persons, affected, changed))
    assert judged(tables, design, 5) == allowed_in_clear(tables, design, 5)


def test_a_rule_that_holds_and_one_that_does_not():
    design = design_of("logistic", [[1, 0], [1, 1]])
    fine = [([100, 100], [30, 40])] * 3
    assert judged(fine, design, 11)
    assert not judged([([5, 0], [2, 0])] * 3, design, 11)


@pytest.mark.parametrize(
    ("changed", "fine"), [((0, 0, 0), True), ((30, 30, 30), True), ((3, 0, 0), False), ((30, 30, 3), True)]
)
def test_so_few_persons_changed_since_an_earlier_release_that_nothing_is_shown(changed, fine):
    design = design_of("logistic", [[1, 0], [1, 1]])
    tables = [([100, 100], [30, 40], [0, one]) for one in changed]
    assert judged(tables, design, 11) is fine


def test_persons_with_an_event_are_counted_in_a_poisson_fit_as_well():
    design = design_of("poisson", [[1, 0], [1, 1]])
    assert judged([([100, 100], [30, 40])] * 3, design, 11)
    assert not judged([([100, 100], [30, 3])] * 3, design, 11)  # nine have all the events of a level


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [[1]],
        [[1, 0], [1]],
        [[1, 0.5], [1, 1]],
        [[0, 1], [1, 1]],
        [[1, 1], [1, 1], [1, 0]],
        [[1, 0, 0], [1, 1, 1], [1, 1, 1]],
        [[1, 99], [1, 0]],
        [[1, 0]] * 300,
        "rows",
    ],
)
def test_what_is_no_design_is_refused(rows):
    with pytest.raises(NotValid):
        design_of("logistic", rows)


def test_numbers_that_a_regression_does_not_take_are_refused():
    told = {"family": "logistic", "design": [[1, 0], [1, 1]], "k": 11, "lists": "disjoint", "engine": "bits"}
    told |= {"largest": 100, "cells": 4, "earlier": 0}
    chosen = program("regression")
    chosen.check(told, 3, 3)
    for columns in ([[1, 2]], [[1, 2], [2, 0]], [[1, 200], [0, 0]], [[1, -1], [0, 0]], [[1, 2], [0, 0], [0]]):
        with pytest.raises(NotValid):
            chosen.encode(columns, told, 0)
    numbers = told | {"family": "poisson", "earlier": 1}
    chosen.encode([[9, 9], [60, 0], [2, 0], [0, 1, 2, 3]], numbers, 0)
    for columns in (
        [[9, 9], [60, 0], [1, 0], [0] * 4],  # more events of a person than are believed
        [[9, 9], [1, 0], [2, 0], [0] * 4],
        [[1, 9], [2, 0], [2, 0], [0] * 4],
        [[9, 9], [2, 0], [2, 0], [0] * 3],
    ):
        with pytest.raises(NotValid):
            chosen.encode(columns, numbers, 0)
    for changed in ({"family": "linear"}, {"engine": "mpyc"}, {"k": 2}, {"largest": 0}, {"more": 1}):
        with pytest.raises(NotValid):
            chosen.check(told | changed, 3, 3)
