"""Complementary suppression: which cells must go so that others stay hidden, and that time ends it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from fairnode.disclosure.audit import (
    Answer,
    Question,
    answer_from_json,
    answer_to_json,
    needs_search,
    question_from_json,
    question_to_json,
)
from fairnode.disclosure.links import Item, Links, Relation
from fairnode.gate.audit_child import child_audit
from fairnode.jobs.lp_audit import audit

K = 11


def line(*values, earlier=(), whole_earlier=False, k=K):
    """A whole and its parts; small parts are hidden. Owners are ("w", ()) and ("p", (position,))."""
    items = [Item(v, None if i in earlier else ("p", (str(i),)), v < k, v < k) for i, v in enumerate(values)]
    items.append(Item(sum(values), None if whole_earlier else ("w", ()), False, False))
    return Links(tuple(items), (Relation(len(values), tuple(range(len(values))), None, 1),))


def hides(links, seconds=10.0):
    return set(audit(Question(links, K, seconds)).hide)


def part(*positions):
    return {("p", (str(position),)) for position in positions}


def test_a_single_hidden_part_takes_the_smallest_other_with_it():
    assert hides(line(40, 3, 60, 30)) == part(3)


def test_two_hidden_parts_that_add_up_to_little_take_a_third():
    assert hides(line(4, 3, 60, 30)) == part(3)
    assert hides(line(10, 10, 60, 30)) == part(3)


def test_three_hidden_parts_that_add_up_to_enough_need_no_more():
    assert hides(line(10, 10, 10, 60, 30)) == set()


def test_an_empty_cell_protects_nothing_and_is_protected():
    assert hides(line(0, 60, 30)) == part(2)
    assert hides(line(0, 3, 60, 30)) == part(3)


def test_the_whole_goes_if_the_parts_were_released_before():
    assert hides(line(40, 3, 60, earlier=(0, 2))) == {("w", ())}


def test_what_follows_from_earlier_releases_alone_is_given_up():
    assert hides(line(40, 3, 60, earlier=(0, 2), whole_earlier=True)) == set()


def test_a_pair_of_hidden_cells_adds_up_to_twice_the_threshold():
    assert hides(line(10, 12, 60)) == part(1)
    assert hides(line(9, 12, 60)) == part(2)


def test_what_turned_out_not_to_be_needed_is_shown_again():
    # 12 was hidden first, was too little with 9, and 60 went too: then 12 may stay.
    assert hides(line(9, 12, 60, 500)) == part(2)


def test_nothing_sensitive_needs_no_search():
    assert not needs_search(Question(line(40, 60), K, 10.0))
    assert needs_search(Question(line(40, 3), K, 10.0))


def test_when_time_is_up_everything_linked_is_hidden():
    links = line(40, 3, 60, 30)
    answer = audit(Question(links, K, -1.0))
    assert not answer.in_time
    assert {("w", ()), *part(0, 2, 3)} <= set(answer.hide)


def test_what_is_not_linked_stays_when_time_is_up():
    links = line(40, 3, 60)
    n = len(links.items)
    other = (Item(50, ("x", ()), False, False), Item(50, ("y", ()), False, False))
    both = Links((*links.items, *other), (*links.relations, Relation(n, (n + 1,), None, 1)))
    assert not {("x", ()), ("y", ())} & set(audit(Question(both, K, -1.0)).hide)


def test_a_hidden_whole_between_two_tables_is_reached_through_its_neighbours():
    # whole = a + b and the same whole = c + d: only d can still be hidden for a's sake.
    items = (
        Item(3, ("p", ("a",)), True, True),
        Item(40, None, False, False),
        Item(43, None, True, False),
        Item(13, None, False, False),
        Item(30, ("p", ("d",)), False, False),
    )
    links = Links(items, (Relation(2, (0, 1), None, 1), Relation(2, (3, 4), None, 1)))
    assert set(audit(Question(links, K, 10.0)).hide) == {("p", ("d",))}


def test_question_and_answer_survive_json_and_the_child_process(tmp_path):
    links = line(40, 3, 60, 30)
    question = Question(links, K, 10.0)
    assert question_from_json(question_to_json(question)) == question
    answer = Answer((("t", ("a", "b")),), in_time=False)
    assert answer_from_json(answer_to_json(answer)) == answer
    assert set(child_audit(tmp_path / "spool")(question).hide) == part(3)


def square(values):
    """A two-way table with both margins shown."""
    rows, columns = len(values), len(values[0])
    items = [
        Item(v, ("t", (str(r), str(c))), v < K, v < K)
        for r, row in enumerate(values)
        for c, v in enumerate(row)
    ]
    relations = []
    for r in range(rows):
        items.append(Item(sum(values[r]), ("r", (str(r),)), False, False))
        relations.append(Relation(len(items) - 1, tuple(r * columns + c for c in range(columns)), None, 1))
    for c in range(columns):
        items.append(Item(sum(row[c] for row in values), ("c", (str(c),)), False, False))
        relations.append(Relation(len(items) - 1, tuple(r * columns + c for r in range(rows)), None, 1))
    return Links(tuple(items), tuple(relations))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([0, 2, 9, 11, 15, 30, 80]), min_size=4, max_size=4), min_size=3, max_size=4
    )
)
def test_asking_again_with_the_answer_hides_nothing_more(values):
    links = square(values)
    hidden = hides(links)
    items = tuple(Item(i.value, i.owner, i.hidden or i.owner in hidden, i.sensitive) for i in links.items)
    assert hides(Links(items, links.relations)) == set()


def mixed(rows, columns, share):
    """A table of which about that share of the cells is small."""
    chance = np.random.default_rng(7)
    small = chance.random((rows, columns)) < share
    values = np.where(small, chance.integers(0, K, small.shape), chance.integers(K, 400, small.shape))
    return [[int(value) for value in row] for row in values]


@pytest.mark.parametrize(("rows", "columns", "share"), [(10, 8, 0.2), (40, 20, 0.1), (100, 100, 0.2)])
def test_large_tables_with_margins_are_settled_in_time(rows, columns, share):
    values = mixed(rows, columns, share)
    answer = audit(Question(square(values), K, 20.0))
    assert answer.in_time
    assert len(answer.hide) < rows * columns / 4


def bounded(links, target, *, known):
    """The interval of one hidden count for somebody who knows the size of every other one, if `known`."""
    hidden = [i for i, item in enumerate(links.items) if item.hidden]
    at = {index: place for place, index in enumerate(hidden)}
    left, right = [], []
    for relation in links.relations:
        row = np.zeros(len(hidden))
        total = 0
        for index, sign in [(relation.whole, 1), *((part, -1) for part in relation.parts)]:
            if index in at:
                row[at[index]] += sign
            else:
                total -= sign * links.items[index].value
        if row.any():
            left.append(row)
            right.append(total)
    limits = [(0, None)] * len(hidden)
    if known:
        sizes = [links.items[index].value for index in hidden]
        limits = [(0, 0) if n == 0 else (1, K - 1) if n < K else (K, None) for n in sizes]
        limits[at[target]] = (0, None)
    ends = []
    for sign in (1, -1):
        cost = np.zeros(len(hidden))
        cost[at[target]] = sign
        found = linprog(cost, A_eq=np.array(left), b_eq=right, bounds=limits)
        ends.append(float("-inf") if found.status == 3 else found.fun)
    return -ends[1] - ends[0]


@pytest.mark.long
@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    st.lists(
        st.lists(st.sampled_from([0, 1, 4, 9, 10, 11, 14, 25, 60]), min_size=19, max_size=19),
        min_size=19,
        max_size=19,
    )
)
def test_what_the_audit_promises_of_a_large_block_holds_for_a_simple_attacker(values):
    # 361 cells, two in three of them hidden: the small programs and the limits of large blocks take part.
    links = square(values)
    hidden = hides(links)
    items = tuple(Item(i.value, i.owner, i.hidden or i.owner in hidden, i.sensitive) for i in links.items)
    after = Links(items, links.relations)
    for index, item in enumerate(items):
        if item.hidden and index % 20 == 0 and not links.items[index].sensitive:
            assert bounded(after, index, known=False) >= K - 1e-6
        elif item.hidden and index % 20 == 0 and not all(i.hidden for i in items):
            assert bounded(after, index, known=True) >= K - 1e-6


def pairs_of_one(*, rest):
    """A count of 60 in twenty pairs of 62 that were shown; the others, of 2 each, are a list's parts of a whole."""
    items = [Item(60, None, True, True)]
    relations = []
    for _ in range(20):
        items += [Item(2, None, True, True), Item(62, None, False, False)]
        relations.append(Relation(len(items) - 1, (0, len(items) - 2), None, 1))
    parts = tuple(relation.parts[1] for relation in relations)
    items += [Item(rest, None, True, False), Item(40 + rest, ("w", ()), False, False)]
    return Links(tuple(items), (*relations, Relation(len(items) - 1, parts, len(items) - 2, 1)))


def test_an_equation_with_a_large_rest_binds_all_the_same():
    # One less in the first is one more in each of twenty others: 44 that nobody knows are soon used up.
    links = pairs_of_one(rest=4 * K)
    without = Links(links.items, links.relations[:-1])
    assert hides(without) == set()
    assert hides(links) == {("w", ())}
