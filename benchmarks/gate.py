"""The gate's time against a plain DuckDB aggregation of the same cells: `rows()` for `make bench ONLY=gate`.

The peer counts rows and distinct persons of each cell of the view, as any count of persons has to. The gate
counts them with all margins, sends them as JSON from one process to the other, reads the container's bytes,
compares, and judges (`recount`); and keeps who stood in which cell, for later releases (`recount_and_sets`).
`audit`: complementary suppression of a table whose margins are shown, a tenth of its cells small.
A container's table of 10,000 cells is refused unread, so that of those only counting and judging is measured.
Processor seconds: both are measured in turns, and other work on the machine would be in wall time.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations, product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks import histories
from fairnode.disclosure.audit import Question
from fairnode.disclosure.history import History
from fairnode.disclosure.judge import judge
from fairnode.disclosure.links import Item, Links, Relation
from fairnode.disclosure.rules import load_rules
from fairnode.gate.order import pass_gate
from fairnode.gate.recounts import recount_from_json
from fairnode.jobs import recount
from fairnode.jobs.lp_audit import audit

GOAL = 2.0
REPEATS = {10_000: 21, 100_000: 11, 1_000_000: 7, 10_000_000: 3}
SHAPES = {15: (5, 3), 400: (20, 20), 10_000: (100, 100)}
AUDITED = ((5, 3), (10, 8), (20, 12), (20, 20), (40, 20), (60, 60), (100, 100), (6, 5, 4), (12, 8, 4))
SECONDS = 10.0  # of the rules: complementary.seconds
SMALL = 0.1
READABLE = 400  # cells; the rules refuse a larger table before they look into it


def rows() -> Iterator[dict[str, Any]]:
    """All that is measured: the audit first, since it is quick."""
    yield from audits()
    yield from histories.rows()
    yield from recounts()


def audits() -> Iterator[dict[str, Any]]:
    """One row a size of table: processor seconds, of those after which all linked cells are hidden."""
    for shape in AUDITED:
        links = table_with_margins(shape)
        start = time.process_time()
        answer = audit(Question(links, load_rules().k, SECONDS))
        name = "x".join(map(str, shape))
        more = f"{len(answer.hide)}_more" if answer.in_time else "all"
        hidden = f"{sum(item.hidden for item in links.items)}_small_{more}_hidden"
        yield {
            "name": f"gate.audit_{name}_{hidden}",
            "ours": round(time.process_time() - start, 2),
            "peer": None,
            "ratio": None,
            "goal": SECONDS,
            "unit": "s",
            "holds": answer.in_time,
        }


def table_with_margins(shape: tuple[int, ...]) -> Links:
    """Counts of which a tenth is small, and all margins over fewer dimensions."""
    chance = np.random.default_rng(1)
    small = chance.random(shape) < SMALL
    counts = np.where(small, chance.integers(0, 11, shape), chance.integers(11, 400, shape))
    items: list[Item] = []
    relations: list[Relation] = []
    places = np.arange(counts.size).reshape(shape)
    for n, key in zip(counts.ravel().tolist(), np.ndindex(shape), strict=True):
        items.append(Item(n, ("t", tuple(map(str, key))), n < 11, n < 11))
    axes = range(len(shape))
    for kept in (kept for size in axes for kept in combinations(axes, size)):
        for key in product(*(range(shape[axis]) for axis in kept)):
            at = dict(zip(kept, key, strict=True))
            parts = places[tuple(at.get(axis, slice(None)) for axis in axes)].ravel().tolist()
            n = sum(items[part].value for part in parts)
            items.append(Item(n, (str(kept), tuple(map(str, key))), n < 11, n < 11))
            relations.append(Relation(len(items) - 1, tuple(parts), None, 1))
    return Links(tuple(items), tuple(relations))


def recounts() -> Iterator[dict[str, Any]]:
    """One row a number of records and of cells, without and with what later releases need."""
    with tempfile.TemporaryDirectory() as folder:
        for size, repeats in REPEATS.items():
            for cells, (regions, years) in SHAPES.items():
                view = make_view(Path(folder), size, regions, years)
                job = make_job(view, regions, years)
                sets = {**job, "persons_out": str(Path(folder, "sets.parquet"))}
                claim = claim_of(job) if cells <= READABLE else None
                works = partial(plain, view), partial(gate, job, claim), partial(gate, sets, claim)
                peer, ours, kept = in_turns(repeats, *works)
                yield row(f"gate.recount_{size}_rows_{cells}_cells", ours, peer)
                yield row(f"gate.recount_and_sets_{size}_rows_{cells}_cells", kept, peer)
                Path(view).unlink()


def row(name: str, ours: float, peer: float) -> dict[str, Any]:
    ratio = ours / peer
    return {
        "name": name,
        "ours": round(ours * 1000, 1),
        "peer": round(peer * 1000, 1),
        "ratio": round(ratio, 2),
        "goal": GOAL,
        "unit": "ms",
        "holds": ratio <= GOAL,
    }


def make_view(folder: Path, size: int, regions: int, years: int) -> str:
    path = folder / f"view-{size}-{regions * years}.parquet"
    with duckdb.connect(config={"threads": 2}) as database:
        database.execute("SELECT setseed(0.5)")
        database.execute(
            "CREATE TABLE d AS SELECT 'p' || (random() * ?)::INTEGER AS personKey, "
            "(random() * ?)::INTEGER::VARCHAR AS region, (random() * ?)::INTEGER AS year FROM range(?)",
            [size / 2, regions - 1, years - 1, size],
        )
        database.execute("CREATE TABLE t AS SELECT *, hash(personKey) AS person FROM d")
        database.table("t").write_parquet(str(path))
    return str(path)


def make_job(view: str, regions: int, years: int) -> dict[str, Any]:
    axes = [
        {"variable": "region", "codes": [str(i) for i in range(regions)]},
        {"variable": "year", "codes": [str(i) for i in range(years)]},
    ]
    table = {"id": "t", "kind": "count", "unit": "person", "input": "records", "dimensions": axes}
    return {
        "views": {"records": view}, "contract": {"tables": [table]}, "person": "person",
        "hashed": True, "below": 11,
    }  # fmt: skip


def plain(view: str) -> None:
    with duckdb.connect(config={"threads": 2}) as database:
        database.execute(
            "SELECT region, year, count(*), count(DISTINCT personKey) FROM read_parquet(?) GROUP BY ALL",
            [view],
        ).fetchall()


def gate(job: dict[str, Any], claim: bytes | None) -> None:
    counted = recount_from_json(json.loads(json.dumps(recount.run(job)))["recount"])
    if claim is None:
        judge(counted, load_rules(), History(), audit)
    else:
        pass_gate(claim, counted.contract, counted, load_rules(), History(), audit)


def claim_of(job: dict[str, Any]) -> bytes:
    counted = recount_from_json(recount.run(job)["recount"])
    tables = [
        {"id": t.spec.id, "cells": [{"k": list(c.key), "n": c.n} for c in t.cells]} for t in counted.tables
    ]
    return json.dumps({"type": "fairnode.result/1", "tables": tables}).encode()


def in_turns(repeats: int, *works: Callable[[], None]) -> list[float]:
    """The median processor seconds of each of several works, done in turns."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(repeats + 1):
        for work, taken in zip(works, times, strict=True):
            start = time.process_time()
            work()
            taken.append(time.process_time() - start)
    return [statistics.median(taken[1:]) for taken in times]


if __name__ == "__main__":
    for found in rows():
        print(found)
