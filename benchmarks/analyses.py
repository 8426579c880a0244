"""What the analyses compute inside a visit against the same statistic made plainly: `make bench ONLY=analyses`.

Both read the same Parquet file with one thread; CPU seconds of this process, medians. The peer is DuckDB, for the
regression with statsmodels on the grouped records. The container's start comes on top (`benchmarks/visit.py`).
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
import numpy as np
from statsmodels.genmod import families
from statsmodels.genmod import generalized_linear_model as glm

ALGORITHMS = Path(__file__).parents[1] / "algorithms"
GOAL = 1.5
REPEATS = 3
SIZES = (10_000, 1_000_000, 10_000_000)
MANY = 2_000_000  # above this, once is enough
REGIONS = [f"R{i}" for i in range(12)]
BANDS = ["0-6", "7-13", "14-27", "28-55", "56+"]
LISTS = {"how": [f"h{i}" for i in range(10)], "means": [f"m{i}" for i in range(16)]}

AXES = {
    "region": REGIONS, "sex": ["f", "m"], "time": BANDS, "fate": ["happened", "not-yet"], **LISTS,
    "times": ["1", "2", "3+"],
}  # fmt: skip


def rows(sizes: tuple[int, ...] = SIZES) -> Iterator[dict[str, Any]]:
    """One row an analysis and number of records."""
    sys.path[:0] = [str(ALGORITHMS / name) for name in ("kit", "counts", "regression")]
    kit = importlib.import_module("fairnode_kit")
    own = {name: getattr(importlib.import_module(name), name) for name in ("counts", "regression")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in sizes:
            make_records(folder / "records.parquet", size)
            repeats = REPEATS if size < MANY else 1
            for analysis, (tables, statements) in ANALYSES.items():
                run, made = asked(folder, kit, tables), own.get(analysis, kit.tables)
                ours = median(lambda run=run, made=made: made(run), repeats)
                fitted = analysis == "regression"
                peer = median(lambda fitted=fitted, told=statements: plain(folder, told, fitted), repeats)
                yield row(f"analyses.{analysis}_{size}_rows", ours, peer)


def row(name: str, ours: float, peer: float) -> dict[str, Any]:
    """A row of the report, in milliseconds of CPU."""
    ratio = ours / peer
    return {
        "name": name, "ours": round(ours * 1000, 1), "peer": round(peer * 1000, 1), "ratio": round(ratio, 2),
        "goal": GOAL, "unit": "ms", "holds": ratio <= GOAL,
    }  # fmt: skip


def median(work: Callable[[], object], repeats: int) -> float:
    """The median CPU time of doing it, once it was done for the first time and all is loaded."""
    times = []
    for _ in range(repeats):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return statistics.median(times)


def make_records(path: Path, size: int) -> None:
    """Records with two lists of codes, bands and an age."""
    picked = {name: ", ".join(f"'{code}'" for code in codes) for name, codes in AXES.items()}
    one = {
        name: f"[{codes}][1 + (hash(i || '{name}') % {len(AXES[name])})::INT]"
        for name, codes in picked.items()
    }
    columns = [f"{one[name]} AS {name}" for name in ("region", "sex", "time", "fate", "times")]
    other = {name: one[name].replace("hash(i || ", "hash(-i || ") for name in LISTS}
    columns += [f"[{one[name]}, {other[name]}] AS {name}" for name in LISTS]
    with duckdb.connect() as database:
        database.sql(
            f"SELECT {', '.join(columns)}, (hash(i || 'age') % 60)::INT AS age, "
            f"format('{{:x}}', hash(i * 5 // 6)) AS personKey FROM range({size}) t(i)"
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
        "inputs": [{"name": "records", "path": "/fairnode/records.parquet",
                    "variables": [{"name": "personKey", "kind": "key"}]}],
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(told))
    return kit.read_run(folder)


def plain(folder: Path, statements: list[str], fitted: bool = False) -> None:
    """The same statistic, as somebody with the file would ask for it; with a model fitted to what came out."""
    with duckdb.connect(config={"threads": 1}) as database:
        database.read_parquet(str(folder / "records.parquet")).create_view("r")
        for statement in statements:
            found = database.execute(statement).fetchall()
    if fitted:
        fit(found)


def fit(groups: list[tuple[str, str, int, int]]) -> None:
    """A logistic regression on grouped records, by statsmodels."""
    design = np.column_stack(
        [np.ones(len(groups))]
        + [[float(region == code) for region, *_ in groups] for code in REGIONS[1:]]
        + [[float(sex == "m") for _, sex, *_ in groups]]
    )
    outcome = np.array([[yes, n - yes] for *_, n, yes in groups], float)
    glm.GLM(outcome, design, family=families.Binomial()).fit()


def _grouped(numbers: str, *columns: str) -> str:
    return f"SELECT {', '.join((*columns, numbers))} FROM r GROUP BY ALL"


ANALYSES: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "counts": ([table("counts", "count", "region", "sex")], [_grouped("count(*)", "region", "sex")]),
    "repeat": (
        [{**table("times", "count", "times", "sex"), "unit": "person"},
         {**table("returns", "count", "time", "fate"), "unit": "person"}],
        [_grouped("count(DISTINCT personKey)", "times", "sex"),
         _grouped("count(DISTINCT personKey)", "time", "fate")],
    ),
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
