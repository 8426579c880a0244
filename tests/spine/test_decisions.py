"""What people can do with a study and a visit, each through the command line, and what they cannot."""

from __future__ import annotations

import json

import pytest

from tests.spine.telling import approve, content_hash, send_study, write_study

pytestmark = pytest.mark.needs_docker


@pytest.fixture
def asked(site):
    """A node whose custodian and counsel find one visit in the inbox; the worker runs."""
    site.start("work")
    site.study = send_study(site, write_study(site))
    site.visit = site.wait_for_visit("waiting").id
    return site


def line(site) -> dict[str, str]:
    (told,) = site.json("study", "follow", site.study, "--wait", "180")
    return told


def test_a_refusal_reaches_the_researcher_with_its_sentence(asked) -> None:
    (waiting,) = asked.json("inbox", "list")
    assert waiting["waits for"] == "custodian, counsel"
    asked.cli("inbox", "refuse", asked.visit, "--role", "counsel", "--because", "Not our task.", user="lars")
    assert line(asked) | {"dataset": ""} == {
        "dataset": "", "stage": "count", "state": "not released", "sentence": "Not our task."
    }  # fmt: skip
    assert asked.json("inbox", "list") == []
    done = asked.cli(
        "inbox", "refuse", asked.visit, "--role", "custodian", "--because", "No.", user="carla", ok=False
    )
    assert (done.returncode, "cannot become" in done.stderr) == (5, True)


def test_a_refusal_needs_a_sentence(asked) -> None:
    before = asked.counts()
    done = asked.cli(
        "inbox", "refuse", asked.visit, "--role", "counsel", "--because", " ", user="lars", ok=False
    )
    assert done.returncode == 2
    assert "Say why" in done.stderr
    assert asked.counts() == before


def test_what_is_asked_back_reaches_the_researcher_who_amends_the_study(asked) -> None:
    ask = ("inbox", "ask", asked.visit, "--role", "custodian", "--question", "Which years do you mean?")
    asked.cli(*ask, user="carla")
    assert asked.wait_for_line("Which years do you mean?").state == "waiting"
    sign = (
        "inbox",
        "approve",
        asked.visit,
        "--role",
        "counsel",
        "--content",
        content_hash(asked, asked.visit),
    )
    assert asked.cli(*sign, user="lars", ok=False).returncode == 5
    better = write_study(asked, "better.json", filter=[{"variable": "year", "in": ["2012", "2013"]}])
    told = asked.json("study", "amend", asked.study, str(better), user="rosa")
    assert asked.wait_for_visit("cancelled", study=asked.study).sentence == "The study was amended."
    assert asked.wait_for_visit("waiting", study=told["study"])


def test_an_approval_taken_back_before_the_start_stops_the_visit_until_it_is_given_again(site) -> None:
    worker = site.start("work")
    study = send_study(site, write_study(site))
    visit = site.wait_for_visit("waiting").id
    site.stop(worker)
    assert approve(site, visit) == "approved"
    revoke = ("inbox", "revoke", visit, "--role", "counsel", "--because", "New advice.")
    assert site.json(*revoke, user="lars")["state"] == "waiting"
    site.start("work")
    assert approve(site, visit, "counsel") == "approved"
    site.wait_for_visit("released")
    assert len(site.json("study", "follow", study, "--wait", "180")) == 1
    assert site.json("ledger", "verify")["sound"]


def test_a_cancelled_study_stops_its_visits(asked) -> None:
    asked.cli("study", "cancel", asked.study, "--because", "Wrong years.", user="rosa")
    found = asked.wait_for_visit("cancelled")
    assert found.sentence == "Wrong years."
    assert asked.json("inbox", "list") == []
    assert asked.json("study", "list", user="rosa")[0]["state"] == "cancelled"
    again = asked.cli("study", "cancel", asked.study, "--because", "Again.", user="rosa", ok=False)
    assert again.returncode == 5


def test_nobody_but_its_requester_cancels_a_study(asked) -> None:
    before = asked.counts()
    done = asked.cli("study", "cancel", asked.study, "--because", "Mine.", user="arjen", ok=False)
    assert done.returncode == 4
    assert asked.counts() == before


def test_an_amended_study_has_another_hash_and_is_asked_anew(asked) -> None:
    assert approve(asked, asked.visit, "custodian") == "waiting"
    path = asked.directory / "study.json"
    better = asked.directory / "better.json"
    document = json.loads(path.read_text())
    better.write_text(
        json.dumps({**document, "dimensions": ["year"], "parameters": {"dimensions": ["year"]}})
    )
    told = asked.json("study", "amend", asked.study, str(better), user="rosa")
    assert told["follows"] == asked.study
    asked.wait_for_visit("cancelled", study=asked.study)
    new = asked.wait_for_visit("waiting", study=told["study"])
    assert new.id != asked.visit
    (waiting,) = asked.json("inbox", "list")
    assert (waiting["visit"], waiting["waits for"]) == (new.id, "custodian, counsel")


def test_one_person_cannot_sign_for_both_roles_nor_twice(asked) -> None:
    content = content_hash(asked, asked.visit)
    told = ("inbox", "approve", asked.visit, "--content", content, "--role")
    assert asked.cli(*told, "counsel", user="carla", ok=False).returncode == 4
    assert asked.cli(*told, "custodian", user="rosa", ok=False).returncode == 4
    asked.cli(*told, "custodian", user="carla")
    assert asked.cli(*told, "custodian", user="carla", ok=False).returncode == 5


def test_without_a_token_nobody_decides(asked) -> None:
    done = asked.cli("inbox", "approve", asked.visit, "--role", "custodian", "--content", "x", ok=False)
    assert done.returncode == 4
    assert "Say who you are" in done.stderr
    asked.token_file("carla").chmod(0o644)
    done = asked.cli(
        "inbox", "approve", asked.visit, "--role", "custodian", "--content", "x", user="carla", ok=False
    )
    assert "can be read by others" in done.stderr
