"""P9: what is opened of an overlap table is the rule in clear, and no owner of a list finds a small group in it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from fairnode.errors import NotValid
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.local import Network, run_locally, split
from fairnode.mpc.kernels.sharing import to_planes
from fairnode.mpc.openings.lists import groups, shown_cells
from fairnode.mpc.overlap.cells import LANES, lane, read_cells
from fairnode.mpc.overlap.shape import OverlapShape, patterns
from fairnode.mpc.programs import program
from fairnode.mpc.programs.overlap_cells import judge

TABLES = Path(__file__).parents[2] / "tables"
BITS = 14
PUBLIC = ("UKdat.csv", "UKdat_5.csv", "UKdat_4.csv", "Ned.csv", "Ned_5.csv", "Korea.csv", "Kosovo.csv")


def opened(cells, lists, least, coalition=1, parties=3, threshold=1):
    """The cells that the program opens, by pattern; None for hidden."""
    numbers = np.zeros(LANES, np.uint64)
    for pattern, n in cells.items():
        numbers[lane(pattern)] = n
    rows = split(to_planes(numbers, BITS).reshape(-1), parties, threshold)

    async def party(exchange):
        kernel = BitKernel(exchange)
        planes = kernel.dealt({r: rows[r] for r in kernel.held}, 0, BITS)
        number = [planes[:, i : i + 1] for i in range(BITS)]
        status, total = await judge(kernel, number, groups(lists, coalition), least, 5)
        return await kernel.open_to_all(np.concatenate([status, *total], axis=1))

    return read_cells(run_locally(Network(parties, threshold), party)[0], OverlapShape(lists, 4000))


def in_clear(cells, lists, least, coalition=1):
    shown = shown_cells(cells, lists, least, coalition)
    return {p: (cells.get(p, 0) + 2) // 5 * 5 if p in shown else None for p in patterns(lists)}


def public(name):
    with (TABLES / name).open(encoding="utf-8") as file:
        header, *lines = list(csv.reader(file))
    lists = len(header) - 1
    cells = {tuple(i for i in range(lists) if line[i] == "1"): int(line[-1]) for line in lines}
    return {p: n for p, n in cells.items() if p}, lists


@pytest.mark.parametrize("name", PUBLIC)
def test_of_each_public_table_is_opened_what_the_rule_in_clear_says(name):
    cells, lists = public(name)
    assert opened(cells, lists, 11) == in_clear(cells, lists, 11)


def tables(lists, most=60):
    number = st.one_of(st.just(0), st.integers(0, 12), st.integers(10, most))
    return st.fixed_dictionaries(dict.fromkeys(patterns(lists), number))


@settings(max_examples=10, deadline=None)
@given(cells=tables(3), least=st.sampled_from([3, 5, 11]))
def test_any_table_is_judged_as_in_clear(cells, least):
    assert opened(cells, 3, least) == in_clear(cells, 3, least)


@settings(max_examples=3, deadline=None)
@given(cells=tables(4))
def test_with_two_of_five_parties_pairs_of_owners_are_judged_too(cells):
    assert opened(cells, 4, 5, 2, 5, 2) == in_clear(cells, 4, 5, 2)


def known_to(attackers, cells, lists, shown, least):
    """What owners of lists can say of sums of hidden cells: rows A, totals b exactly, and bounds of the others'.

    They know the sizes of all combinations of their own lists, shown cells even without rounding, and the lengths of
    other lists to 5 either way.
    """
    hidden = [p for p in patterns(lists) if p not in shown]
    exact, about = [], []
    for group in groups(lists, len(attackers)):
        owners = {i for p in group for i in p}
        touched = [set(p) & set(attackers) for p in group]
        if owners and all(t == touched[0] and t for t in touched):
            exact.append(([float(p in group) for p in hidden], sum(cells[p] for p in group if p in hidden)))
    for i in set(range(lists)) - set(attackers):
        about.append(([float(i in p) for p in hidden], sum(cells[p] for p in hidden if i in p)))
    return hidden, exact, about


def ends(direction, hidden, exact, about, least):
    """The smallest and the largest value of a sum of hidden cells that fits what is known (linear programming)."""
    upper = [row for row, _ in about] + [[-x for x in row] for row, _ in about]
    limits = [n + 5 for _, n in about] + [5 - n for _, n in about]
    found = []
    for sign in (1, -1):
        made = linprog(
            [sign * x for x in direction],
            A_ub=upper or None,
            b_ub=limits or None,
            A_eq=[row for row, _ in exact] or None,
            b_eq=[n for _, n in exact] or None,
            bounds=[(0, least - 1)] * len(hidden),
        )
        assert made.status == 0
        found.append(sign * made.fun)
    return found


def is_found(cells, lists, least, attackers):
    """A hidden cell, or the hidden cells of a coalition's own lists, of which 1..k-1 persons are known exactly."""
    shown = shown_cells(cells, lists, least, len(attackers))
    if not shown or len(shown) == len(patterns(lists)):
        return None  # nothing was opened, or nothing is hidden
    hidden, exact, about = known_to(attackers, cells, lists, shown, least)
    directions = [[float(p == q) for q in hidden] for p in hidden]
    directions += [[float(i in q) for q in hidden] for i in attackers]
    for direction in directions:
        low, high = ends(direction, hidden, exact, about, least)
        if high - low < 0.5 and 0.5 < low < least - 0.5:
            return [p for p, x in zip(hidden, direction, strict=True) if x]
    return None


@settings(max_examples=120, deadline=None)
@given(cells=tables(3), attacker=st.integers(0, 2), least=st.sampled_from([3, 5, 11]))
def test_the_owner_of_a_list_finds_no_group_below_k(cells, attacker, least):
    assert is_found(cells, 3, least, (attacker,)) is None


@settings(max_examples=60, deadline=None)
@given(cells=tables(4), least=st.sampled_from([3, 11]))
def test_two_owners_together_find_no_group_below_k(cells, least):
    assert is_found(cells, 4, least, (0, 1)) is None


@pytest.mark.parametrize("name", PUBLIC)
def test_no_owner_finds_a_group_below_k_in_a_public_table(name):
    cells, lists = public(name)
    whole = {p: cells.get(p, 0) for p in patterns(lists)}
    assert [is_found(whole, lists, 11, (i,)) for i in range(lists)] == [None] * lists


def test_hiding_small_cells_alone_would_tell_them():
    """Why the rule is there: of the Dutch table the owners would find groups of fewer than eleven."""
    cells, lists = public("Ned.csv")
    sums = [sum(n for p, n in cells.items() if i in p and n < 11) for i in range(lists)]
    assert any(0 < n < 11 for n in sums)
    assert shown_cells(cells, lists, 11, 1) == []


def test_a_table_without_small_groups_is_opened_and_one_full_hidden_group_closes_it():
    fine = dict.fromkeys(patterns(3), 100) | {(0, 1): 6, (0, 2): 6, (1, 2): 6, (0, 1, 2): 0}
    assert shown_cells(fine, 3, 11, 1) == [(0,), (1,), (2,)]
    assert opened(fine, 3, 11) == {p: 100 if len(p) == 1 else None for p in patterns(3)}
    full = fine | {
        (0, 1): 10,
        (0, 2): 10,
        (1, 2): 10,
        (0, 1, 2): 10,
    }  # three tens and a sum of thirty: all known
    assert shown_cells(full, 3, 11, 1) == []
    assert set(opened(full, 3, 11).values()) == {None}


TOLD = {"lists": 4, "bound": 60, "fingerprint": 64, "slots": 25, "least": 11, "base": 5}


@pytest.mark.parametrize("wrong", [{"least": 2}, {"base": 1}, {"lists": 7}, {"lists": 5}, {"more": 1}])
def test_parameters_that_the_program_does_not_take(wrong):
    chosen = program("overlap-cells")
    chosen.check(TOLD, 4, 3)
    with pytest.raises(NotValid):
        chosen.check(TOLD | wrong, 4, 3)
