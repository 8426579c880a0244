"""Attacks on the numbers themselves: cases 55 to 66 of the hostile suite, run by `make hostile`.

`cases()` lists (number, attack, expected, run); `run(folder)` works in an empty folder and answers with
what happened (`contained`, `refused` or `ESCAPED`) and a figure that was observed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from scipy.optimize import linprog

from fairnode.disclosure.budget import Spent, has_budget
from fairnode.disclosure.history import EarlierRelease, History, query_of, remember
from fairnode.disclosure.judge import judge
from fairnode.disclosure.rules import load_rules
from fairnode.errors import NotValid
from fairnode.gate.histories import history_of
from fairnode.gate.recounts import recount_from_json
from fairnode.jobs import recount as recount_job
from fairnode.jobs.lp_audit import audit
from fairnode.mpc.kernels import opening
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.local import LocalExchange, Network, run_locally, split
from fairnode.mpc.kernels.sharing import to_planes
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.openings.rule import check_contributors
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
    Unit,
    Verdict,
)

Seen = tuple[str, str]
Case = tuple[int, str, str, Callable[[Path], Seen]]
RULES = load_rules()
DAY = date(2026, 11, 21)
SECRET = "5f" * 16


def cases() -> list[Case]:
    """Every attack of this part of the suite, in order."""
    return [
        (55, "small counts, and counts at the edges of rounding", "contained", small_counts),
        (56, "a proportion with few on one side, 0 % and 100 %", "contained", proportions),
        (57, "a hidden cell rebuilt from a true total", "contained", rebuilt_from_total),
        (58, "two hidden cells that add up to little", "contained", two_small_cells),
        (59, "one person dominates a sum; negative values; two persons", "contained", dominated_sums),
        (60, "the same cell with and without two persons", "contained", two_persons_less),
        (60, "the same by another requester, over another version of the data", "contained", other_requester),
        (60, "two small steps of ten persons", "contained", two_steps_of_ten),
        (61, "a tracker: all years, then all but the rare one", "refused", tracker),
        (62, "the same question a thousand times", "contained", a_thousand_times),
        (63, "linked tables of three dimensions with shared totals", "contained", linked_tables),
        (64, "one person with twenty records", "contained", one_person_many_records),
        (65, "the budget used up, also after a restart", "refused", budget_used_up),
        (66, "two nodes combine; one holds nearly all", "refused", two_nodes),
    ]


def small_counts(_folder: Path) -> Seen:
    counts = [*range(14), 17, 18, 200]
    verdict = judge_counts(counts)
    shown = {n: cell.n for n, cell in zip(counts, verdict.tables[0].cells, strict=True)}
    good = all(shown[n] is None for n in range(11)) and [shown[n] for n in (11, 12, 13, 17, 18)] == [
        10, 10, 15, 15, 20,
    ]  # fmt: skip
    return seen(good), f"{sum(n is None for n in shown.values())} of 11 hidden"


def proportions(_folder: Path) -> Seen:
    spec = spec_of(("a", 4), kind=Kind.PROPORTION, numerator=Condition("x", frozenset("y")))
    parts = [10, 990, 0, 1000]
    cells = tuple(
        replace(cell(key, 1000), v=part / 1000, numerator=(part, part), complement=(1000 - part,) * 2)
        for key, part in zip(spec.keys(), parts, strict=True)
    )
    verdict = judge(Recount((RecountedTable(spec, cells),), 4000), RULES, History(), audit)
    hidden = sum(c.status is Status.HIDDEN for c in verdict.tables[0].cells)
    return seen(hidden == 4), f"{hidden} of 4 hidden"


def rebuilt_from_total(_folder: Path) -> Seen:
    return line_attack([80, 3, 60])


def two_small_cells(_folder: Path) -> Seen:
    return line_attack([4, 3, 60, 30])


def dominated_sums(_folder: Path) -> Seen:
    spec = spec_of(("a", 3), kind=Kind.SUM, measure="m")
    tops = [(900.0, 10.0, 1000.0, 1000.0), (500.0, 490.0, 1000.0, 10.0), (300.0, 200.0, 500.0, 500.0)]
    counts = [50, 50, 2]
    cells = tuple(
        replace(cell(key, n), v=v, magnitude=size, top1=one, top2=two)
        for key, n, (one, two, size, v) in zip(spec.keys(), counts, tops, strict=True)
    )
    verdict = judge(Recount((RecountedTable(spec, cells),), 1000), RULES, History(), audit)
    hidden = sum(c.status is Status.HIDDEN for c in verdict.tables[0].cells)
    return seen(hidden == 3), f"{hidden} of 3 hidden"


def two_persons_less(folder: Path) -> Seen:
    return step_attack(folder, [people(300), people(298)], "researcher-1")


def other_requester(folder: Path) -> Seen:
    return step_attack(folder, [people(300), people(300)[5:]], "researcher-2")


def two_steps_of_ten(folder: Path) -> Seen:
    more = [(f"q{i}", "A", "2010") for i in range(20)]
    versions = [people(300), [*people(300), *more[:10]], [*people(300), *more]]
    return step_attack(folder, versions, "researcher-1")


def tracker(folder: Path) -> Seen:
    rows = [*people(300), *[(f"rare{i}", "A", "2012") for i in range(4)]]
    lineage = Lineage(folder)
    lineage.ask(rows, "region")
    years = (Condition("year", frozenset({"2010", "2011"})),)
    verdict = lineage.ask([row for row in rows if row[2] != "2012"], "region", conditions=years)
    return ("refused" if verdict.outcome is Outcome.REFUSED else "ESCAPED"), "4 persons apart"


def a_thousand_times(folder: Path) -> Seen:
    lineage = Lineage(folder)
    rows = people(300)
    first = lineage.ask(rows, "region")
    recount, history = lineage.recount(rows, ("region",), ())
    answers = {judge(recount, RULES, history, audit) for _ in range(1000)}
    same = {(a.outcome, a.stored_release) for a in answers} == {(Outcome.STORED, "1")}
    return seen(same and first.outcome is Outcome.RELEASED), f"{len(answers)} different answers"


def linked_tables(folder: Path) -> Seen:
    rows = [
        (f"p{a}{b}{c}{i}", "ABZ"[a], str(2010 + b), "xyz"[c])
        for a, b, c in itertools.product(range(3), range(3), range(3))
        for i in range(4 if (a, b, c) == (1, 2, 2) else 20 + 7 * a + 13 * b + 5 * c)
    ]
    questions = [("region",), ("year",), ("region", "year"), ("region", "form"), ("region", "year", "form")]
    lineage = Lineage(folder)
    recount, history = lineage.recount(rows, questions[0], (), more=questions[1:])
    verdict = judge(recount, RULES, history, audit)
    widths = cube_attack(recount, verdict)
    narrowest = min(widths, default=float("inf"))
    return seen(narrowest >= RULES.k - 1e-6), f"{len(widths)} hidden, narrowest interval {narrowest:.0f}"


def one_person_many_records(folder: Path) -> Seen:
    rows = [*people(300), *[("busy", "Z", "2010")] * 20]
    verdict = Lineage(folder).ask(rows, "region")
    cells = {c.key[0]: c.status for c in verdict.tables[0].cells}
    return seen(cells["Z"] is Status.HIDDEN and cells["A"] is Status.SHOWN), "20 rows, 1 person"


def budget_used_up(_folder: Path) -> Seen:
    had = [Spent("r", DAY - timedelta(days=i)) for i in range(20)]
    allowed = has_budget("r", DAY, had, RULES)
    return ("ESCAPED", "21 visits") if allowed else ("refused", "21st visit of a quarter")


def two_nodes(_folder: Path) -> Seen:
    opened = [opens_combined(c) for c in [(40, 5), (90, 10), (90, 10, 0), (0, 200)]]
    return ("ESCAPED" if any(opened) else "refused"), f"{sum(opened)} of {len(opened)} opened"


# --- how the attacks are made


def opens_combined(contributions: Sequence[int]) -> bool:
    """Whether three compute parties open the total of these contributors' counts."""
    try:
        check_contributors(len(contributions), 3)
    except NotValid:
        return False
    dealt = [split(to_planes(np.array([n], np.uint64), 8).reshape(-1), 3, 1) for n in contributions]

    async def party(exchange: LocalExchange) -> Words:
        kernel = BitKernel(exchange)
        words = [kernel.dealt({r: rows[r] for r in kernel.held}, 0, 8) for rows in dealt]
        counts = [[x[:, i : i + 1] for i in range(8)] for x in words]
        judged = await opening.judge(kernel, counts, [], opening.OpeningRule(RULES.k))
        return await kernel.open_to_all(judged.status)

    return bool(run_locally(Network(3, 1), party)[0][0] & 1)


class Lineage:
    """Data that are asked about again and again, each release remembered with its person sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.releases: list[EarlierRelease] = []

    def ask(
        self,
        rows: Iterable[tuple[str, ...]],
        *variables: str,
        conditions: tuple[Condition, ...] = (),
        requester: str = "r",
    ) -> Verdict:
        recount, history = self.recount(rows, variables, conditions)
        verdict = judge(recount, RULES, history, audit)
        if verdict.outcome is Outcome.RELEASED:
            name = str(len(self.releases) + 1)
            day = DAY + timedelta(days=len(self.releases))
            (self.folder / "sets").rename(self.folder / name)
            self.releases.append(
                remember(recount, verdict, release=name, requester=requester, nodes=frozenset("n"), day=day)
            )
        return verdict

    def recount(
        self,
        rows: Iterable[tuple[str, ...]],
        variables: tuple[str, ...],
        conditions: tuple[Condition, ...],
        more: Iterable[tuple[str, ...]] = (),
    ) -> tuple[Recount, History]:
        codes = {"region": ["A", "B", "Z"], "year": ["2010", "2011", "2012"], "form": ["x", "y", "z"]}
        tables = [
            {
                "id": "-".join(names), "kind": "count", "unit": "registration", "input": "records",
                "dimensions": [{"variable": name, "codes": codes[name]} for name in names],
            }
            for names in [variables, *more]
        ]  # fmt: skip
        job: dict[str, Any] = {
            "views": {"records": str(write_view(self.folder, list(rows)))},
            "contract": {"tables": tables},
            "filter": [{"variable": c.variable, "in": sorted(c.codes)} for c in conditions],
            "person": "personKey", "secret": SECRET, "below": RULES.k,
            "persons_out": str(self.folder / "sets"),
        }  # fmt: skip
        query = query_of(recount_job.contract_from_json(job["contract"]), conditions)
        job["earlier"] = [
            {"release": r.id, "path": str(self.folder / r.id), "same_query": r.query == query}
            for r in self.releases
        ]
        found = recount_job.run(job)
        recount = recount_from_json(found["recount"])
        return recount, history_of(recount.contract, self.releases, found)


def write_view(folder: Path, rows: list[tuple[str, ...]]) -> Path:
    """The harmonised view of (person, region, year[, form])."""
    path = folder / "view.parquet"
    with duckdb.connect() as database:
        names = ["personKey", "region", "year", "form"][: len(rows[0])]
        database.execute(f"CREATE TABLE t ({', '.join(name + ' VARCHAR' for name in names)})")
        database.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(names))})", rows)
        database.table("t").write_parquet(str(path))
    return path


def people(number: int) -> list[tuple[str, str, str]]:
    """So many persons, two thirds of them in region A."""
    return [(f"p{i}", "B" if i % 3 == 0 else "A", str(2010 + i % 2)) for i in range(number)]


def step_attack(folder: Path, versions: list[list[tuple[str, str, str]]], requester: str) -> Seen:
    """Ask the same of each version of the data; whoever got two answers compares them."""
    lineage = Lineage(folder)
    answers = []
    for number, rows in enumerate(versions):
        verdict = lineage.ask(rows, "region", requester="r" if number == 0 else requester)
        if verdict.outcome is Outcome.RELEASED:
            answers.append({row[0] for row in rows})
    apart = [len(one ^ two) for one, two in itertools.combinations(answers, 2)]
    good = all(differ == 0 or differ >= RULES.k for differ in apart)
    return seen(good), f"{len(answers)} answers, {min(apart, default=0)} persons apart"


def line_attack(counts: list[int]) -> Seen:
    """Show a true total and its parts; bound the hidden ones from what is shown, before rounding."""
    parts, whole = spec_of(("a", len(counts))), replace(spec_of(), id="whole")
    tables = tuple(
        RecountedTable(spec, tuple(cell(key, n) for key, n in zip(spec.keys(), values, strict=True)))
        for spec, values in ((parts, counts), (whole, [sum(counts)]))
    )
    verdict = judge(Recount(tables, 1000), RULES, History(), audit)
    if verdict.tables[1].cells[0].status is Status.HIDDEN:
        return "contained", "total hidden"
    shown = [c.status is Status.SHOWN for c in verdict.tables[0].cells]
    left = sum(n for n, is_shown in zip(counts, shown, strict=True) if not is_shown)
    hidden = shown.count(False)
    width = 0 if hidden < 2 else left
    return seen(width >= RULES.k), f"{hidden} hidden, interval 0 to {left}"


def cube_attack(recount: Recount, verdict: Verdict) -> list[float]:
    """The intervals of all hidden cells, from all shown counts exactly, for counts by region, year, form."""
    fine = recount.tables[-1].spec
    atoms = list(fine.keys())
    names = [axis.variable for axis in fine.dimensions]
    rows, right, masks = [], [], []
    for counted, public in zip(recount.tables, verdict.tables, strict=True):
        mine = [names.index(axis.variable) for axis in counted.spec.dimensions]
        for true, cell_shown in zip(counted.cells, public.cells, strict=True):
            mask = [float(tuple(atom[i] for i in mine) == true.key) for atom in atoms]
            if cell_shown.status is Status.HIDDEN:
                masks.append(mask)
            else:
                rows.append(mask)
                right.append(true.n)
    return [interval(mask, rows, right) for mask in masks]


def interval(mask: list[float], rows: list[list[float]], right: list[int]) -> float:
    ends = []
    for sign in (1, -1):
        found = linprog([sign * m for m in mask], A_eq=rows or None, b_eq=right or None, method="highs")
        if found.status == 3:
            return float("inf")
        ends.append(sign * found.fun)
    return float(ends[1] - ends[0])


def judge_counts(counts: list[int]) -> Verdict:
    spec = spec_of(("a", len(counts)))
    cells = tuple(cell(key, n) for key, n in zip(spec.keys(), counts, strict=True))
    return judge(Recount((RecountedTable(spec, cells),), 1000), RULES, History(), audit)


def spec_of(*axes: tuple[str, int], kind: Kind = Kind.COUNT, **more: Any) -> TableSpec:
    dimensions = tuple(Dimension(name, tuple(f"c{i}" for i in range(size))) for name, size in axes)
    return TableSpec("t", kind, Unit.PERSON, "records", dimensions, **more)


def cell(key: tuple[str, ...], n: int) -> RecountedCell:
    return RecountedCell(key, n, n, n, None, float(n), min(n, 1.0), 1.0 if n > 1 else 0.0)


def seen(good: bool) -> str:
    return "contained" if good else "ESCAPED"
