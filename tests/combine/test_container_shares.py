"""What a container computed enters shares under P1's exception only, and is opened cut, added, and with noise."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fairnode import approvals, clock, errors
from fairnode.approvals import protocol
from fairnode.approvals.algorithm_reviews import APPROVED, REFUSED
from fairnode.approvals.check import check_approved
from fairnode.approvals.content import content_hash
from fairnode.combine import announce, compute
from fairnode.combine.announcement import check_announcement
from fairnode.demo.make import case_files
from fairnode.demo.members import example
from fairnode.disclosure.rules import load_rules
from fairnode.gate.step import step_quarantined
from fairnode.keys import canonical
from fairnode.ledger.commit import Entry, commit
from fairnode.mpc.programs.noisy_sum import STEPS
from fairnode.network.joined import check_in_force
from fairnode.node import open_node
from fairnode.records.algorithm_review import AlgorithmReview, TrustedNode
from fairnode.records.charge import Charge
from fairnode.records.rows import Algorithm, Computation, Dataset, Earlier, Person, PersonKey, Quarantine
from fairnode.records.states import PublicState, VisitState
from fairnode.share import shared
from fairnode.studies.container import check_numbers, clipped, cost, epsilon
from fairnode.studies.document import Stage, read_study_bytes
from fairnode.visits.context import read_context
from fairnode.visits.steps import run_bytes, step_approved
from fairnode.visits.view import make_view
from tests.network.town import STEPS as RUNNING
from tests.network.town import Town, agreement_of, join_all, make_nodes

THREE = ("police", "labour", "coordinators")
IMAGE, MANIFEST = "sha256:" + "fe" * 32, "ed" * 32
FEDERATED = shared("algorithms") / "federated"
CACHE = Path(__file__).parents[2] / ".cache" / "demo"
PARAMETERS = {
    "variables": ["exploitationForm"], "positive": ["sexual"], "weights": [0, 0, 0, 0, 0], "clip": 1, "combined": True,
}  # fmt: skip
OPTIONS = {"clip": 1.0, "noise": 40}


@dataclass(frozen=True)
class Signer:
    """A person with a key at hand."""

    person: Person
    key: Ed25519PrivateKey

    @property
    def public(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    @property
    def sign(self) -> Callable[[bytes], bytes]:
        return self.key.sign


def people(node: Any) -> dict[str, Signer]:
    """A custodian and a counsel with keys, at a node."""
    now, found = clock.now(), {}
    for role in ("custodian", "counsel"):
        signer = Signer(Person(f"p-{role}", role, role, "", [role], True, now), Ed25519PrivateKey.generate())
        key = PersonKey(f"k-{role}", signer.person.id, "software", signer.public, b"", now)
        commit(
            node.desk,
            lambda tx, s=signer, k=key: [tx.add(s.person), tx.add(k)],
            Entry("test", role, "operator"),
        )
        found[role] = signer
    return found


def allow(node: Any, key: str) -> None:
    """The policy of a node's dataset carries the term, and the algorithm is known there."""
    manifest = (FEDERATED / "algorithm.toml").read_bytes()
    row = Algorithm(
        "fed", "federated", "1.1.0", "Round", manifest, MANIFEST, IMAGE, "p-arjen", "known", clock.now()
    )
    commit(node.desk, lambda tx: tx.add(row), Entry("test.known", row.id, "operator"))
    record(node, key, "htpol:ComputePartyAllowed", "htpol:ComputePartyAllowed , htpol:ContainerSharesAllowed")


def record(node: Any, key: str, old: str, new: str) -> None:
    with node.store.read() as reader:
        row = reader.get(Dataset, f"{key}-victims")
    assert old in row.record.decode()
    text = row.record.decode().replace(old, new).encode()
    commit(node.desk, lambda tx: tx.change(row, record=text), Entry("test.recorded", key, "operator"))


def review(node: Any, organisation: str, opinion: str = APPROVED, *, reproduced: bool = True) -> None:
    """A review from another organisation's node, as a row: how it comes to be is tested elsewhere."""
    key = f"{organisation * 64:.64}"
    told = AlgorithmReview(
        f"{IMAGE}#{organisation}#{opinion}", IMAGE, MANIFEST, opinion, "built it", reproduced,
        f"https://{organisation}.example/organisation", key, "p-9", b"signed", clock.now(),
    )  # fmt: skip

    def change(tx: Any) -> None:
        tx.add(told)
        if tx.get(TrustedNode, key) is None:
            tx.add(TrustedNode(key, organisation, clock.now()))

    commit(node.desk, change, Entry("algorithm.reviewed", told.id, "p-9"))


@pytest.fixture(scope="session")
def built_three(tmp_path_factory):
    """Three nodes with their case files, at which everything that P1 asks is there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    files, folder = case_files(CACHE), tmp_path_factory.mktemp("three")
    nodes = make_nodes(folder, THREE)
    for key, node in nodes.items():
        organisation = next(o for o in example().ORGANISATIONS if o.key == key)
        source = dict(tomllib.loads(example().source(organisation))["source"])
        source["path"] = str(files / key / source["path"])
        with node.store.write() as tx:
            tx.change(tx.one(Dataset), source=source)
        allow(node, key)
        for other in ("a", "b"):
            review(node, other)
    join_all(nodes, agreement_of(nodes))
    Town(nodes).know_each_other()
    for node in nodes.values():
        node.close()
    return folder


@pytest.fixture
def three(built_three, tmp_path, warm):
    shutil.copytree(built_three, tmp_path / "three")
    town = Town({key: open_node(tmp_path / "three" / key) for key in THREE}, warm=warm)
    yield town
    for node in town.nodes.values():
        node.close()


def ask(town: Town, **changes: Any) -> str:
    """A round of training over the three nodes."""
    stages = [
        {"name": "train", "kind": "visit"},
        {"name": "add", "kind": "combine", "program": "noisy-sum", "inputs": ["train"], "options": OPTIONS},
    ]
    told = {
        "title": "A round", "algorithm": {"name": "federated", "version": "1.1.0", "identity": IMAGE},
        "parameters": {**PARAMETERS, "dimensions": ["sex"]}, "stages": stages, "openings": ["add"], **changes,
    }  # fmt: skip
    study = town.ask(THREE, ("sex",), **told)
    town.carry()
    return study


def sign(node: Any, visit: str, signers: dict[str, Signer]) -> None:
    """Both people of a node sign for what they saw."""
    for role, signer in signers.items():
        seen = approvals.item(node, visit)
        approvals.approve(node, signer, visit, seen.content_hash, role)


def run_container(town: Town, key: str, study: str) -> dict[str, list[float]]:
    """The algorithm's own program on the real view, outside a container; the gate then takes what it wrote."""
    node, visit = town.nodes[key], town.visit(key, study)
    after = step_approved(node, visit)
    assert after.state == VisitState.PREPARING
    context = read_context(node, after)
    made = make_view(context)
    root = context.folder / "root"
    (root / "in").mkdir(parents=True)
    (root / "out").mkdir()
    shutil.copy(context.view_path, root / "in")
    (root / "run.json").write_bytes(run_bytes(visit.id, context.plan, context.description, context.manifest))
    environment = {**os.environ, "FAIRNODE_ROOT": str(root), "PYTHONPATH": str(FEDERATED.parent / "kit")}
    subprocess.run([sys.executable, str(FEDERATED / "federated.py")], check=True, env=environment)
    raw = (root / "out" / "result").read_bytes()

    def change(tx: Any) -> Any:
        row = tx.change(after, snapshot=str(made["sha256"]))
        for state in RUNNING[1:-1]:
            row = tx.change(row, state=state, changed=clock.now())
        tx.add(Quarantine(visit.id, raw, "", {}, clock.now()))
        return row

    ready = step_quarantined(node, commit(node.desk, change, Entry("test.ran", visit.id, "node", study)))
    assert ready.state == VisitState.READY, ready.internal
    shutil.rmtree(context.folder)
    return {table["id"]: [cell["v"] for cell in table["cells"]] for table in json.loads(raw)["tables"]}


def test_a_round_over_three_nodes_is_signed_cut_added_and_opened_with_noise_once(three):
    study = ask(three)
    written = {}
    for key in THREE:
        node, visit = three.nodes[key], three.visit(key, study)
        assert visit.state == VisitState.WAITING, "a policy that grants alone does not grant this"
        sign(node, visit.id, people(node))
        written[key] = run_container(three, key, study)
    three.carry()
    announce.step_combinations(three.home)
    three.carry()
    for key in THREE:
        assert three.deal(key, study).state == VisitState.SHARED
    three.carry()
    three.compute()
    (release,) = three.finish(study)
    told = json.loads(release.table)
    found = [cell["v"] for table in told["tables"] for cell in table["cells"]]
    summed = [
        sum(values)
        for table in told["tables"]
        for values in zip(*(one[table["id"]] for one in written.values()), strict=True)
    ]
    spread = 40 * math.sqrt(3)  # three sets of one party each draw noise of 40 clips
    assert len(found) == len(summed) == 5
    assert any(summed), "the containers computed something"
    assert all(abs(a - b) < 6 * spread for a, b in zip(found, summed, strict=True))
    assert max(abs(a - b) for a, b in zip(found, summed, strict=True)) > 1, "there is noise"
    assert (told["combined"]["noise"], told["combined"]["clip"], told["class"]) == (40, 1.0, "B")
    assert {line.state for line in three.lines(study)} == {PublicState.RELEASED}
    _it_was_paid_and_is_not_remembered_as_a_table(three, study)


def _it_was_paid_and_is_not_remembered_as_a_table(town, study):
    for key in THREE:
        with town.nodes[key].store.read() as reader:
            (charge,) = reader.find(Charge)
            assert charge.epsilon == cost(read_study_bytes(_document(town, study)))
            assert reader.find(Earlier) == []


def _document(town, study):
    return canonical(approvals.item(town.home, town.visit("coordinators", study).id).study)


def test_a_party_draws_no_noise_a_second_time_over_the_same_numbers(three):
    study = ask(three)
    for key in THREE:
        sign(three.nodes[key], three.visit(key, study).id, people(three.nodes[key]))
        run_container(three, key, study)
    three.carry()
    announce.step_combinations(three.home)
    three.carry()
    for key in THREE:
        three.deal(key, study)
    three.carry()
    node = three.nodes["police"]
    with node.store.read() as reader:
        row = next(r for r in reader.find(Computation, {"study": study}) if r.id.startswith("party#"))
    three.run()
    three.carry()
    plan, agreement = read_study_bytes(_document(three, study)), check_in_force(node)
    second = {**row.facts, "attempt": 2, "retry": {"node": three.nodes["labour"].iri, "signature": "ab"}}
    check_announcement(plan, agreement, three.home.iri, row.facts)
    with pytest.raises(errors.NotValid, match="dealt once"):
        check_announcement(plan, agreement, three.home.iri, second)
    again = {**row.facts, "run": "ab" * 16}
    with node.store.write() as tx, pytest.raises(errors.Conflict, match="drawn once"):
        compute.receive_announcement(node, tx, study, three.home.iri, again)


def sentence(town: Town, study: str, key: str = "police") -> str:
    visit = town.visit(key, study)
    assert visit.state == VisitState.REFUSED
    return visit.sentence


def test_without_the_term_in_the_policy_it_is_refused(three):
    record(three.nodes["police"], "police", " , htpol:ContainerSharesAllowed", "")
    assert "policy does not allow" in sentence(three, ask(three))


def test_with_one_organisation_that_made_the_image_it_is_refused(three):
    node = three.nodes["police"]
    with node.store.read() as reader:
        row = next(r for r in reader.find(AlgorithmReview) if "#b#" in r.id)
    commit(node.desk, lambda tx: tx.change(row, reproduced=False), Entry("test.changed", "b", "operator"))
    assert "by 1 organisations" in sentence(three, ask(three))


def test_two_people_of_one_organisation_are_one_organisation(three):
    node = three.nodes["police"]
    with node.store.read() as reader:
        row = next(r for r in reader.find(AlgorithmReview) if "#b#" in r.id)
    same = {"node": f"{'a' * 64}", "organisation": "https://other.example/organisation"}
    commit(node.desk, lambda tx: tx.change(row, **same), Entry("test.changed", "b", "operator"))
    assert "by 1 organisations" in sentence(three, ask(three))


def test_with_a_reviewer_who_asks_for_changes_it_is_refused(three):
    review(three.nodes["police"], "c", REFUSED)
    assert "asked for changes" in sentence(three, ask(three))


def test_a_review_by_a_node_that_is_not_trusted_counts_for_nothing(three):
    node = three.nodes["police"]
    with node.store.read() as reader:
        trusted = reader.get(TrustedNode, "b" * 64)
    commit(node.desk, lambda tx: tx.remove(trusted), Entry("test.distrusted", "b", "operator"))
    assert "by 1 organisations" in sentence(three, ask(three))


def test_a_signed_round_is_void_once_a_reviewer_changes_their_mind(three):
    study = ask(three)
    node, visit = three.nodes["police"], three.visit("police", study)
    signers = people(node)
    sign(node, visit.id, signers)
    check_approved(node, visit, approvals.item(node, visit.id).content)
    review(node, "c", REFUSED)
    found = approvals.item(node, visit.id)
    with pytest.raises(errors.NotAllowed, match="asked for changes"):
        check_approved(node, visit, found.content)
    assert step_approved(node, three.visit("police", study)).state == VisitState.WAITING
    with pytest.raises(errors.NotAllowed, match="asked for changes"):
        approvals.approve(node, signers["counsel"], visit.id, found.content_hash, "counsel")


def test_what_was_signed_is_shown_when_policy_and_reviews_have_changed_since(three):
    study = ask(three)
    node, visit = three.nodes["police"], three.visit("police", study)
    sign(node, visit.id, people(node))
    before = approvals.item(node, visit.id)
    record(node, "police", "htpol:minimumCellCount 11", "htpol:minimumCellCount 20")
    after = approvals.item(node, visit.id)
    assert after.content_hash != before.content_hash
    shown = approvals.as_signed(node, after)
    assert content_hash(shown.content) == shown.content_hash == before.content_hash
    waiting = replace(after, visit=replace(after.visit, state=VisitState.WAITING))
    assert approvals.as_signed(node, waiting) == waiting, "who decides sees what would run"


def test_the_document_names_the_exception_first_of_all_that_is_combined(three):
    study = ask(three)
    found = approvals.item(three.nodes["police"], three.visit("police", study).id)
    text = protocol.as_text(protocol.protocol_document(found.study, found.content), found.content_hash)
    assert text.index("EXCEPTION") < text.index("Combining with other organisations")
    for said in (
        "https://a.example/organisation",
        "https://b.example/organisation",
        "40 times",
        "the length 1,",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"options": {"clip": 1.0}}, "noise"),
        ({"options": {"clip": -1.0, "noise": 40}}, "clip"),
        ({"options": OPTIONS, "maxRounds": 3}, "a study of its own"),
        ({"options": {"clip": 1.0, "noise": 4}}, "epsilon"),
        ({"program": "sum"}, "never combined"),
    ],
)
def test_rounds_with_too_little_noise_or_by_another_program_are_not_sent(three, changes, why):
    combined = {"name": "add", "kind": "combine", "program": "noisy-sum", "inputs": ["train"], **changes}
    with pytest.raises(errors.NotValid) as caught:
        ask(three, stages=[{"name": "train", "kind": "visit"}, combined])
    assert why in str(caught.value)


def test_a_table_that_nodes_recount_is_not_added_with_noise(three):
    stages = [
        {"name": "count", "kind": "visit"},
        {"name": "add", "kind": "combine", "program": "noisy-sum", "inputs": ["count"], "options": OPTIONS},
    ]
    with pytest.raises(errors.NotValid) as caught:
        three.ask(THREE, stages=stages, openings=["add"])
    assert "does not name 'noisy-sum'" in str(caught.value)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(0.01, 1e3))
def test_a_vector_is_cut_to_one_clip_and_a_short_one_keeps_its_length(values, clip):
    steps = clipped(values, clip)
    assert math.hypot(*steps) <= STEPS
    if math.hypot(*values) <= clip:
        assert all(abs(n * clip / STEPS - v) <= clip / STEPS for n, v in zip(steps, values, strict=True))


def test_an_epsilon_is_that_of_its_noise_and_too_little_noise_is_refused():
    assert epsilon(40) == pytest.approx(0.00125 + 2 * math.sqrt(0.00125 * math.log(1e6)))
    with pytest.raises(errors.NotValid, match="epsilon"):
        check_numbers(Stage("add", "combine", options={"noise": 10}), 5, load_rules())
    check_numbers(Stage("add", "combine", options={"noise": 40}), 5, load_rules())
