"""What the node counts of the newer kinds of tables: against the kit's own count, and by its rules."""

from __future__ import annotations

import importlib
import json
import statistics
import sys
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairnode.disclosure.history import History
from fairnode.disclosure.judge import judge
from fairnode.disclosure.merging import joined, runs_of_bands
from fairnode.disclosure.rules import load_rules
from fairnode.gate.recounts import recount_from_json
from fairnode.jobs import recount as job
from fairnode.jobs.lp_audit import audit
from fairnode.records.result import Outcome, Status
from fairnode.release.reading import survival

sys.path.insert(0, str(Path(__file__).parents[2] / "algorithms/kit"))
kit = importlib.import_module("fairnode_kit")

BANDS = ["0-6", "7-13", "14-27", "28+"]
SEX = {"variable": "sex", "codes": ["f", "m"]}
TIME = {"variable": "time", "codes": BANDS}
FATE = {"variable": "fate", "codes": ["happened", "not-yet"]}
HOW = {"variable": "how", "codes": ["web", "work"], "multiple": True}
MEANS = {"variable": "means", "codes": ["threat", "debt"], "multiple": True}
NAMES = ("sex", "time", "fate", "how", "means", "age")
LEAST = {"persons": 11, "rows": 22}


def table(kind, *dimensions, name="t", **more):
    return {"id": name, "kind": kind, "unit": "registration", "input": "records",
            "dimensions": list(dimensions), **more}  # fmt: skip


TABLES = [
    table("count", TIME, FATE, name="life", merged=True),
    table("pair", HOW, MEANS, name="both"),
    table("spread", SEX, name="spread", measure="age"),
    table("mean", SEX, name="mean", measure="age"),
    table("sum", name="sum", measure="age"),
    table("proportion", SEX, name="share", numerator={"variable": "means", "in": ["debt"]}),
    table("count", HOW, MEANS, name="two-lists"),
]
CODES = st.lists(st.sampled_from(["web", "work"]), max_size=3)
ROWS = st.lists(
    st.tuples(
        st.sampled_from([None, "f", "m", "x"]), st.sampled_from([None, *BANDS]),
        st.sampled_from([None, "happened", "not-yet"]), st.none() | CODES,
        st.none() | st.lists(st.sampled_from(["threat", "debt", "other"]), max_size=3),
        st.none() | st.integers(0, 90),
    ),
    max_size=40,
)  # fmt: skip


def view(path, rows):
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE t (sex VARCHAR, time VARCHAR, fate VARCHAR, how VARCHAR[], means VARCHAR[], age INTEGER)"
        )
        if rows:
            database.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", rows)
        database.table("t").write_parquet(str(path))
    return path


def recounted(path, tables, **more):
    told = {"views": {"records": str(path)}, "contract": {"tables": tables}, "person": None, **more}
    return recount_from_json(job.run(told)["recount"])


def by_kit(folder, tables):
    asked = {
        "study": "s", "visit": "v", "parameters": {}, "contract": {"tables": tables},
        "inputs": [{"name": "records", "path": "/fairnode/records.parquet", "variables": []}],
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(asked))
    return kit.tables(kit.read_run(folder))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_the_kit_and_the_node_come_to_the_same_numbers(tmp_path, rows):
    path = view(tmp_path / "records.parquet", rows)
    theirs = by_kit(tmp_path, TABLES)
    for mine in recounted(path, TABLES).tables:
        for cell in mine.cells:
            told = theirs[mine.spec.id].get(cell.key, 0)
            n, v = told if isinstance(told, tuple) else (told, None)
            assert n == cell.n
            if v is not None and n:
                assert v == pytest.approx(cell.v, abs=1e-6)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, least=st.integers(1, 8))
def test_merging_loses_nobody_and_leaves_no_small_cell_but_in_a_small_line(tmp_path, rows, least):
    path = view(tmp_path / "records.parquet", rows)
    (fine,) = (found := recounted(path, TABLES[:1], merge={"persons": least, "rows": least})).tables
    (merged,) = found.judged.tables
    assert sum(c.n for c in merged.cells) == sum(c.n for c in fine.cells)
    assert {c.key[0] for c in merged.cells} <= {*BANDS, *runs_of_bands(BANDS)}
    for fate in FATE["codes"]:
        line = [c.n for c in merged.cells if c.key[1] == fate]
        assert min(line) >= least or sum(line) < least or len(line) == 1


def test_spread_is_the_standard_deviation(tmp_path):
    ages = [12, 15, 15, 40, 61, 17]
    path = view(tmp_path / "r.parquet", [("f", None, None, None, None, age) for age in ages])
    (cells,) = [t.cells for t in recounted(path, [TABLES[2]]).tables]
    assert cells[0].v == pytest.approx(statistics.stdev(ages))


def verdict(path, tables, **more):
    return judge(recounted(path, tables, **more).judged, load_rules(), History(), audit)


def rows_of_pairs(both, first, second, neither):
    kinds = [(["web"], ["threat"], both), (["web"], ["debt"], first), (["work"], ["threat"], second),
             (["work"], ["debt"], neither)]  # fmt: skip
    return [("f", None, None, how, means, 20) for how, means, times in kinds for _ in range(times)]


@pytest.mark.parametrize("small", range(4))
def test_a_pair_is_hidden_if_any_of_its_four_parts_is_small(tmp_path, small):
    parts = [3 if i == small else 60 for i in range(4)]
    path = view(tmp_path / "r.parquet", rows_of_pairs(*parts))
    (shown,) = verdict(path, [TABLES[1]]).tables
    assert {cell.status for cell in shown.cells} == {Status.HIDDEN}


def test_a_pair_of_large_parts_is_shown(tmp_path):
    path = view(tmp_path / "r.parquet", rows_of_pairs(60, 60, 60, 60))
    (shown,) = verdict(path, [TABLES[1]]).tables
    assert [cell.n for cell in shown.cells] == [60] * 4


def test_of_a_code_and_almost_the_same_with_another_only_one_is_shown(tmp_path):
    # 100 were found by the web, 97 of them threatened: the three who were not must not follow
    rows = [("f", None, None, ["web"], ["threat", "debt"], 20)] * 97
    rows += [("f", None, None, ["web"], ["debt"], 20)] * 3 + [("f", None, None, ["work"], ["debt"], 20)] * 60
    path = view(tmp_path / "r.parquet", rows)
    one = table("count", HOW, name="how")
    both = table("count", HOW, MEANS, name="both")
    found = verdict(path, [one, both])
    cells = {(t.spec.id, c.key): c.status for t in found.tables for c in t.cells}
    assert Status.HIDDEN in (cells["how", ("web",)], cells["both", ("web", "threat")])


def test_a_spread_of_nothing_is_hidden_because_the_mean_would_tell_all(tmp_path):
    path = view(tmp_path / "r.parquet", [("f", None, None, None, None, 17)] * 200)
    (spread,) = verdict(path, [TABLES[2]]).tables
    assert spread.cells[0].status is Status.HIDDEN


def test_a_life_table_comes_out_whole_with_its_curve(tmp_path):
    fates = [("0-6", 300, 30), ("7-13", 10, 3), ("14-27", 80, 40), ("28+", 25, 30)]
    rows = [
        ("f", band, fate, None, None, 20)
        for band, happened, waiting in fates
        for fate, times in (("happened", happened), ("not-yet", waiting))
        for _ in range(times)
    ]
    found = verdict(view(tmp_path / "r.parquet", rows), TABLES[:1], merge=LEAST)
    assert found.outcome is Outcome.RELEASED
    (life,) = found.tables
    assert life.spec.dimensions[0].codes == ("0-6", "7-27", "28+")
    assert all(cell.status is Status.SHOWN for cell in life.cells)
    (curve,) = survival(life)
    assert [day for day, _ in curve.points] == [0, 7, 28]
    at_risk = 518 - 30 / 2
    assert curve.points[1][1] == pytest.approx(1 - 300 / at_risk, abs=0.02)


@pytest.mark.parametrize(
    "rows",
    [[], [("f", "0-6", "happened", ["web"], ["debt"], 20)], [(None,) * 6] * 300,
     [("f", "0-6", "happened", ["web"], ["debt"], 20)] * 300],
)  # fmt: skip
def test_of_no_row_one_row_nothing_recorded_or_one_code_nothing_leaves_that_tells_of_somebody(tmp_path, rows):
    path = view(tmp_path / "r.parquet", rows)
    found = verdict(path, TABLES, merge=LEAST)
    shown = [c for t in found.tables for c in t.cells if c.status is Status.SHOWN]
    assert all(cell.n >= 10 for cell in shown)
    if len(rows) < 110:
        assert found.outcome is Outcome.REFUSED
    if rows and rows[0] == (None,) * 6:
        assert not shown


def test_bands_join_by_name():
    assert joined(["0-6", "7-13"]) == "0-13"
    assert joined(["182-364", "365+"]) == "182+"
    assert joined(["1", "2", "3"]) == "1-3"
    assert runs_of_bands(["0-6", "8-13"]) == {}
    assert "0-27" in runs_of_bands(BANDS)
