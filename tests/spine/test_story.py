"""The whole story through the command line, on a real engine, checked against a count made outside."""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
from collections import Counter

import pytest

from examples.netherlands.codes import UNIT_NAME
from fairnode.demo.members import PEOPLE
from fairnode.disclosure.history import History
from fairnode.disclosure.judge import judge
from fairnode.disclosure.rules import load_rules
from fairnode.jobs.lp_audit import audit
from fairnode.records.result import Recount, RecountedCell, RecountedTable, Status
from fairnode.records.result_json import tables_from_json
from fairnode.records.rows import LedgerLine, Release

pytestmark = pytest.mark.needs_docker


@pytest.fixture(scope="session")
def truth(case_files) -> Counter:
    """The same count made outside: the csv module on the raw file."""
    regions = dict(UNIT_NAME)
    with (case_files / "police/slachtoffers.csv").open(encoding="windows-1252", newline="") as file:
        return Counter(
            (regions[row["eenheid"]], row["datum melding"][-4:])
            for row in csv.DictReader(file)
            if row["eenheid"] in regions
        )


@pytest.fixture(scope="session")
def table(story) -> dict[tuple[str, str], dict[str, str]]:
    """What `study result` prints, by cell."""
    printed = story.site.cli("study", "result", story.study[:12]).stdout
    return {(row["region"], row["year"]): row for row in csv.DictReader(io.StringIO(printed))}


def test_the_released_table_is_the_count_made_outside_rounded_to_five(table, truth) -> None:
    shown = {key: int(row["n"]) for key, row in table.items() if row["status"] == "shown"}
    assert len(shown) > 20
    assert shown == {key: 5 * math.floor(truth[key] / 5 + 0.5) for key in shown}


def test_every_count_below_eleven_is_hidden_zero_too(table, truth) -> None:
    assert all(table[key]["status"] == "hidden" and table[key]["n"] == "" for key in table if truth[key] < 11)
    assert set(truth) <= set(table)


def test_the_hidden_cells_are_exactly_those_that_the_rule_hides(story, table, truth) -> None:
    printed = json.loads(story.site.cli("study", "result", story.study, "--form", "json").stdout)
    spec = tables_from_json(printed)[0].spec
    cells = tuple(RecountedCell(key, truth[key], truth[key], truth[key]) for key in spec.keys())  # noqa: SIM118
    recount = Recount((RecountedTable(spec, cells),), universe=sum(truth.values()))
    verdict = judge(recount, load_rules(), History(), audit)
    expected = {cell.key for cell in verdict.tables[0].cells if cell.status is Status.HIDDEN}
    assert {key for key, row in table.items() if row["status"] == "hidden"} == expected


def test_the_researcher_follows_one_line_a_visit(story) -> None:
    (line,) = story.site.json("study", "follow", story.study)
    assert line["state"] == "released"
    (mine,) = story.site.json("study", "list", user="rosa")
    assert mine["state"] == "finished"


def test_the_result_comes_as_table_data_cube_and_chart(story) -> None:
    cube = story.site.cli("study", "result", story.study, "--form", "turtle").stdout
    assert "qb:Observation" in cube
    assert "prov:wasGeneratedBy" in cube
    assert "<svg" in story.site.cli("study", "result", story.study, "--form", "svg").stdout


def test_the_result_says_how_it_was_made_and_names_nobody(story, tmp_path) -> None:
    release = json.loads(story.site.cli("study", "result", story.study, "--form", "json").stdout)
    made = release["made"]
    assert {a["role"] for a in made["approvals"]} == {"custodian", "counsel"}
    assert made["algorithm"]["name"] == "counts"
    assert made["input"].startswith("hmac-sha256:")
    visit = story.site.visits()[0]
    assert visit.snapshot
    assert visit.snapshot not in json.dumps(release)
    said = story.site.cli(
        "study", "result", story.study, "--form", "crate", "--out", str(tmp_path / "out")
    ).stdout
    with zipfile.ZipFile(said.strip()) as archive:
        text = archive.read("ro-crate-metadata.json").decode()
    assert made["input"] in text
    assert not [name for name, _ in PEOPLE.values() if name in text]
    done = story.site.cli("study", "result", story.study, "--form", "crate", ok=False)
    assert done.returncode == 2
    assert "--out" in done.stderr


def test_nothing_is_left_of_the_visit(story) -> None:
    assert story.site.containers() == []
    assert story.site.plaintext() == []


def test_every_step_is_a_line_and_the_ledger_is_sound(story) -> None:
    with story.site.open() as node, node.store.read() as reader:
        kinds = [line.kind for line in reader.find(LedgerLine, {"study": story.study})]
        assert reader.count(Release, study=story.study) == 1
    wanted = "study.sent study.received visit.approved visit.preparing visit.running visit.quarantined"
    wanted += " visit.passed view.deleted visit.released release.received"
    positions = [kinds.index(kind) for kind in wanted.split()]
    assert positions[:7] == sorted(positions[:7])
    assert kinds.count("visit.released") == 1
    told = story.site.json("ledger", "verify")
    assert told["sound"]
    assert told["problems"] == []


def test_the_ledger_names_nobody(story) -> None:
    with story.site.open() as node, node.store.read() as reader:
        text = b"".join(line.body for line in reader.find(LedgerLine)).decode()
    assert not [name for name in ("carla", "Carla", "Bakker", "rosa", "Rosa", "Wit") if name in text]
