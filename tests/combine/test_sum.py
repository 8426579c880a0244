"""One story: a combined table, equal to the rule applied outside, released once, over one set (P4, P6)."""

from __future__ import annotations

import json

import pytest

from fairnode import clock, errors
from fairnode.combine import announce
from fairnode.combine.compute import receive_share
from fairnode.gate.step import step_quarantined
from fairnode.ledger import verify_ledger
from fairnode.ledger.commit import Entry, commit
from fairnode.records.rows import Computation, LedgerLine, Quarantine, ReceiverSecret, Share
from fairnode.records.states import PublicState, VisitState
from tests.combine.conftest import FOUR
from tests.network.town import PARTIES

# Registrations of women, men, others and unknown at each organisation.
COUNTS = {
    "police": (900, 15, 30, 0),
    "labour": (300, 5, 0, 0),
    "coordinators": (250, 2, 0, 3),
    "kmar": (50, 1, 0, 0),
}


def opened(values: list[int], least: int) -> int | None:
    """Rule P4 for one cell, in plain words: the total, and the rest without any one contributor."""
    total = sum(values)
    rests = [total - value for value in values]
    fine = total >= least and all(rest == 0 or rest >= least for rest in rests)
    return 5 * ((total + 2) // 5) if fine else None


def shown(release) -> list[int | None]:
    (table,) = json.loads(release.table)["tables"]
    return [cell.get("n") if cell["status"] == "shown" else None for cell in table["cells"]]


@pytest.fixture(scope="module")
def story(one_town):
    study = one_town.gather(COUNTS)
    one_town.compute()
    return one_town, study, one_town.finish(study)


def test_the_released_table_is_the_rule_applied_to_the_sum(story):
    _, _, (release,) = story
    # lists overlap, so K is 2 x 11; 23 men in all, but 8 without the police: hidden
    expected = [opened([COUNTS[key][i] for key in FOUR], 22) for i in range(4)]
    assert expected == [1500, None, 30, None]
    assert shown(release) == expected


def test_the_researcher_sees_it_released_everywhere_and_it_is_released_once(story):
    town, study, releases = story
    assert {line.state for line in town.lines(study)} == {PublicState.RELEASED}
    assert announce.step_combinations(town.home) == 0
    assert town.released(study) == releases


def test_shares_and_keys_are_gone_afterwards(story):
    town, study, _ = story
    for key in PARTIES:
        with town.nodes[key].store.read() as reader:
            assert reader.find(Share) == []
            assert reader.find(ReceiverSecret) == []
            assert {c.state for c in reader.find(Computation, {"study": study})} <= {"over", "done"}
    assert {town.visit(key, study).state for key in FOUR} == {VisitState.RELEASED}


def test_a_share_after_the_end_is_refused(story):
    town, study, _ = story
    body = {
        "stage": "combine",
        "announcement": "0" * 64,
        "package": "",
        "pieces": [],
        "attempt": 1,
        "at": "",
    }
    with town.nodes["police"].store.write() as tx, pytest.raises(errors.NotAllowed):
        receive_share(tx, study, town.nodes["kmar"].iri, body)


def test_the_same_cells_over_the_same_nodes_get_the_stored_answer_and_nothing_is_dealt(story):
    town, _, (before,) = story
    again = town.ask(FOUR)
    town.carry()
    for key in FOUR:
        town.count(key, again, [n + 1 for n in COUNTS[key]])  # as if the data had changed
    town.carry()
    (release,) = town.finish(again)
    assert shown(release) == shown(before)
    assert json.loads(release.table)["answerOf"] == before.id
    assert all(town.visit(key, again).state == VisitState.FAILED for key in FOUR)
    assert town.combination(again).facts["runs"] == 0


def test_the_same_cells_over_another_set_of_nodes_are_refused(story):
    town, _, _ = story
    others = ("police", "labour", "coordinators", "others")
    study = town.ask(others)
    town.carry()
    for key in others:
        town.count(key, study, COUNTS.get(key, (40, 40, 40, 40)))
    town.carry()
    announce.step_combinations(town.home)
    town.carry()
    assert town.deal("police", study).state == VisitState.BLOCKED
    town.carry()
    assert town.finish(study) == []
    assert {line.state for line in town.lines(study)} == {PublicState.NOT_RELEASED}
    assert "node" not in town.lines(study)[0].sentence


def test_the_same_cells_at_one_node_afterwards_are_refused(story):
    town, _, _ = story
    node = town.home
    study = town.ask(["coordinators"], stages=[{"name": "count", "kind": "visit"}], openings=[])
    town.carry()
    visit = town.visit("coordinators", study)

    def change(tx):
        row = visit
        for state in (VisitState.PREPARING, VisitState.RUNNING, VisitState.QUARANTINED):
            row = tx.change(row, state=state, changed=clock.now())
        tx.add(Quarantine(visit.id, b"{}", "", {}, clock.now()))
        return row

    after = step_quarantined(node, commit(node.desk, change, Entry("test.ran", visit.id, "node", study)))
    assert after.state == VisitState.BLOCKED
    with node.store.read() as reader:
        assert reader.get(Quarantine, visit.id).verdict["refusal"] == "node-sets"


def test_every_ledger_holds_the_story_and_is_sound(story):
    town, study, _ = story
    told = {}
    for key in FOUR:
        report = verify_ledger(town.nodes[key].desk)
        assert report.problems == ()
        told[key] = _kinds(town.nodes[key], study)
    assert {"study.received", "visit.shared", "combination.over"} <= set(told["kmar"])
    assert {"share.received", "computation.started", "computation.ended"} <= set(told["police"])
    assert {"study.sent", "combination.announced", "combination.released"} <= set(told["coordinators"])


def _kinds(node, study):
    with node.store.read() as reader:
        return [line.kind for line in reader.find(LedgerLine, {"study": study})]
