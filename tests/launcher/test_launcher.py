"""Images of vantage6 4 visit data unchanged, and those that read a run_context.json."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fairnode.cli.building import build_folder
from tests.factories import DATASET, ROOT

HERE = Path(__file__).parent
READS = """
import csv, json, os
told = json.load(open(os.environ["RUN_CONTEXT_FILE"]))
assert "INPUT_FILE" not in os.environ
rows = list(csv.DictReader(open(told["inputs"][0]["uri"])))
answer = {told["entrypoint"]["name"]: [len(rows), told["arguments"]["named"]["times"]]}
json.dump(answer, open(told["outputs"][0]["uri"], "w"))
"""


def launched(folder: Path, command: list[str], **launcher) -> subprocess.CompletedProcess[str]:
    """The launcher on files of its own, outside any container."""
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    (folder / "in/records.csv").write_text("age\n12\n40\n\n")
    asked = {"protocol": "run-context", "method": "sizes", "arguments": ["times"], "tables": {"t": ["sizes"]}}
    table = {"id": "t", "kind": "other", "dimensions": [{"variable": "which", "codes": ["0", "1"]}]}
    run = {
        "parameters": {"times": 3, "unit": "person"},
        "contract": {"tables": [table]},
        "launcher": {**asked, "command": command, **launcher},
    }
    (folder / "run.json").write_text(json.dumps(run))
    environment = {**os.environ, "FAIRNODE_ROOT": str(folder), "TMPDIR": str(folder)}
    program = [sys.executable, ROOT / "algorithms/launcher/launch.py"]
    return subprocess.run(program, env=environment, capture_output=True, text=True, check=False)


def test_an_algorithm_that_reads_a_run_context_is_told_everything_by_it(tmp_path):
    done = launched(tmp_path, [sys.executable, "-c", READS])
    assert done.returncode == 0, done.stderr
    (table,) = json.loads((tmp_path / "out/result").read_text())["tables"]
    assert table["cells"] == [{"k": ["0"], "v": 2.0}, {"k": ["1"], "v": 3.0}]


def test_an_algorithm_that_fails_leaves_no_result(tmp_path):
    done = launched(tmp_path, [sys.executable, "-c", "raise SystemExit(3)"])
    assert done.returncode != 0
    assert not (tmp_path / "out/result").exists()


def test_an_answer_without_the_agreed_number_is_no_result(tmp_path):
    write = READS.replace('told["entrypoint"]["name"]', '"elsewhere"')
    assert launched(tmp_path, [sys.executable, "-c", write]).returncode != 0
    assert not (tmp_path / "out/result").exists()


@pytest.fixture(scope="module")
def average(new_site, tmp_path_factory):
    """A node, and a function wrapped by the published package of vantage6 in an image."""
    built = tmp_path_factory.mktemp("v6")
    build_folder(HERE / "average", built)
    return new_site(), built


def tried(average, column: str):
    site, folder = average
    parameters = json.dumps({"column_name": column})
    return site.cli(
        "algorithm", "try", str(folder), "--dataset", DATASET, "--parameters", parameters, "--json", ok=False
    )


@pytest.mark.long
@pytest.mark.needs_docker
def test_a_function_wrapped_by_vantage6_visits_in_the_sandbox(average):
    done = tried(average, "ageInYears")
    assert done.returncode == 0, done.stdout + done.stderr
    trial = json.loads(done.stdout)
    cells = {c["k"][0]: c.get("v") for c in trial["tables"]["tables"][0]["cells"]}
    assert cells["tasks"] == 1
    assert 4000 < cells["count"] <= trial["rows"]
    assert 10 < cells["sum"] / cells["count"] < 50
    assert "database default of" in trial["log"]  # pandas leaves out lines where nothing is recorded
    assert any("reviews" in note for note in trial["notes"])


@pytest.mark.long
@pytest.mark.needs_docker
def test_its_own_error_is_told_to_its_author_only(average):
    done = tried(average, "no such column")
    assert done.returncode == 7
    trial = json.loads(done.stdout)
    assert trial["refusal"] == "failed"
    assert "no such column" in trial["log"]
