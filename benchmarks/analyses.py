"""What the analyses compute inside a visit against the same statistic in plain DuckDB: `make bench ONLY=analyses`.

Both read the same Parquet file with one thread; CPU seconds of this process, medians. The start of the container
comes on top (`benchmarks/visit.py`). The regression's peer is the same aggregation without the fit.
"""

from __future__ import annotations

import importlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb

ALGORITHMS = Path(__file__).parents[1] / "algorithms"
GOAL = 1.5
REPEATS = 3
SIZES = (10_000, 1_000_000)
REGIONS = [f"R{i}" for i in range(12)]
BANDS = ["0-6", "7-13", "14-27", "28-55", "56+"]
LISTS = {"how": [f"h{i}" for i in range(10)], "means": [f"m{i}" for i in range(16)]}

AXES = {
    "region": REGIONS, "sex": ["f", "m"], "time": BANDS, "fate": ["happened", "not-yet"], **LISTS,
}  # fmt: skip


def rows(sizes: tuple[int, ...] = SIZES) -> Iterator[dict[str, Any]]:
    """One row an analysis and number of records."""
    sys.path[:0] = [str(ALGORITHMS / "kit"), str(ALGORITHMS / "regression")]
    kit, regression = importlib.import_module("fairnode_kit"), importlib.import_module("regression")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in sizes:
            make_records(folder / "records.parquet", size)
            for analysis, (tables, statements) in ANALYSES.items():
                run = asked(folder, kit, tables)
                made = (lambda run=run: regression.regression(run)) if analysis == "regression" else None
                ours = median(made or (lambda run=run: kit.tables(run)))
                peer = median(lambda statements=statements: plain(folder, statements))
                yield row(f"analyses.{analysis}_{size}_rows", ours, peer)


def row(name: str, ours: float, peer: float) -> dict[str, Any]:
    """A row of the report, in milliseconds of CPU."""
    ratio = ours / peer
    return {
        "name": name, "ours": round(ours * 1000, 1), "peer": round(peer * 1000, 1), "ratio": round(ratio, 2),
        "goal": GOAL, "unit": "ms", "holds": ratio <= GOAL,
    }  # fmt: skip


def median(work: Callable[[], object]) -> float:
    """The median CPU time of doing it."""
    times = []
    for _ in range(REPEATS):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return statistics.median(times)


def make_records(path: Path, size: int) -> None:
    """Records with two lists of codes, bands and an age."""
    picked = {name: ", ".join(f"'{code}'" for code in codes) for name, codes in AXES.items()}
    one = {
        name: f"[{codes}][1 + (hash(i, '{name}') % {len(AXES[name])})::INT]" for name, codes in picked.items()
    }
    columns = [f"{one[name]} AS {name}" for name in ("region", "sex", "time", "fate")]
    other = {name: one[name].replace("hash(i, ", "hash(i + 1, ") for name in LISTS}
    columns += [f"[{one[name]}, {other[name]}] AS {name}" for name in LISTS]
    with duckdb.connect() as database:
        database.sql(
            f"SELECT {', '.join(columns)}, (hash(i, 'age') % 60)::INT AS age FROM range({size}) t(i)"
        ).write_parquet(str(path))


def table(name: str, kind: str, *dimensions: str, **more: Any) -> dict[str, Any]:
    """A table of a contract."""
    axes = [{"variable": d, "codes": AXES[d]} for d in dimensions]
    return {"id": name, "kind": kind, "unit": "registration", "input": "records", "dimensions": axes, **more}


def asked(folder: Path, kit: Any, tables: list[dict[str, Any]]) -> Any:
    """What a visit with these tables asks."""
    told = {
        "study": "s", "visit": "v", "contract": {"tables": tables},
        "parameters": {"family": "logistic", "variables": ["fate"], "positive": ["happened"],
                       "first": ["region"], "second": ["sex"]},
        "inputs": [{"name": "records", "path": "/fairnode/records.parquet", "variables": []}],
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(told))
    return kit.read_run(folder)


def plain(folder: Path, statements: list[str]) -> None:
    """The same statistic, as somebody with the file would ask for it."""
    with duckdb.connect(config={"threads": 1}) as database:
        database.read_parquet(str(folder / "records.parquet")).create_view("r")
        for statement in statements:
            database.execute(statement).fetchall()


def _grouped(numbers: str, *columns: str) -> str:
    return f"SELECT {', '.join((*columns, numbers))} FROM r GROUP BY ALL"


ANALYSES: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "flows": (
        [table("routes", "count", "region", "sex", "time")],
        [_grouped("count(*)", "region", "sex", "time")],
    ),
    "summary": (
        [table("mean", "mean", "sex", measure="age"), table("spread", "spread", "sex", measure="age"),
         table("grid", "count", "time")],
        [_grouped("count(age), avg(age)", "sex"), _grouped("count(age), stddev_samp(age)", "sex"),
         _grouped("count(*)", "time")],
    ),
    "timeline": ([table("life", "count", "time", "fate", "sex")], [_grouped("count(*)", "time", "fate", "sex")]),
    "pathways": (
        [table("first", "count", "how"), table("second", "count", "means"), table("both", "pair", "how", "means")],
        ["SELECT how, count(*) FROM (SELECT unnest(list_distinct(how)) AS how FROM r) GROUP BY ALL",
         "SELECT means, count(*) FROM (SELECT unnest(list_distinct(means)) AS means FROM r) GROUP BY ALL",
         ("SELECT how, means, count(*) FROM (SELECT how, unnest(list_distinct(means)) AS means FROM "
         "(SELECT unnest(list_distinct(how)) AS how, means FROM r)) GROUP BY ALL")],
    ),
    "regression": (
        [table("first", "other", "region"), table("first-error", "other", "region"),
         table("second", "other", "sex"), table("second-error", "other", "sex"), table("model", "other")],
        [_grouped("count(*), sum((fate = 'happened')::INT)", "region", "sex")],
    ),
}  # fmt: skip
