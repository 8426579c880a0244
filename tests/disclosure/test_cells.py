from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode.disclosure.cells import cell_rule, sensitive_cells
from fairnode.disclosure.models import Model, bits, limited, model_allowed
from fairnode.disclosure.rounding import limit_digits, public_table, round_count
from fairnode.disclosure.rules import load_rules, stricter
from fairnode.records.result import (
    Condition,
    Dimension,
    Kind,
    RecountedCell,
    RecountedTable,
    Status,
    TableSpec,
    Unit,
)

RULES = load_rules()
AXES = (Dimension("region", ("A", "B")), Dimension("form", ("s", "l"), sensitive=True))


def spec(kind=Kind.COUNT, axes=(), **more):
    return TableSpec("t", kind, Unit.REGISTRATION, "records", axes, **more)


def counted(n, persons=-1, key=(), **more):
    persons = n if persons == -1 else persons
    even = {"magnitude": float(n), "top1": n / max(n, 1), "top2": n / max(n, 1)}
    return RecountedCell(key, n, n, persons, **{**even, **more})


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        (counted(0), "threshold"),
        (counted(1), "threshold"),
        (counted(10), "threshold"),
        (counted(11), None),
        (counted(20, persons=1), "threshold"),
        (counted(20, persons=10), "threshold"),
        (counted(20, persons=11), None),
        (counted(21, persons=None), "threshold"),
        (counted(22, persons=None), None),
        (counted(100, magnitude=100, top1=60, top2=26), "dominance"),
        (counted(100, magnitude=100, top1=60, top2=25), None),
        (counted(100, magnitude=100, top1=80, top2=5), None),
        (counted(100, magnitude=1000, top1=840, top2=9.9), None),
        (counted(11, magnitude=0.0, top1=0.0, top2=0.0), None),
    ],
)
def test_a_cell_is_hidden_by_the_first_rule_that_says_so(cell, rule):
    assert cell_rule(cell, spec(), RULES) == rule


def test_the_second_largest_may_not_estimate_the_largest_within_p_percent():
    strict = stricter(RULES, {"p-percent.p": 0.3})
    cell = counted(100, magnitude=100, top1=70, top2=10)
    assert cell_rule(cell, spec(), RULES) is None
    assert cell_rule(cell, spec(), strict) == "p-percent"


@pytest.mark.parametrize(
    ("part", "rest", "rule"),
    [
        ((11, 11), (989, 989), None),
        ((10, 10), (990, 990), "proportion"),
        ((990, 990), (10, 10), "proportion"),
        ((0, 0), (1000, 1000), "proportion"),
        ((1000, 1000), (0, 0), "proportion"),
        ((500, 10), (500, 300), "proportion"),
        ((21, None), (979, None), "proportion"),
    ],
)
def test_a_proportion_needs_enough_on_both_sides(part, rest, rule):
    cell = counted(1000, numerator=part, complement=rest)
    assert cell_rule(cell, spec(Kind.PROPORTION, numerator=Condition("f", frozenset("x"))), RULES) == rule


def table(counts):
    keys = [("A", "s"), ("A", "l"), ("B", "s"), ("B", "l")]
    cells = tuple(counted(n, key=key) for key, n in zip(keys, counts, strict=True))
    return RecountedTable(spec(axes=AXES), cells)


def test_a_group_that_all_share_a_sensitive_code_is_hidden():
    assert sensitive_cells(table([50, 0, 30, 30]), RULES) == {
        ("A", "s"): "class-disclosure",
        ("A", "l"): "threshold",
    }


def test_that_all_are_in_one_region_is_no_class_disclosure():
    assert sensitive_cells(table([50, 40, 0, 0]), RULES) == {("B", "s"): "threshold", ("B", "l"): "threshold"}


def test_a_sensitive_variable_with_one_code_only_says_what_the_filter_said():
    axes = (Dimension("form", ("s",), sensitive=True),)
    one = RecountedTable(spec(axes=axes), (counted(50, key=("s",)),))
    assert sensitive_cells(one, RULES) == {}


@pytest.mark.parametrize(
    ("n", "rounded"), [(11, 10), (12, 10), (13, 15), (17, 15), (18, 20), (2, 0), (3, 5), (7, 5), (8, 10)]
)
def test_counts_are_rounded_to_five(n, rounded):
    assert round_count(n, 5) == rounded


@given(st.integers(0, 10**9), st.integers(1, 100))
def test_rounding_moves_by_at_most_half_a_step_and_stays_put_when_repeated(n, base):
    rounded = round_count(n, base)
    assert rounded % base == 0
    assert abs(rounded - n) * 2 <= base
    assert round_count(rounded, base) == rounded


@pytest.mark.parametrize(
    ("value", "said"), [(0.0, 0.0), (1234.5, 1230.0), (-0.0012345, -0.00123), (99950.0, 100000.0), (7.0, 7.0)]
)
def test_values_keep_three_digits(value, said):
    assert limit_digits(value, 3) == said


def test_totals_are_sums_of_what_is_shown():
    public = public_table(table([52, 13, 30, 9]), {("B", "l")}, RULES)
    margins = {(m.variable, m.code): m.n for m in public.margins}
    assert margins == {
        ("region", "A"): 65, ("region", "B"): 30, ("form", "s"): 80, ("form", "l"): 15, (None, None): 95,
    }  # fmt: skip


def test_a_total_of_which_nothing_is_shown_is_not_zero_but_nothing():
    public = public_table(table([52, 13, 5, 0]), {("B", "s"), ("B", "l")}, RULES)
    assert {m.n for m in public.margins if m.code == "B"} == {None}
    assert [cell.status for cell in public.cells].count(Status.HIDDEN) == 2


def test_a_proportion_is_one_of_rounded_counts():
    of = spec(Kind.PROPORTION, numerator=Condition("f", frozenset("x")))
    cell = counted(103, v=33 / 103, numerator=(33, 33), complement=(70, 70))
    public = public_table(RecountedTable(of, (cell,)), set(), RULES)
    assert (public.cells[0].n, public.cells[0].v) == (105, 0.333)


def test_a_sum_keeps_three_digits():
    cell = counted(103, v=123456.0)
    public = public_table(RecountedTable(spec(Kind.SUM, measure="age"), (cell,)), set(), RULES)
    assert public.cells[0].v == 123000.0


@pytest.mark.parametrize("kind", [Kind.SUM, Kind.MEAN, Kind.SPREAD])
@pytest.mark.parametrize(
    ("magnitude", "rule"), [(0.0, "class-disclosure"), (math.nan, "dominance"), (math.inf, "dominance")]
)
def test_nothing_and_what_is_no_number_are_hidden_whoever_it_is_of(kind, magnitude, rule):
    cell = counted(100, v=magnitude, magnitude=magnitude, top1=magnitude, top2=magnitude)
    assert cell_rule(cell, spec(kind, measure="age"), RULES) == rule


@given(st.floats(-1e308, 1e308))
def test_any_number_can_be_said_in_three_digits(value):
    assert limit_digits(value, 3) == pytest.approx(value, rel=0.006, abs=1e-300)


@pytest.mark.parametrize(
    ("model", "allowed"),
    [
        (Model(200, 20), True),
        (Model(200, 21), False),
        (Model(11, 1), True),
        (Model(10, 1), False),
        (Model(40, 40), False),
    ],
)
def test_a_model_needs_ten_persons_a_parameter(model, allowed):
    assert model_allowed(model, RULES) is allowed


def test_numbers_nobody_recounted_are_few_and_short():
    assert limited([1.23456, 1e9], RULES) == (1.23, 1e9)
    assert limited([1.0] * 41, RULES) is None
    assert limited([1.0] * 26, RULES) is None
    assert limited([1.0] * 25, RULES) is not None
    assert bits(25, 3) == 400
