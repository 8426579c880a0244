"""The gate's time against a plain DuckDB aggregation of the same cells: `rows()` for `make bench ONLY=gate`.

The peer counts rows and distinct persons of each cell, as any count of persons has to; the gate counts
them with contributions and margins, remembers the person sets, compares the claim and judges. Medians.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb

from fairnode.disclosure.history import History
from fairnode.disclosure.judge import judge
from fairnode.disclosure.rules import load_rules
from fairnode.gate.compare import check_equal
from fairnode.gate.recounts import recount_from_json
from fairnode.jobs import recount
from fairnode.jobs.lp_audit import audit
from fairnode.records.result import Cell, Result, ResultTable
from fairnode.records.result_json import contract_from_json

GOAL = 2.0
REPEATS = 5
SHAPES = {15: (5, 3), 400: (20, 20), 10_000: (100, 100)}
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)


def rows(sizes: tuple[int, ...] = SIZES) -> Iterator[dict[str, Any]]:
    """One row a number of records and of cells, without and with what later releases need."""
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            for cells, (regions, years) in SHAPES.items():
                view = make_view(Path(folder), size, regions, years)
                peer = median(lambda view=view: plain(view))
                job = make_job(view, regions, years)
                sets = {**job, "persons_out": str(Path(folder, "sets.parquet"))}
                for name, asked in (("recount", job), ("recount_and_sets", sets)):
                    ours = median(lambda asked=asked: gate(asked))
                    yield row(f"gate.{name}_{size}_rows_{cells}_cells", ours, peer)


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


def gate(job: dict[str, Any]) -> None:
    counted = recount_from_json(recount.run(job)["recount"])
    claim = tuple(ResultTable(t.spec.id, tuple(Cell(c.key, c.n) for c in t.cells)) for t in counted.tables)
    check_equal(Result(claim), counted)
    judge(counted, load_rules(), History(), audit)
    assert contract_from_json(job["contract"]) == counted.contract


def median(work: Callable[[], None]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    for found in rows():
        print(found)
