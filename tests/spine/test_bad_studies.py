"""Studies and approvals that cannot be: refused with a sentence, and the node is as it was before."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from fairnode import approvals, clock, errors
from fairnode.metadata.keep import change_dataset
from fairnode.people.accounts import add_person, person_of
from fairnode.people.signing import signer_with_password
from fairnode.people.tokens import make_token
from fairnode.records.rows import Approval, Dataset, Person, Visit
from fairnode.studies.send import draft, send
from tests.factories import PASSWORD, URL, copy_site
from tests.spine.telling import approve, content_hash, send_study, write_study

pytestmark = pytest.mark.needs_docker

UNKNOWN = {"name": "counts", "version": "1.0.0", "identity": "sha256:" + "0" * 64}
WRONG = {
    "a dataset that is not there": ({"datasets": [f"{URL}/dataset/none"]}, "is not published here"),
    "a dataset at a stranger's": ({"datasets": ["http://else.example/dataset/x"]}, "not in this network"),
    "an algorithm that is not known": ({"algorithm": UNKNOWN}, "known algorithm"),
    "a parameter out of schema": ({"parameters": {"dimensions": ["region"], "colour": "red"}}, "parameters"),
    "too many dimensions": (
        {"dimensions": (d := ["region", "year", "sex", "ageBroad"]), "parameters": {"dimensions": d}},
        "parameters",
    ),
    "a variable that the dataset has not": (
        {"dimensions": ["consent"], "parameters": {"dimensions": ["consent"]}}, "consent"),
    "a code that is not in the list": ({"filter": [{"variable": "region", "in": ["Atlantis"]}]}, "region"),
    "an unknown field": ({"colour": "red"}, "not part of a study"),
    "a wrong date": ({"expires": "soon"}, "expires"),
    "the end before the beginning": ({"expires": "2020-01-01T00:00:00Z"}, "expires"),
    "an input that is no earlier stage": (
        {"stages": [{"name": "c", "kind": "combine", "program": "sum", "inputs": ["count"]}]}, "earlier stage"),
}  # fmt: skip


@pytest.fixture(scope="module")
def desk(new_site):
    """A node at which nothing is ever accepted, so that one is enough."""
    site = new_site()
    write_study(site, "good.json")
    return site


@pytest.mark.parametrize("what", WRONG)
def test_a_study_that_cannot_be_is_not_sent(desk, what) -> None:
    changes, word = WRONG[what]
    with desk.open() as node, node.store.read() as reader:
        person = reader.one(Person, username="rosa")
        before = desk.counts()
        document = {**a_study(node, person), **changes}
        with pytest.raises(errors.NotValid) as refused:
            send(node, person, document)
    assert word in str(refused.value)
    assert desk.counts() == before


def a_study(node, person, **changes):
    """A document that could be sent."""
    good = json.loads((node.config.directory / "good.json").read_text())
    return {**good, "requester": {**good["requester"], "id": person.id, "name": person.name}, **changes}


def test_the_command_line_says_what_is_wrong_and_ends_with_two(desk) -> None:
    before = desk.counts()
    path = write_study(desk, "bad.json", datasets=[f"{URL}/dataset/none"])
    done = desk.cli("study", "send", str(path), user="rosa", ok=False)
    assert (done.returncode, f"{URL}/dataset/none is not published here" in done.stderr) == (2, True)
    (desk.directory / "no.json").write_text("{")
    done = desk.cli("study", "send", str(desk.directory / "no.json"), user="rosa", ok=False)
    assert (done.returncode, "is not JSON" in done.stderr) == (2, True)
    assert desk.counts() == before


def test_only_researchers_send_and_only_their_own(desk) -> None:
    before = desk.counts()
    path = str(desk.directory / "good.json")
    assert desk.cli("study", "send", path, user="carla", ok=False).returncode == 4
    assert desk.counts() == before


def test_an_approval_for_other_content_is_refused(site) -> None:
    site.start("work")
    send_study(site, write_study(site))
    visit = site.wait_for_visit("waiting").id
    before = site.counts()
    told = ("inbox", "approve", visit, "--role", "counsel", "--content", "0" * 64)
    done = site.cli(*told, user="lars", ok=False)
    assert (done.returncode, "no longer what you saw" in done.stderr) == (5, True)
    assert site.counts() == before


def test_what_changed_after_the_signatures_voids_them_and_nothing_runs(site) -> None:
    worker = site.start("work")
    send_study(site, write_study(site))
    visit = site.wait_for_visit("waiting").id
    site.stop(worker)
    assert approve(site, visit) == "approved"
    with site.open() as node:
        with node.store.read() as reader:
            record = reader.get(Dataset, "police-victims").record
        # the custodian forbids a purpose: the policy is another, so what was signed is another
        changed = record.replace(b" , dpv:ScientificResearch", b"")
        assert changed != record
        change_dataset(node, "police-victims", "p-0", turtle=changed)
    site.start("work")
    assert site.wait_for_visit("waiting").id == visit
    with site.open() as node, node.store.read() as reader:
        assert {a.state for a in reader.find(Approval, {"visit": visit})} == {"void"}
    assert site.containers() == []
    assert approve(site, visit) == "approved"
    site.wait_for_visit("released")


def test_a_forged_approval_in_the_database_starts_nothing(site) -> None:
    worker = site.start("work")
    send_study(site, write_study(site))
    visit = site.wait_for_visit("waiting").id
    assert approve(site, visit, "custodian") == "waiting"
    site.stop(worker)
    with site.open() as node:
        with node.store.read() as reader:
            given = reader.one(Approval, visit=visit)
            lars = reader.one(Person, username="lars")
            row = reader.get(Visit, visit)
        forged = replace(given, id="forged", role="counsel", person=lars.id)
        with node.store.write() as tx:
            tx.add(forged)
            tx.change(row, state="approved")
    site.start("work")
    site.wait_for_visit("waiting")
    assert site.containers() == []


@pytest.fixture(scope="module")
def ended(new_site):
    """A node without a worker, some moments after two studies expired there: one waits, one was approved in time.

    `study` is the hash of the first, `visit` its visit, `content` what would be signed; `approved` the other's.
    """
    site = new_site()
    write_study(site, "good.json")
    worker = site.start("work")
    site.wait_for_lock("worker")
    with site.open() as node:
        for seconds in (6, 20, 60, 180):  # people are in time, be the machine as slow as it is
            expires = clock.later(seconds)
            if expiring(site, node, expires):
                break
        else:
            raise AssertionError("nothing was received and approved in time")
    site.kill(worker)
    while clock.now() <= expires:
        time.sleep(0.2)
    return site


def expiring(site, node, expires: str) -> bool:
    """Send two studies that expire then, and approve one; whether that was done in time."""
    rosa = person_of(node, "rosa")
    documents = (a_study(node, rosa, title=title, expires=expires) for title in ("Waits", "Is approved"))
    site.study, site.approved = (send(node, rosa, document).id for document in documents)
    while len(waiting := {v.study: v for v in site.visits() if v.state == "waiting"}) < 2:
        if clock.now() >= expires:
            return False
        time.sleep(0.05)
    site.visit = waiting[site.study].id
    site.content = approvals.item(node, site.visit).content_hash
    visit = waiting[site.approved].id
    try:
        for user, role in (("carla", "custodian"), ("lars", "counsel")):
            signer = signer_with_password(node, person_of(node, user), PASSWORD)
            approvals.approve(node, signer, visit, approvals.item(node, visit).content_hash, role)
    except errors.FairnodeError as late:
        assert clock.now() >= expires, late
        return False
    return True


@pytest.fixture
def over(ended, tmp_path):
    """That node once more, for one test."""
    site = copy_site(ended, tmp_path / "police")
    yield site
    site.close()


def test_an_approval_after_the_end_is_refused(ended, over) -> None:
    before = over.counts()
    told = ("inbox", "approve", ended.visit, "--role", "counsel", "--content", ended.content)
    done = over.cli(*told, user="lars", ok=False)
    assert (done.returncode, "is over" in done.stderr) == (5, True)
    assert over.counts() == before
    over.start("work")
    over.wait_for_visit("expired", study=ended.study)


def test_what_was_approved_in_time_does_not_start_after_it(ended, over) -> None:
    over.wait_for_visit("approved", study=ended.approved)
    over.start("work")
    assert over.wait_for_visit("expired", "failed", study=ended.approved).state == "expired"
    assert over.containers() == []


def test_nobody_approves_what_they_asked_for_themselves(site) -> None:
    with site.open() as node:
        both = add_person(node, "dora", "Dora Kok", ["researcher", "custodian"], PASSWORD)
        file = site.token_file("dora")
        file.touch(mode=0o600)
        file.write_text(make_token(node, both, PASSWORD, "tests"))
        (site.directory / "good.json").write_text((write_study(site)).read_text())
        study = draft(node, both, a_study(node, both))
        send(node, both, study)
    site.start("work")
    visit = site.wait_for_visit("waiting").id
    before = site.counts()
    told = ("inbox", "approve", visit, "--role", "custodian", "--content", content_hash(site, visit))
    done = site.cli(*told, user="dora", ok=False)
    assert (done.returncode, "asked for themselves" in done.stderr) == (4, True)
    assert site.counts() == before
