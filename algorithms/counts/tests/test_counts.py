"""The program as it runs in a visit, on files in a directory of its own; expectations are counted by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

HERE = Path(__file__).parents[1]
REGIONS, YEARS = ["NL-AM", "NL-DH", "unknown"], ["2010", "2011"]


def visit(folder: Path, columns: dict, dimensions: dict[str, list[str]], unit="registration", key=None):
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    (folder / "out/result").touch()
    pq.write_table(pa.table(columns), folder / "in/records.parquet")
    variables = [{"name": v, "kind": "coded", "codes": codes} for v, codes in dimensions.items()]
    variables += [{"name": key, "kind": "key"}] if key else []
    asked = {
        "study": "s",
        "visit": "v",
        "parameters": {"dimensions": list(dimensions)},
        "inputs": [{"name": "records", "path": "/fairnode/in/records.parquet", "variables": variables}],
        "contract": {
            "tables": [
                {
                    "id": "counts",
                    "kind": "count",
                    "unit": unit,
                    "input": "records",
                    "dimensions": [{"variable": v, "codes": c} for v, c in dimensions.items()],
                }
            ]
        },
    }
    (folder / "run.json").write_text(json.dumps(asked))
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent / "kit"), "FAIRNODE_ROOT": str(folder)}
    subprocess.run([sys.executable, HERE / "counts.py"], check=True, env=environment)
    written = json.loads((folder / "out/result").read_text())
    assert written["type"] == "fairnode.result/1"
    (table,) = written["tables"]
    return {tuple(cell["k"]): cell["n"] for cell in table["cells"]}, table


def test_every_cell_is_there_in_the_order_of_the_code_lists(tmp_path):
    columns = {
        "region": ["NL-DH", "NL-DH", "NL-AM", None, "elsewhere"],
        "year": pa.array([2011, 2010, 2011, 2010, 2010], pa.int32()),
    }
    cells, table = visit(tmp_path, columns, {"region": REGIONS, "year": YEARS})
    expected = Counter([("NL-DH", "2011"), ("NL-DH", "2010"), ("NL-AM", "2011")])
    assert cells == {(r, y): expected[(r, y)] for r in REGIONS for y in YEARS}
    assert [cell["k"] for cell in table["cells"]] == [[r, y] for r in REGIONS for y in YEARS]


@pytest.mark.parametrize(("unit", "expected"), [("person", 2), ("registration", 3)])
def test_a_person_with_several_registrations_counts_once_where_persons_are_counted(tmp_path, unit, expected):
    columns = {"region": ["NL-AM"] * 3, "personKey": ["a", "a", "b"]}
    cells, _ = visit(tmp_path, columns, {"region": REGIONS}, unit, key="personKey")
    assert cells[("NL-AM",)] == expected


def test_one_with_several_values_is_in_the_cell_of_each_once(tmp_path):
    columns = {"means": [["threat", "debt", "threat"], ["debt"], [], None]}
    cells, _ = visit(tmp_path, columns, {"means": ["threat", "debt", "other"]})
    assert cells == {("threat",): 1, ("debt",): 2, ("other",): 0}


def test_with_two_lists_each_pair_of_their_values_is_a_cell(tmp_path):
    columns = {"means": [["threat", "debt"], ["debt"]], "methods": [["work", "web"], ["web"]]}
    cells, _ = visit(tmp_path, columns, {"means": ["threat", "debt"], "methods": ["work", "web"]})
    assert cells == {
        ("threat", "work"): 1, ("threat", "web"): 1, ("debt", "work"): 1, ("debt", "web"): 2,
    }  # fmt: skip


def test_dictionary_columns_no_dimension_and_odd_names_are_counted_too(tmp_path):
    columns = {'a "b"': pa.array(["x", "x", "y"]).dictionary_encode()}
    cells, _ = visit(tmp_path, columns, {'a "b"': ["x", "y"]})
    assert cells == {("x",): 2, ("y",): 1}


def test_no_dimension_gives_the_total(tmp_path):
    cells, _ = visit(tmp_path, {"region": ["NL-AM", None]}, {})
    assert cells == {(): 2}
