from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from fairnode.disclosure.audit import Answer
from fairnode.disclosure.budget import Spent, has_budget
from fairnode.disclosure.history import EarlierRelease, EarlierTable, History, query_of
from fairnode.disclosure.rules import load_rules
from fairnode.gate.order import (
    Asking,
    check_node_sets,
    is_margin,
    pass_gate,
    touches,
)
from fairnode.gate.refusals import Refusal, Refused
from fairnode.gate.reviews import Opinion, Review, ReviewState, review_state, visible_reviews
from fairnode.records.result import Condition, Outcome, Recount, RecountedCell, RecountedTable, Status
from fairnode.records.result_json import contract_from_json

RULES = load_rules()
TODAY = date(2026, 11, 21)


def contract(*variables):
    axes = [{"variable": v, "codes": ["a", "b"]} for v in variables]
    told = {"id": "t", "kind": "count", "unit": "person", "input": "r", "dimensions": axes}
    return contract_from_json({"tables": [told]})


def recount(*counts):
    spec = contract("region").tables[0]
    cells = tuple(
        RecountedCell((code,), n, n, n, magnitude=n, top1=min(n, 1), top2=1 if n > 1 else 0)
        for code, n in zip("ab", counts, strict=True)
    )
    return Recount((RecountedTable(spec, cells),), sum(counts))


def claim(*counts):
    cells = [{"k": [code], "n": n} for code, n in zip("ab", counts, strict=True)]
    return json.dumps({"type": "fairnode.result/1", "tables": [{"id": "t", "cells": cells}]}).encode()


def never(_question):
    raise AssertionError("nothing is linked here")


def test_what_passes_is_the_nodes_own_numbers_rounded():
    verdict = pass_gate(claim(203, 4), contract("region"), recount(203, 4), RULES, History(), never)
    assert verdict.outcome is Outcome.RELEASED
    shown, hidden = verdict.tables[0].cells
    assert (shown.status, shown.n) == (Status.SHOWN, 205)
    assert (hidden.status, hidden.n) == (Status.HIDDEN, None)
    assert [(r.key, r.rule) for r in verdict.reasons] == [(("b",), "threshold")]


def test_a_count_off_by_one_refuses_everything():
    with pytest.raises(Refused) as told:
        pass_gate(claim(204, 4), contract("region"), recount(203, 4), RULES, History(), never)
    assert told.value.refusal is Refusal.MISMATCH


def test_a_study_about_few_persons_is_refused():
    with pytest.raises(Refused) as told:
        pass_gate(claim(90, 4), contract("region"), recount(90, 4), RULES, History(), never)
    assert told.value.refusal is Refusal.UNIVERSE


def release(number=0, requester="r", nodes=("n1",), days_ago=0, variables=("region",), conditions=()):
    table = contract(*variables).tables[0]
    return EarlierRelease(
        f"release-{number}", requester, frozenset(nodes), TODAY - timedelta(days=days_ago),
        query_of(contract(*variables), conditions), conditions, (EarlierTable(table, ()),),
    )  # fmt: skip


def test_a_budget_counts_one_requesters_releases_of_a_quarter():
    had = [Spent("r", TODAY - timedelta(days=i)) for i in range(19)]
    others = [Spent("s", TODAY), Spent("r", TODAY - timedelta(days=91))]
    assert has_budget("r", TODAY, [*had, *others], RULES)
    assert not has_budget("r", TODAY, [*had, Spent("r", TODAY - timedelta(days=90))], RULES)


YEAR_A = (Condition("year", frozenset("a")),)
YEAR_B = (Condition("year", frozenset("b")),)


@pytest.mark.parametrize(
    ("nodes", "earlier", "refused"),
    [
        ("abcde", release(nodes="abcde"), False),
        ("abcde", release(nodes="abcd"), True),
        ("abcde", release(nodes="abc"), True),
        ("abcdef", release(nodes="abc"), False),
        ("abcde", release(nodes="fgh"), False),
        ("a", release(nodes="abcdefg"), True),
        ("abcdefg", release(nodes="a"), True),
        ("abcde", release(nodes="abcd", variables=("region", "sex")), True),
        ("abcde", release(nodes="abcd", variables=("sex",)), False),
        ("abcde", release(nodes="abcd", conditions=YEAR_A), True),
    ],
)
def test_the_same_cells_over_nearly_the_same_nodes_are_refused(nodes, earlier, refused):
    asking = Asking("r", frozenset(nodes), TODAY)
    if refused:
        with pytest.raises(Refused) as told:
            check_node_sets(asking, contract("region"), (), [earlier], RULES)
        assert told.value.refusal is Refusal.NODE_SETS
    else:
        check_node_sets(asking, contract("region"), (), [earlier], RULES)


def test_other_persons_are_no_matter_of_node_sets():
    asking = Asking("r", frozenset("abcde"), TODAY)
    check_node_sets(asking, contract("region"), YEAR_A, [release(nodes="abcd", conditions=YEAR_B)], RULES)


def by(**axes):
    told = [{"variable": name, "codes": codes} for name, codes in axes.items()]
    return contract_from_json(
        {"tables": [{"id": "t", "kind": "count", "unit": "person", "input": "r", "dimensions": told}]}
    )


SEX, BANDS, BROAD = ["female", "male"], ["0-8", "9-17", "18-"], ["minor", "adult"]


@pytest.mark.parametrize(
    ("now", "then", "nested", "margin"),
    [
        (by(sex=SEX), by(sex=SEX), True, False),
        (by(sex=SEX), by(region=["a"], sex=SEX), True, True),
        (by(region=["a"], sex=SEX), by(sex=SEX), True, True),
        (by(sex=SEX, region=["a"]), by(region=["a"], sex=SEX), True, False),
        (by(sex=SEX), by(sex=["female"]), True, False),
        (by(ageBroad=BROAD), by(ageGroup=BANDS), True, True),
        (by(ageGroup=BANDS), by(ageBroad=BROAD, sex=SEX), True, True),
        (by(ageBroad=BROAD, sex=SEX), by(sex=SEX, ageBroad=BROAD), True, False),
        (by(ageBroad=BROAD, sex=SEX), by(sex=SEX, region=["a"]), False, False),
        (by(), by(sex=SEX), True, True),
    ],
)
def test_tables_nest_by_what_they_are_about_and_sums_of_several_cells_are_margins(now, then, nested, margin):
    earlier = replace(
        release(), query=query_of(then, ()), tables=tuple(EarlierTable(table, ()) for table in then.tables)
    )
    assert touches(now, (), earlier) == nested
    assert is_margin(now, earlier) == margin


# --- reviews

A, B = Review("anna", Opinion.APPROVED), Review("bert", Opinion.APPROVED)
NO = Review("carl", Opinion.CHANGES_REQUESTED)


@pytest.mark.parametrize(
    ("reviews", "state"),
    [
        ([], ReviewState.SUBMITTED),
        ([A], ReviewState.PARTIALLY_REVIEWED),
        ([A, A], ReviewState.PARTIALLY_REVIEWED),
        ([A, B], ReviewState.APPROVED),
        ([A, NO], ReviewState.CONFLICTED),
        ([NO, replace(NO, reviewer="dora")], ReviewState.REJECTED),
        ([A, Review("author", Opinion.APPROVED)], ReviewState.PARTIALLY_REVIEWED),
        ([Review("author", Opinion.APPROVED)], ReviewState.SUBMITTED),
    ],
)
def test_two_others_must_agree(reviews, state):
    assert review_state(reviews, {"author", "requester"}, RULES) is state


def test_nobody_sees_the_others_review_before_both_are_in():
    assert visible_reviews([A], "bert", RULES) == ()
    assert visible_reviews([A], "anna", RULES) == (A,)
    assert visible_reviews([A, B], "bert", RULES) == (A, B)


def test_an_answer_of_nothing_more_to_hide_is_empty():
    assert Answer(()).in_time
