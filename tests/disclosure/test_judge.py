"""Verdicts over several tables and releases, case by case."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from fairnode.disclosure.audit import Answer
from fairnode.disclosure.history import (
    Difference,
    Entered,
    History,
    UniverseDifference,
    narrows,
    query_of,
    remember,
)
from fairnode.disclosure.judge import judge
from fairnode.gate.histories import history_of, release_from_json, release_to_json
from fairnode.jobs.lp_audit import audit
from fairnode.records.result import (
    Condition,
    Dimension,
    Kind,
    Outcome,
    OutputContract,
    Recount,
    RecountedCell,
    RecountedTable,
    Status,
    TableSpec,
    Unit,
)

DAY = date(2026, 11, 21)


def spec(name, *axes, kind=Kind.COUNT, unit=Unit.PERSON, **more):
    return TableSpec(name, kind, unit, "r", tuple(Dimension(v, tuple(codes)) for v, codes in axes), **more)


def cell(key, n, **more):
    even = {"magnitude": float(n), "top1": 1.0 if n else 0.0, "top2": 1.0 if n > 1 else 0.0}
    return RecountedCell(tuple(key), n, n, n, **{**even, **more})


def table(of, *counts, **more):
    return RecountedTable(of, tuple(cell(key, n, **more) for key, n in zip(of.keys(), counts, strict=True)))


REGION = spec("region", ("region", "AB"))
BOTH = spec("both", ("region", "AB"), ("year", "12"))
YEARS = {"12": (Condition("year", frozenset("12")),), "1": (Condition("year", frozenset("1")),)}


def recount(*tables, conditions=()):
    return Recount(tables, 1000, conditions)


def kept(counted, verdict, name="one"):
    return remember(counted, verdict, release=name, requester="r", nodes=frozenset({"n"}), day=DAY)


def hidden(verdict, position=0):
    return {c.key for c in verdict.tables[position].cells if c.status is Status.HIDDEN}


def why(verdict):
    return {(r.table, "".join(r.key)): r.rule for r in verdict.reasons}


@pytest.fixture
def earlier(rules):
    counted = recount(table(REGION, 100, 60))
    return kept(counted, judge(counted, rules, History(), audit))


def test_a_cell_hidden_now_takes_another_along_if_their_total_was_shown_before(rules, earlier):
    counted = recount(table(BOTH, 96, 4, 30, 30))
    alone = judge(counted, rules, History(), audit)
    assert hidden(alone) == {("A", "2")}
    after = judge(counted, rules, History((earlier,)), audit)
    assert why(after) == {("both", "A2"): "threshold", ("both", "A1"): "complementary"}


def test_a_total_stays_hidden_if_its_parts_were_shown_before(rules):
    fine = recount(table(BOTH, 96, 4, 30, 30))
    before = kept(fine, judge(fine, rules, History(), audit))
    verdict = judge(recount(table(REGION, 100, 60)), rules, History((before,)), audit)
    assert why(verdict) == {("region", "A"): "complementary"}


def test_broader_codes_are_the_sum_of_their_narrower_ones(rules):
    fine = recount(table(spec("age", ("age", "xyz")), 96, 4, 200))
    before = kept(fine, judge(fine, rules, History(), audit))
    broad = recount(table(spec("broad", ("broad", "mn")), 100, 200))
    finer = {("broad", "m"): ("age", frozenset("xy")), ("broad", "n"): ("age", frozenset("z"))}
    assert hidden(judge(broad, rules, History((before,)), audit)) == set()
    assert hidden(judge(broad, rules, History((before,), finer=finer), audit)) == {("m",)}


def test_a_few_not_recorded_are_a_group_too(rules):
    counted = recount(table(REGION, 100, 60), table(BOTH, 60, 35, 30, 30))
    verdict = judge(counted, rules, History(), audit)
    assert sum(rule == "complementary" for rule in why(verdict).values()) == 1
    enough = recount(table(REGION, 100, 60), table(BOTH, 50, 35, 30, 30))
    assert why(judge(enough, rules, History(), audit)) == {}


def test_persons_in_several_parts_are_a_group_too(rules):
    counted = recount(table(REGION, 100, 60), table(BOTH, 60, 43, 30, 30))
    assert len(why(judge(counted, rules, History(), audit))) == 1


def test_the_numerator_of_a_proportion_is_a_count_that_may_be_found_out(rules):
    share = spec("share", ("region", "AB"), kind=Kind.PROPORTION, numerator=Condition("form", frozenset("s")))
    forms = spec("forms", ("region", "AB"), ("form", "sl"))
    shares = RecountedTable(
        share,
        (
            cell("A", 100, v=0.95, numerator=(95, 95), complement=(5, 5)),
            cell("B", 60, v=0.5, numerator=(30, 30), complement=(30, 30)),
        ),
    )
    counted = recount(shares, table(forms, 95, 5, 30, 30))
    verdict = judge(counted, rules, History(), audit)
    assert hidden(verdict, 0) == {("A",)}
    assert ("A", "l") in hidden(verdict, 1)
    before = kept(counted, verdict)
    again = judge(recount(table(REGION, 100, 60)), rules, History((before,)), audit)
    assert again.outcome is Outcome.RELEASED


def test_the_answer_of_an_earlier_time_is_given_until_enough_changed(rules, earlier):
    now = recount(table(REGION, 105, 60))

    def changed(persons):
        return Difference("region", ("A",), "one", "region", ("A",), persons)

    def outcome(*differences, entered=()):
        return judge(now, rules, History((earlier,), differences, entered), audit).outcome

    assert outcome() is Outcome.STORED
    assert outcome(changed(5)) is Outcome.STORED
    assert outcome(changed(11)) is Outcome.RELEASED
    assert outcome(changed(11), replace(changed(3), key=("B",), earlier_key=("B",))) is Outcome.STORED
    assert outcome(changed(11), entered=(Entered("region", ("B",), "one", 4),)) is Outcome.STORED
    other = replace(changed(11), earlier_key=("B",))
    assert outcome(other) is Outcome.STORED


def test_the_latest_answer_is_the_one_given_again(rules, earlier):
    newer = replace(earlier, id="two", day=date(2026, 12, 1))
    verdict = judge(recount(table(REGION, 100, 60)), rules, History((newer, earlier)), audit)
    assert verdict.stored_release == "two"


def test_another_filter_that_leaves_out_a_few_is_refused(rules, earlier):
    def outcome(only_now, only_then, conditions):
        history = History((earlier,), universes=(UniverseDifference("one", only_now, only_then),))
        return judge(recount(table(REGION, 98, 60), conditions=conditions), rules, history, audit).outcome

    assert outcome(0, 2, YEARS["12"]) is Outcome.REFUSED
    assert outcome(0, 11, YEARS["12"]) is Outcome.RELEASED
    assert outcome(0, 0, YEARS["12"]) is Outcome.RELEASED
    assert outcome(1, 2, ()) is Outcome.STORED


def test_a_cell_that_differs_by_a_few_from_a_shown_one_is_hidden(rules, earlier):
    now = recount(table(BOTH, 97, 30, 30, 30))
    near = Difference("both", ("A", "1"), "one", "region", ("A",), 3)
    assert why(judge(now, rules, History((earlier,), (near,)), audit))["both", "A1"] == "differencing"
    far = replace(near, persons=11)
    assert ("both", "A1") not in why(judge(now, rules, History((earlier,), (far,)), audit))


def test_a_cell_that_differs_by_a_few_from_a_hidden_one_may_be_shown(rules):
    counted = recount(table(REGION, 100, 9))
    before = kept(counted, judge(counted, rules, History(), audit))
    sexes = spec("sex", ("sex", "fm"))
    near = Difference("sex", ("f",), "one", "region", ("B",), 3)
    verdict = judge(recount(table(sexes, 12, 90)), rules, History((before,), (near,)), audit)
    assert why(verdict) == {}


def test_a_few_who_came_in_since_hide_their_cell_unless_the_filter_let_them_in(rules, earlier):
    came = Entered("both", ("B", "2"), "one", 2)
    now = recount(table(BOTH, 50, 50, 30, 32))
    assert why(judge(now, rules, History((earlier,), entered=(came,)), audit))["both", "B2"] == "differencing"
    narrow = replace(earlier, filter=YEARS["1"])
    assert ("both", "B2") not in why(judge(now, rules, History((narrow,), entered=(came,)), audit))


def test_a_combined_release_is_no_answer_to_a_local_question(rules, earlier):
    combined = replace(
        earlier, nodes=frozenset("abc"), tables=tuple(replace(t, cells=()) for t in earlier.tables)
    )
    verdict = judge(recount(table(REGION, 100, 60)), rules, History((combined,)), audit)
    assert verdict.outcome is Outcome.RELEASED


def test_filters_narrow_by_variable_and_codes():
    assert narrows(YEARS["1"], YEARS["12"])
    assert narrows(YEARS["1"], ())
    assert not narrows(YEARS["12"], YEARS["1"])
    assert not narrows((), YEARS["1"])


def test_the_same_question_is_recognised_whatever_its_tables_are_called():
    contract = OutputContract((REGION,))
    assert query_of(contract, ()) == query_of(OutputContract((replace(REGION, id="x", input="y"),)), ())
    assert query_of(contract, ()) != query_of(contract, YEARS["1"])
    assert query_of(contract, ()) != query_of(OutputContract((BOTH,)), ())
    share = spec("s", kind=Kind.PROPORTION, numerator=Condition("f", frozenset("ab")))
    other = replace(share, numerator=Condition("f", frozenset("ac")))
    assert query_of(OutputContract((share,)), ()) != query_of(OutputContract((other,)), ())


MEAN = spec("mean", ("region", "AB"), kind=Kind.MEAN, measure="age")
MEANS = spec("means", ("region", "AB"), ("year", "12"), kind=Kind.MEAN, measure="age")


def test_a_sum_is_not_shown_over_parts_of_which_one_is_hidden(rules):
    parts = table(MEANS, 50, 50, 30, 30, v=20.0)
    dominated = replace(parts.cells[1], top1=45.0)
    parts = replace(parts, cells=(parts.cells[0], dominated, *parts.cells[2:]))
    counted = recount(table(MEAN, 100, 60, v=20.0), parts)
    verdict = judge(counted, rules, History(), audit)
    assert why(verdict) == {("means", "A2"): "dominance", ("mean", "A"): "linked-magnitudes"}


def test_parts_are_hidden_if_their_sum_was_shown_before(rules):
    whole = recount(table(MEAN, 100, 60, v=20.0))
    before = kept(whole, judge(whole, rules, History(), audit))
    parts = table(MEANS, 50, 50, 30, 30, v=20.0)
    dominated = replace(parts.cells[1], top1=45.0)
    parts = replace(parts, cells=(parts.cells[0], dominated, *parts.cells[2:]))
    verdict = judge(recount(parts), rules, History((before,)), audit)
    assert why(verdict) == {("means", "A2"): "dominance", ("means", "A1"): "linked-magnitudes"}


def test_a_search_out_of_time_is_told_to_the_custodian(rules):
    counted = recount(table(REGION, 100, 60), table(BOTH, 96, 4, 30, 30))
    verdict = judge(counted, rules, History(), lambda _: Answer((("both", ("A", "1")),), in_time=False))
    assert "out of time" in verdict.notes[0]
    assert why(verdict)["both", "A1"] == "complementary"


def test_without_a_person_key_twice_as_many_rows_are_needed_everywhere(rules):
    counts = spec("rows", ("region", "AB"), unit=Unit.REGISTRATION)
    cells = tuple(replace(cell(code, n), persons=None) for code, n in zip("AB", (21, 300), strict=True))
    verdict = judge(recount(RecountedTable(counts, cells)), rules, History(), audit)
    assert hidden(verdict) == {("A",)}


def test_a_release_without_dimensions_is_one_number(rules):
    verdict = judge(recount(table(spec("all"), 203)), rules, History(), audit)
    assert [c.n for c in verdict.tables[0].cells] == [205]


def test_what_is_kept_of_a_release_survives_the_store(rules, earlier):
    told = json.loads(json.dumps(release_to_json(earlier)))
    assert release_from_json(told) == earlier
    combined = replace(earlier, nodes=frozenset("abc"), tables=())
    assert release_from_json(release_to_json(combined)) == combined


def test_what_the_recount_found_becomes_history(earlier):
    found = {
        "differences": [[0, 3, "one", 0, 1, 5]],
        "entered": [[0, 2, "one", 4]],
        "universes": [["one", 4, 0]],
    }
    history = history_of(OutputContract((BOTH,)), [earlier], found)
    assert history.differences == (Difference("both", ("B", "2"), "one", "region", ("B",), 5),)
    assert history.entered == (Entered("both", ("B", "1"), "one", 4),)
    assert history.universes == (UniverseDifference("one", 4, 0),)
    assert history_of(OutputContract((BOTH,)), [], {}) == History()


def _one_small_rest(few):
    """40 with form s in each region and year, 30 with form l, but for region A in year 1."""
    return [
        {"person": f"{region}{year}{form}{number}", "region": region, "year": year, "form": form}
        for region in "ABC"
        for year in "123"
        for form, size in (("s", 40), ("l", few if region + year == "A1" else 30))
        for number in range(size)
    ]


@pytest.mark.parametrize("few", [0, 4])
@pytest.mark.parametrize(
    "order", [[("share", "counts")], [("share",), ("counts",)], [("counts",), ("share",)]]
)
def test_the_rest_of_a_proportion_stays_hidden_beside_counts_of_the_same_variable(
    counting, attacking, shown, spec, rules, few, order
):
    tables = {
        "share": spec("region", "year", kind=Kind.PROPORTION, numerator=Condition("form", frozenset("s"))),
        "counts": spec("region", "form"),
    }
    releases, history, reasons = [], History(), {}
    for names in order:
        recount = counting(_one_small_rest(few), [tables[name] for name in names])
        verdict = judge(recount, rules, history, audit)
        reasons |= {(reason.table, reason.key): reason.rule for reason in verdict.reasons}
        releases += [shown(t, (), c) for t, c in zip(verdict.tables, recount.tables, strict=True)]
        earlier = remember(recount, verdict, release="1", requester="r", nodes=frozenset({"n"}), day=DAY)
        history = History((earlier,))
    widths = attacking(releases, rules.k, exact=True)
    assert reasons[tables["share"].id, ("A", "1")] == "proportion"
    assert len(reasons) < 5
    assert all(width >= rules.k - 1e-6 for width in widths.values()), widths


def test_what_was_hidden_for_few_persons_in_many_rows_is_not_told_by_a_later_filter(
    counting, attacking, shown, spec, rules
):
    sizes = {("A", "1"): 60, ("A", "2"): 11, ("A", "3"): 30, ("B", "1"): 40, ("B", "2"): 40, ("B", "3"): 40}
    rows = [
        {"person": (place, max(number, 1)), "region": place[0], "year": place[1], "form": "s"}
        for place, size in sizes.items()
        for number in range(size)
    ]
    first = counting(rows, [spec("region", "year")])
    verdict = judge(first, rules, History(), audit)
    earlier = remember(first, verdict, release="1", requester="r", nodes=frozenset({"n"}), day=DAY)
    years = (Condition("year", frozenset("12")),)
    second = counting(rows, [spec("region")], years)
    again = judge(second, rules, History((earlier,)), audit)
    releases = [
        shown(verdict.tables[0], (), first.tables[0]),
        shown(again.tables[0], years, second.tables[0]),
    ]
    assert {reason.key for reason in again.reasons} == {("A",), ("C",)}
    assert attacking(releases, rules.k, exact=True)[0, ("A", "2", "n")] >= rules.k
