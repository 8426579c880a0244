"""Several visits of the same data at once: each knows of the others, and the budget is one for all."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import uuid4

import pytest

from fairnode import approvals, clock
from fairnode.cli.work import docker_engine
from fairnode.disclosure.rules import load_rules
from fairnode.keys import digest
from fairnode.ledger.commit import Entry, commit
from fairnode.node import open_node
from fairnode.people.accounts import person_of
from fairnode.people.signing import signer_with_password
from fairnode.records.charge import Charge
from fairnode.records.rows import Algorithm, Dataset, Quarantine, Release, Visit
from fairnode.records.states import VisitState
from fairnode.studies.send import send
from fairnode.worker.delivery import deliver_own
from fairnode.worker.steps import step
from tests.factories import PASSWORD
from tests.spine.telling import write_study

pytestmark = pytest.mark.needs_docker


def ask(site, filters: list[list[dict]], **changes) -> list[Visit]:
    """A study for each filter, all the same but for that, each approved by two people."""
    told = json.loads(write_study(site, options={"dimension": ["region"]}, **changes).read_text())
    with site.open() as node:
        rosa = person_of(node, "rosa")
        for conditions in filters:
            send(node, rosa, {**told, "@id": f"urn:uuid:{uuid4()}", "filter": conditions})
        deliver_own(node)
        for user, role in (("carla", "custodian"), ("lars", "counsel")):
            signer = signer_with_password(node, person_of(node, user), PASSWORD)
            for visit in approvals.inbox(node):
                found = approvals.item(node, visit.id)
                approvals.approve(node, signer, visit.id, found.content_hash, role, "")
    return site.visits()


def all_at_once(site, visits: list[Visit]) -> list[Visit]:
    """The next step of every visit, begun at the same moment, as by as many workers."""
    start = Barrier(len(visits))

    def work(visit: Visit) -> Visit:
        node = open_node(site.directory)
        engine = docker_engine(node)
        start.wait(60)
        after = step(node, engine, visit)
        engine.close()
        node.close()
        return after

    with ThreadPoolExecutor(len(visits)) as pool:
        return list(pool.map(work, visits))


def until(site, visits: list[Visit], *states: VisitState) -> list[Visit]:
    """Steps of all visits until each is in one of these states."""
    end = time.monotonic() + 200
    while not all(visit.state in states for visit in visits):
        assert time.monotonic() < end, visits
        stepped = {v.id: v for v in all_at_once(site, [v for v in visits if v.state not in states])}
        visits = [stepped.get(v.id, v) for v in visits]
    return visits


def test_of_five_visits_at_once_the_budget_lets_as_many_begin_as_are_left(site):
    years = [[{"variable": "year", "in": [str(2011 + n)]}] for n in range(5)]
    visits = ask(site, years)
    left, today = 2, datetime.now(UTC).date().isoformat()
    with site.open() as node:
        with node.store.read() as reader:
            (dataset,) = reader.find(Dataset)
        organisation = f"{node.iri}/organisation"
        for n in range(load_rules().count("budget.releases") - left):
            row = Charge(f"before-{n}", dataset.lineage, organisation, today, 0, clock.now())
            commit(node.desk, lambda tx, row=row: tx.add(row), Entry("test.charged", row.id, "node"))
    after = all_at_once(site, visits)
    assert sorted(v.state for v in after) == ["failed"] * 3 + ["preparing"] * 2
    refused = next(v for v in after if v.state == "failed")
    assert "at most 20" in refused.internal
    assert refused.sentence == ""
    with site.open() as node, node.store.read() as reader:
        assert reader.count(Charge) == load_rules().count("budget.releases")


def test_of_one_question_asked_twice_at_once_one_answer_is_made_and_given_twice(site):
    """Also before the first has left: a release waits for its slot, and the next verdict knows of it."""
    visits = until(site, ask(site, [[], []]), VisitState.QUARANTINED)
    visits = until(site, visits, VisitState.PASSED)
    with site.open() as node, node.store.read() as reader:
        verdicts = [reader.get(Quarantine, visit.id).verdict for visit in visits]
        charges = {charge.id for charge in reader.find(Charge)}
    assert sorted(verdict["outcome"] for verdict in verdicts) == ["released", "stored"]
    made = next(v.id for v, verdict in zip(visits, verdicts, strict=True) if verdict["outcome"] == "released")
    assert {verdict["stored"] for verdict in verdicts} == {"", made}
    assert charges == {made}
    again = [visit for visit in visits if visit.id != made]
    until(site, again, VisitState.RELEASED)
    until(site, [visit for visit in visits if visit.id == made], VisitState.RELEASED)
    with site.open() as node, node.store.read() as reader:
        one, other = reader.find(Release)
    assert one.table == other.table


def test_noise_is_charged_before_the_run_and_refused_when_the_budget_is_spent(site):
    with site.open() as node, node.store.write() as tx:  # the same algorithm, counting persons
        (known,) = tx.find(Algorithm)
        manifest = known.manifest.replace(b'kind = "count"', b'kind = "count"\nunit = "person"')
        tx.change(known, manifest=manifest, sha256=digest(manifest))
    stages = [{"name": "count", "kind": "visit", "options": {"epsilon": 0.6}}]
    first, second = ask(site, [[], []], stages=stages)
    after = all_at_once(site, [first, second])
    assert sorted(visit.state for visit in after) == ["failed", "preparing"]
    begun = [visit for visit in after if visit.state == "preparing"]
    (released,) = until(site, begun, VisitState.RELEASED)
    with site.open() as node, node.store.read() as reader:
        (charge,) = reader.find(Charge)
        (release,) = reader.find(Release)
    assert (charge.id, charge.epsilon) == (released.id, 600)
    told = json.loads(release.table)
    assert told["privacy"]["epsilon"] == 0.6
    cells = told["tables"][0]["cells"]
    assert {cell["status"] for cell in cells} == {"shown"}
    assert any(cell["n"] % 5 for cell in cells)
