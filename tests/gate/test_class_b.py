"""Class B: strict form, few digits and bits, small cells hidden, and no way into a combination."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode.disclosure.rules import load_rules
from fairnode.gate.class_b import counting, limit_result
from fairnode.gate.refusals import Refusal, Refused
from fairnode.records.result import (
    Dimension,
    Kind,
    OutputContract,
    Recount,
    RecountedCell,
    RecountedTable,
    Status,
    TableSpec,
    Unit,
)

RULES = load_rules()
SEX = Dimension("sex", ("female", "male"))
SPEC = TableSpec("ratio", Kind.OTHER, Unit.PERSON, "records", (SEX,))
CONTRACT = OutputContract((SPEC,))


def counted(*persons: int, universe: int = 500) -> Recount:
    (spec,) = counting(CONTRACT).tables
    cells = tuple(
        RecountedCell(key, n, n, n, magnitude=float(n), top1=1.0, top2=1.0)
        for key, n in zip(spec.keys(), persons, strict=True)
    )
    return Recount((RecountedTable(spec, cells),), universe)


def written(*values: object, **changes: object) -> bytes:
    cells = [{"k": list(k), "v": v} for k, v in zip(SPEC.keys(), values, strict=False)]
    table = {"id": "ratio", "cells": cells, **changes}
    return json.dumps({"type": "fairnode.result/1", "tables": [table]}).encode()


NUMBERS = st.floats(min_value=-1e12, max_value=1e12).filter(lambda v: v + 0.0 == 0 or abs(v) > 1e-14)


@given(NUMBERS, st.integers(0, 400))
def test_what_is_left_of_a_number_has_three_digits_and_small_cells_have_nothing(value, persons):
    verdict = limit_result(written(0.5, value or 0.0), CONTRACT, counted(40, persons), RULES)
    first, second = verdict.tables[0].cells
    assert first.v == 0.5
    assert first.n is None
    assert (second.status is Status.HIDDEN) == (persons < RULES.k)
    if second.status is Status.SHOWN:
        assert float(f"{second.v:.2e}") == second.v


@pytest.mark.parametrize("value", [1e-16, -1e16, 1e300, 5e-324])
def test_an_exponent_is_no_place_for_a_message(value):
    with pytest.raises(Refused) as refused:
        limit_result(written(0.5, value), CONTRACT, counted(40, 40), RULES)
    assert refused.value.refusal is Refusal.TOO_MANY_DIGITS


@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        (written(0.5), Refusal.OTHER_CELLS),
        (written(0.5, None), Refusal.CELL_FORM),
        (written(0.5, True), Refusal.CELL_FORM),
        (written(0.5, "high"), Refusal.CELL_FORM),
        (written(0.5, 0.5, note="hello"), Refusal.NOT_A_RESULT),
        (written(0.5, 0.5).replace(b'"v"', b'"n": 12345, "v"', 1), Refusal.NOT_A_RESULT),
        (b"no json", Refusal.NOT_JSON),
    ],
)
def test_another_form_is_refused_as_for_any_table(raw, refusal):
    with pytest.raises(Refused) as refused:
        limit_result(raw, CONTRACT, counted(40, 40), RULES)
    assert refused.value.refusal is refusal


def test_more_numbers_than_the_rules_allow_are_refused():
    region = Dimension("region", tuple(f"r{n}" for n in range(26)))
    contract = OutputContract((replace(SPEC, dimensions=(region,)),))
    cells = [{"k": [code], "v": 1.5} for code in region.codes]
    raw = json.dumps({"type": "fairnode.result/1", "tables": [{"id": "ratio", "cells": cells}]}).encode()
    with pytest.raises(Refused) as refused:
        limit_result(raw, contract, counted(40, 40), RULES)
    assert refused.value.refusal is Refusal.TOO_MANY_DIGITS


def test_too_few_persons_and_tables_of_both_classes_are_refused():
    with pytest.raises(Refused) as refused:
        limit_result(written(0.5, 0.5), CONTRACT, counted(40, 40, universe=80), RULES)
    assert refused.value.refusal is Refusal.UNIVERSE
    both = OutputContract((SPEC, replace(SPEC, id="count", kind=Kind.COUNT)))
    assert both.class_b
    with pytest.raises(Refused):
        limit_result(written(0.5, 0.5), both, counted(40, 40), RULES)


def with_own(*, region: bool, numbers: int) -> OutputContract:
    """A table of the algorithm's own statistics, for each sex or for all."""
    own = Dimension("statistic", tuple(f"s{i}" for i in range(numbers)))
    return OutputContract((replace(SPEC, dimensions=(SEX, own) if region else (own,)),))


def told(contract: OutputContract) -> bytes:
    cells = [{"k": list(key), "v": 0.5} for key in contract.tables[0].keys()]  # noqa: SIM118
    return json.dumps({"type": "fairnode.result/1", "tables": [{"id": "ratio", "cells": cells}]}).encode()


def test_all_numbers_about_a_small_group_are_hidden_whatever_they_are():
    contract = with_own(region=True, numbers=2)
    verdict = limit_result(told(contract), contract, counted(40, 10), RULES)
    assert {(r.key, r.rule) for r in verdict.reasons} == {
        (("male", "s0"), "threshold"),
        (("male", "s1"), "threshold"),
    }


def test_ten_persons_are_needed_for_each_number_about_them():
    contract = with_own(region=True, numbers=4)
    verdict = limit_result(told(contract), contract, counted(40, 39), RULES)
    assert {r.key[0] for r in verdict.reasons} == {"male"}
    assert {r.rule for r in verdict.reasons} == {"model"}
    assert len(verdict.reasons) == 4


@pytest.mark.parametrize(
    ("numbers", "persons", "leaves"), [(12, 120, True), (12, 119, False), (25, 250, True)]
)
def test_a_model_with_as_many_parameters_as_numbers_fits_the_persons(numbers, persons, leaves):
    contract = with_own(region=False, numbers=numbers)
    (spec,) = counting(contract).tables
    cell = RecountedCell((), persons, persons, persons, magnitude=float(persons), top1=1.0, top2=1.0)
    counts = Recount((RecountedTable(spec, (cell,)),), persons)
    if leaves:
        assert limit_result(told(contract), contract, counts, RULES).reasons == ()
        return
    with pytest.raises(Refused) as refused:
        limit_result(told(contract), contract, counts, RULES)
    assert refused.value.refusal is Refusal.MODEL
    assert refused.value.facts["check"].endswith("#MinimumDoFCheck")


def test_a_refusal_by_a_rule_cites_its_check_and_one_of_form_cites_none():
    cited = {refusal for refusal in Refusal if refusal.check}
    assert cited == {
        Refusal.CONTRACT, Refusal.UNIVERSE, Refusal.DIFFERENCING, Refusal.NODE_SETS, Refusal.BUDGET,
        Refusal.TOO_MANY_DIGITS, Refusal.MODEL, Refusal.REVIEWS,
    }  # fmt: skip
    assert all(refusal.check.startswith("https://www.w3id.org/statbarnsdc#") for refusal in cited)
    assert Refused(Refusal.NOT_JSON).facts == {"refusal": "not-json"}
