"""What an algorithm of another platform is told, what it finds in place of a server, and what is taken of its answer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairnode.algorithms.manifest import read_manifest
from fairnode.jobs.as_csv import run
from fairnode.visits.launching import LAUNCHER_FILE, STAND_IN
from tests.factories import DATASET, ROOT

LAUNCHER = ROOT / "algorithms/launcher"
READS = """
import csv, json, os
told = json.load(open(os.environ["RUN_CONTEXT_FILE"]))
assert "INPUT_FILE" not in os.environ
rows = list(csv.DictReader(open(told["inputs"][0]["uri"])))
answer = {told["entrypoint"]["name"]: [len(rows), told["arguments"]["named"]["times"]]}
json.dump(answer, open(told["outputs"][0]["uri"], "w"))
"""


def launched(
    folder: Path, command: list[str], codes: tuple[str, ...] = ("0", "1"), **launcher
) -> subprocess.CompletedProcess[str]:
    """The launcher on files of its own, outside any container."""
    for name in ("in", "out", "tmp"):
        (folder / name).mkdir()
    (folder / "in/records.csv").write_text("age\n12\n40\n\n")
    asked = {"protocol": "run-context", "method": "sizes", "arguments": ["times"], "tables": {"t": ["sizes"]}}
    table = {"id": "t", "kind": "other", "dimensions": [{"variable": "which", "codes": codes}]}
    run = {
        "parameters": {"times": 3, "unit": "person"},
        "contract": {"tables": [table]},
        "launcher": {**asked, "command": command, **launcher},
    }
    (folder / "run.json").write_text(json.dumps(run))
    environment = {**os.environ, "FAIRNODE_ROOT": str(folder), "TMPDIR": str(folder / "tmp")}
    for name in (LAUNCHER_FILE, STAND_IN):
        shutil.copy(LAUNCHER / name, folder / "in")
    program = [sys.executable, folder / "in" / LAUNCHER_FILE]
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


def answered(
    folder: Path, answer: str, codes: tuple[str, ...], **launcher
) -> subprocess.CompletedProcess[str]:
    """The launcher with an algorithm that answers just this JSON."""
    program = READS.rpartition("json.dump")[0] + f'open(told["outputs"][0]["uri"], "w").write({answer!r})'
    return launched(folder, [sys.executable, "-c", program], codes, **launcher)


def cells(folder: Path) -> list[float]:
    (table,) = json.loads((folder / "out/result").read_text())["tables"]
    return [cell["v"] for cell in table["cells"]]


@pytest.mark.parametrize(
    ("answer", "way", "codes", "numbers"),
    [
        ('{"sum": 3, "count": 2}', [], ("sum", "count"), [3, 2]),
        ('{"numeric": {"age": {"sum": 3, "count": 2}}}', ["numeric", "age"], ("count", "sum"), [2, 3]),
        ('"{\\"n\\": {\\"0\\": 5, \\"1\\": 7}}"', ["n"], ("1", "0"), [7, 5]),
        ('[{"sex": "F", "n": 5}, {"sex": "M", "n": 7}]', ["sex={0}", "n"], ("M", "F"), [7, 5]),
        ('[{"year": 2020, "n": 5}, {"year": 2021, "n": 7}]', ["year={0}", "n"], ("2020", "2021"), [5, 7]),
        ("[[1, 2], [3, 4]]", ["1"], ("0", "1"), [3, 4]),
        ('{"n": "12.5"}', [], ("n",), [12.5]),
    ],
)
def test_numbers_are_found_where_the_manifest_says(tmp_path, answer, way, codes, numbers):
    done = answered(tmp_path, answer, codes, tables={"t": way})
    assert done.returncode == 0, done.stderr
    assert cells(tmp_path) == numbers


@pytest.mark.parametrize("answer", ['{"F": 5}', '{"F": 5, "M": null}', '{"F": 5, "M": NaN}'])
def test_what_is_not_in_the_answer_is_a_number_only_if_the_manifest_says_which(tmp_path, answer):
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    assert answered(tmp_path / "with", answer, ("F", "M"), tables={"t": []}, absent=0.0).returncode == 0
    assert cells(tmp_path / "with") == [5, 0]
    done = answered(tmp_path / "without", answer, ("F", "M"), tables={"t": []})
    assert "the answer has no number at M" in done.stderr
    assert not (tmp_path / "without/out/result").exists()


def test_it_starts_in_the_folder_and_with_the_variables_that_the_manifest_names(tmp_path):
    program = READS + 'answer = {"sizes": [len(os.getcwd()), int(os.environ["LEAST_ROWS"])]}\n'
    program += 'json.dump(answer, open(told["outputs"][0]["uri"], "w"))'
    command = [sys.executable, "-c", program]
    done = launched(tmp_path, command, directory=str(tmp_path), environment={"LEAST_ROWS": "20"})
    assert done.returncode == 0, done.stderr
    assert cells(tmp_path) == [len(str(tmp_path)), 20]


ASKS = """
import base64, json, os, urllib.error, urllib.request
def plain(name):
    return base64.b32decode(os.environ[name].replace("!", "=")).decode()
def ask(path, body=None):
    url = plain("HOST") + ":" + plain("PORT") + plain("API_PATH") + path
    try:
        with urllib.request.urlopen(url, body and json.dumps(body).encode(), 20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
def task(given, *organizations):
    coded = base64.b64encode(json.dumps(given).encode()).decode()
    return ask("/task", {"organizations": [{"id": o, "input": coded} for o in organizations]})
given = json.load(open(plain("INPUT_FILE")))
"""
CENTRAL = """
if given["method"] == "partial":
    assert not given["kwargs"].get("fails"), "it was told to fail"
    answer = {"rows": len(open(plain("DEFAULT_DATABASE_URI")).readlines()), "two": given["kwargs"]["two"]}
else:
    status, page = ask("/organization?collaboration_id=1&page=1")
    ids = [each["id"] for each in page["data"]]
    status, made = task({"method": "partial", "kwargs": {"two": 2}}, *ids)
    state = ask("/task/%d/status" % made["id"])[1]["status"]
    status, page = ask("/result?task_id=%d&page=1" % made["id"])
    part = json.loads(base64.b64decode(page["data"][0]["result"]))
    failed = task({"method": "partial", "kwargs": {"fails": True}}, 1)[1]
    states = {"completed": 0, "crashed": 1}
    answer = {
        "organizations": len(ids), "state": states[state], **part,
        "failed": states[ask("/task/%d" % failed["id"])[1]["status"]],
        "elsewhere": task({"method": "partial", "kwargs": {}}, 1, 2)[0],
        "unknown": ask("/algorithm")[0],
        "other": task({"method": "partial", "kwargs": {}}, 7)[0],
    }
json.dump(answer, open(plain("OUTPUT_FILE"), "w"))
"""
FOUND = {
    "organizations": 1, "rows": 4, "two": 2, "state": 0, "failed": 1, "elsewhere": 403, "other": 403, "unknown": 404,
}  # fmt: skip


def test_a_central_function_finds_one_organisation_and_its_tasks_run_here(tmp_path):
    command = [sys.executable, "-c", ASKS + CENTRAL]
    done = launched(
        tmp_path, command, tuple(FOUND), protocol="vantage6-4", method="central", tables={"t": []}
    )
    assert done.returncode == 0, done.stderr
    assert dict(zip(FOUND, cells(tmp_path), strict=True)) == FOUND
    assert "the only one here" in done.stderr


REACHES = """
import json, os, socket
for port in (80, 443, 8081):
    for connect in (lambda: socket.create_connection(("127.0.0.1", port), 5),
                    lambda: socket.socket(socket.AF_INET6).connect(("::1", port))):
        try:
            connect()
        except OSError as error:
            assert "no network" in str(error), error
        else:
            raise SystemExit("reached " + str(port))
a, b = socket.socketpair()
a.send(b"as ever")
assert b.recv(7) == b"as ever"
told = json.load(open(os.environ["RUN_CONTEXT_FILE"]))
json.dump({"sizes": [1, 2]}, open(told["outputs"][0]["uri"], "w"))
"""


def test_nothing_else_is_reached_and_pairs_of_sockets_work_as_ever(tmp_path):
    done = launched(tmp_path, [sys.executable, "-c", REACHES])
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def small(new_site, tmp_path_factory):
    """A node, and the archive of an image that speaks as those of vantage6 do."""
    site, folder = new_site(), tmp_path_factory.mktemp("small")
    tag = f"fairnode-test/small:{uuid4().hex[:12]}"
    build = ["docker", "build", "-q", "--network=none", "-t", tag, str(Path(__file__).parent / "small")]
    subprocess.run(build, check=True, capture_output=True)
    try:
        with (folder / "image.tar").open("wb") as file:
            subprocess.run(["docker", "save", tag], check=True, stdout=file)
    finally:
        subprocess.run(["docker", "rmi", tag], check=False, capture_output=True)
    return site, folder


@pytest.mark.needs_docker
def test_an_image_is_adopted_from_its_archive_and_its_central_function_tried_in_the_sandbox(small):
    site, folder = small
    told = site.json(
        "algorithm", "adopt", str(folder / "image.tar"), "--method", "central_average", "--number", "average",
        "--argument", "column_name", "--variable", "ageInYears", "--out", str(folder / "adopted"),
    )  # fmt: skip
    manifest = read_manifest((folder / "adopted/algorithm.toml").read_bytes())
    assert manifest.identity == told["identity"]
    assert manifest.name == "v6-small-py-central-average"
    assert manifest.launcher is not None
    assert (manifest.launcher.protocol, manifest.launcher.directory) == ("vantage6-4", "/app/odd")
    command = ("algorithm", "try", str(folder / "adopted"), "--dataset", DATASET, "--json", "--parameters")
    trial = json.loads(site.cli(*command, '{"column_name": "ageInYears"}', ok=False).stdout)
    assert trial["passes"], trial["log"]
    assert 20 < trial["tables"]["tables"][0]["cells"][0]["v"] < 100  # twins are even over all ages


@pytest.mark.needs_docker
def test_an_archive_that_cannot_be_adopted_is_told_why(small, built_counts, tmp_path):
    site, _ = small
    given = ("--method", "tables", "--number", "n", "--out", str(tmp_path / "adopted"))
    done = site.cli("algorithm", "adopt", str(built_counts / "image.tar"), *given, ok=False)
    assert done.returncode == 2
    assert "neither ENTRYPOINT nor CMD" in done.stderr or "no package by which" in done.stderr
    assert not (tmp_path / "adopted").exists()


@pytest.mark.parametrize("columns", [{"age": [12, None, 40]}, {"codes": [["a", "b"], [], None]}])
def test_rows_in_which_nothing_is_recorded_are_lines_too(tmp_path, columns):
    pq.write_table(pa.table(columns), tmp_path / "view.parquet")
    run({"view": str(tmp_path / "view.parquet"), "output": str(tmp_path / "view.csv")})
    lines = (tmp_path / "view.csv").read_text().splitlines()
    assert len(lines) == 4
    assert all(lines)
