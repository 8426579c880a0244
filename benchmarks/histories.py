"""The whole verdict on tables with their margins, and on the last of many releases: for `make bench ONLY=gate`.

Everything that was told is one system of equations for the last attacker; a release is of a table of three of five
variables, in three of five with a filter on a fourth, about 20,000 persons.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt

from fairnode.disclosure.history import EarlierRelease, History, remember
from fairnode.disclosure.judge import judge
from fairnode.disclosure.rules import load_rules
from fairnode.jobs.lp_audit import audit
from fairnode.records.result import (
    Condition,
    Dimension,
    Kind,
    Outcome,
    Recount,
    RecountedCell,
    RecountedTable,
    Status,
    TableSpec,
    TrueMargin,
    Unit,
    Verdict,
)

SECONDS = 10.0  # of the rules: complementary.seconds
SHAPES = ((40, 20), (100, 100), (12, 8, 4))
HISTORIES = (1, 5, 20)
PERSONS = 20_000
EACH = 100  # persons a cell, where there is no history
SIZES = (6, 5, 4, 8, 3)

Numbers = npt.NDArray[np.int64]
Filter = tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class Asked:
    """A table of some variables, of those with certain codes of another one."""

    axes: tuple[int, ...]
    only: Filter | None = None


def rows() -> Iterator[dict[str, Any]]:
    """Processor seconds of one verdict each; it holds if the search ended by itself."""
    for shape in SHAPES:
        persons = EACH * int(np.prod(shape))
        people = drawn(shape, persons)
        axes = range(len(shape))
        asked = [Asked(some) for n in axes for some in combinations(axes, n + 1)]
        recount = Recount(tuple(table(people, shape, each) for each in asked), persons)
        yield measured(f"gate.verdict_{'x'.join(map(str, shape))}_and_margins", recount, ())
    yield from histories()


def histories() -> Iterator[dict[str, Any]]:
    """The verdict after so many releases."""
    people, chance = drawn(SIZES, PERSONS), np.random.default_rng(3)
    earlier: tuple[EarlierRelease, ...] = ()
    questions: set[Asked] = set()
    while len(earlier) <= max(HISTORIES):
        asked = question(chance)
        if asked in questions:
            continue
        questions.add(asked)
        conditions = condition(asked)
        recount = Recount((table(people, SIZES, asked),), PERSONS, conditions)
        verdict = judge(recount, load_rules(), History(earlier), audit)
        if len(earlier) in HISTORIES:
            yield measured(f"gate.verdict_after_{len(earlier)}_releases", recount, earlier)
        if verdict.outcome is Outcome.RELEASED:
            names = {"release": str(len(earlier)), "requester": "r", "nodes": frozenset({"n"})}
            earlier = (*earlier, remember(recount, verdict, **names, day=date(2026, 1, 1)))


def question(chance: np.random.Generator) -> Asked:
    """Three variables; in three of five with a filter on a fourth."""
    *axes, other = chance.permutation(len(SIZES))[:4].tolist()
    if chance.random() < 0.4:
        return Asked(tuple(sorted(axes)))
    codes = chance.permutation(SIZES[other])[: SIZES[other] // 2].tolist()
    return Asked(tuple(sorted(axes)), (other, tuple(sorted(codes))))


def drawn(sizes: Sequence[int], persons: int) -> Numbers:
    """Persons with one code of each variable, some codes rare."""
    chance = np.random.default_rng(1)
    return np.array([chance.choice(n, size=persons, p=chance.dirichlet(np.full(n, 1.5))) for n in sizes])


def condition(asked: Asked) -> tuple[Condition, ...]:
    """The filter of a question."""
    if asked.only is None:
        return ()
    variable, codes = asked.only
    return (Condition(f"v{variable}", frozenset(map(str, codes))),)


def table(people: Numbers, sizes: Sequence[int], asked: Asked) -> RecountedTable:
    """The table that is asked for, counted with all its margins."""
    keep = np.ones(people.shape[1], dtype=bool)
    if asked.only is not None:
        keep = np.isin(people[asked.only[0]], asked.only[1])
    shape = tuple(sizes[axis] for axis in asked.axes)
    place = np.ravel_multi_index([people[axis][keep] for axis in asked.axes], shape)
    counts = np.bincount(place, minlength=int(np.prod(shape))).reshape(shape)
    axes = tuple(Dimension(f"v{a}", tuple(map(str, range(sizes[a])))) for a in asked.axes)
    spec = TableSpec("t" + "".join(map(str, asked.axes)), Kind.COUNT, Unit.PERSON, "records", axes)
    cells = (
        RecountedCell(key, n, n, n, None, float(n), float(n > 0), float(n > 1))
        for key, n in zip(spec.keys(), counts.ravel().tolist(), strict=True)
    )
    return RecountedTable(spec, tuple(cells), tuple(margins(spec, counts)))


def margins(spec: TableSpec, counts: Numbers) -> Iterator[TrueMargin]:
    """Every margin over fewer than all dimensions."""
    places = range(counts.ndim)
    for kept in (kept for size in places for kept in combinations(places, size)):
        sums = counts.sum(axis=tuple(place for place in places if place not in kept))
        keys = product(*(spec.dimensions[place].codes for place in kept))
        for key, n in zip(keys, np.ravel(sums).tolist(), strict=True):
            yield TrueMargin(kept, key, n)


def measured(name: str, recount: Recount, earlier: tuple[EarlierRelease, ...]) -> dict[str, Any]:
    """One row: the processor seconds of a verdict, with how many cells are hidden and why."""
    start = time.process_time()
    verdict = judge(recount, load_rules(), History(earlier), audit)
    seconds = time.process_time() - start
    return {
        "name": f"{name}_{told(verdict)}",
        "ours": round(seconds, 2),
        "peer": None,
        "ratio": None,
        "goal": SECONDS,
        "unit": "s",
        "holds": not verdict.notes,
    }


def told(verdict: Verdict) -> str:
    """How many cells are small, how many more are hidden, and how many there are."""
    cells = [cell for table in verdict.tables for cell in table.cells]
    more = sum(reason.rule == "complementary" for reason in verdict.reasons)
    shown = sum(cell.status is Status.SHOWN for cell in cells)
    return f"{len(cells) - shown - more}_small_{more}_more_of_{len(cells)}"


if __name__ == "__main__":
    for found in rows():
        print(found, flush=True)
