"""kill -9 of web or worker at any moment, then a restart: same result, released once, nothing left lying about."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from fairnode.ledger import verify_ledger
from fairnode.records.rows import Approval, LedgerLine, Release, Study
from tests.spine.conftest import table_of
from tests.spine.telling import ask, content_hash, sign, write_study

pytestmark = [pytest.mark.needs_docker, pytest.mark.timeout(900)]

PATIENCE = 300.0  # seconds for what takes a few on a quiet machine

# What the worker commits from the moment that a visit is approved, in this order, each with an edge on
# either side; what it does outside the database (view, container, harvest) lies between these edges.
LINES = (
    "visit.preparing",
    "visit.running",
    "visit.quarantined",
    "visit.passed",
    "view.deleted",
    "visit.released",
    "release.received",
    "message.taken",
)
QUICK = {"before visit.quarantined", "after visit.running"}
EDGES = [
    pytest.param(f"{when} {line}", marks=() if f"{when} {line}" in QUICK else pytest.mark.long)
    for line in LINES
    for when in ("before", "after")
]


@pytest.mark.parametrize("edge", EDGES)
def test_a_worker_killed_at_any_edge_ends_in_the_same_result(site, story, edge) -> None:
    worker = site.start("work")
    study = ask(site)
    visit = site.wait_for_visit("waiting", seconds=PATIENCE).id
    site.stop(worker)
    assert sign(site, visit) == "approved"
    dying = site.start("work", module="tests.spine.dying", DIE_AT=edge)
    assert dying.wait(PATIENCE) == -9
    site.start("work")
    check_ended_as_if_nothing_happened(site, study, story)


def check_ended_as_if_nothing_happened(site, study: str, story) -> None:
    """One release, the same table as elsewhere, a sound ledger, no container, no plaintext."""
    site.wait_until_finished(study, PATIENCE)
    with site.open() as node, node.store.read() as reader:
        releases = reader.find(Release, {"study": study})
        assert len(reader.find(LedgerLine, {"kind": "visit.released"})) == 1
        assert verify_ledger(node.desk).problems == ()
    assert [table_of(release) for release in releases] == [story.table]
    site.wait_until_clean(PATIENCE)


def test_a_worker_killed_while_the_view_is_made_leaves_no_process_and_no_plaintext(site, story) -> None:
    worker = site.start("work")
    study = ask(site)
    visit = site.wait_for_visit("waiting", seconds=PATIENCE).id
    assert sign(site, visit) == "approved"
    site.wait_for_visit("preparing", "running", "quarantined", seconds=PATIENCE)
    site.kill(worker)
    site.start("work")
    check_ended_as_if_nothing_happened(site, study, story)


WEB_EDGES = [
    pytest.param("before visit.approved", marks=()),
    pytest.param("after visit.approved", marks=pytest.mark.long),
    pytest.param("before study.sent", marks=pytest.mark.long),
    pytest.param("after study.sent", marks=pytest.mark.long),
]


@pytest.mark.parametrize("edge", WEB_EDGES)
def test_a_web_process_killed_in_a_request_wrote_all_of_it_or_nothing(site, story, edge) -> None:
    site.start("work")
    web = site.start("serve", module="tests.spine.dying", DIE_AT=edge)
    path = write_study(site)
    study = through_web(site, web, "rosa", "/api/v1/studies", json.loads(path.read_text()), key="send")["id"]
    visit = site.wait_for_visit("waiting", seconds=PATIENCE).id
    for user, role in (("carla", "custodian"), ("lars", "counsel")):
        body = {"contentHash": content_hash(site, visit), "role": role}
        through_web(site, web, user, f"/api/v1/inbox/{visit}/approve", body, key=role)
    site.wait_until_finished(study, PATIENCE)
    with site.open() as node, node.store.read() as reader:
        assert reader.count(Approval, visit=visit) == 2
        assert reader.count(Study) == 1
    assert web.returncode == -9
    check_ended_as_if_nothing_happened(site, study, story)


def through_web(site, web, user: str, path: str, body: dict, key: str) -> dict:
    """POST, and if the process dies under it, start it again and repeat under the same key."""
    headers = {
        "Authorization": f"Bearer {site.token(user)}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"after-a-kill-{key}",
    }
    for _ in range(2):
        request = urllib.request.Request(site.address + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            told = json.loads(error.read())
            if error.code == 409:  # the first attempt was written, only its answer was lost
                with site.open() as node, node.store.read() as reader:
                    return {"id": reader.find(Study)[0].id}
            raise AssertionError(told) from error
        except OSError:
            assert web.wait(PATIENCE) == -9
            site.start("serve")
    raise AssertionError("the web process died twice")
