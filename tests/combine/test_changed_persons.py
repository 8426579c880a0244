"""How many persons changed between two tables, by cell (P6): the job against plain sets."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairnode.jobs.changed_persons import common_groups, run
from fairnode.records.result import Dimension, Kind, OutputContract, TableSpec, Unit
from fairnode.records.result_json import contract_to_json

SEX, REGION = ("sex", ("f", "m")), ("region", ("a", "b", "c"))
BROAD, FINE = ("ageBroad", ("minor", "adult", "unknown")), ("ageGroup", ("0-8", "9-17", "18-"))
FINER = [["ageBroad", "minor", "ageGroup", ["0-8", "9-17"]], ["ageBroad", "adult", "ageGroup", ["18-"]]]


def spec(*axes) -> TableSpec:
    dimensions = tuple(Dimension(name, codes) for name, codes in axes)
    return TableSpec("t", Kind.COUNT, Unit.PERSON, "records", dimensions)


def kept(path, table, persons, everybody):
    """A set file: who stands in which cell, and who is there at all."""
    positions = {key: i for i, key in enumerate(table.keys())}
    rows = [(0, positions[cell], who) for who, cell in persons.items()] + [(-1, 0, who) for who in everybody]
    with duckdb.connect() as database:
        database.execute("CREATE TABLE t (tbl INTEGER, cell INTEGER, person UBIGINT)")
        if rows:
            database.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        database.table("t").write_parquet(str(path))
    return str(path)


def changed(folder, now, then):
    """The job's answer for one earlier table; `now` and `then` are (table, persons, everybody)."""
    job = {
        "now": kept(folder / "now.parquet", *now),
        "contract": contract_to_json(OutputContract((now[0],))),
        "finer": FINER,
        "earlier": [
            {
                "path": kept(folder / "then.parquet", *then),
                "contract": contract_to_json(OutputContract((then[0],))),
                "table": 0,
            },
            None,
        ],
    }
    return run(job)["changed"]


CELLS = {
    "sex": [("f",), ("m",)],
    "sex and region": [(s, r) for s in "fm" for r in "abc"],
    "region": [(r,) for r in "abc"],
}
TABLES = {"sex": spec(SEX), "sex and region": spec(SEX, REGION), "region": spec(REGION)}


def persons(name):
    return st.dictionaries(st.integers(1, 12), st.sampled_from(CELLS[name]), max_size=10)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), mine=st.sampled_from(sorted(TABLES)), theirs=st.sampled_from(sorted(TABLES)))
def test_a_cell_has_the_persons_who_are_in_its_group_in_one_table_only(data, mine, theirs):
    now, then = data.draw(persons(mine)), data.draw(persons(theirs))
    names = [axis.variable for axis in TABLES[mine].dimensions]
    others = [axis.variable for axis in TABLES[theirs].dimensions]
    common = [name for name in names if name in others]

    def part(cell, axes):
        return tuple(cell[axes.index(name)] for name in common)

    if common:
        groups = {(who, part(cell, names)) for who, cell in now.items()} ^ {
            (who, part(cell, others)) for who, cell in then.items()
        }
        expected = [sum(g == part(key, names) for _, g in groups) for key in TABLES[mine].keys()]  # noqa: SIM118
    else:
        expected = [
            sum(cell == key and who not in then for who, cell in now.items())
            for key in TABLES[mine].keys()  # noqa: SIM118
        ]
    with tempfile.TemporaryDirectory() as folder:
        found, absent = changed(Path(folder), (TABLES[mine], now, now), (TABLES[theirs], then, then))
    assert found == expected
    # of a table in which this node had no part everybody is new
    assert absent == [sum(cell == key for cell in now.values()) for key in TABLES[mine].keys()]  # noqa: SIM118


def test_coarser_and_finer_codes_of_one_thing_are_one_group(tmp_path):
    now = {1: ("minor",), 2: ("minor",), 3: ("adult",), 4: ("unknown",)}
    then = {1: ("0-8",), 3: ("18-",), 5: ("9-17",)}
    found, _ = changed(tmp_path, (spec(BROAD), now, now), (spec(FINE), then, then))
    assert found == [2, 0, 1]
    assert changed(tmp_path, (spec(FINE), then, then), (spec(BROAD), now, now))[0] == [2, 2, 0]


@pytest.mark.parametrize("other", [REGION, ("sex", ("x",))])
def test_tables_about_different_things_have_no_common_groups(other):
    assert common_groups(spec(SEX), spec(other), {}) is None
