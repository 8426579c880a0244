"""How each part of a combined release was made: signed by its organisation, and told without a word of its data."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace

import pytest
import rdflib
from rdflib.namespace import PROV

from fairnode import errors
from fairnode.combine import announce, waiting
from fairnode.combine.made import made_bytes, made_message, receive_made
from fairnode.keys import verify
from fairnode.network.joined import current
from fairnode.records.rows import Approval, Computation
from fairnode.release.crate import crate
from fairnode.release.releases import render
from fairnode.vocabulary import FN
from tests.combine.conftest import FOUR

COUNTS = dict.fromkeys(FOUR, (900, 150, 130, 100))


@pytest.fixture(scope="module")
def story(one_town):
    study = one_town.gather(COUNTS)
    one_town.run()
    one_town.carry()
    one_town.answer()
    one_town.open()
    one_town.carry()
    return one_town, study


@pytest.fixture(scope="module")
def released(story):
    town, study = story
    (release,) = town.finish(study)
    return town, study, release


def parts(release):
    return json.loads(release.table)["combined"]["made"]


def mine(town, key, study):
    """What a contributor says of its part, made anew."""
    node = town.nodes[key]
    with node.store.read() as reader:
        row = reader.get(Computation, f"contributor#{study}#combine")
    return made_message(node, town.visit(key, study), row.facts).body


def test_nothing_is_released_before_every_organisation_has_told(story):
    town, study = story
    row = town.combination(study)
    without = {k: v for k, v in row.facts["made"].items() if k != town.dataset("kmar")}
    with town.home.store.write() as tx:
        tx.change(row, facts={**row.facts, "made": without})
    assert announce.step_combinations(town.home) == 0
    with town.home.store.read() as reader:
        assert waiting.waiting_for(reader, study)["made"] == [town.nodes["kmar"].iri]
    with town.home.store.write() as tx:
        tx.change(tx.get(Computation, row.id), facts=row.facts)


LIES = {
    "another's name": lambda told: {**told, "node": "https://other.example"},
    "another input": lambda told: {**told, "input": "hmac-sha256:" + "0" * 64},
    "a role that nobody had": lambda told: {**told, "approvals": [{**told["approvals"][0], "role": "counsel"}]},
    "a name among the approvals": lambda told: {
        **told, "approvals": [{**told["approvals"][0], "role": "Carla Bakker"}]
    },
    "a moment instead of a day": lambda told: {
        **told, "approvals": [{**told["approvals"][0], "day": "2026-11-21T10:00:00Z"}]
    },
    "a plain hash of the input": lambda told: {**told, "input": "sha256:" + "0" * 64},
    "approvals without end": lambda told: {**told, "approvals": told["approvals"] * 21},
    "two lines": lambda told: {**told, "software": "fairnode\n0"},
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_what_an_organisation_did_not_sign_or_may_not_say_is_refused(story, lie):
    town, study = story
    told = mine(town, "kmar", study)
    with town.home.store.write() as tx, pytest.raises(errors.NotValid):
        receive_made(tx, study, town.nodes["kmar"].iri, LIES[lie](told))


def test_nobody_tells_for_another_and_nobody_who_does_not_contribute(story):
    town, study = story
    told = mine(town, "kmar", study)
    for sender in ("police", "others"):
        with town.home.store.write() as tx, pytest.raises(errors.NotAllowed):
            receive_made(tx, study, town.nodes[sender].iri, told)


def test_a_word_about_another_dealing_changes_nothing(story):
    town, study = story
    node = town.nodes["kmar"]
    with node.store.read() as reader:
        row = reader.get(Computation, f"contributor#{study}#combine")
    late = made_message(node, town.visit("kmar", study), {**row.facts, "attempt": 9}).body
    before = town.combination(study)
    with town.home.store.write() as tx:
        receive_made(tx, study, node.iri, late)
    assert town.combination(study) == before


def test_hashes_of_inputs_tell_nothing_of_equal_inputs(story):
    """The same data in two studies are two hashes: nobody sees that nothing changed."""
    town, study = story
    node, visit = town.nodes["kmar"], town.visit("kmar", study)
    with node.store.read() as reader:
        row = reader.get(Computation, f"contributor#{study}#combine")
    again = made_message(node, replace(visit, id="another"), row.facts).body
    assert again["input"] != mine(town, "kmar", study)["input"]


def test_each_organisation_says_by_its_signature_what_it_read_and_which_roles_approved(released):
    town, study, release = released
    members = {member.node: member for member in current(town.home).members}
    assert [part["dataset"] for part in parts(release)] == [town.dataset(key) for key in FOUR]
    for part in parts(release):
        assert verify(members[part["node"]].signing, bytes.fromhex(part["signature"]), made_bytes(part))
        (approval,) = part["approvals"]
        node = next(node for node in town.nodes.values() if node.iri == part["node"])
        with node.store.read() as reader:
            (given,) = reader.find(Approval)
        assert (approval["role"], approval["content"]) == ("policy", f"sha256:{given.content}")
        assert approval["day"] == given.created[:10]
        assert part["rules"] == node.rules.hash
        assert part["program"] == town.combination(study).facts["program"]["digest"]


def test_data_cube_and_crate_tell_it_of_each_organisation(released, tmp_path):
    town, _, release = released
    graph = rdflib.Graph().parse(data=render(release, "turtle"), format="turtle")
    told = {
        str(graph.value(part, PROV.used)): str(graph.value(part, rdflib.URIRef(f"{FN}inputCommitment")))
        for part in graph.objects(None, PROV.wasInformedBy)
    }
    assert told == {part["dataset"]: part["input"] for part in parts(release)}
    path = tmp_path / "crate.zip"
    path.write_bytes(crate(town.home, release))
    with zipfile.ZipFile(path) as archive:
        entities = {e["@id"]: e for e in json.loads(archive.read("ro-crate-metadata.json"))["@graph"]}
    for number, part in enumerate(parts(release)):
        action = entities[f"#part-{number}"]
        assert action["object"] == {"@id": part["dataset"]}
        assert action["identifier"] == f"ed25519:{part['signature']}"
        said = [entities[fact["@id"]]["value"] for fact in action["additionalProperty"]]
        assert part["input"] in said
        assert f"sha256:{part['rules']}" in said
        assert any(text.startswith("policy sha256:") for text in said)
