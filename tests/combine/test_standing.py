"""Before each start and each opening every contributor says that its dealing stands, or takes it back (P19)."""

from __future__ import annotations

import pytest

from fairnode import clock
from fairnode.approvals.decide import tell_home
from fairnode.combine import compute
from fairnode.combine.asking import FRESH_SECONDS
from fairnode.combine.ending import Run, end, end_with_fault
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.records.rows import Computation, Dataset, Earlier, LedgerLine, Share
from fairnode.records.states import PublicState, VisitState
from tests.combine.conftest import FOUR
from tests.combine.test_sum import shown
from tests.network.town import PARTIES

COUNTS = {
    "police": (900, 15, 30, 0),
    "labour": (300, 5, 0, 0),
    "coordinators": (250, 2, 0, 3),
    "kmar": (50, 1, 0, 0),
}


def party_rows(town, study):
    rows = []
    for key in PARTIES:
        with town.nodes[key].store.read() as reader:
            rows.append(reader.get(Computation, f"party#{study}#combine"))
    return rows


def kinds(node, study):
    with node.store.read() as reader:
        return [line.kind for line in reader.find(LedgerLine, {"study": study})]


def test_nothing_is_opened_until_the_last_contributor_has_said_that_its_dealing_stands(town):
    study = town.gather(COUNTS)
    town.run()
    town.carry()
    town.answer(["police", "labour", "coordinators"])
    assert {row.state for row in party_rows(town, study)} == {"computed"}
    assert town.open() == 0  # the border police is down: it was asked, and is waited for
    town.carry()
    assert town.finish(study) == []
    assert town.combination(study).facts["outputs"] == {}

    # Meanwhile the others' word has grown old: they are asked once more.
    for key in PARTIES:
        with town.nodes[key].store.write() as tx:
            row = tx.get(Computation, f"party#{study}#combine")
            old = clock.later(-FRESH_SECONDS - 60)
            asks = {
                n: {**told, "said": told["said"] and old} for n, told in row.facts["asks"]["open"].items()
            }
            tx.change(row, facts={**row.facts, "asks": {**row.facts["asks"], "open": asks}})
    town.answer(["kmar"])
    assert town.open() == 3
    assert {row.state for row in party_rows(town, study)} == {"computed"}
    town.carry()
    town.answer()
    assert town.open() == 3
    town.carry()
    (release,) = town.finish(study)
    assert shown(release) == [1500, None, 30, None]
    assert kinds(town.nodes["kmar"], study).count("visit.stands") == 1
    assert kinds(town.nodes["police"], study).count("visit.stands") == 2


def test_shares_that_have_lain_for_long_are_asked_about_before_the_start(town):
    study = town.gather(COUNTS)
    for key in PARTIES:
        with town.nodes[key].store.write() as tx:
            for share in tx.find(Share, {"study": study}):
                tx.change(share, created=clock.later(-86400))
        assert compute.due_computations(town.nodes[key]) == []
        assert compute.ask_before_start(town.nodes[key]) == 1
        assert compute.ask_before_start(town.nodes[key]) == 0  # asked already
    town.carry()
    town.answer(FOUR[:3])
    assert compute.due_computations(town.nodes["police"]) == []
    town.answer(FOUR[3:])
    town.compute()
    (release,) = town.finish(study)
    assert shown(release) == [1500, None, 30, None]


def test_a_share_is_no_younger_than_its_senders_clock_says_nor_than_its_arrival(town):
    study = town.ask(FOUR)
    town.carry()
    node = town.nodes["police"]
    body = {
        "stage": "combine",
        "announcement": "ab" * 32,
        "package": "AAAA",
        "pieces": [],
        "attempt": 1,
    }
    for sender, at in (("kmar", clock.later(-3600)), ("labour", clock.later(3600))):
        with node.store.write() as tx:
            compute.receive_share(tx, study, town.nodes[sender].iri, {**body, "at": at})
            share = tx.one(Share, sender=town.nodes[sender].iri)
        assert share.created == min(at, clock.now())


@pytest.mark.parametrize("moment", ["before the start", "before the opening"])
def test_a_visit_that_people_withdraw_after_the_dealing_is_never_opened(town, moment):
    study = town.gather(COUNTS)
    node, visit = town.nodes["kmar"], town.visit("kmar", study)
    if moment == "before the opening":
        town.run()
    commit(
        node.desk,
        lambda tx: tx.change(visit, state=VisitState.WITHDRAWN, changed=clock.now()),
        Entry("visit.revoked", visit.id, "p-lars", study),
        tell_home,
    )
    town.carry()
    town.compute()
    assert town.finish(study) == []
    assert {line.state for line in town.lines(study)} == {PublicState.NOT_RELEASED}
    for key in PARTIES:
        with town.nodes[key].store.read() as reader:
            assert reader.find(Share) == []
    assert town.combination(study).facts["outputs"] == {}


def test_a_dataset_that_is_no_longer_published_does_not_stand(town):
    study = town.gather(COUNTS)
    node = town.nodes["kmar"]
    town.run()
    town.carry()
    with node.store.write() as tx:
        tx.change(tx.get(Dataset, "kmar-victims"), state="withdrawn")
    town.answer()
    assert town.visit("kmar", study).state == VisitState.BLOCKED
    assert "no longer there" in town.visit("kmar", study).internal
    assert town.open() == 0
    assert town.finish(study) == []
    assert town.combination(study).facts["outputs"] == {}
    assert {line.state for line in town.lines(study)} == {PublicState.NOT_RELEASED}


def test_who_said_no_word_before_an_opening_forgets_who_did_remembers(town):
    study = town.gather(COUNTS)
    town.compute()
    (_,) = town.finish(study)
    for key in FOUR:
        with town.nodes[key].store.read() as reader:
            (memory,) = reader.find(Earlier)
        assert memory.facts["opened"] is True
        assert memory.facts["cells"] == [[]]  # the cells' names and the set of nodes; no counts


def test_only_parties_ask_only_contributors_answer_and_to_the_last_question_only(town):
    study = town.gather(COUNTS)
    town.run()
    town.carry()
    row = party_rows(town, study)[0]
    told = row.facts["asks"]["open"]
    node = town.nodes["police"]
    kmar = town.nodes["kmar"].iri
    ask = {"stage": "combine", "announcement": town.combination(study).facts["announced"], "step": "open"}
    _write(town, "kmar", "police", "stands", study, {**ask, "nonce": "00" * 16})
    _write(town, "others", "police", "stands", study, {**ask, "nonce": told[kmar]["nonce"]})
    _write(town, "kmar", "labour", "stands?", study, {**ask, "nonce": "00" * 16})
    _write(town, "others", "police", "taken-back", study, ask)
    town.carry()
    (row, *_) = party_rows(town, study)
    assert row.state == "computed"
    assert all(not line["said"] for line in row.facts["asks"]["open"].values())
    assert kinds(node, study).count("message.refused") == 1
    assert "message.refused" in kinds(town.nodes["labour"], study)
    town.answer()
    assert town.open() == 3
    town.carry()
    (release,) = town.finish(study)
    assert shown(release) == [1500, None, 30, None]


def _write(town, sender, receiver, kind, study, body):
    message = Outgoing(town.nodes[receiver].iri, kind, study, body)
    commit(town.nodes[sender].desk, lambda _: None, Entry("test.wrote", study, "node"), (message,))


def test_a_run_that_fails_in_this_nodes_own_code_ends_with_a_named_reason(town):
    study = town.gather(COUNTS)
    node = town.nodes["labour"]
    (due,) = compute.due_computations(node)
    running = compute.mark_running(node, due)
    end_with_fault(node, Run(running.row, running.number, running.home))
    town.carry()
    told = town.combination(study).facts["outputs"]["1"]
    assert (told["outcome"], told["reason"]["code"]) == ("ended", "fault")
    assert "Compute party 1 failed" in told["reason"]["sentence"]


def test_what_comes_of_a_run_that_was_taken_back_meanwhile_is_dropped(town):
    study = town.gather(COUNTS)
    node = town.nodes["labour"]
    (due,) = compute.due_computations(node)
    running = compute.mark_running(node, due)
    with node.store.write() as tx:
        tx.change(tx.get(Computation, running.row.id), state="taken back")
    end(node, Run(running.row, 1, running.home), {"outcome": "done", "output": "AAAA"})
    with node.store.read() as reader:
        row = reader.get(Computation, running.row.id)
    assert row.state == "taken back"
    assert "outcome" not in row.facts
    assert "computation.dropped" in kinds(node, study)
