"""The rows of the kernels: each ratio is between two measurements of the same run, peer and ours in turn.

The peer is plain MPyC as installed (without gmpy2, which would make its comparisons faster; see the row's
note). Overlaps and estimates have no peer in plain MPyC that ends within the hour: their goals are seconds.
"""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.mpc.launch import run
from fairnode.mpc.kernels.sharing import split
from fairnode.mpc.overlap.cells import lane
from fairnode.mpc.overlap.shape import OverlapShape, patterns
from fairnode.mpc.overlap.tables import HashingKey, bins

Row = dict[str, Any]
TABLES = Path(__file__).parents[2] / "tests" / "mpc" / "tables"


def rows(*, full: bool = False) -> list[Row]:
    """All rows; `full` adds the long ones: lists of a million, and the tables of MPyC at five parties."""
    found = [*sums(), *tables(full), *estimates()]
    cases = [(3, 3, 100_000, 1.6), (5, 5, 100_000, 8.0), (5, 3, 100_000, None), (6, 3, 100_000, None)]
    times: dict[tuple[int, int, int], float] = {}
    for lists, parties, bound, goal in [*cases, *([(3, 3, 1_000_000, None)] if full else [])]:
        seconds, made = overlaps(lists, parties, bound, goal)
        times[lists, parties, bound] = seconds
        found += made
    if full:
        ratio = times[3, 3, 1_000_000] / times[3, 3, 100_000]
        found.append(
            _row("mpc.overlap_3x1e6_vs_1e5", times[3, 3, 1_000_000], times[3, 3, 100_000], ratio, 16, "s")
        )
    return found


def sums() -> list[Row]:
    """An opened sum of a million cells, three parties: time against MPyC, bytes against the least."""
    cells = 1_000_000
    job = {"name": "sum_opened", "cells": cells}
    ours, theirs = _in_turn(3, job, {"name": "sum_mpyc", "cells": cells})
    least = 16 * cells * 2 / 3
    sent = max(answer["sent"] for answer in run(3, job))
    return [
        _row("mpc.sum_1e6_opened_vs_mpyc", ours, theirs, ours / theirs, 1 / 40, "s"),
        _row("mpc.sum_1e6_bytes_vs_least", sent, least, sent / least, 1.02, "bytes"),
    ]


def tables(full: bool) -> list[Row]:
    """A suppressed table under the whole rule with rounding, against MPyC's plain threshold (less work)."""
    found = []
    for parties, goal in [(3, 1 / 100), *([(5, 1 / 80)] if full else [])]:
        job = {"name": "table", "cells": 10_000, "base": 5}
        peer = {"name": "table_mpyc_threshold", "cells": 10_000}
        ours, theirs = _in_turn(parties, job, peer, 1 if parties == 5 else 3)
        name = f"mpc.table_1e4_m{parties}_vs_mpyc_threshold"
        found.append(_row(name, ours, theirs, ours / theirs, goal, "s"))
    job = {"name": "table", "cells": 1000, "base": 1}
    ours, theirs = _in_turn(3, job, {"name": "table_mpyc", "cells": 1000}, 1)
    found.append(_row("mpc.table_1e3_m3_same_rule_vs_mpyc", ours, theirs, ours / theirs, 1 / 20, "s"))
    return found


def overlaps(lists: int, parties: int, bound: int, goal: float | None) -> tuple[float, list[Row]]:
    """Exact overlap of synthetic lists dealt from outside; every cell is compared with plaintext."""
    name = f"mpc.overlap_{lists}x{bound:.0e}_m{parties}".replace("e+0", "e")
    shape = OverlapShape(lists, bound)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        expected = _deal_lists(shape, parties, Path(folder))
        dealing = (time.perf_counter() - start) / lists
        job = {"name": "overlap", "shape": {"lists": lists, "bound": bound}, "folder": folder}
        answers = [run(parties, job) for _ in range(3 if bound < 1_000_000 else 1)]
    for answer in answers:
        if any(party["cells"] != expected for party in answer):
            raise RuntimeError(f"{name}: a cell differs from plaintext")
    seconds = median(_seconds(answer) for answer in answers)
    peak = max(party["peak"] for party in answers[0])
    sent = max(party["sent"] for party in answers[0])
    memory_goal = 1.5e9 if bound >= 1_000_000 else 0.6e9
    made = [
        _row(name, seconds, None, None, goal, "s"),
        _row(f"{name}_peak", peak, None, None, memory_goal, "bytes"),
        _row(f"{name}_sent", sent, None, None, 500e6 if bound < 1_000_000 else None, "bytes"),
        _row(f"{name}_input_side_per_list", dealing, None, None, None, "s"),
    ]
    return seconds, made


def estimates() -> list[Row]:
    """Estimates from a shared table of five lists: ten decomposable models, and one pair model."""
    lanes, lists = _public_table("UKdat_5")
    pairs = [[i, j] for i in range(lists) for j in range(i + 1, lists)]
    study = {"lists": lists, "bound": 2000}
    closed = {**study, "models": [[], *[[pair] for pair in pairs[:9]]]}
    errors = {**study, "models": [[], [[0, 1]]], "standard_errors": True}
    cycle = {**study, "models": [[[0, 1], [1, 3], [1, 4], [0, 2], [3, 4], [2, 4]]]}
    found = []
    for parties, limit in ((3, 60), (5, 120)):
        for name, job, per, goal in (
            ("decomposable_each", closed, 10, 1.0),
            ("decomposable_with_error_each", errors, 2, 1.0),
            ("fitted", cycle, 1, limit),
        ):
            seconds = _seconds(run(parties, {"name": "estimate", "lanes": lanes, "study": job})) / per
            found.append(_row(f"mpc.estimate_{name}_m{parties}", seconds, None, None, goal, "s"))
    return found


def _in_turn(parties: int, ours: Row, theirs: Row, times: int = 3) -> tuple[float, float]:
    """Medians of both jobs, measured alternately."""
    pairs = [(_seconds(run(parties, ours)), _seconds(run(parties, theirs))) for _ in range(times)]
    return median(a for a, _ in pairs), median(b for _, b in pairs)


def _seconds(answers: list[Row]) -> float:
    """The slowest party's time."""
    return float(max(answer["seconds"] for answer in answers))


def _row(
    name: str, ours: float, peer: float | None, ratio: float | None, goal: float | None, unit: str
) -> Row:
    reached = ours if ratio is None else ratio
    holds = None if goal is None else reached <= goal
    return {
        "name": name,
        "ours": ours,
        "peer": peer,
        "ratio": ratio,
        "goal": goal,
        "unit": unit,
        "holds": holds,
    }


def _deal_lists(shape: OverlapShape, parties: int, folder: Path) -> list[int]:
    """Deal lists with much overlap into files; the exact cells in clear."""
    key = HashingKey(b"benchmark", "study")
    on = np.zeros(3 * shape.bound, int)
    for place in range(shape.lists):
        chosen = np.random.default_rng(100 + place).choice(3 * shape.bound, shape.bound, replace=False)
        on[chosen] |= 1 << place
        dealt = split(
            bins([f"{i:012d}" for i in chosen], key, shape, place).words, parties, (parties - 1) // 2
        )
        for row, words in dealt.items():
            words.astype("<u8").tofile(folder / f"{place}-{'-'.join(map(str, row))}")
    return [int((on == lane(pattern)).sum()) for pattern in patterns(shape.lists)]


def _public_table(name: str) -> tuple[list[int], int]:
    """Superset counts on 64 lanes, and the number of lists, of a public table."""
    with (TABLES / f"{name}.csv").open() as file:
        head, *lines = csv.reader(file)
    lists = len(head) - 1
    cells = {sum(1 << i for i in range(lists) if line[i] == "1"): int(line[-1]) for line in lines}
    lanes = [sum(n for c, n in cells.items() if s and c & s == s) for s in range(64)]
    return lanes, lists


if __name__ == "__main__":
    for row in rows():
        print(row)
