"""Drawing a synthetic twin of a million rows against the same rows made plainly: `make bench ONLY=twin`.

The peers draw as many columns of as many codes: NumPy with one weighted choice a column and a Parquet file
written by Arrow; DuckDB with `random()` in one statement and its own Parquet writer. Processor seconds, the
least of three runs: a machine that does other things as well makes wall time say nothing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fairnode import vocabulary
from fairnode.jobs import twin
from fairnode.records.dataset import Column
from fairnode.records.profile import Profile, VariableProfile, profile_to_json

ROWS = 1_000_000
NAMES = ("region", "sex", "ageGroup", "exploitationForm")
GOAL = 2.0


def rows(size: int = ROWS) -> Iterator[dict[str, Any]]:
    """One row a peer, then what lists and a second file as CSV cost."""
    with tempfile.TemporaryDirectory() as told:
        folder = Path(told)
        plain = cpu(lambda: twin.run(job(folder, size, NAMES)))
        yield row("twin.draw_1e6_vs_numpy", plain, cpu(lambda: with_numpy(folder, size)))
        yield row("twin.draw_1e6_vs_duckdb", plain, cpu(lambda: with_duckdb(folder, size)))
        lists = cpu(lambda: twin.run(job(folder, size, (*NAMES, "meansOfControl"))))
        yield row("twin.lists_1e6_vs_scalars", lists, plain, None)
        both = cpu(lambda: twin.run({**job(folder, size, NAMES), "csv": str(folder / "twin.csv")}))
        yield row("twin.with_csv_1e6_vs_parquet", both, plain, None)


def job(folder: Path, size: int, names: tuple[str, ...]) -> dict[str, Any]:
    columns = [Column(v.name, v.kind, v.notations, v.multiple) for v in map(vocabulary.variable, names)]
    told = tuple(
        VariableProfile(c.name, tuple((code, 10 * (i + 2)) for i, code in enumerate(c.codes[1:])))
        for c in columns
    )
    return {
        "columns": [asdict(column) for column in columns],
        "profile": profile_to_json(Profile("person", size, "", "", told)),
        "rows": size,
        "years": [2010, 2015],
        "seed": 7,
        "output": str(folder / "twin.parquet"),
    }


def with_numpy(folder: Path, size: int) -> None:
    chance = np.random.default_rng(7)
    columns = {}
    for name in NAMES:
        codes = vocabulary.variable(name).notations
        weights = np.arange(1.0, len(codes) + 1)
        picked = chance.choice(len(codes), size=size, p=weights / weights.sum())
        columns[name] = pa.array(codes).take(pa.array(picked.astype(np.int32)))
    pq.write_table(pa.table(columns), folder / "numpy.parquet", compression="zstd")


def with_duckdb(folder: Path, size: int) -> None:
    with duckdb.connect(config={"threads": 1}) as database:
        columns = []
        for name in NAMES:
            codes = ", ".join(f"'{code}'" for code in vocabulary.variable(name).notations)
            number = len(vocabulary.variable(name).notations)
            columns.append(f"([{codes}])[1 + (random() * random() * {number})::INTEGER % {number}] AS {name}")
        database.sql(f"SELECT {', '.join(columns)} FROM range({size})").write_parquet(
            str(folder / "duckdb.parquet"), compression="zstd"
        )


def cpu(run: Callable[[], object]) -> float:
    took = []
    for _ in range(3):
        begin = time.process_time()
        run()
        took.append(time.process_time() - begin)
    return min(took)


def row(name: str, ours: float, peer: float, goal: float | None = GOAL) -> dict[str, Any]:
    ratio = ours / peer
    return {
        "name": name,
        "ours": round(ours * 1000),
        "peer": round(peer * 1000),
        "ratio": round(ratio, 2),
        "goal": goal,
        "unit": "ms cpu",
        "holds": goal is None or ratio <= goal,
    }
