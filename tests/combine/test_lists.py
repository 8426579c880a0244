"""The flagship study over the six real case files: what is released is what the published table says, no more."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import rdflib

from fairnode import approvals, errors
from fairnode.algorithms.own import keep_own, own_programs
from fairnode.approvals.receive import asked_of_counsel
from fairnode.combine import announce, lists
from fairnode.combine.lists import check_figures, secret_name, step_keys, step_list
from fairnode.combine.standing import open_questions, recounted, take_back
from fairnode.demo.members import example
from fairnode.demo.policies import granting_offer
from fairnode.disclosure.rules import load_rules
from fairnode.gate.refusals import Refused
from fairnode.gate.step import read_case
from fairnode.ledger.commit import Entry, commit
from fairnode.linkage.keys import VARIABLES
from fairnode.mpc.estimate.grid import figures
from fairnode.mpc.estimate.models import Model
from fairnode.mpc.estimate.plain import hidden_number, standard_error
from fairnode.mpc.openings.lists import shown_cells
from fairnode.mpc.overlap.shape import OverlapShape, patterns
from fairnode.network.agreement import ComputeParty
from fairnode.node import open_node
from fairnode.people import add_person
from fairnode.people.signing import signer_with_password
from fairnode.policy.decide import Decision, Effect
from fairnode.records.charge import Charge
from fairnode.records.rows import Computation, Dataset, Earlier, LedgerLine, Person, Quarantine, Share
from fairnode.records.states import PublicState, VisitState
from fairnode.release.estimates import estimates_of
from fairnode.release.releases import render
from fairnode.visits.steps import step_approved
from fairnode.vocabulary import HTPOL
from tests.network.town import PARTIES, Town, agreement_of, join_all, make_nodes, processing

LETTERS = {"police": "P", "kmar": "K", "labour": "I", "coordinators": "R", "shelters": "O", "others": "Z"}
SIX = tuple(LETTERS)
MODELS = [[], [[0, 3]], [[0, 3], [3, 4]], [[0, 3], [3, 4], [0, 2]]]
OWN = own_programs()["linkage-keys"]


def published(keys=SIX):
    """The cells of the published table over these lists, in the order of `patterns`."""
    cells = dict.fromkeys(patterns(len(keys)), 0)
    for letters, number in example().published().items():
        pattern = tuple(i for i, key in enumerate(keys) if LETTERS[key] in letters)
        if pattern:
            cells[pattern] += number
    return list(cells.values())


@pytest.fixture(scope="session")
def built_lists(tmp_path_factory, case_files):
    """Six nodes with their own case files, in one agreement; copied for each story."""
    folder = tmp_path_factory.mktemp("lists")
    nodes = make_nodes(folder, SIX)
    for key, node in nodes.items():
        keep_own(node)
        _give_list(node, key, case_files, nodes["coordinators"].iri)
    join_all(nodes, agreement_of(nodes))
    Town(nodes).know_each_other()
    for node in nodes.values():
        node.store.close()
    return folder


def _give_list(node, key, data, home):
    """The case file in the place of the planted one, and a policy that grants this study."""
    organisation = next(o for o in example().ORGANISATIONS if o.key == key)
    iri = f"{node.iri}/dataset/{key}-victims"
    grant = granting_offer(
        iri, f"{home}/organisation", OWN.identity, VARIABLES, ("visit", "combine", "estimate")
    )
    path = data / key / organisation.file
    source = {"kind": organisation.kind, "path": str(path), **dict(organisation.options)}
    with node.store.read() as reader:
        row = reader.get(Dataset, f"{key}-victims")
    commit(
        node.desk,
        lambda tx: tx.change(row, record=row.record + grant.encode(), source=source),
        Entry("test.list", key, "operator"),
    )


@pytest.fixture(scope="module")
def town(built_lists, tmp_path_factory, warm):
    folder = tmp_path_factory.mktemp("story") / "town"
    shutil.copytree(built_lists, folder)
    town = Town({path.name: open_node(path) for path in sorted(folder.iterdir())}, warm=warm)
    yield town
    _let_go(town)


def _let_go(town):
    for node in town.nodes.values():
        node.spare.end()
        node.store.close()


def ask(town, keys=SIX, models=MODELS, key="names", bound=5000, **changes):
    """Send the study; its hash."""
    told = {
        "title": "How many nobody sees",
        "question": "How many presumed victims were on none of these lists, 2010-2015?",
        "algorithm": {"name": "linkage-keys", "version": OWN.told.version, "identity": OWN.identity},
        "dimensions": [],
        "parameters": {"key": key, "variables": list(VARIABLES)},
        "stages": [
            {"name": "keys", "kind": "visit", "program": "linkage-keys"},
            {"name": "overlap", "kind": "combine", "program": "overlap", "inputs": ["keys"],
             "options": {"bound": bound}},
            {"name": "estimate", "kind": "estimate", "program": "estimate", "inputs": ["overlap"],
             "options": {"models": models, "standardErrors": True}},
        ],
        "openings": ["estimate"],
        **changes,
    }  # fmt: skip
    told.setdefault("dimensions", [])
    return town.ask(keys, **told)


def open_stages(bound=5000):
    """The stages of the test that opens the whole table (P10)."""
    options = {"bound": bound, "synthetic": True}
    return [
        {"name": "keys", "kind": "visit", "program": "linkage-keys"},
        {"name": "overlap", "kind": "combine", "program": "overlap-open-synthetic", "inputs": ["keys"],
         "options": options},
    ]  # fmt: skip


def make_keys(town, study, keys=SIX):
    """Every visit as far as its keys."""
    town.carry()
    for key in keys:
        node = town.nodes[key]
        step_keys(node, step_approved(node, town.visit(key, study)))
    town.carry()
    announce.step_combinations(town.home)
    town.carry()


def deal(town, study, keys=SIX):
    """Every list that can be dealt; the secret is carried after the first of them."""
    for key in keys:
        step_list(town.nodes[key], town.visit(key, study))
        town.carry()


def whole(town, keys=SIX, **asked):
    """A study from the question to its end; its hash and what was released."""
    study = ask(town, keys, **asked)
    make_keys(town, study, keys)
    deal(town, study, keys)
    compute(town)
    return study, town.finish(study)


@pytest.fixture(scope="module")
def story(town):
    study, (release,) = whole(town)
    return town, study, release


def test_the_released_estimates_are_those_made_in_clear_from_the_published_table(story):
    _, _, release = story
    told, cells = estimates_of(release), published()
    exact = [hidden_number(cells, Model.of(6, m)) for m in MODELS]
    errors_of = [standard_error(cells, Model.of(6, m), n0) for m, n0 in zip(MODELS, exact, strict=True)]
    assert told.estimable
    assert told.observed == figures(8234) == 8200
    assert [m.hidden for m in told.models] == [figures(n0) for n0 in exact]
    assert [m.standard_error for m in told.models] == [figures(e) for e in errors_of]


def test_a_release_holds_no_cell_and_at_most_ten_numbers(story):
    _, _, release = story
    told = json.loads(release.table)
    assert told["tables"] == []
    opened = told["estimate"]["told"]
    numbers = [opened["observed"], *(m[n] for m in opened["models"] for n in ("hidden", "standardError"))]
    assert len(numbers) == 9
    assert set(opened) == {"estimable", "observed", "models"}


def test_it_says_who_took_part_and_what_it_took(story):
    _, _, release = story
    combined = json.loads(release.table)["combined"]
    assert len(combined["contributors"]) == 6
    assert [m["party"] for m in combined["measured"]] == [0, 1, 2]
    for measured in combined["measured"]:
        assert measured["rounds"] > 0
        assert measured["bytes_sent"] > 1_000_000
        assert measured["opened_values"] > 0
        assert len(measured["inputs"]) == 64
    assert len({measured["inputs"] for measured in combined["measured"]}) == 1


def test_it_is_rendered_for_people_and_machines(story):
    _, _, release = story
    assert render(release, "csv").decode().splitlines()[1].startswith("all lists independent,8200,")
    assert render(release, "turtle").count(b"a qb:Observation") == 4
    assert b"<svg" in render(release, "svg")


def test_names_and_secrets_are_gone_afterwards(story):
    town, study, _ = story
    for key, node in town.nodes.items():
        with node.store.read() as reader:
            rows = [c for c in reader.find(Computation, {"study": study}) if not c.id.startswith("home#")]
            assert all(row.facts == {} for row in rows), key
            assert reader.find(Share) == []
        assert not any(path.is_file() for path in (node.config.spool / "visits").rglob("*"))
    assert {line.state for line in town.lines(study)} == {PublicState.RELEASED}


def test_what_became_of_the_records_is_known_to_their_owner_only(story):
    town, study, _ = story
    with town.nodes["police"].store.read() as reader:
        told = reader.get(Quarantine, town.visit("police", study).id).verdict["list"]
    assert told == {"records": 4812, "merged": 0, "ambiguous": 0, "without": 0, "weak": 13, "persons": 4812}
    with town.home.store.read() as reader:
        lines = [line.body.decode() for line in reader.find(LedgerLine, {"study": study})]
    assert not any(re.search("(?<![0-9a-f])4812(?![0-9a-f])", line) for line in lines)  # in no hash by chance


@pytest.mark.long
def test_every_cell_of_the_synthetic_table_is_the_published_one(town):
    _, (release,) = whole(town, stages=open_stages(), openings=["overlap"])
    assert [n for _, n in estimates_of(release).overlap] == published()


THREE = ("coordinators", "shelters", "others")


@pytest.fixture(scope="module")
def second_attempt(town):
    """One owner takes its list back, because it did not fit: all deal again, with another key."""
    study = ask(town, THREE, models=[[]], key="slk-581", bound=1500)
    make_keys(town, study, THREE)
    first, second, _ = THREE
    step_list(town.nodes[first], town.visit(first, study))
    town.carry()
    assert town.visit(first, study).state == VisitState.SHARED
    _say_that_it_did_not_fit(town, second, study)
    town.carry()
    announce.step_combinations(town.home)
    town.carry()
    assert town.visit(first, study).state == VisitState.READY
    with town.nodes["police"].store.read() as reader:
        assert reader.find(Share) == []  # those of the first attempt are destroyed
        assert reader.get(Computation, secret_name(study, "overlap")) is None  # computes, and owns no list
    deal(town, study, THREE)
    compute(town)
    (release,) = town.finish(study)
    return town, study, release


def _say_that_it_did_not_fit(town, key, study):
    """What a node does whose tables cannot be built, without waiting for that to happen by chance."""
    node, visit = town.nodes[key], town.visit(key, study)
    with node.store.read() as reader:
        rows = reader.find(Computation, {"study": study})
    row = next(c for c in rows if c.id.startswith("contributor#"))
    case = read_case(node, visit)
    take_back(node, case, row, recounted(case, None))
    assert step_list(node, town.visit(key, study)).state == VisitState.READY  # it waits for the next attempt


def compute(town):
    """The parties run, ask whether the lists still stand, and open; each owner answers from its source."""
    town.run()
    town.carry()
    for node in town.nodes.values():
        for question in open_questions(node):
            lists.answer(node, question)
    town.carry()
    town.open()
    town.carry()


def test_lists_that_were_dealt_in_a_second_attempt_give_the_same_estimate(second_attempt):
    _, _, release = second_attempt
    exact = hidden_number(published(THREE), Model.of(3, []))
    assert [m.hidden for m in estimates_of(release).models] == [figures(exact)]
    assert json.loads(release.table)["combined"]["attempt"] == 2


def test_the_same_question_gets_the_stored_answer(second_attempt):
    town, _, before = second_attempt
    study = ask(town, THREE, models=[[]], key="slk-581", bound=1500)
    make_keys(town, study, THREE)
    (release,) = town.finish(study)
    assert json.loads(release.table)["answerOf"] == before.id
    assert all(town.visit(key, study).state == VisitState.FAILED for key in THREE)


def test_other_models_of_the_same_table_are_refused_when_its_figures_are_used_up(second_attempt):
    town, _, _ = second_attempt  # three figures were released; these are nine more
    study = ask(
        town, THREE, models=[[[0, 1]], [[1, 2]], [[0, 2]], [[0, 1], [1, 2]]], key="slk-581", bound=1500
    )
    make_keys(town, study, THREE)
    assert step_list(town.nodes["others"], town.visit("others", study)).state == VisitState.BLOCKED
    town.carry()
    assert town.finish(study) == []


def test_a_list_over_the_bound_ends_its_visit_and_outsiders_see_no_length(town):
    study = ask(town, THREE, models=[[]], key="initials", bound=500)
    town.carry()
    node = town.nodes["shelters"]
    with pytest.raises(errors.NotValid, match="536 persons, more than the 500"):
        step_keys(node, step_approved(node, town.visit("shelters", study)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"models": [[[0, 1]]] * 2}, "each model once"),
        ({"models": [[[0, 1, 2]]]}, "nothing to estimate from"),
        ({"models": [[[0, 9]]]}, "terms of lists 0 to 2"),
        ({"bound": 0}, "bound"),
        ({"openings": ["overlap"]}, "must be 'estimate'"),
        ({"key": "bsn"}, "is not one of"),
        ({"parameters": {"key": "names", "variables": ["sex"]}}, "was expected"),
        ({"stages": [{"name": "keys", "kind": "visit", "program": "linkage-keys"}]}, "end nowhere"),
        ({"stages": [open_stages()[0], {**open_stages()[1], "options": {"bound": 9}}], "openings": ["overlap"]},
         "synthetic data only"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_before_it_is_sent(town, changes, words):
    with pytest.raises(errors.NotValid) as refused:
        ask(town, THREE, **changes)
    assert words in " ".join([refused.value.what, *(f.what for f in refused.value.findings)])


def test_seven_lists_are_too_many():
    with pytest.raises(errors.NotValid, match="3 to 6 lists, not 7"):
        OverlapShape(7, 100)


def test_the_whole_table_is_never_opened_of_data_that_are_not_synthetic(town):
    node = town.nodes["shelters"]
    with node.store.read() as reader:
        row = reader.get(Dataset, "shelters-victims")
    real = replace(row, record=row.record.replace(b"fn:synthetic true", b"fn:synthetic false"))
    commit(node.desk, lambda tx: tx.change(row, record=real.record), Entry("test.real", "list", "operator"))
    try:
        study = ask(town, THREE, key="either-order", stages=open_stages(), openings=["overlap"])
        town.carry()
        line = next(line for line in town.lines(study) if "shelters" in line.dataset)
        assert line.state == PublicState.NOT_RELEASED
        assert "synthetic data only" in line.sentence
    finally:
        commit(
            node.desk, lambda tx: tx.change(real, record=row.record), Entry("test.back", "list", "operator")
        )


def test_figures_of_one_table_are_counted_over_studies_and_over_sets_of_lists():
    nine = {"nodes": ["a", "b", "c"], "figures": 9}
    check_figures([nine], ["a", "b", "c"], 1, load_rules())
    with pytest.raises(Refused):
        check_figures([nine], ["a", "b", "c"], 2, load_rules())
    with pytest.raises(Refused):
        check_figures([{**nine, "figures": 1}], ["a", "b", "d"], 1, load_rules())  # differs by two lists only


@pytest.mark.long
def test_a_list_that_changed_after_it_was_dealt_is_taken_back_and_dealt_anew(built_lists, tmp_path, warm):
    """Consent and withdrawals of the day (P19): before the opening the keys are made once more."""
    shutil.copytree(built_lists, tmp_path / "town")
    town = Town({path.name: open_node(path) for path in sorted((tmp_path / "town").iterdir())}, warm=warm)
    study = ask(town, THREE, models=[[]], key="names", bound=1500)
    make_keys(town, study, THREE)
    deal(town, study, THREE)
    before = town.visit("others", study).snapshot
    _withdraw_one(town.nodes["others"], tmp_path)
    compute(town)
    assert town.finish(study) == []  # nothing is opened of the attempt that was taken back
    announce.step_combinations(town.home)
    town.carry()
    deal(town, study, THREE)
    assert town.visit("others", study).snapshot != before
    compute(town)
    (release,) = town.finish(study)
    assert json.loads(release.table)["combined"]["attempt"] == 2
    _let_go(town)


def _withdraw_one(node, folder):
    """One person less in the case file, as after a withdrawal."""
    with node.store.read() as reader:
        row = reader.get(Dataset, "others-victims")
    lines = Path(row.source["path"]).read_text(encoding="utf-8").splitlines()
    path = folder / "others.jsonl"
    path.write_text("\n".join(lines[1:]) + "\n", encoding="utf-8")
    source = {**row.source, "path": str(path)}
    commit(node.desk, lambda tx: tx.change(row, source=source), Entry("test.withdrawn", "others", "operator"))


def cell_stages(bound=5000):
    """The stages of a study that opens cells (P9)."""
    return [
        {"name": "keys", "kind": "visit", "program": "linkage-keys"},
        {"name": "overlap", "kind": "combine", "program": "overlap-cells", "inputs": ["keys"],
         "options": {"bound": bound}},
    ]  # fmt: skip


ALLOWED = b"htpol:modifier htpol:OverlapCellsAllowed , "


OPEN = ("police", "kmar", "coordinators")
REGIMES = {"police": b"GDPR", "kmar": b"NoPersonalData", "shelters": b"WPG", "labour": b"LED"}


@pytest.fixture(scope="module")
def cells_town(built_lists, tmp_path_factory, warm):
    """Organisations that allow it, two of them under police law; each has a custodian and counsel."""
    folder = tmp_path_factory.mktemp("cells") / "town"
    shutil.copytree(built_lists, folder)
    made = Town({path.name: open_node(path) for path in sorted(folder.iterdir())}, warm=warm)
    for key in (*OPEN, "labour", "shelters"):
        node = made.nodes[key]
        with node.store.read() as reader:
            row = reader.one(Dataset)
        record = row.record.replace(b"htpol:modifier ", ALLOWED)
        for regime in (b"WPG", b"GDPR"):
            told = b"fn:regime htpol:" + REGIMES.get(key, regime)
            record = record.replace(b"fn:regime htpol:" + regime, told, 1) if told not in record else record
        commit(
            node.desk, lambda tx, r=row, t=record: tx.change(r, record=t), Entry("test.term", key, "operator")
        )
        for user, role in (("carla", "custodian"), ("lars", "counsel")):
            add_person(node, user, user.title(), [role], PASSWORD)
    join_all(made.nodes, agreement_of(made.nodes, parties=_parties(made.nodes)))
    yield made
    _let_go(made)


def _parties(nodes):
    """The compute parties, agreed upon for the regimes that the data are under here."""
    found = []
    for number, key in enumerate(PARTIES):
        others = [(other, processing(other, nodes[other])) for other in nodes if other != key]
        agreed = tuple(
            replace(said, regime=HTPOL + REGIMES[other].decode()) if other in REGIMES else said
            for other, said in others
        )
        address = f"127.0.0.1:{nodes[key].config.compute_port}"
        found.append(ComputeParty(number, f"{nodes[key].iri}/organisation", address, processing=agreed))
    return found


PASSWORD = "correct horse battery staple"


def approve(node, visit, user, role):
    with node.store.read() as reader:
        person = reader.one(Person, username=user)
    item = approvals.item(node, visit.id)
    approvals.approve(
        node, signer_with_password(node, person, PASSWORD), visit.id, item.content_hash, role, "Fine."
    )


@pytest.fixture(scope="module")
def opened_cells(cells_town):
    study = ask(cells_town, OPEN, stages=cell_stages(), openings=["overlap"])
    cells_town.carry()
    waiting = {key: cells_town.visit(key, study).state for key in OPEN}
    for key in OPEN:
        node = cells_town.nodes[key]
        approve(node, cells_town.visit(key, study), "carla", "custodian")
        waiting[key, "one"] = cells_town.visit(key, study).state
        approve(node, cells_town.visit(key, study), "lars", "counsel")
    make_keys(cells_town, study, OPEN)
    deal(cells_town, study, OPEN)
    compute(cells_town)
    return study, waiting, cells_town.finish(study)


def test_no_policy_grants_that_cells_are_opened_and_counsel_of_each_node_decides(opened_cells):
    _, waiting, _ = opened_cells
    assert set(waiting.values()) == {VisitState.WAITING}


def test_the_opened_cells_are_those_that_the_rule_allows_of_the_published_table(opened_cells):
    _, _, (release,) = opened_cells
    told = estimates_of(release)
    cells = dict(zip(patterns(3), published(OPEN), strict=True))
    shown = shown_cells(cells, 3, 11, 1)
    assert shown == [(0,), (1,), (2,), (0, 1), (0, 2)]
    expected = [(tuple(i + 1 for i in p), (n + 2) // 5 * 5 if p in shown else None) for p, n in cells.items()]
    assert list(told.overlap) == expected
    assert told.bound == 11
    assert json.loads(release.table)["estimate"]["told"].keys() == {"overlap", "bound", "base"}
    assert "hidden" in render(release, "csv").decode()
    rdflib.Graph().parse(data=render(release, "turtle"), format="turtle")


@pytest.mark.long
def test_beside_opened_cells_no_estimate_of_these_lists_is_released_under_whichever_key(
    cells_town, opened_cells
):
    study = ask(cells_town, OPEN, models=[[]], key="slk-581", bound=5000)
    make_keys(cells_town, study, OPEN)
    assert {step_list(cells_town.nodes[key], cells_town.visit(key, study)).state for key in OPEN[:1]} == {
        VisitState.BLOCKED
    }


@pytest.mark.parametrize(
    ("keys", "where", "words"),
    [
        (("coordinators", "kmar", "labour"), "labour", "police law"),
        (("coordinators", "kmar", "shelters"), "shelters", "police law"),
    ],
)
def test_of_data_under_police_law_no_cell_is_opened(cells_town, keys, where, words):
    study = ask(cells_town, keys, stages=cell_stages(), openings=["overlap"])
    cells_town.carry()
    line = next(line for line in cells_town.lines(study) if where in line.dataset)
    assert line.state == PublicState.NOT_RELEASED
    assert words in line.sentence


def test_without_the_term_in_the_policy_no_cell_is_opened(town):
    with pytest.raises(errors.NotValid, match="does not allow cells"):
        ask(town, THREE, stages=cell_stages(), openings=["overlap"])


def test_where_counsel_is_not_in_the_quorum_no_cell_is_opened(cells_town):
    node = cells_town.nodes["shelters"]
    alone = replace(
        node, config=replace(node.config, settings=replace(node.config.settings, quorum=("custodian",)))
    )
    assert asked_of_counsel(Decision(Effect.GRANT, ""), alone).effect is Effect.REFUSE
    assert asked_of_counsel(Decision(Effect.GRANT, ""), node).effect is Effect.ASK


def test_what_a_combination_without_a_result_took_is_given_back_if_nothing_was_opened(town):
    """P6, P17: figures and budget are of what can have been opened, and are not charged for a run that was not."""
    study = ask(town, THREE, models=[[]], key="initials", bound=1500)
    make_keys(town, study, THREE)
    deal(town, study, THREE)
    before = {key: remembered(town, key, study) for key in THREE}
    assert all(figures == [3] and charges == 1 for figures, charges in before.values())
    give_up(town, study)
    assert {key: remembered(town, key, study) for key in THREE} == dict.fromkeys(THREE, ([], 0))


@pytest.mark.long
def test_what_was_opened_before_a_combination_ended_stays_charged(town):
    study = ask(town, THREE, models=[[]], key="sound", bound=1500)
    make_keys(town, study, THREE)
    deal(town, study, THREE)
    compute(town)
    give_up(town, study)
    assert all(remembered(town, key, study) == ([3], 1) for key in THREE)


def give_up(town, study):
    """The home node ends the combination without a result."""
    with town.home.store.write() as tx:
        row = next(c for c in tx.find(Computation, {"study": study}) if c.id.startswith("home#"))
        tx.change(row, facts={**row.facts, "withheld": True})
    assert town.finish(study) == []


def remembered(town, key, study):
    """The figures that a node has noted for a study, and how often its requester was charged for it."""
    visit = town.visit(key, study)
    with town.nodes[key].store.read() as reader:
        figures = [row.facts["figures"] for row in reader.find(Earlier) if row.id == visit.id]
        return figures, sum(row.id == visit.id for row in reader.find(Charge))
