"""A study that waits for people is run on synthetic rows first, and they see how that went."""

from __future__ import annotations

import json
import time

import pytest

from fairnode.config import FILE
from fairnode.records.profile_rows import Rehearsal
from tests.spine.telling import approve, send_study, write_study

pytestmark = pytest.mark.needs_docker


@pytest.fixture(scope="module")
def rehearsing(new_site):
    site = new_site()
    file = site.directory / FILE
    file.write_text(file.read_text().replace("rehearse = false", "rehearse = true"))
    yield site
    site.close()


def reports(site) -> list[Rehearsal]:
    with site.open() as node, node.store.read() as reader:
        return reader.find(Rehearsal)


def wait_for_reports(site, number: int, seconds: float = 120.0) -> list[Rehearsal]:
    until = time.monotonic() + seconds
    while len(found := reports(site)) < number:
        log = (site.directory / "work.log").read_text(encoding="utf-8")
        assert time.monotonic() < until, log[-3000:]
        time.sleep(0.2)
    return found


def test_the_report_stands_beside_the_request_and_the_same_run_is_not_repeated(rehearsing) -> None:
    site = rehearsing
    worker = site.start("work")
    send_study(site, write_study(site))
    visit = site.wait_for_visit("waiting")
    (found,) = wait_for_reports(site, 1)
    assert found.report["passes"]
    assert found.report["shown"] > 0
    assert found.report["calls"] == []
    assert found.report["use"]["exit_code"] == 0
    assert "log" not in found.report
    shown = json.loads(site.cli("inbox", "show", visit.id).stdout)
    assert shown["onSyntheticRows"] == found.report
    again = send_study(site, write_study(site, "again.json", title="Asked once more, in other words"))
    site.wait_for_visit("waiting", study=again)
    time.sleep(5)
    assert len(reports(site)) == 1
    site.wait_until_clean()
    assert approve(site, visit.id) == "approved"
    site.wait_for_visit("released", study=visit.study)
    site.stop(worker)


def test_what_is_decided_meanwhile_is_not_held_up(rehearsing) -> None:
    """A visit begins although a rehearsal could take the place; a worker that ends leaves nothing behind."""
    site = rehearsing
    worker = site.start("work")
    study = send_study(site, write_study(site, "other.json", options={"dimension": ["sex", "year"]}))
    visit = site.wait_for_visit("waiting", study=study)
    assert approve(site, visit.id) == "approved"
    site.wait_for_visit("released", "blocked", study=study)
    site.stop(worker)
    site.wait_until_clean()
