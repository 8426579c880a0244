"""The program as it runs in a visit, on files in a directory of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

HERE = Path(__file__).parents[1]
KIT = HERE.parent / "kit"
METHODS, QUANTITIES = ["independence", "stepwise", "dga"], ["estimate", "lower", "upper"]

pytestmark = pytest.mark.skipif(not KIT.is_dir(), reason="the helper package algorithms/kit is not here")


def persons_of(table):
    """One list of organisations a person."""
    return [
        [name for i, name in enumerate(table.lists) if mask >> i & 1]
        for mask, count in enumerate(table.counts)
        for _ in range(count)
    ]


def visit(folder, columns, key=None):
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    (folder / "out/result").touch()
    pq.write_table(pa.table(columns), folder / "in/records.parquet")
    variables = [{"name": "reportingOrganisation", "kind": "coded", "codes": []}]
    variables += [{"name": key, "kind": "key"}] if key else []
    dimensions = [{"variable": "method", "codes": METHODS}, {"variable": "quantity", "codes": QUANTITIES}]
    asked = {
        "study": "s",
        "visit": "v",
        "parameters": {},
        "inputs": [{"name": "records", "path": "/fairnode/in/records.parquet", "variables": variables}],
        "contract": {"tables": [{"id": "estimates", "kind": "mean", "unit": "person", "input": "records",
                                 "dimensions": dimensions}]},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(asked))
    environment = {**os.environ, "FAIRNODE_ROOT": str(folder), "PYTHONPATH": f"{KIT}:{HERE}"}
    subprocess.run([sys.executable, str(HERE / "visit.py")], env=environment, check=True, timeout=120)
    cells = json.loads((folder / "out/result").read_text())["tables"][0]["cells"]
    return {tuple(cell["k"]): (cell["n"], cell["v"]) for cell in cells}


def test_a_visit_puts_out_nine_rounded_numbers(tables, tmp_path):
    cells = visit(tmp_path, {"reportingOrganisation": persons_of(tables["UKdat_5"])})
    assert len(cells) == 9
    assert cells["independence", "estimate"] == (2740, 13000)
    assert cells["stepwise", "estimate"] == (2740, 11000)
    assert cells["dga", "estimate"] == (2740, 23000)
    assert cells["dga", "upper"] == (2740, 33000)


def test_registrations_of_one_key_are_one_person(tables, tmp_path):
    known = persons_of(tables["UKdat_5"])
    rows = [(f"p{n}", code) for n, codes in enumerate(known) for code in codes]
    columns = {"personKey": [r[0] for r in rows], "reportingOrganisation": [r[1] for r in rows]}
    assert visit(tmp_path, columns, "personKey")["independence", "estimate"] == (2740, 13000)


@pytest.mark.parametrize(
    "known", [[["a"], ["b"], ["a", "b"]] * 200, [["a"], ["b"], ["c"]] * 200, [["a", "b", "c"]] * 50]
)
def test_what_cannot_be_estimated_is_all_zero(known, tmp_path):
    assert set(visit(tmp_path, {"reportingOrganisation": known}).values()) == {(0, 0.0)}
