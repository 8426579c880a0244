"""The engine for fast tests keeps the same promise as the real one."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairnode import errors
from fairnode.engine import Engine, NotCollected, Phase, Reason, VisitSpec
from tests.engine.process import ROOT, ProcessEngine

COUNTS = ("python3", "/opt/algorithm/counts.py")


def spec_of(entrypoint, inputs=None, run_json=b"{}") -> VisitSpec:
    soon = datetime.now(UTC) + timedelta(seconds=90)
    return VisitSpec("v1", "counts", "sha256:1", entrypoint, run_json, inputs or {}, soon)


@pytest.fixture
def engine(tmp_path):
    engine: Engine = ProcessEngine(tmp_path, {"counts": ("sha256:1", ROOT / "algorithms/counts")})
    yield engine
    engine.remove("v1")


def ended(engine: Engine, spec: VisitSpec):
    engine.prepare(spec)
    engine.start(spec.visit_id)
    while (state := engine.look(spec.visit_id)).phase is Phase.RUNNING:
        pass
    return state


def test_counts_run_as_in_a_container(engine, tmp_path):
    pq.write_table(pa.table({"region": ["a", "a", "b"]}), tmp_path / "records.parquet")
    dimension = {"variable": "region", "codes": ["a", "b"]}
    table = {
        "id": "t",
        "kind": "count",
        "unit": "registration",
        "input": "records",
        "dimensions": [dimension],
    }
    variables = [{"name": "region", "kind": "coded", "codes": ["a", "b"]}]
    inputs = [{"name": "records", "path": "/fairnode/in/records.parquet", "variables": variables}]
    asked = {"study": "s", "visit": "v1", "parameters": {}, "inputs": inputs, "contract": {"tables": [table]}}
    spec = spec_of(COUNTS, {"records.parquet": tmp_path / "records.parquet"}, json.dumps(asked).encode())
    assert ended(engine, spec).exit_code == 0
    (written,) = json.loads(engine.collect("v1"))["tables"]
    assert [cell["n"] for cell in written["cells"]] == [2, 1]


def test_a_failure_leaves_nothing_to_collect(engine):
    assert ended(engine, spec_of(("python3", "-c", "raise SystemExit(3)"))).exit_code == 3
    with pytest.raises(NotCollected) as caught:
        engine.collect("v1")
    assert caught.value.reason is Reason.FAILED


def test_kill_and_remove_may_be_repeated(engine):
    engine.prepare(spec_of(("python3", "-c", "import time; time.sleep(60)")))
    engine.start("v1")
    engine.start("v1")
    assert [trace.visit_id for trace in engine.list_visits()] == ["v1"]
    for _ in range(2):
        engine.kill("v1")
    assert engine.look("v1").exit_code == 137
    for _ in range(2):
        engine.remove("v1")
    assert engine.look("v1").phase is Phase.ABSENT
    with pytest.raises(errors.NotFound):
        engine.start("v1")


def test_another_image_than_approved_is_refused(engine):
    spec = spec_of(COUNTS)
    with pytest.raises(errors.NotAllowed):
        engine.prepare(VisitSpec(**{**vars(spec), "identity": "sha256:2"}))


def test_it_refuses_to_be_used_outside_a_test():
    code = (
        "from pathlib import Path; from tests.engine.process import ProcessEngine; ProcessEngine(Path(), {})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "for tests only" in done.stderr
