"""The home node is believed in nothing that study, agreement and signatures say already (design 4.7, P1, P4)."""

from __future__ import annotations

import copy
import json

import pytest

from fairnode import clock, errors
from fairnode.combine import announce, compute
from fairnode.combine.announcement import attempt_bytes, check_announcement
from fairnode.combine.waiting import waiting_for
from fairnode.keys import canonical
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.network.joined import current
from fairnode.records.rows import Computation, LedgerLine, Message, Request, Share, Study
from fairnode.records.states import PublicState, StudyState, VisitState
from fairnode.studies.combination import receiver_key_bytes
from fairnode.studies.document import read_study_bytes
from tests.combine.conftest import FOUR
from tests.network.town import PARTIES

COUNTS = dict.fromkeys(FOUR, (50, 50, 50, 50))


@pytest.fixture(scope="module")
def announced(one_town):
    """A study at the moment when its combination has been announced, before anything is dealt."""
    town, study = one_town, one_town.ask(FOUR)
    town.carry()
    for key in FOUR:
        town.count(key, study, COUNTS[key])
    town.carry()
    announce.step_combinations(town.home)
    town.carry()
    with town.nodes["kmar"].store.read() as reader:
        row = reader.get(Computation, f"contributor#{study}#combine")
        plan = read_study_bytes(reader.get(Request, study).document)
    return town, plan, row.facts


KEYS, CONTRIBUTORS = "receiverKeys", "contributors"


def lie(facts, town, what):
    """The announcement with one thing in it that is not so."""
    told = copy.deepcopy(facts)
    keys, contributors, program = told[KEYS], told[CONTRIBUTORS], told["program"]
    other, key = town.nodes["others"].iri, "22" * 32
    signed = town.home.keys.signing.sign(receiver_key_bytes("", "combine", 1, key)).hex()
    retry = town.home.keys.signing.sign(attempt_bytes("", "combine", 2))
    lies = {
        "recipient": lambda: told.update(recipient=town.nodes["kmar"].keys.sealing_public),
        "unsigned key": lambda: keys[1].update(key="11" * 32),
        "key of the home node's own": lambda: keys[1].update(key=key, signature=signed),
        "keys swapped": lambda: (
            keys[0].update(key=keys[1]["key"]) or keys[1].update(key=facts[KEYS][0]["key"])
        ),
        "a party less": keys.pop,
        "a party twice": lambda: keys.append(keys[0]),
        "a stranger contributes": lambda: contributors.append(
            {"dataset": f"{other}/dataset/others-victims", "node": other}
        ),
        "one contributes twice": lambda: contributors.append(contributors[0]),
        "another node in its place": lambda: contributors[0].update(node=other),
        "two contributors": lambda: told.update(contributors=contributors[:2]),
        "program": lambda: program.update(name="mean-variance"),
        "digest": lambda: program.update(digest="0" * 64),
        "k": lambda: program["parameters"].update(k=1),
        "disjoint": lambda: program["parameters"].update(lists="disjoint"),
        "no comparison": lambda: told.update(earlier=["ab/0"]),
        "another attempt": lambda: told.update(attempt=2),
        "another attempt, signed by itself": lambda: told.update(
            attempt=2, retry={"node": town.nodes["kmar"].iri, "signature": retry.hex()}
        ),
        "the tenth attempt": lambda: told.update(attempt=10, retry={"node": other, "signature": "00"}),
    }
    lies[what]()
    return told


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("recipient", "sealed to another key"),
        ("unsigned key", "party 1 is not signed"),
        ("key of the home node's own", "party 1 is not signed"),
        ("keys swapped", "party 0 is not signed"),
        ("a party less", "compute parties are not those"),
        ("a party twice", "compute parties are not those"),
        ("a stranger contributes", "contributors are not those"),
        ("one contributes twice", "contributors are not those"),
        ("another node in its place", "not the node that holds"),
        ("two contributors", "needs at least 3"),
        ("program", "not that of the study"),
        ("digest", "another digest"),
        ("k", "other parameters"),
        ("disjoint", "other parameters"),
        ("no comparison", "other parameters"),
        ("another attempt", "not one that a contributor asked for"),
        ("another attempt, signed by itself", "not signed by the contributor"),
        ("the tenth attempt", "not one that a contributor asked for"),
    ],
)
def test_a_lie_of_the_home_node_is_refused_by_contributors_and_parties(announced, what, sentence):
    town, plan, facts = announced
    agreement = current(town.home)
    check_announcement(plan, agreement, town.home.iri, facts)
    with pytest.raises(errors.NotValid, match=sentence):
        check_announcement(plan, agreement, town.home.iri, lie(facts, town, what))


def tell(town, study, receiver, facts):
    """A combine message of the home node, as it would write one if it were dishonest."""
    entry = Entry("test.lied", study, "node", study)
    commit(town.home.desk, lambda _: None, entry, (Outgoing(receiver, "combine", study, facts),))


def refusals(node) -> list[str]:
    with node.store.read() as reader:
        return [
            line.body.decode() for line in reader.find(LedgerLine, {"kind": "message.refused"}, order="-id")
        ]


def test_a_contributor_that_is_lied_to_deals_nothing_and_says_so(town):
    study = town.ask(FOUR)
    town.carry()
    for key in FOUR:
        town.count(key, study, COUNTS[key])
    town.carry()
    announce.step_combinations(town.home)
    node = town.nodes["kmar"]
    with town.home.store.read() as reader:
        honest = next(m for m in reader.find(Message, {"kind": "combine", "receiver": node.iri}))
    facts = lie(json.loads(honest.body), town, "recipient")
    with town.home.store.write() as tx:
        tx.change(honest, taken="lost")
    town.down.add("kmar")
    town.carry()
    town.down.clear()
    with node.store.write() as tx:
        tx.add(Computation(f"contributor#{study}#combine", study, "combine", "announced", facts, ""))
    after = town.deal("kmar", study)
    assert after.state == VisitState.BLOCKED
    assert "sealed to another key" in after.internal
    town.carry()
    assert town.finish(study) == []
    assert {line.state for line in town.lines(study)} == {PublicState.NOT_RELEASED}


def test_shares_for_one_set_of_contributors_are_never_added_in_a_run_over_another(announced):
    town, plan, facts = announced
    for key in FOUR:
        town.deal(key, plan.hash)
    town.carry()
    node = town.nodes["police"]
    assert len(compute.due_computations(node)) == 1
    fewer = {**facts, "contributors": facts["contributors"][:3], "run": "ab" * 16}
    tell(town, plan.hash, node.iri, fewer)
    town.carry()
    assert "announced another combination" in refusals(node)[0]
    # Had the party forgotten the first announcement, the shares would still be bound to it.
    with node.store.write() as tx:
        row = tx.get(Computation, f"party#{plan.hash}#combine")
        tx.change(row, facts=fewer)
    assert compute.due_computations(node) == []


def test_only_the_studys_home_node_announces(announced):
    town, plan, facts = announced
    node = town.nodes["labour"]
    commit(
        town.nodes["kmar"].desk,
        lambda _: None,
        Entry("test.lied", plan.hash, "node"),
        (Outgoing(node.iri, "combine", plan.hash, facts),),
    )
    town.carry()
    assert "Only a study's home node announces" in refusals(node)[0]


def share(town, sender, receiver, study, **changes):
    """A share message, as a contributor would write it, but for the `changes`."""
    body = {"stage": "combine", "announcement": "cd" * 32, "package": "AAAA", "pieces": []}
    body |= {"attempt": 1, "at": clock.now(), **changes}
    desk = town.nodes[sender].desk
    message = Outgoing(town.nodes[receiver].iri, "share", study, body)
    commit(desk, lambda _: None, Entry("test.dealt", study, "node"), (message,))
    town.carry()


@pytest.fixture
def waiting(town):
    """A study that has been sent, with keys at the parties, and nothing else yet."""
    study = town.ask(FOUR)
    town.carry()
    return town, study


def shares(node):
    with node.store.read() as reader:
        return reader.find(Share)


def test_a_share_for_another_study_is_refused(waiting):
    town, _ = waiting
    share(town, "kmar", "police", "ef" * 32)
    assert shares(town.nodes["police"]) == []
    assert "does not compute" in refusals(town.nodes["police"])[0]


def test_the_same_share_twice_is_kept_once_and_another_one_is_refused(waiting):
    town, study = waiting
    share(town, "kmar", "police", study)
    share(town, "kmar", "police", study)
    assert len(shares(town.nodes["police"])) == 1
    assert refusals(town.nodes["police"]) == []
    for changes in ({"package": "BBBB"}, {"announcement": "ee" * 32}):
        share(town, "kmar", "police", study, **changes)
        assert "two different shares" in refusals(town.nodes["police"])[0]
    assert len(shares(town.nodes["police"])) == 1


@pytest.mark.parametrize(
    "changes", [{"package": "not base64!"}, {"package": None}, {"pieces": ["AAAA"]}, {"pieces": "AAAA"}]
)
def test_a_garbled_share_is_refused(waiting, changes):
    town, study = waiting
    share(town, "kmar", "police", study, **changes)
    assert shares(town.nodes["police"]) == []
    assert len(refusals(town.nodes["police"])) == 1


def test_a_party_takes_no_share_once_it_has_started(announced):
    town, plan, _ = announced
    node = town.nodes["labour"]
    with node.store.write() as tx:
        row = tx.get(Computation, f"party#{plan.hash}#combine")
        tx.change(row, state="running")
    share(town, "kmar", "labour", plan.hash)
    assert "after the computation had started" in refusals(node)[0]


def test_tables_of_another_shape_are_not_added(town):
    study = town.ask(FOUR)
    town.carry()
    for key in FOUR[:3]:
        town.count(key, study, COUNTS[key])
    body = {"dataset": town.dataset("kmar"), "stage": "count", "contract": _with_year(town, study)}
    body["earlier"] = []
    message = Outgoing(town.home.iri, "ready", study, body)
    commit(town.nodes["kmar"].desk, lambda _: None, Entry("test.told", study, "node"), (message,))
    town.carry()
    assert town.finish(study) == []
    assert "different shapes" in town.lines(study)[0].sentence


def _with_year(town, study):
    """The contract of a table with a code less than the others'."""
    with town.nodes["police"].store.read() as reader:
        ready = next(m for m in reader.find(Message, {"kind": "ready"}) if m.study == study)
    contract = json.loads(ready.body)["contract"]
    contract["tables"][0]["dimensions"][0]["codes"].pop()
    return contract


def test_a_node_that_is_offline_for_the_whole_study_is_waited_for_and_named_until_the_study_ends(town):
    town.down.add("kmar")
    study = town.ask(FOUR)
    town.carry()
    for key in FOUR[:3]:
        town.count(key, study, COUNTS[key])
    town.carry()
    assert town.finish(study) == []
    with town.home.store.read() as reader:
        assert waiting_for(reader, study)["counts"] == [town.nodes["kmar"].iri]
    assert {line.state for line in town.lines(study)} == {PublicState.WAITING, PublicState.RUNNING}
    with town.home.store.write() as tx:
        tx.change(tx.get(Study, study), state=StudyState.EXPIRED)
    assert town.finish(study) == []
    assert {line.state for line in town.lines(study)} == {PublicState.NOT_RELEASED}
    assert {town.visit(key, study).state for key in FOUR[:3]} == {VisitState.FAILED}
    town.down.clear()
    town.carry()  # it is back, and finds that there is nothing to do any more
    assert town.finish(study) == []


def test_a_study_over_too_few_organisations_is_not_sent(town):
    with pytest.raises(errors.NotValid, match="at least 3 contributing"):
        town.ask(FOUR[:2])


def test_when_too_few_are_left_nothing_is_opened_and_the_researcher_reads_why(town):
    three = FOUR[:3]
    study = town.ask(three)
    town.carry()
    for key in three[:2]:
        town.count(key, study, COUNTS[key])
    refused = {
        "dataset": town.dataset(three[2]),
        "stage": "count",
        "state": "not released",
        "sentence": "No.",
    }
    message = Outgoing(town.home.iri, "follow", study, refused)
    commit(town.nodes[three[2]].desk, lambda _: None, Entry("test.refused", study, "node"), (message,))
    town.carry()
    assert town.finish(study) == []
    assert any("at least 3 contributing" in line.sentence for line in town.lines(study))


def test_a_visit_withdrawn_after_the_announcement_ends_the_combination(announced):
    # last in this module: it ends the study that the others look at
    town, plan, _ = announced
    gone = {"dataset": town.dataset("kmar"), "stage": "count", "state": "not released", "sentence": ""}
    message = Outgoing(town.home.iri, "follow", plan.hash, gone)
    commit(town.nodes["kmar"].desk, lambda _: None, Entry("test.withdrew", plan.hash, "node"), (message,))
    town.carry()
    assert town.finish(plan.hash) == []
    assert any("ended before its figures" in line.sentence for line in town.lines(plan.hash))
    assert all(shares(town.nodes[key]) == [] for key in PARTIES)
    assert canonical(town.combination(plan.hash).facts["outputs"]) == b"{}"
