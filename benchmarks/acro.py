"""Our verdicts and ACRO's on the same tables: `rows()` for `make bench ONLY=acro`.

ACRO 1.0.2 helps a trusted analyst and an output checker; it needs other versions of pandas and its kin, so it
gets a virtual environment of its own, made here. A row for each table: how many cells each hides; it holds
where every cell that ACRO hides is hidden here too. Then the time on a large table. docs/gate.md says why
they differ.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fairnode.disclosure.history import History
from fairnode.disclosure.judge import judge
from fairnode.disclosure.rules import load_rules
from fairnode.gate.recounts import recount_from_json
from fairnode.jobs import recount
from fairnode.jobs.lp_audit import audit
from fairnode.records.result import Status

PACKAGE = "acro==1.0.2"
Cells = dict[tuple[str, str], list[int]]

_PEER = """
import json, logging, sys, time, warnings
warnings.filterwarnings("ignore")
import pandas as pd
from acro import ACRO
logging.disable(logging.CRITICAL)
for path, measure in json.loads(sys.argv[1]):
    data = pd.read_csv(path, dtype={"region": str, "year": str})
    checker = ACRO(suppress=True)
    more = {"values": data[measure], "aggfunc": "sum"} if measure else {}
    start = time.perf_counter()
    table = checker.crosstab(data["region"], data["year"], **more)
    spent = time.perf_counter() - start
    shown = [[str(r), str(y)] for r in table.index for y in table.columns if table.loc[r, y] == table.loc[r, y]]
    print("::" + json.dumps([shown, spent]))
"""


def tables() -> dict[str, tuple[Cells, str]]:
    """Each a table of persons (how many, or what each adds), and the variable that is summed ('' for counts)."""
    full = {
        (r, y): 40 + 7 * i for i, (r, y) in enumerate((r, y) for r in "ABC" for y in ("2010", "2011", "2012"))
    }

    def counts(**change: int) -> Cells:
        told = {**full, **{(key[0], key[1:]): n for key, n in change.items()}}
        return {key: [1] * n for key, n in told.items()}

    heavy = {key: [2] * n for key, n in full.items()}
    return {
        "nothing_small": (counts(), ""),
        "one_of_9": (counts(A2010=9), ""),
        "one_of_10": (counts(A2010=10), ""),
        "an_empty_cell": (counts(A2010=0), ""),
        "two_small": (counts(A2010=3, B2011=5), ""),
        "sum_one_dominates": ({**heavy, ("A", "2010"): [2] * 39 + [5000]}, "days"),
        "sum_two_dominate": ({**heavy, ("A", "2010"): [2] * 38 + [900, 800]}, "days"),
        "sum_nobody_dominates": (heavy, "days"),
    }


def rows() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        python = environment(Path(folder, "acro"))
        known = tables()
        known["large"] = ({key: [1] * 60_000 for key in known["nothing_small"][0]}, "")
        files = {name: write(Path(folder), name, cells) for name, (cells, _) in known.items()}
        peers = ask(python, [(files[name], known[name][1]) for name in known])
        for name, peer in zip(known, peers, strict=True):
            start = time.perf_counter()
            hidden = ours(files[name], known[name][1])
            spent = time.perf_counter() - start
            if name == "large":
                yield row(
                    "acro.milliseconds_540000_rows", spent * 1000, peer[1] * 1000, "ms", spent <= peer[1]
                )
                continue
            theirs = set(known[name][0]) - {(r, y) for r, y in peer[0]}
            yield row(f"acro.hidden_{name}", len(hidden), len(theirs), "cells", theirs <= hidden)


def row(name: str, mine: float, theirs: float, unit: str, holds: bool) -> dict[str, Any]:
    ratio = round(mine / theirs, 2) if theirs else None
    return {"name": name, "ours": round(mine, 1), "peer": round(theirs, 1), "ratio": ratio, "goal": None,
            "unit": unit, "holds": holds}  # fmt: skip


def environment(folder: Path) -> Path:
    """A virtual environment with ACRO; its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin/python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", PACKAGE], check=True, capture_output=True)
    return python


def write(folder: Path, name: str, cells: Cells) -> str:
    path, person = folder / f"{name}.csv", 0
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["personKey", "region", "year", "days"])
        for (region, year), each in cells.items():
            for value in each:
                person += 1
                out.writerow([f"p{person}", region, year, value])
    return str(path)


def ask(python: Path, jobs: list[tuple[str, str]]) -> list[Any]:
    """What ACRO shows of each table, and how long it took."""
    done = subprocess.run([python, "-c", _PEER, json.dumps(jobs)], check=True, capture_output=True, text=True)
    return [json.loads(line[2:]) for line in done.stdout.splitlines() if line.startswith("::")]


def ours(path: str, measure: str) -> set[tuple[str, str]]:
    """The cells that we hide."""
    view = path.replace(".csv", ".parquet")
    with recount.duckdb.connect() as database:
        database.read_csv(path, dtype={"year": "VARCHAR"}).write_parquet(view)
    axes = [
        {"variable": "region", "codes": list("ABC")},
        {"variable": "year", "codes": ["2010", "2011", "2012"]},
    ]
    table = {"id": "t", "kind": "sum" if measure else "count", "unit": "person", "input": "r", "dimensions": axes,
             **({"measure": measure} if measure else {})}  # fmt: skip
    job = {"views": {"r": view}, "contract": {"tables": [table]}, "person": "personKey", "below": 11}
    counted = recount_from_json(recount.run(job)["recount"])
    verdict = judge(counted, load_rules(), History(), audit)
    return {(c.key[0], c.key[1]) for t in verdict.tables for c in t.cells if c.status is Status.HIDDEN}


if __name__ == "__main__":
    for found in rows():
        print(found)
