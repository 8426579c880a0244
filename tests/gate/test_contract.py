from __future__ import annotations

import copy
import json

import pytest

from fairnode import errors
from fairnode.disclosure.rules import load_rules
from fairnode.gate.contract import check_contract, read_result
from fairnode.gate.refusals import Refusal, Refused
from fairnode.records.result import Kind, Unit
from fairnode.records.result_json import contract_from_json, contract_to_json

YEARS = {"variable": "year", "codes": ["2010", "2011"], "sensitive": False}
FORM = {"variable": "exploitationForm", "codes": ["sexual", "labour"], "sensitive": True}
COUNTS = {"id": "counts", "kind": "count", "unit": "person", "input": "records", "dimensions": [YEARS, FORM]}
AGES = {
    "id": "ages", "kind": "mean", "unit": "registration", "input": "records", "dimensions": [YEARS],
    "measure": "age",
}  # fmt: skip
SHARE = {
    "id": "share", "kind": "proportion", "unit": "person", "input": "records", "dimensions": [],
    "numerator": {"variable": "sex", "in": ["female"]},
}  # fmt: skip
CONTRACT = {"tables": [COUNTS, AGES, SHARE]}


def good_result():
    return {
        "type": "fairnode.result/1",
        "tables": [
            {"id": "share", "cells": [{"k": [], "n": 4, "v": 0.5}]},
            {"id": "ages", "cells": [{"k": ["2011"], "n": 0, "v": None}, {"k": ["2010"], "n": 3, "v": 21}]},
            {
                "id": "counts",
                "cells": [
                    {"k": [year, form], "n": n}
                    for n, (year, form) in enumerate(
                        [("2010", "sexual"), ("2010", "labour"), ("2011", "sexual"), ("2011", "labour")]
                    )
                ],
            },
        ],
    }


def changed(change):
    result = copy.deepcopy(good_result())
    change(result)
    return result


def cell(result, table=2, position=0):
    return result["tables"][table]["cells"][position]


def test_a_contract_survives_being_written_and_read():
    contract = contract_from_json(CONTRACT)
    assert contract_from_json(json.loads(json.dumps(contract_to_json(contract)))) == contract
    assert contract.table("ages").kind is Kind.MEAN
    assert contract.table("share").unit is Unit.PERSON
    assert list(contract.table("share").keys()) == [()]


def test_a_complete_result_is_read_in_the_order_of_the_contract():
    result = read_result(good_result(), contract_from_json(CONTRACT))
    assert [table.id for table in result.tables] == ["counts", "ages", "share"]
    assert [c.n for c in result.tables[0].cells] == [0, 1, 2, 3]
    assert [c.v for c in result.tables[1].cells] == [21.0, None]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda r: r.update(extra=1), Refusal.NOT_A_RESULT),
        (lambda r: r.update(type="fairnode.result/2"), Refusal.NOT_A_RESULT),
        (lambda r: r.update(tables={}), Refusal.NOT_A_RESULT),
        (lambda r: r.update(tables=[[]]), Refusal.NOT_A_RESULT),
        (lambda r: r["tables"][0].update(note="x"), Refusal.NOT_A_RESULT),
        (lambda r: r["tables"][0].update(id=7), Refusal.NOT_A_RESULT),
        (lambda r: r["tables"][0].update(cells={}), Refusal.NOT_A_RESULT),
        (lambda r: r["tables"].pop(), Refusal.OTHER_TABLES),
        (lambda r: r["tables"].append(r["tables"][0]), Refusal.OTHER_TABLES),
        (lambda r: r["tables"][0].update(id="other"), Refusal.OTHER_TABLES),
        (lambda r: r["tables"][2]["cells"].pop(), Refusal.OTHER_CELLS),
        (lambda r: r["tables"][2]["cells"].append(cell(r)), Refusal.OTHER_CELLS),
        (lambda r: cell(r).update(k=["2010", "free text"]), Refusal.OTHER_CELLS),
        (lambda r: cell(r).update(k=["2010"]), Refusal.OTHER_CELLS),
        (lambda r: cell(r).update(k="2010"), Refusal.OTHER_CELLS),
        (lambda r: cell(r).update(k=[2010, "sexual"]), Refusal.OTHER_CELLS),
        (lambda r: cell(r).update(__proto__=1), Refusal.NOT_A_RESULT),
        (lambda r: cell(r).update(v=1), Refusal.NOT_A_RESULT),
        (lambda r: cell(r, 1).pop("v"), Refusal.NOT_A_RESULT),
        (lambda r: cell(r).update(n=True), Refusal.CELL_FORM),
        (lambda r: cell(r).update(n=1.0), Refusal.CELL_FORM),
        (lambda r: cell(r).update(n=-1), Refusal.CELL_FORM),
        (lambda r: cell(r).update(n="1"), Refusal.CELL_FORM),
        (lambda r: cell(r, 1).update(n=2, v=None), Refusal.CELL_FORM),
        (lambda r: cell(r, 1).update(v=True), Refusal.CELL_FORM),
        (lambda r: cell(r, 1).update(v="21"), Refusal.CELL_FORM),
    ],
)
def test_anything_but_exactly_the_agreed_tables_is_refused(change, refusal):
    with pytest.raises(Refused) as told:
        read_result(changed(change), contract_from_json(CONTRACT))
    assert told.value.refusal is refusal


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_what_is_no_object_is_no_result(value):
    with pytest.raises(Refused):
        read_result(value, contract_from_json(CONTRACT))


@pytest.mark.parametrize(
    "told",
    [{}, {"tables": [{}]}, {"tables": [{**COUNTS, "kind": "median"}]}, {"tables": 3}],
)
def test_a_contract_that_is_not_one_is_an_error_for_people(told):
    with pytest.raises(errors.NotValid, match="output contract"):
        contract_from_json(told)


@pytest.mark.parametrize(
    "tables",
    [
        [],
        [COUNTS, COUNTS],
        [{**COUNTS, "id": f"t{i}"} for i in range(21)],
        [{**COUNTS, "id": "../x"}],
        [{**COUNTS, "dimensions": [YEARS, YEARS]}],
        [{**COUNTS, "dimensions": [{**YEARS, "codes": ["2010", "2010"]}]}],
        [{**COUNTS, "dimensions": [{**YEARS, "codes": []}]}],
        [{**COUNTS, "dimensions": [{**YEARS, "codes": [str(i) for i in range(401)]}]}],
        [{**COUNTS, "dimensions": [{**YEARS, "variable": name} for name in "abcd"]}],
        [{**COUNTS, "measure": "age"}],
        [{**AGES, "measure": None}],
        [{**AGES, "measure": 'a"b'}],
        [{**COUNTS, "kind": "proportion"}],
    ],
)
def test_a_contract_beyond_the_limits_is_refused(tables):
    with pytest.raises(Refused) as told:
        check_contract(contract_from_json({"tables": tables}), load_rules())
    assert told.value.refusal is Refusal.CONTRACT


def test_a_contract_within_the_limits_passes():
    check_contract(contract_from_json(CONTRACT), load_rules())
