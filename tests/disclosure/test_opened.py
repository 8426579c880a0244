"""Combined tables beside each other: with all of them nobody finds out what one of them hid."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from fairnode.disclosure.opened import Limit, Opened, kept_back
from fairnode.jobs.lp_audit import audit
from fairnode.records.result import (
    Condition,
    Dimension,
    Kind,
    PublicCell,
    PublicTable,
    Status,
    TableSpec,
    Unit,
)

K = 11
CODES = {"sex": ("f", "m"), "region": ("A", "B", "C"), "form": ("l", "s", "o"), "year": ("1", "2")}
PLACES = list(itertools.product(*CODES.values()))
NAMES = list(CODES)


def table(atoms: np.ndarray, dimensions: tuple[str, ...], base: int, only: dict[str, str]) -> PublicTable:
    """The table as it would be opened: cells of K and more, rounded; the rest is hidden."""
    spec = TableSpec(
        id="t", kind=Kind.COUNT, unit=Unit.PERSON, input="view",
        dimensions=tuple(Dimension(name, CODES[name]) for name in dimensions),
    )  # fmt: skip
    cells = []
    for key in list(spec.keys()):
        n = int(atoms[member(dimensions, key, only)].sum())
        shown = n >= K
        cells.append(
            PublicCell(
                key, Status.SHOWN if shown else Status.HIDDEN, round(n / base) * base if shown else None
            )
        )
    return PublicTable(spec, tuple(cells), (), base)


def member(dimensions: tuple[str, ...], key: tuple[str, ...], only: dict[str, str]) -> np.ndarray:
    """Which places a cell is of."""
    wanted = {**only}
    for name, code in zip(dimensions, key, strict=True):
        if wanted.setdefault(name, code) != code:
            return np.zeros(len(PLACES), dtype=bool)
    return np.array(
        [all(place[NAMES.index(name)] == code for name, code in wanted.items()) for place in PLACES]
    )


def widths(releases: list[tuple[PublicTable, dict[str, str]]]) -> dict[tuple[int, tuple[str, ...]], float]:
    """How narrowly somebody with all shown cells bounds each hidden one that can hold anybody."""
    rows, right = [], []
    for told, only in releases:
        dimensions = tuple(axis.variable for axis in told.spec.dimensions)
        for cell in told.cells:
            if cell.n is not None:
                rows.append(member(dimensions, cell.key, only))
                right.append(cell.n)
    found = {}
    for number, (told, only) in enumerate(releases):
        dimensions = tuple(axis.variable for axis in told.spec.dimensions)
        for cell in told.cells:
            goal = member(dimensions, cell.key, only).astype(float)
            if cell.n is None and goal.any():
                ends = [
                    linprog(sign * goal, A_eq=np.array(rows) if rows else None, b_eq=right or None)
                    for sign in (1, -1)
                ]
                assert all(end.status in (0, 3) for end in ends), [end.message for end in ends]
                low, high = ends[0].fun, -ends[1].fun if ends[1].status == 0 else np.inf
                found[number, cell.key] = high - low
    return found


def opened(told: PublicTable, only: dict[str, str]) -> Opened:
    return Opened((told,), tuple(Condition(name, frozenset({code})) for name, code in only.items()))


def narrowed(
    told: PublicTable, only: dict[str, str], earlier: list[tuple[PublicTable, dict[str, str]]]
) -> PublicTable:
    """The table without what is kept back."""
    closed = kept_back(opened(told, only), [opened(*each) for each in earlier], Limit(K, 10.0), {}, audit)
    cells = tuple(
        PublicCell(c.key, Status.HIDDEN, None) if (told.spec.id, c.key) in closed else c for c in told.cells
    )
    return PublicTable(told.spec, cells, (), told.base)


def test_a_lone_hidden_cell_beside_a_full_table_gets_company():
    atoms = np.full(len(PLACES), 20)
    atoms[member(("region",), ("C",), {})] = 0
    atoms[PLACES.index(("f", "C", "l", "1"))] = 4
    first = table(atoms, ("sex",), 5, {})
    assert all(cell.n for cell in first.cells)
    second = table(atoms, ("region",), 5, {})
    assert [cell.key for cell in second.cells if cell.n is None] == [("C",)]
    told = narrowed(second, {}, [(first, {})])
    assert sum(cell.n is None for cell in told.cells) == 2
    assert min(widths([(first, {}), (told, {})]).values()) >= K


def test_a_first_table_is_opened_as_it_is():
    atoms = np.full(len(PLACES), 9)
    first = table(atoms, ("sex", "region"), 5, {})
    assert narrowed(first, {}, []) == first


def test_what_an_earlier_table_hid_is_not_told_by_a_full_one_after_it():
    atoms = np.full(len(PLACES), 30)
    atoms[member(("region",), ("C",), {})] = 0
    first = table(atoms, ("region",), 5, {})
    second = table(atoms, ("sex",), 5, {})
    assert all(cell.n for cell in second.cells)
    told = narrowed(second, {}, [(first, {})])
    assert any(cell.n is None for cell in told.cells)
    assert min(widths([(first, {}), (told, {})]).values()) >= K


def test_tables_whose_rounded_totals_contradict_each_other_are_judged_all_the_same():
    atoms = np.full(len(PLACES), 13)
    atoms[member(("region",), ("C",), {})] = 0
    atoms[PLACES.index(("m", "C", "o", "2"))] = 3
    first, second = table(atoms, ("form", "year"), 10, {}), table(atoms, ("sex", "region"), 10, {})
    told = narrowed(second, {}, [(first, {})])
    assert sum(cell.n is None for cell in told.cells) > sum(cell.n is None for cell in second.cells)


asked = st.tuples(
    st.sets(st.sampled_from(NAMES), min_size=1, max_size=2).map(lambda names: tuple(sorted(names))),
    st.dictionaries(st.just("year"), st.just("1"), max_size=1),
)


series_of = given(
    st.lists(st.integers(0, 30), min_size=len(PLACES), max_size=len(PLACES)),
    st.lists(asked, min_size=2, max_size=5, unique_by=str),
)


@settings(max_examples=25, deadline=None)
@series_of
def test_no_series_of_combined_tables_bounds_what_one_of_them_hid(numbers, questions):
    series(np.array(numbers), questions)


@pytest.mark.long
@settings(max_examples=1000, deadline=None)
@series_of
def test_no_series_of_many_combined_tables_bounds_what_one_of_them_hid(numbers, questions):
    series(np.array(numbers), questions)


def series(atoms: np.ndarray, questions: list[tuple[tuple[str, ...], dict[str, str]]]) -> None:
    """Open one table after the other, unrounded so that nothing contradicts itself, and attack after each."""
    released: list[tuple[PublicTable, dict[str, str]]] = []
    for dimensions, only in questions:
        told = narrowed(table(atoms, dimensions, 1, only), only, released)
        released.append((told, only))
        known = widths(released)
        assert all(width >= K - 1e-6 for width in known.values()), known
