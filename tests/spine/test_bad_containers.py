"""Containers that do wrong, and an engine that does not answer: the visit ends or waits, nothing leaves."""

from __future__ import annotations

import json
import re
import shutil
import time

import pytest

from fairnode import approvals
from fairnode.demo.make import build_image
from fairnode.people.signing import signer_with_token
from fairnode.people.tokens import who_token
from fairnode.records.rows import LedgerLine, Message, Quarantine, Release, Visit
from fairnode.records.states import ENDED_BY_DATA
from fairnode.release.ended import tell_ended
from fairnode.release.step import slot_reached
from fairnode.studies.send import cancel
from tests.factories import ROOT, add_algorithm, one_at_a_time
from tests.spine.telling import approve, send_study, write_study

pytestmark = pytest.mark.needs_docker

# how -> how the visit ends, and what the node's own people read
WRONGS = {
    "exits with 1": ("failed", "code 1"),
    "writes nothing": ("failed", "wrote nothing"),
    "writes nonsense": ("blocked", ""),
    "lies about a count": ("blocked", ""),
}


@pytest.fixture(scope="session")
def built_wrong(shared_folder):
    """The image of `misbehaves`: the source of `counts` and one file more."""
    built = shared_folder / "misbehaves"
    with one_at_a_time(shared_folder):
        if not (built / "algorithm.toml").exists():
            folder = shared_folder / "misbehaves-source"
            shutil.copytree(ROOT / "algorithms/counts", folder, dirs_exist_ok=True)
            shutil.copy(ROOT / "tests/spine/misbehaves/misbehaves.py", folder)
            manifest, dockerfile = folder / "algorithm.toml", folder / "Dockerfile"
            told = manifest.read_text().replace('name = "counts"', 'name = "misbehaves"', 1)
            told = told.replace("counts.py", "misbehaves.py")
            told = told.replace('required = ["dimensions"]', 'required = ["dimensions", "how"]')
            how = '[parameters.properties.how]\ntype = "string"\n\n[[outputs]]'
            manifest.write_text(told.replace("[[outputs]]", how, 1))
            lines = dockerfile.read_text().replace(
                "source/counts.py", "source/counts.py source/misbehaves.py"
            )
            dockerfile.write_text(re.sub(r"/counts.py\"\]", '/misbehaves.py"]', lines))
            build_image(folder, built)
    return built


@pytest.fixture
def built_hurried(built_wrong, tmp_path):
    """The same image under a manifest that gives it two seconds."""
    folder = tmp_path / "hurried"
    shutil.copytree(built_wrong, folder)
    manifest = folder / "algorithm.toml"
    told = manifest.read_text()
    assert "seconds = 120" in told
    manifest.write_text(told.replace("seconds = 120", "seconds = 2"))
    return folder


@pytest.fixture(scope="module")
def wrong(new_site, built_wrong):
    """One node at which all of them run, one after the other."""
    site = new_site()
    with site.open() as node:
        add_algorithm(node, built_wrong)
    site.start("work")
    return site


@pytest.mark.parametrize("how", WRONGS)
def test_a_container_that_does_wrong_ends_its_visit_and_nothing_leaves(wrong, how) -> None:
    ends_and_nothing_leaves(wrong, how, *WRONGS[how])


def test_a_container_that_runs_past_its_time_is_ended_and_nothing_leaves(site, built_hurried) -> None:
    with site.open() as node:
        add_algorithm(node, built_hurried)
    site.start("work")
    ends_and_nothing_leaves(site, "runs past its time", "failed", "ended")


def ends_and_nothing_leaves(site, how: str, state: str, internal: str) -> None:
    """A visit of the container that does this ends in that state, and only the node's own people read why."""
    study = send_study(site, write_study(site, f"{how.replace(' ', '-')}.json", options=doing(how)))
    visit = site.wait_for_visit("waiting", study=study).id
    assert approve(site, visit) == "approved"
    ended = site.wait_for_visit("failed", "blocked", "released", study=study)
    assert ended.state == state
    assert internal in ended.internal
    (line,) = site.json("study", "follow", study, "--wait", "120")
    assert (line["state"], line["sentence"]) == ("not released", "")
    site.wait_until_clean()
    with site.open() as node, node.store.read() as reader:
        assert reader.count(Release) == 0
        kept = reader.get(Quarantine, visit)
        assert (kept is not None) == (state == "blocked")
        if kept:
            assert kept.verdict["outcome"] == "refused"


def doing(how: str) -> dict[str, str]:
    """What `study new` is told so that the container does this wrong."""
    return {"algorithm": "misbehaves", "parameters": json.dumps({"how": how}), "title": how}


def test_the_end_of_each_is_told_once_and_at_a_slot_and_no_step_before_it_is(wrong) -> None:
    """When a container ends is its author's choice, and so a message, were it told at once (P8)."""
    with wrong.open() as node:
        until = time.monotonic() + 120
        while time.monotonic() < until and tell_ended(node, set()):
            time.sleep(0.2)
        with node.store.read() as reader:
            ended = [v for v in reader.find(Visit) if v.state in ENDED_BY_DATA]
            sent = {v.id: reader.find(Message, {"study": v.study, "kind": "follow"}) for v in ended}
        assert {v.state for v in ended} == {"failed", "blocked"}
        for visit in ended:
            told = [(json.loads(m.body)["state"], m) for m in sent[visit.id]]
            assert [state for state, _ in told if state != "waiting"] == ["running", "not released"]
            assert slot_reached(visit.changed, told[-1][1].created, node.config.settings.release_slot)
            assert not slot_reached(visit.changed, visit.changed, 3600)


def test_while_docker_does_not_answer_the_visit_waits_and_then_goes_on(site, tmp_path) -> None:
    dead = f"unix://{tmp_path}/nobody.sock"
    worker = site.start("work", DOCKER_HOST=dead)
    study = send_study(site, write_study(site))
    visit = site.wait_for_visit("waiting").id
    assert approve(site, visit) == "approved"
    lines = site.ledger_size()
    told = site.wait_for_words("work.log", "does not answer")
    site.wait_for_visit("approved")
    assert "Traceback" not in told
    assert worker.poll() is None
    assert site.ledger_size() == lines
    site.stop(worker)
    site.start("work")
    site.wait_for_visit("released")
    with site.open() as node, node.store.read() as reader:
        assert len(reader.find(LedgerLine, {"kind": "visit.released", "study": study})) == 1
        assert reader.get(Visit, visit).state == "released"


def test_a_visit_revoked_while_it_runs_is_stopped(site, built_wrong) -> None:
    with site.open() as node:
        add_algorithm(node, built_wrong)
    site.start("work")
    study = send_study(site, write_study(site, options=doing("runs past its time")))
    visit = site.wait_for_visit("waiting").id
    assert approve(site, visit) == "approved"
    site.wait_for_visit("running")
    with site.open() as node:
        signer = signer_with_token(node, site.token("carla"))
        assert approvals.revoke(node, signer, visit, "custodian", "Stop it.").state == "withdrawn"
    site.wait_until_clean()
    (line,) = site.json("study", "follow", study, "--wait", "120")
    assert (line["state"], line["sentence"]) == ("not released", "")


def test_a_study_cancelled_while_it_runs_is_stopped(site, built_wrong) -> None:
    with site.open() as node:
        add_algorithm(node, built_wrong)
    site.start("work")
    study = send_study(site, write_study(site, options=doing("runs past its time")))
    visit = site.wait_for_visit("waiting").id
    assert approve(site, visit) == "approved"
    site.wait_for_visit("running")
    with site.open() as node:
        cancel(node, who_token(node, site.token("rosa")), study, "Not needed any more.")
    site.wait_for_visit("cancelled")
    site.wait_until_clean()
