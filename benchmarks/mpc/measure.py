"""The rows of multi-party computation: each ratio is between two measurements of the same run, in turn.

Real processes over loopback, TLS everywhere, inputs dealt from outside as input parties do. Peers: plain
MPyC with its `--ssl`, openmined-psi and SPU, each installed into an environment of its own. MP-SPDZ is not on
the package index: rows named `..._mpspdz_through_mpyc` take MPyC's figure of this run times the ratio of the
two that was measured once, side by side, on one machine (`MPSPDZ`).
A row `..._cpu` adds up the CPU seconds of all parties: on two cores half of it is the least time there is.
"""

from __future__ import annotations

import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.mpc.dealt import Uploads, deal_counts, deal_lists
from benchmarks.mpc.ends import bare_close
from benchmarks.mpc.ends import measured as measured_ends
from benchmarks.mpc.launch import Answers, run, run_mpyc
from benchmarks.mpc.peers import measured
from benchmarks.mpc.warm import warm_runs
from fairnode.mpc.overlap.shape import OverlapShape
from fairnode.mpc.programs import program

Row = dict[str, Any]
TABLES = Path(__file__).parents[2] / "tests" / "mpc" / "tables"
MPSPDZ = {
    "sum": 0.363 / 4.16,  # replicated ring, a million cells, to MPyC arrays
    "table_m3": 0.0183 / 3.26,  # its best mode for three parties, 10,000 cells, threshold only
    "table_m5": 1.5 / 12.0,  # Shamir with edaBits, five parties
}
TABLE = {"k": 10, "base": 5, "earlier": 0, "largest": 4095, "lists": "disjoint", "engine": "bits"}


def rows(*, full: bool = False) -> list[Row]:
    """All rows; `full` adds the long ones: lists of a million."""
    found = [
        *hello(),
        *ends(),
        *sums(),
        *tables(),
        *small(),
        *contributors(),
        *estimates(),
        *overlaps_with_peers(),
    ]
    for lists, parties in ((5, 3), (6, 3), (6, 5)):
        found += overlap(lists, parties, 100_000, None)[1]
    if full:
        found += millions()
    return found


def hello() -> list[Row]:
    """A whole small run of ours from the warm server, against a cold MPyC that opens one sum."""
    ours: list[float] = []
    theirs: list[float] = []
    with warm_runs(3) as once:
        for _ in range(5):
            ours.append(once())
            start = time.perf_counter()
            if run_mpyc(3, {"name": "hello"}) is not None:
                theirs.append(time.perf_counter() - start)
    return [_against("mpc.hello_warm_vs_mpyc_cold", median(ours), median(theirs) if theirs else None, 0.35)]


def ends() -> list[Row]:
    """How soon the honest parties' outcome names the party that went wrong: 2 s, or 2 s after a deadline."""
    found = [_row(f"mpc.ends_{code}", seconds, None, 2.0, "s") for code, seconds in measured_ends().items()]
    return [*found, _row("mpc.ends_lost_vs_bare_close", found[0]["ours"], bare_close(), None, "s")]


def sums() -> list[Row]:
    """An opened sum of a million cells, three parties: time against MPyC, bytes against the least."""
    cells = 1_000_000
    job = {"name": "sum_opened", "cells": cells}
    ours, theirs, answers = _in_turn(3, job, job)
    least = 16 * cells * 2 / 3
    sent = max(answer["sent"] for answer in answers)
    return [
        _against("mpc.sum_1e6_vs_mpyc", ours, theirs, 1 / 40),
        _against("mpc.sum_1e6_vs_mpspdz_through_mpyc", ours, _times(theirs, "sum"), 1 / 3),
        _row("mpc.sum_1e6_bytes_vs_least", sent, least, 1.02, "bytes"),
    ]


def tables() -> list[Row]:
    """10,000 cells: the peers' plain threshold, and our whole rule with rounding against that lesser work."""
    found = []
    for parties, goal, peer, peer_goal in ((3, 1 / 100, "table_m3", 1.0), (5, 1 / 80, "table_m5", 0.1)):
        name, times = f"mpc.table_1e4_m{parties}", 3 if parties == 3 else 1
        same, theirs, _ = _in_turn(
            parties,
            {"name": "threshold", "cells": 10_000},
            {"name": "table_threshold", "cells": 10_000},
            times,
        )
        whole = median(_seconds(_table(parties, parties, TABLE | {"cells": 10_000})) for _ in range(times))
        found.append(_against(f"{name}_threshold_vs_mpyc", same, theirs, goal))
        found.append(
            _against(f"{name}_threshold_vs_mpspdz_through_mpyc", same, _times(theirs, peer), peer_goal)
        )
        found.append(_against(f"{name}_whole_rule_vs_mpyc_threshold", whole, theirs, goal))
    job = TABLE | {"cells": 1000, "dominance": 85}
    ours = _seconds(_table(5, 5, job))
    batch = run_mpyc(5, {"name": "table_dominance", "cells": 1000})
    peer_seconds = None if batch is None else _seconds(batch)
    found.append(_against("mpc.table_1e3_dominance_m5_vs_mpyc", ours, peer_seconds, 1 / 20))
    plain = _seconds(_table(3, 3, job | {"engine": "mpyc"}))
    found.append(
        _against("mpc.table_1e3_m3_same_program_in_mpyc", _seconds(_table(3, 3, job)), plain, 1 / 20)
    )
    return found


def small() -> list[Row]:
    """What is all rounds and little work: a median, a whole regression, and 420 sums, as many as an iteration of
    one with 20 columns needs: one of twenty in a run.
    """
    found = []
    for parties, goal in ((3, 0.005), (5, 0.012)):
        told = {"name": "sum_opened", "cells": 420, "times": 20}
        seconds = median(_seconds(run(parties, told)) for _ in range(3)) / 20
        found.append(_row(f"mpc.sum_420_m{parties}", seconds, None, goal, "s"))
    common = {"k": 11, "lists": "disjoint"}
    median_of = {**common, "grid": list(range(20)), "order": 50, "persons": 40, "engine": "mpyc", "cells": 20}
    quantile = _program("quantile", 3, 3, median_of)
    found.append(_row("mpc.quantile_20_values_m3", _seconds(quantile), None, 0.2, "s"))
    rows = [[1, a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1, 2)]
    fit = {
        **common,
        "family": "logistic",
        "design": rows,
        "largest": 4095,
        "engine": "bits",
        "cells": 12,
        "earlier": 0,
    }
    for parties in (3, 5):
        answers = _program("regression", parties, parties, fit)
        found.append(_row(f"mpc.regression_12_patterns_m{parties}", _seconds(answers), None, None, "s"))
        found.append(_row(f"mpc.regression_12_patterns_m{parties}_cpu", _cpu(answers), None, None, "cpu s"))
    return found


def contributors() -> list[Row]:
    """The cost of 3 to 100 input parties (3 compute parties, 1,000 cells): CPU, not above linear."""
    used = {n: _cpu(_table(3, n, TABLE | {"cells": 1000, "k": 11})) for n in (3, 10, 30, 100)}
    return [
        _row(f"mpc.table_1e3_cpu_{n}_vs_3_contributors", used[n], used[3], n / 3, "cpu s")
        for n in (10, 30, 100)
    ]


def overlaps_with_peers() -> list[Row]:
    """Five lists against ten pairs of openmined-psi, three lists against three pairs of SPU."""
    psi = measured("openmined-psi", "psi_pair.py", 100_000)
    ten = None if psi is None else 10 * psi["seconds"]
    five, found = overlap(5, 5, 100_000, 8.0)
    found.append(_against("mpc.overlap_5x1e5_vs_10_openmined_pairs", five, ten, 1 / 25))
    pairs: list[float] = []
    times: list[float] = []
    for _ in range(3):
        seconds, made = overlap(3, 3, 100_000, None, once=True)
        times.append(seconds)
        pair = measured("spu", "spu_pair.py", 100_000)
        if pair is not None:
            pairs.append(3 * pair["seconds"])
    found += made
    found.append(
        _against("mpc.overlap_3x1e5_vs_3_spu_pairs", median(times), median(pairs) if pairs else None, 1.0)
    )
    return found


def millions() -> list[Row]:
    """Lists of a million, streamed: memory, and time against lists of 100,000 of the same run."""
    found = []
    for lists, parties in ((3, 3), (5, 5)):
        small, _ = overlap(lists, parties, 100_000, None, once=True)
        large, made = overlap(lists, parties, 1_000_000, None, once=True)
        found += [*made, _row(f"mpc.overlap_{lists}x1e6_vs_1e5", large, small, 16, "s")]
    return found


def overlap(
    lists: int, parties: int, bound: int, goal: float | None, *, once: bool = False
) -> tuple[float, list[Row]]:
    """Exact overlap of synthetic lists dealt from outside; every cell is compared with plaintext."""
    name = f"mpc.overlap_{lists}x{bound:.0e}_m{parties}".replace("e+0", "e")
    shape = OverlapShape(lists, bound)
    with tempfile.TemporaryDirectory() as folder:
        uploads = Uploads(Path(folder), parties)
        expected = deal_lists(shape, uploads)
        job = {"name": "overlap", "shape": {"lists": lists, "bound": bound}, **uploads.job}
        answers = [run(parties, job) for _ in range(1 if once else 3)]
    for answer in answers:
        if any(party["cells"] != expected for party in answer):
            raise RuntimeError(f"{name}: a cell differs from plaintext")
    seconds = median(_seconds(answer) for answer in answers)
    cpu = median(_cpu(answer) for answer in answers)
    peak = max(party["peak"] for party in answers[0])
    sent = max(party["sent"] for party in answers[0])
    large = bound >= 1_000_000
    return seconds, [
        _row(name, seconds, None, goal, "s"),
        _row(f"{name}_cpu", cpu, None, None if goal is None else 2 * goal, "cpu s"),
        _row(f"{name}_peak", peak, None, 1.5e9 if large else 0.6e9, "bytes"),
        _row(f"{name}_sent", sent, None, None if large else 500e6, "bytes"),
        _row(f"{name}_upload_per_list", uploads.largest, None, 27e6 * bound / 1e5, "bytes"),
        _row(f"{name}_input_side_per_list", uploads.seconds / lists, None, None, "s"),
    ]


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
            answers = run(parties, {"name": "estimate", "lanes": lanes, "study": job})
            row = f"mpc.estimate_{name}_m{parties}"
            found.append(_row(row, _seconds(answers) / per, None, goal, "s"))
            found.append(_row(f"{row}_cpu", _cpu(answers) / per, None, 2 * goal, "cpu s"))
    return found


def _table(parties: int, contributing: int, parameters: Row) -> Answers:
    """One run of the program `sum` over dealt counts."""
    return _program("sum", parties, contributing, parameters)


def _program(name: str, parties: int, contributing: int, told: Row) -> Answers:
    """One run of a program over dealt counts; `cells` is the length of a list."""
    parameters = {key: value for key, value in told.items() if name != "quantile" or key != "cells"}
    chosen = program(name)
    chosen.check(parameters, contributing, parties)
    with tempfile.TemporaryDirectory() as folder:
        uploads = Uploads(Path(folder), parties)
        deal_counts(chosen, parameters, told["cells"], contributing, uploads)
        return run(parties, {"name": "program_run", "program": name, "parameters": parameters, **uploads.job})


def _in_turn(parties: int, ours: Row, theirs: Row, times: int = 3) -> tuple[float, float | None, Answers]:
    return _alternately(lambda: run(parties, ours), lambda: run_mpyc(parties, theirs), times)


def _alternately(
    ours: Callable[[], Answers], theirs: Callable[[], Answers | None], times: int
) -> tuple[float, float | None, Answers]:
    """Medians of both, measured alternately, and our last answers; no peer where it is not there."""
    pairs = []
    for _ in range(times):
        answers = ours()
        pairs.append((_seconds(answers), theirs()))
    peer = [_seconds(told) for _, told in pairs if told is not None]
    return median(seconds for seconds, _ in pairs), median(peer) if peer else None, answers


def _times(seconds: float | None, peer: str) -> float | None:
    """A figure of MP-SPDZ through MPyC's."""
    return None if seconds is None else seconds * MPSPDZ[peer]


def _seconds(answers: Answers) -> float:
    """The slowest party's time."""
    return float(max(answer["seconds"] for answer in answers))


def _cpu(answers: Answers) -> float:
    return float(sum(answer["cpu"] for answer in answers))


def _against(name: str, ours: float, peer: float | None, goal: float) -> Row:
    """A row with a goal for the ratio; nothing holds or fails without the peer."""
    if peer is None:
        return _row(name, ours, None, None, "s")
    return _row(name, ours, peer, goal, "s")


def _row(name: str, ours: float, peer: float | None, goal: float | None, unit: str) -> Row:
    ratio = None if peer is None else ours / peer
    reached = ours if ratio is None else ratio
    return {
        "name": name,
        "ours": ours,
        "peer": peer,
        "ratio": ratio,
        "goal": goal,
        "unit": unit,
        "holds": None if goal is None else reached <= goal,
    }


def _public_table(name: str) -> tuple[list[int], int]:
    """Superset counts on 64 lanes, and the number of lists, of a public table."""
    with (TABLES / f"{name}.csv").open() as file:
        head, *lines = csv.reader(file)
    lists = len(head) - 1
    cells = {sum(1 << i for i in range(lists) if line[i] == "1"): int(line[-1]) for line in lines}
    lanes = [sum(n for c, n in cells.items() if s and c & s == s) for s in range(64)]
    return lanes, lists
