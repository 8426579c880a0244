"""A result that the node cannot recount: two people look at it, apart from each other, before it leaves."""

from __future__ import annotations

import csv
import io
import json

import pytest

from fairnode.cli.building import build_folder
from fairnode.cli.work import docker_engine
from fairnode.engine_docker.probe import probe
from fairnode.people.accounts import add_person, person_of
from fairnode.people.tokens import make_token
from fairnode.records.review import Review
from fairnode.records.rows import LedgerLine, Release, Visit
from fairnode.records.states import VisitState
from fairnode.worker.loop import Worker
from fairnode.worker.steps import step
from tests.factories import PASSWORD, add_algorithm, copy_site
from tests.spine.telling import approve, send_study, write_study

pytestmark = pytest.mark.needs_docker

RATIO = '''"""The number of records in each region against the mean over the regions: nothing a node knows of."""

import counted
from fairnode_kit import main


def ratio(run):
    found = {}
    for table in run.tables:
        cells = counted.count(run.inputs[table.input], table)
        mean = sum(cells.values()) / max(1, len(cells))
        found[table.id] = {key: n / mean for key, n in cells.items()}
    return found


if __name__ == "__main__":
    main(ratio)
'''


@pytest.fixture(scope="module")
def built_ratio(new_site, tmp_path_factory):
    """An algorithm whose table is of kind `other`, made from the template."""
    folder = tmp_path_factory.mktemp("authors") / "ratio"
    new_site().cli("algorithm", "new", "ratio", "--out", str(folder))
    (folder / "algorithm.py").rename(folder / "counted.py")
    (folder / "algorithm.py").write_text(RATIO)
    copy = "COPY source/algorithm.py "
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace(copy, f"{copy}source/counted.py "))
    manifest = folder / "algorithm.toml"
    manifest.write_text(manifest.read_text().replace('kind = "count"', 'kind = "other"'))
    built = folder.parent / "built"
    build_folder(folder, built)
    return built


@pytest.fixture(scope="module")
def reviewing(new_site, built_ratio):
    """A node at which such a result waits for its reviews; the visit is stepped by hand."""
    site = new_site()
    with site.open() as node:
        add_algorithm(node, built_ratio)
        for user in ("cees", "arjen-too"):
            person = add_person(node, user, user, ["custodian"], PASSWORD)
            site.token_file(user).touch(mode=0o600)
            site.token_file(user).write_text(make_token(node, person, PASSWORD, "tests"))
    path = write_study(site, options={"dimension": ["region"]})
    told = json.loads(path.read_text())
    with site.open() as node:
        known = next(a for a in site.json("algorithm", "list") if a["name"] == "ratio")
    told["algorithm"] = {"name": "ratio", "version": known["version"], "identity": known["identity"]}
    path.write_text(json.dumps(told))
    site.study = send_study(site, path)
    worker = site.start("work")
    site.visit = site.wait_for_visit("waiting").id
    approve(site, site.visit)
    site.wait_for_visit("reviewing")
    site.wait_until_clean()
    site.stop(worker)
    return site


def shown(site, user: str):
    return json.loads(site.cli("review", "show", site.visit, user=user).stdout)


def say(site, what: str, user: str, role: str, result: str = "", ok: bool = True):
    result = result or shown(site, "carla")["result"]
    because = ["--because", "One region is one case."] if what == "refuse" else []
    return site.cli(
        "review", what, site.visit, "--role", role, "--result", result, *because, user=user, ok=ok
    )


def another(site, tmp_path_factory):
    """The same node once more, so that each test decides for itself."""
    copied = copy_site(site, tmp_path_factory.mktemp("node") / "police")
    copied.study, copied.visit = site.study, site.visit
    return copied


@pytest.fixture
def site(reviewing, tmp_path_factory):
    copied = another(reviewing, tmp_path_factory)
    yield copied
    copied.close()


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
    assert told["earlier"] == []
    (line,) = site.json("review", "list")
    assert line["visit"] == site.visit
    (followed,) = site.json("study", "follow", site.study)
    assert followed["state"] == "running"
    assert site.cli("review", "show", site.visit, user="rosa", ok=False).returncode == 4


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


def test_one_who_refuses_blocks_it_once_both_are_in(site):
    say(site, "refuse", "carla", "custodian")
    assert state(site) == "reviewing"
    say(site, "approve", "lars", "counsel")
    assert state(site) == "blocked"
    (followed,) = site.visits()
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
    told = json.loads((reviewing.directory / "study.json").read_text())
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
