"""The attacker with everything that was ever told: what it knows, what is kept from it, what ends the search."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from fairnode.disclosure.audit import Question, question_from_json, question_to_json
from fairnode.disclosure.history import History, remember
from fairnode.disclosure.judge import judge
from fairnode.disclosure.links import Links
from fairnode.disclosure.told import Joint, Told, tell
from fairnode.jobs.lp_audit import audit
from fairnode.jobs.lp_cliques import tree_of
from fairnode.jobs.lp_exact import Attacker, attackers
from fairnode.records.result import (
    Condition,
    Dimension,
    Kind,
    Recount,
    RecountedCell,
    RecountedTable,
    TableSpec,
    Unit,
)

K = 11
FAR = float("inf")


def spec(name, *axes, **more):
    return TableSpec(
        name, Kind.COUNT, Unit.PERSON, "r", tuple(Dimension(v, tuple(codes)) for v, codes in axes), **more
    )


def table(of, *counts, margins=()):
    cells = (
        RecountedCell(key, n, n, n, None, float(n), float(n > 0), float(n > 1))
        for key, n in zip(of.keys(), counts, strict=True)
    )
    return RecountedTable(of, tuple(cells), tuple(margins))


def kept(counted, verdict, name, day=1):
    return remember(
        counted, verdict, release=name, requester="r", nodes=frozenset({"n"}), day=date(2026, 1, day)
    )


def count(n, *where, owner=None, shown=True, asked=False):
    return Told(tuple((variable, (code,)) for variable, code in where), n, owner, shown, asked)


def hides(joint, seconds=10.0):
    return audit(Question(Links((), ()), K, seconds, (joint,)))


def three_tables():
    """All two-way tables of two by two by two atoms, and one cell of three that is hidden for itself."""
    pairs = [(0, 1), (0, 2), (1, 2)]
    told = [
        count(40, (a, x), (b, y), owner=(f"{a}{b}", (str(x), str(y))))
        for a, b in pairs
        for x, y in product(range(2), range(2))
    ]
    return Joint((2, 2, 2), (*told, count(0, (0, 0), (1, 0), (2, 0), shown=False, asked=True)))


def test_three_tables_of_which_each_two_share_another_dimension_bind_a_cell_together():
    # All three leave one cell of all dimensions between 0 and 40, and the others follow from it.
    assert hides(three_tables()).hide == ()
    # The opposite cell is 40 less that one: where it is shown, both are known, whichever two tables one has.
    whole = three_tables()
    known = count(40, (0, 1), (1, 1), (2, 1), owner=("all", ("1", "1", "1")))
    answer = hides(replace(whole, counts=(*whole.counts, known)))
    assert answer.in_time
    assert len(answer.hide) >= 1


def test_what_was_known_before_is_not_the_doing_of_this_release():
    earlier = (count(40, (0, 0)), count(37, (0, 0), (1, 0)))
    hidden = count(3, (0, 0), (1, 1), shown=False, asked=True)
    now = count(100, (1, 0), owner=("t", ("a",)))
    assert hides(Joint((2, 2), (*earlier, hidden, now))).hide == ()


def test_the_smallest_cell_that_holds_a_count_fast_is_hidden():
    told = (
        count(43, (0, 0), owner=("whole", ("a",))),
        count(40, (0, 0), (1, 0), owner=("parts", ("a", "x"))),
        count(3, (0, 0), (1, 1), owner=("parts", ("a", "y")), shown=False, asked=True),
        count(500, (0, 1), owner=("whole", ("b",))),
    )
    assert set(hides(Joint((2, 2), told)).hide) == {("parts", ("a", "x"))}


def test_a_joint_survives_json():
    question = Question(Links((), ()), K, 10.0, (three_tables(),))
    assert question_from_json(question_to_json(question)) == question


@pytest.mark.parametrize("seconds", [10.0, -1.0])
def test_where_no_answer_can_be_found_everything_is_hidden(seconds):
    joint = three_tables()
    if seconds > 0:  # 8 variables of 9 codes, each two of them told of together
        more = [count(50, (a, 0), (b, 0), owner=(f"{a}{b}", ())) for a in range(3, 11) for b in range(3, a)]
        joint = Joint((2, 2, 2, *[9] * 8), (*joint.counts, *more))
    answer = hides(joint, seconds)
    assert not answer.in_time
    assert set(answer.hide) == {c.owner for c in joint.counts if c.owner}


def test_counts_of_another_time_that_contradict_those_of_now_are_fitted_to_them():
    # Then 40 + 3 = 43; now the whole is 60 and of the parts only the larger is shown.
    earlier = (count(43, (0, 0)), count(3, (0, 0), (1, 1), shown=False, asked=True))
    now = (
        count(60, (0, 0), owner=("whole", ())),
        count(58, (0, 0), (1, 0), owner=("part", ())),
        count(2, (0, 0), (1, 1), owner=("rest", ()), shown=False, asked=True),
    )
    found = attackers(Joint((2, 2), (*earlier, *now)), K, FAR)
    assert [attacker.fits for attacker in found] == [False, True]
    answer = hides(Joint((2, 2), (*earlier, *now)))
    assert answer.in_time
    assert {("part", ()), ("whole", ())} & set(answer.hide)


SIZES = st.lists(st.integers(2, 3), min_size=3, max_size=4)


@settings(max_examples=15, deadline=None)
@given(SIZES, st.data())
def test_the_tree_of_cliques_knows_exactly_what_all_atoms_together_do(sizes, data):
    atoms = list(product(*(range(size) for size in sizes)))
    numbers = data.draw(st.lists(st.sampled_from([0, 1, 3, 20]), min_size=len(atoms), max_size=len(atoms)))
    variables = st.lists(st.integers(0, len(sizes) - 1), min_size=1, max_size=2, unique=True).map(sorted)
    scopes = data.draw(st.lists(variables, min_size=2, max_size=4))
    told = []
    for scope in scopes:
        for key in product(*(range(sizes[v]) for v in scope)):
            where = tuple(zip(scope, key, strict=True))
            n = sum(x for atom, x in zip(atoms, numbers, strict=True) if all(atom[v] == c for v, c in where))
            told.append(count(n, *where, shown=n >= K, asked=n < K))
    joint = Joint(tuple(sizes), tuple(told))
    attacker = Attacker(joint, K, FAR)
    attacker.holding()
    for found, each in zip(attacker.widths(), joint.counts, strict=True):
        if each.asked:
            assert (found >= K - 1e-6) == (_width(atoms, joint, each) >= K - 1e-6)


def _width(atoms, joint, target):
    """How narrowly a count can be bounded from all atoms, all other rows as they are told."""

    def row(told):
        return [float(all(atom[v] in codes for v, codes in told.where)) for atom in atoms]

    shown = [each for each in joint.counts if each.shown]
    left, right = [row(each) for each in shown], [each.n for each in shown]
    ends = []
    for sign in (1, -1):
        cost = sign * np.array(row(target))
        found = linprog(cost, A_eq=left or None, b_eq=right or None, bounds=(0, 1000))
        ends.append(sign * found.fun)
    return ends[1] - ends[0]


@given(st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=4, unique=True), min_size=1, max_size=8))
def test_cliques_cover_every_scope_and_share_what_they_have_in_common(scopes):
    tree = tree_of([2] * 8, scopes)
    assert all(any(set(scope) <= set(clique) for clique in tree.cliques) for scope in scopes)
    assert len(tree.edges) == len(tree.cliques) - 1
    for variable in range(8):  # the cliques that have a variable are connected by edges that have it
        having = [place for place, clique in enumerate(tree.cliques) if variable in clique]
        assert sum(variable in shared for _, _, shared in tree.edges) == len(having) - 1


LIST = Dimension("means", ("debt", "threat"), multiple=True)


def test_codes_of_a_list_are_questions_of_yes_and_no(rules):
    # A person may have both: the cells do not add up to the whole, and nothing can be found out.
    lists = TableSpec("lists", Kind.COUNT, Unit.PERSON, "r", (LIST,))
    either = (Condition("means", frozenset({"debt", "threat"})),)
    first = Recount((table(lists, 60, 5),), 1000)
    verdict = judge(first, rules, History(), audit)
    earlier = kept(first, verdict, "1")
    second = Recount((table(spec("all"), 63),), 1000, either)
    (joint,) = tell(second, {}, History((earlier,)), K)
    never = [each for each in joint.counts if each.shown and each.n == 0]
    assert len(never) == 3  # one without any, the other without any, any without one or the other
    assert {reason.rule for reason in judge(second, rules, History((earlier,)), audit).reasons} == {
        "complementary"
    }  # 63 have one of them, 60 have debt: at least 3 and at most 63 threat, but 3 have nothing else
