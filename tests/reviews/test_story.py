"""A result that the node cannot recount: two people look at it, apart from each other, before it leaves."""

from __future__ import annotations

import csv
import io
import json
import time
from dataclasses import replace

import pytest

from fairnode.cli.work import docker_engine
from fairnode.engine_docker.probe import probe
from fairnode.people.accounts import person_of
from fairnode.records.review import Rerun, Review
from fairnode.records.rows import Follow, LedgerLine, Person, Quarantine, Release, Visit
from fairnode.records.states import VisitState
from fairnode.release.step import step_passed
from fairnode.worker.loop import Worker
from fairnode.worker.steps import step
from tests.reviews.conftest import another, reviewed

pytestmark = pytest.mark.needs_docker


def shown(site, user: str):
    return json.loads(site.cli("review", "show", site.visit, user=user).stdout)


def say(site, what: str, user: str, role: str, result: str = "", ok: bool = True):
    result = result or shown(site, "carla")["result"]
    because = ["--because", "One region is one case."] if what == "refuse" else []
    return site.cli(
        "review", what, site.visit, "--role", role, "--result", result, *because, user=user, ok=ok
    )


def state(site) -> str:
    return site.visits()[0].state


def released(site) -> Visit:
    """Take the release's step."""
    with site.open() as node:
        engine = docker_engine(node)
        worker = Worker(node, engine, probe)
        visit = site.visits()[0]
        for _ in range(40):
            visit = step(worker.node, engine, visit)
            if visit.state is VisitState.RELEASED:
                break
        engine.close()
    return visit


def test_a_reviewer_sees_output_rules_and_history_and_outsiders_see_that_it_runs(site):
    told = shown(site, "carla")
    (table,) = told["tables"]
    assert table["kind"] == "other"
    values = [cell["v"] for cell in table["cells"] if cell["status"] == "shown"]
    assert values
    assert all(float(f"{v:.2e}") == v for v in values)
    assert not any("n" in cell for cell in table["cells"])
    assert told["reviews"] == "submitted"
    assert [line["release"] for line in told["earlier"]] in (
        [],
        [site.by_sex],
    )  # judged before this one, or after
    assert {line["visit"] for line in site.json("review", "list")} == {site.visit, site.by_sex}
    (followed,) = site.json("study", "follow", site.study)
    assert followed["state"] == "running"
    assert site.cli("review", "show", site.visit, user="rosa", ok=False).returncode == 4


def test_reviewers_are_told_whether_the_order_of_rows_matters(site):
    same, other = (
        json.loads(site.cli("review", "show", v, user="lars").stdout)["rerun"]
        for v in (site.visit, site.by_sex)
    )
    assert same["outcome"] == "same"
    assert same["numbers"] == 0
    assert same["of"] > 2
    assert other["outcome"] == "different"
    assert 0 < other["numbers"] <= other["of"]
    with site.open() as node, node.store.read() as reader:
        kinds = [line.kind for line in reader.find(LedgerLine, {"subject": site.visit})]
        assert [rerun.result for rerun in reader.find(Rerun)] == [b"", b""]
    assert kinds.count("visit.rerun-running") == kinds.count("visit.rerun-ended") == 1


def test_two_who_agree_let_it_leave_and_the_release_says_class_b(site):
    say(site, "approve", "carla", "custodian")
    assert state(site) == "reviewing"
    assert shown(site, "lars")["given"] == []
    assert shown(site, "carla")["given"][0]["opinion"] == "approved"
    say(site, "approve", "lars", "counsel")
    assert state(site) == "passed"
    assert len(shown(site, "lars")["given"]) == 2
    assert released(site).state is VisitState.RELEASED
    with site.open() as node, node.store.read() as reader:
        (release,) = reader.find(Release, {"study": site.study})
        kinds = [line.kind for line in reader.find(LedgerLine, {"study": site.study})]
    assert json.loads(release.table)["class"] == "B"
    assert kinds.count("result.reviewed") == 2
    worker = site.start("work")
    site.cli("study", "follow", site.study, "--wait", "60")
    site.stop(worker)
    rows = list(csv.DictReader(io.StringIO(site.cli("study", "result", site.study).stdout)))
    assert {row["n"] for row in rows} == {""}
    for form in ("turtle", "svg"):
        assert site.cli("study", "result", site.study, "--form", form).stdout


@pytest.fixture(scope="module")
def agreed(reviewing, tmp_path_factory):
    """The node once both reviews are in and the result has passed; it is only copied."""
    site = another(reviewing, tmp_path_factory)
    say(site, "approve", "carla", "custodian")
    say(site, "approve", "lars", "counsel")
    assert state(site) == "passed"
    yield site
    site.close()


def forge(site, how):
    """Somebody with the database changes a row after the reviews."""
    with site.open() as node, node.store.write() as tx:
        people = {person.username: person for person in tx.find(Person)}
        lars = tx.get(Review, f"{site.visit}#{people['lars'].id}")
        how(tx, lars, people)


def edit_the_tables(tx, review, _people):
    quarantine = tx.get(Quarantine, review.visit)
    tables = json.loads(json.dumps(quarantine.verdict["tables"]))
    tables["tables"][0]["cells"][0]["v"] = 123.0
    tx.change(quarantine, verdict={**quarantine.verdict, "tables": tables})


def call_it_class_a(tx, review, people):
    edit_the_tables(tx, review, people)
    quarantine = tx.get(Quarantine, review.visit)
    tx.change(quarantine, verdict={k: v for k, v in quarantine.verdict.items() if k != "class"})


def turn_a_refusal(tx, review, _people):
    tx.change(review, opinion="approved", envelope=review.envelope.replace(b"a", b"b", 1))


def sign_for_another(tx, review, people):
    """Carla's own review once more, under the name of Cees."""
    mine = tx.get(Review, f"{review.visit}#{people['carla'].id}")
    tx.remove(review)
    tx.add(replace(mine, id=f"{review.visit}#{people['cees'].id}", person=people["cees"].id))


def give_hers_twice(tx, review, people):
    mine = tx.get(Review, f"{review.visit}#{people['carla'].id}")
    tx.remove(review)
    tx.add(replace(mine, id=f"{review.visit}#again"))


def take_the_role_away(tx, _review, people):
    tx.change(people["lars"], roles=["auditor"])


@pytest.mark.parametrize(
    "how",
    [
        edit_the_tables, call_it_class_a, turn_a_refusal, sign_for_another, give_hers_twice,
        take_the_role_away,
    ],
)  # fmt: skip
def test_what_was_changed_after_the_reviews_is_withheld_and_the_ledger_says_so(agreed, tmp_path_factory, how):
    site = another(agreed, tmp_path_factory)
    forge(site, how)
    with site.open() as node:
        visit = site.visits()[0]
        after = step_passed(node, visit)
        while after.state is VisitState.PASSED:  # until its slot, of a second
            time.sleep(0.1)
            after = step_passed(node, after)
    assert after.state is VisitState.BLOCKED
    assert "reviews" in after.internal
    with site.open() as node, node.store.read() as reader:
        assert reader.count(Release, study=site.study) == 0
        (line,) = reader.find(LedgerLine, {"subject": site.visit, "kind": "visit.withheld"})
        (followed,) = reader.find(Follow, {"study": site.study})
    assert b"StatbarnDataCheck" in line.body
    assert "review" not in followed.sentence


def test_one_who_refuses_blocks_it_once_both_are_in(site):
    say(site, "refuse", "carla", "custodian")
    assert state(site) == "reviewing"
    say(site, "approve", "lars", "counsel")
    assert state(site) == "blocked"
    followed = site.visits()[0]
    assert "One region" not in followed.sentence


def test_one_person_gives_one_review_and_says_of_which_result(site):
    say(site, "approve", "carla", "custodian")
    again = say(site, "approve", "carla", "custodian", ok=False)
    assert again.returncode == 5
    other = say(site, "approve", "lars", "counsel", result="0" * 64, ok=False)
    assert other.returncode == 5
    assert "not the one you saw" in other.stderr
    assert state(site) == "reviewing"


def test_who_asked_or_wrote_it_or_has_no_role_does_not_review(site):
    assert say(site, "approve", "rosa", "custodian", ok=False).returncode == 4
    assert say(site, "approve", "carla", "counsel", ok=False).returncode == 4
    with site.open() as node, node.store.write() as tx:
        author = person_of(node, "arjen")
        tx.change(author, roles=["author", "custodian"])
    refused = say(site, "approve", "arjen", "custodian", ok=False)
    assert refused.returncode == 4
    assert "wrote" in refused.stderr
    with site.open() as node, node.store.read() as reader:
        assert reader.count(Review) == 0


def test_two_custodians_are_two_people(site):
    say(site, "approve", "carla", "custodian")
    say(site, "approve", "cees", "custodian")
    assert state(site) == "passed"


def test_such_a_result_is_never_combined(reviewing):
    told = json.loads((reviewing.directory / "region.json").read_text())
    told["stages"].append({"name": "combine", "kind": "combine", "program": "sum", "inputs": ["count"]})
    told["openings"] = ["combine"]
    path = reviewing.directory / "combined.json"
    path.write_text(json.dumps(told))
    done = reviewing.cli("study", "check", str(path), ok=False)
    assert "never combined" in done.stdout + done.stderr


def test_a_trial_says_that_people_would_review_it(reviewing, built_ratio):
    told = reviewing.json(
        "algorithm", "try", str(built_ratio), "--dataset", "http://police.example/dataset/police-victims",
        "--dimension", "region",
    )  # fmt: skip
    assert told["passes"]
    assert any("reviews" in note for note in told["notes"])


@pytest.mark.long
def test_with_noise_it_leaves_without_reviews_as_the_mean_of_what_parts_of_the_persons_said(reviewing):
    """Sample and aggregate: the image runs on twenty parts; by sex it encodes rows, which the mean drowns."""
    options = {"epsilon": 0.9, "blocks": 20, "low": 0, "high": 10}
    stages = [{"name": "count", "kind": "visit", "options": options}]
    worker = reviewing.start("work")
    study, visit = reviewed(reviewing, "region", "released", stages=stages)
    reviewing.stop(worker)
    with reviewing.open() as node, node.store.read() as reader:
        (release,) = reader.find(Release, {"study": study})
        runs = reader.find(Rerun, {"visit": visit})
        assert reader.count(Review, visit=visit) == 0
    assert [run.state for run in runs] == ["ended"] * 20
    assert {run.result for run in runs} == {b""}
    told = json.loads(release.table)
    assert told["privacy"] == options
    assert all(0 <= cell["v"] <= 10 for cell in told["tables"][0]["cells"])
