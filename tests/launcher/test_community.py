"""Images as the vantage6 community makes them visit data unchanged, with the first tools of version 4 and the latest.

Their Dockerfile is of the community's template: shell form, ARG, LABEL, EXPOSE, WORKDIR, no USER. The image is handed
in as `docker save` wrote it.
"""

from __future__ import annotations

import csv
import io
import json
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from fairnode.records.rows import Algorithm
from tests.factories import DATASET
from tests.spine.telling import approve, send_study

HERE = Path(__file__).parent / "community"
FIRST, LATEST = "4.0.0", "4.15.2"
# The first versions want the package's name as an argument, which a shell fills in from the environment.
CALLS = {FIRST: "wrap_algorithm('${PKG_NAME}')", LATEST: "wrap_algorithm()"}
AGE = '{"column_name": "ageInYears"}'

pytestmark = [pytest.mark.long, pytest.mark.needs_docker, pytest.mark.timeout(900)]


def packages(version: str, folder: Path) -> None:
    """What pip installs with the tools of a version, for the Python of the base image."""
    machine = platform.machine()
    lists = [HERE / f"tools-{LATEST}.txt", *([HERE / f"tools-{version}.txt"] if version != LATEST else [])]
    for pinned in lists:
        command = [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
            "--no-deps", "--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--upgrade",
            *(f"--platform={kind}_{machine}" for kind in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")),
            f"--target={folder}", f"--requirement={pinned}",
        ]  # fmt: skip
        subprocess.run(command, check=True)
    shutil.rmtree(folder / "bin", ignore_errors=True)


def docker_build(context: Path, tag: str, **arguments: str) -> None:
    given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    subprocess.run(["docker", "build", "-q", "--network=none", *given, "-t", tag, str(context)], check=True)


@pytest.fixture(scope="module", params=[FIRST, LATEST])
def archive(request, tmp_path_factory, built_counts):
    """The archive of an image with the tools of one version."""
    version, folder = request.param, tmp_path_factory.mktemp("community")
    tags = [f"fairnode-test/{what}:{uuid4().hex[:12]}" for what in ("tools", "community")]
    (folder / "tools").mkdir()
    packages(version, folder / "tools/packages")
    shutil.copy(HERE / "base.Dockerfile", folder / "tools/Dockerfile")
    shutil.copytree(HERE, folder / "image", ignore=shutil.ignore_patterns("tools-*", "base.*", "__pycache__"))
    recipe = folder / "image/Dockerfile"
    recipe.write_text(recipe.read_text().replace(CALLS[LATEST], CALLS[version]))
    try:
        docker_build(folder / "tools", tags[0])
        docker_build(folder / "image", tags[1], TOOLS=tags[0])
        with (folder / "image.tar").open("wb") as file:
            subprocess.run(["docker", "save", tags[1]], check=True, stdout=file)
        yield folder / "image.tar"
    finally:
        subprocess.run(["docker", "rmi", *reversed(tags)], check=False, capture_output=True)


@pytest.fixture(scope="module")
def station(new_site):
    return new_site()


@pytest.fixture
def tried(station, archive, tmp_path):
    """Adopt a method of the image and try it on the police's twin; the report."""

    def go(method: str, variables: tuple[str, ...], numbers: tuple[str, ...], **told: str) -> dict:
        folder = tmp_path / "adopted"
        given = [f"--variable={name}" for name in variables] + [f"--number={name}" for name in numbers]
        parameters = told.pop("parameters", AGE)
        given += [f"--argument={name}" for name in json.loads(parameters)]
        station.cli("algorithm", "adopt", str(archive), "--method", method, *given, "--out", str(folder))
        manifest = folder / "algorithm.toml"
        for old, new in told.items():
            assert old in manifest.read_text()
            manifest.write_text(manifest.read_text().replace(old, new, 1))
        command = ("algorithm", "try", str(folder), "--dataset", DATASET, "--parameters", parameters)
        done = station.cli(*command, "--json", ok=False)
        return json.loads(done.stdout)

    return go


def cells(trial: dict) -> dict[str, float]:
    assert trial["passes"], (trial["sentence"], trial["log"])
    return {cell["k"][0]: cell["v"] for cell in trial["tables"]["tables"][0]["cells"]}


def test_a_partial_function_and_its_central_one_agree(tried, tmp_path):
    part = cells(tried("partial_average", ("ageInYears",), ("sum", "count")))
    shutil.rmtree(tmp_path / "adopted")
    whole = tried("central_average", ("ageInYears",), ("average",))
    assert 4000 < part["count"] <= 5000
    assert cells(whole)["average"] == pytest.approx(part["sum"] / part["count"], rel=0.01)
    assert "asking organisations [1]" in whole["log"]


def test_a_task_for_another_organisation_is_refused_with_the_reason_and_at_once(tried):
    trial = tried("elsewhere", ("ageInYears",), ("sum",))
    assert trial["refusal"] == "failed"
    assert "the only one here" in trial["log"]
    assert trial["use"]["seconds"] < 100


def test_nested_answers_and_settings_of_a_node_are_the_manifests(tried):
    told = tried(
        "partial_summary",
        ("ageInYears", "sex"),
        ("count", "missing", "sum", "squares"),
        parameters='{"columns": ["ageInYears", "sex"], "is_numeric": [true, false]}',
        **{"[[inputs]]": '[launcher.tables]\nanswer = ["numeric", "ageInYears"]\n\n[launcher.environment]\n'
           'SUMMARY_MINIMUM_NUM_ROWS = "20"\n\n[[inputs]]'},
    )  # fmt: skip
    found = cells(told)
    assert found["count"] + found["missing"] == pytest.approx(5000, rel=0.01)
    assert "at least 20 rows" in told["log"]


def test_a_setting_of_the_node_can_stop_it(tried):
    least = '[launcher.environment]\nSUMMARY_MINIMUM_NUM_ROWS = "6000"\n\n[[inputs]]'
    parameters = '{"columns": ["ageInYears"], "is_numeric": [true]}'
    trial = tried("partial_summary", ("ageInYears",), ("x",), parameters=parameters, **{"[[inputs]]": least})
    assert trial["refusal"] == "failed"
    assert "fewer than 6000 rows" in trial["log"]


def test_records_of_a_frame_are_found_by_a_field_and_what_is_left_out_has_a_meaning(tried):
    way = '[launcher.tables]\nanswer = ["region={0}", "female"]\n\n[[inputs]]'
    found = cells(
        tried(
            "partial_crosstab",
            ("sex", "region"),
            ("NL-AM", "NL-DH", "nowhere"),
            parameters='{"results_col": "sex", "group_cols": ["region"]}',
            **{"[[inputs]]": way, "directory =": "absent = 0\ndirectory ="},
        )
    )
    assert found["NL-AM"] >= 5  # what is smaller its own rule leaves out
    assert found["nowhere"] == 0


def test_a_life_table_comes_as_a_frame_in_json(tried):
    told = {"time_column_name": "daysToReferral", "censor_column_name": "referred"}
    told["unique_event_times"] = [0, 30, 90]
    way = '[launcher.tables]\nanswer = ["at_risk"]\n\n[[inputs]]'
    variables = ("daysToReferral", "referred")
    found = cells(
        tried(
            "km_event_table", variables, ("0", "1", "2"), parameters=json.dumps(told), **{"[[inputs]]": way}
        )
    )
    assert found["0"] >= found["1"] >= found["2"] > 0


def test_rounds_of_a_regression_run_within_the_container(tried):
    told = {"feature": "ageInYears", "outcome": "sex", "positive": "female"}
    way = '[launcher.tables]\nanswer = ["beta"]\n\n[[inputs]]'
    trial = tried(
        "logistic",
        ("ageInYears", "sex"),
        ("intercept", "slope"),
        parameters=json.dumps(told),
        **{"[[inputs]]": way},
    )
    assert set(cells(trial)) == {"intercept", "slope"}
    assert "round 5" in trial["log"]


def test_the_run_is_told_of_itself(tried, archive):
    trial = tried("about", ("ageInYears",), ("task", "rows"), parameters="{}")
    if trial["refusal"]:  # the first tools have no such decorator
        assert "NoneType" in trial["log"]
    else:
        assert cells(trial) == {"task": 1, "rows": 5000}


def test_it_goes_the_whole_way_from_its_archive_to_a_reviewed_release(station, archive, tmp_path):
    """Two functions of one image, each with a manifest; the second run finds what the first one found."""
    kept = {method: handed_in(station, archive, method, tmp_path) for method in ("partial_average", "about")}
    assert len({told["identity"] for told in kept.values()}) == 1
    worker = station.start("work")
    until = time.monotonic() + 120
    while not known(station, kept["partial_average"]["id"]) and time.monotonic() < until:
        time.sleep(0.5)
    path = tmp_path / "age.json"
    station.cli(
        "study", "new", str(path), "--title", "Mean age", "--question", "How old are they on average, in years?",
        "--algorithm", "v6-community-partial-average", "--dataset", DATASET, "--parameters", AGE, user="rosa",
    )  # fmt: skip
    study = send_study(station, path)
    visit = station.wait_for_visit("waiting", study=study).id
    approve(station, visit)
    station.wait_for_visit("reviewing", study=study, seconds=400.0)
    seen = json.loads(station.cli("review", "show", visit[:8], user="carla").stdout)
    assert seen["rerun"]["outcome"] == "same"
    assert seen["own"] == ["quantity"]
    for user, role in (("carla", "custodian"), ("lars", "counsel")):
        result = ("--role", role, "--result", seen["result"])
        station.cli("review", "approve", visit[:8], *result, user=user)
    station.wait_for_visit("released", study=study, seconds=60.0)
    station.cli("study", "follow", study, "--wait", "60")
    station.stop(worker)
    rows = station.cli("study", "result", study).stdout
    found = {row["quantity"]: float(row["v"]) for row in csv.DictReader(io.StringIO(rows))}
    assert 15 < found["sum"] / found["count"] < 40


def handed_in(station, archive: Path, method: str, folder: Path) -> dict:
    """Adopt a function of the image and submit it; what is known of it then."""
    target = folder / method
    station.cli(
        "algorithm", "adopt", str(archive), "--method", method, "--argument", "column_name",
        "--variable", "ageInYears", "--number", "sum", "--number", "count", "--out", str(target),
    )  # fmt: skip
    files = (str(target / "algorithm.toml"), str(target / "image.tar"))
    kept = station.json("algorithm", "submit", *files, user="arjen")
    assert kept["identity"] in (target / "algorithm.toml").read_text()
    return kept


def known(station, key: str) -> bool:
    with station.open() as node, node.store.read() as reader:
        return reader.get(Algorithm, key).state == "known"
