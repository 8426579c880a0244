"""`fairnode algorithm try` on a real engine: every way in which an author goes wrong is explained."""

from __future__ import annotations

import json
import shutil

import pytest

from fairnode.cli.building import build_folder
from tests.factories import DATASET

pytestmark = pytest.mark.needs_docker

ODD = '''"""Counts, or does something else that the study asks for."""

import sys
import time

import counted
from fairnode_kit import main
from fairnode_kit.run import ROOT


def odd(run):
    how = run.parameters["how"]
    print("this time:", how)
    if how == "slow":
        time.sleep(60)
    if how == "asks":
        import socket

        try:
            socket.socket()
        except OSError as error:
            print("denied:", error)
    if how == "fails":
        sys.exit("no such column: colour")
    cells = counted.counts(run)
    if how == "lies":
        table = cells["counts"]
        table[next(iter(table))] += 3
    return cells


if __name__ == "__main__":
    main(odd)
    if "nonsense" in (ROOT / "run.json").read_text(encoding="utf-8"):
        (ROOT / "out" / "result").write_text("forty-two", encoding="utf-8")
'''


@pytest.fixture(scope="module")
def odd(new_site, tmp_path_factory):
    """An algorithm that errs as told, made from the template as an author would, built once."""
    site = new_site()
    folder = tmp_path_factory.mktemp("authors") / "odd"
    site.cli("algorithm", "new", "odd", "--out", str(folder))
    (folder / "algorithm.py").rename(folder / "counted.py")
    (folder / "algorithm.py").write_text(ODD)
    copy = "COPY source/algorithm.py "
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace(copy, f"{copy}source/counted.py "))
    manifest = folder / "algorithm.toml"
    text = manifest.read_text()
    how = '[parameters.properties.how]\nenum = ["well", "lies", "nonsense", "fails", "slow", "asks"]\n\n[[outputs]]'
    manifest.write_text(text.replace("[[outputs]]", how, 1))
    built = folder.parent / "built"
    build_folder(folder, built)
    return site, built


def tried(odd, how: str, *, code: int):
    site, folder = odd
    options = ["--dataset", DATASET, "--dimension", "region", "--dimension", "year"]
    done = site.cli(
        "algorithm",
        "try",
        str(folder),
        *options,
        "--parameters",
        json.dumps({"how": how}),
        "--json",
        ok=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert site.plaintext() == []
    return json.loads(done.stdout)


def test_an_honest_algorithm_passes_and_every_hidden_cell_has_its_sentence(odd):
    trial = tried(odd, "well", code=0)
    assert trial["passes"]
    assert trial["shown"] > 20
    assert trial["hidden"]
    assert all("11" in cell["why"] or cell["rule"] != "threshold" for cell in trial["hidden"])
    assert trial["use"]["exit_code"] == 0
    assert 0 < trial["use"]["seconds"] < 120
    assert trial["shown"] + len(trial["hidden"]) == len(trial["tables"]["tables"][0]["cells"])
    assert "this time: well" in trial["log"]


def test_an_algorithm_that_lies_is_shown_the_cell(odd):
    trial = tried(odd, "lies", code=7)
    assert trial["refusal"] == "mismatch"
    (finding,) = trial["findings"]
    assert "the node counted" in finding


def test_nonsense_is_called_by_its_name(odd):
    assert tried(odd, "nonsense", code=7)["refusal"] == "not-json"


def test_a_program_that_fails_is_told_with_its_own_words(odd):
    trial = tried(odd, "fails", code=7)
    assert trial["refusal"] == "failed"
    assert "no such column: colour" in trial["log"]


def test_what_runs_too_long_is_ended_and_its_use_up_to_then_is_told(odd, tmp_path):
    site, built = odd
    hurried = tmp_path / "hurried"
    shutil.copytree(built, hurried)
    manifest = hurried / "algorithm.toml"
    assert "seconds = 120" in manifest.read_text()
    manifest.write_text(manifest.read_text().replace("seconds = 120", "seconds = 3"))
    trial = tried((site, hurried), "slow", code=7)
    assert trial["refusal"] in {"failed", "too-late"}
    assert trial["use"]["seconds"] < 60
    assert 0 < trial["use"]["cpu_seconds"] < 60
    assert 1 < trial["use"]["peak_mib"] <= trial["use"]["memory_mib_allowed"]


def test_the_system_calls_that_it_was_denied_are_named(odd):
    site, folder = odd
    told = site.json(
        "algorithm", "try", str(folder), "--dataset", DATASET, "--dimension", "region", "--calls",
        "--parameters", '{"how": "asks"}',
    )  # fmt: skip
    assert told["passes"]
    assert told["calls"] == ["socket"]
    assert "denied" in told["log"]


def test_a_filter_narrows_the_twin_and_the_tables(odd):
    site, folder = odd
    told = site.json(
        "algorithm", "try", str(folder), "--dataset", DATASET, "--dimension", "region",
        "--filter", "year=2012,2013", "--parameters", '{"how": "well"}',
    )  # fmt: skip
    whole = tried(odd, "well", code=0)
    assert 0 < told["rows"] < whole["rows"]


def test_what_does_not_fit_is_a_sentence_and_not_a_run(odd):
    site, folder = odd
    done = site.cli("algorithm", "try", str(folder), "--dataset", DATASET, "--dimension", "colour", ok=False)
    assert done.returncode != 0
    assert "colour" in done.stderr
    unknown = site.cli("algorithm", "try", "nobody", "--dataset", DATASET, ok=False)
    assert unknown.returncode == 3


def test_a_known_algorithm_is_tried_by_its_name_and_told_in_words(odd):
    site, _ = odd
    done = site.cli("algorithm", "try", "counts", "--dataset", DATASET, "--dimension", "region")
    assert "The gate would let it pass" in done.stdout
    assert "synthetic rows" in done.stdout


def test_a_new_algorithm_is_checked_built_and_tried_as_it_is(odd, tmp_path):
    site, _ = odd
    folder = tmp_path / "routes"
    site.cli("algorithm", "new", "routes", "--out", str(folder))
    assert site.json("algorithm", "check", str(folder))["name"] == "routes"
    built = tmp_path / "built"
    site.cli("algorithm", "build", str(folder), "--out", str(built))
    told = site.json("algorithm", "try", str(built), "--dataset", DATASET, "--dimension", "region")
    assert told["algorithm"] == "routes 0.1.0"
    assert told["passes"]


def test_a_new_algorithm_needs_a_name_and_a_place(odd, tmp_path):
    site, _ = odd
    assert site.cli("algorithm", "new", "No Name", "--out", str(tmp_path / "x"), ok=False).returncode == 2
    (tmp_path / "routes").mkdir()
    assert site.cli("algorithm", "new", "routes", "--out", str(tmp_path / "routes"), ok=False).returncode == 5
