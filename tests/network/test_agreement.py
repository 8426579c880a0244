"""The agreement: signed by each, held by each; without it nothing is served and nobody is believed."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace

import pytest

from fairnode import clock, errors
from fairnode.ledger import verify_ledger
from fairnode.network.agreement import ComputeParty, read_agreement
from fairnode.network.joined import current, join, sign_agreement
from fairnode.node import open_node
from fairnode.records.rows import AgreementCopy
from tests.network.town import PARTIES, agreement_of, card


def signed(nodes, content):
    return {node.iri: sign_agreement(node, content) for node in nodes.values()}


def test_an_agreement_that_each_signed_is_held_and_says_what_was_written(nodes, made, tmp_path):
    content = agreement_of(nodes)
    agreement = read_agreement(content)
    assert len(agreement.members) == 4
    assert agreement.k == 11
    assert [agreement.of_organisation(p.organisation).node for p in agreement.parties] == [
        nodes[key].iri for key in PARTIES
    ]
    assert agreement.member(nodes["shelters"].iri).host == nodes["coordinators"].iri
    assert {m.certificate for m in agreement.members} == {card(node).certificate for node in nodes.values()}


def test_joining_replaces_the_agreement_before_and_leaves_a_line(network):
    node = network["police"]
    before = current(node)
    content = agreement_of(network, title="A second one")
    join(node, content, signed(network, content), "p-lars")
    assert current(node).title == "A second one"
    with node.store.read() as reader:
        assert reader.get(AgreementCopy, before.digest).state == "replaced"
    assert verify_ledger(node.desk).sound


@pytest.mark.parametrize("wrong", ["missing", "garbage", "of another agreement", "of another member"])
def test_a_signature_that_is_missing_or_wrong_is_named_and_nothing_is_held(nodes, wrong):
    content = agreement_of(nodes)
    signatures = signed(nodes, content)
    labour = nodes["labour"].iri
    signatures[labour] = {
        "missing": "",
        "garbage": "no hex",
        "of another agreement": signed(nodes, agreement_of(nodes, title="Another"))[labour],
        "of another member": signatures[nodes["police"].iri],
    }[wrong]
    with pytest.raises(errors.NotValid) as caught:
        join(nodes["police"], content, signatures, "p-lars")
    assert [finding.where for finding in caught.value.findings] == ["Labour Inspectorate"] or [
        finding.where for finding in caught.value.findings
    ] == ["labour"]
    assert current(nodes["police"]) is None


def refusal(content) -> str:
    with pytest.raises(errors.NotValid) as caught:
        read_agreement(content)
    return "; ".join(f"{finding.where}: {finding.what}" for finding in caught.value.findings)


def test_two_compute_parties_of_one_organisation_are_refused(nodes):
    parties = [
        ComputeParty(number, f"{nodes[key].iri}/organisation", f"127.0.0.1:{7000 + number}")
        for number, key in enumerate(("police", "labour", "police"))
    ]
    assert "belong to one organisation" in refusal(agreement_of(nodes, parties=parties))


def test_two_or_four_parties_and_parties_without_a_port_are_refused(nodes):
    def party(number, key):
        return ComputeParty(number, f"{nodes[key].iri}/organisation", "127.0.0.1:7000")

    two = [party(0, "police"), party(1, "labour")]
    assert "3 or 5" in refusal(agreement_of(nodes, parties=two))
    hosted = [*two, party(2, "shelters")]
    assert "with an endpoint" in refusal(agreement_of(nodes, parties=hosted))


def test_another_version_of_the_protocol_is_refused(nodes):
    content = agreement_of(nodes).replace(b"fn:protocol 1", b"fn:protocol 2")
    assert "the version that this node speaks" in refusal(content)


def test_an_expired_agreement_is_not_joined_and_one_that_expires_is_no_longer_in_force(nodes, made, tmp_path):
    content = agreement_of(nodes, expires=clock.later(-5))
    with pytest.raises(errors.Conflict, match="expired"):
        join(nodes["police"], content, signed(nodes, content), "p-lars")
    shutil.copytree(made / "labour", tmp_path / "labour")
    node, end = open_node(tmp_path / "labour"), clock.later(6)
    content = agreement_of(nodes, expires=end)
    join(node, content, signed(nodes, content), "p-lars")
    in_force = current(node)
    while clock.now() < end:
        assert in_force is not None
        time.sleep(0.2)
    assert current(node) is None
    node.close()


def test_a_node_signs_only_an_agreement_that_names_it_with_its_own_keys(nodes):
    others = {key: node for key, node in nodes.items() if key != "labour"}
    with pytest.raises(errors.NotAllowed, match="does not name this node"):
        sign_agreement(nodes["labour"], agreement_of(others, parties=[]))
    false = replace(card(nodes["labour"]), sealing="12" * 32)
    members = [card(nodes["police"]), false]
    with pytest.raises(errors.NotAllowed, match="other keys"):
        sign_agreement(nodes["labour"], agreement_of(nodes, members=members, parties=[]))


def test_an_agreement_altered_in_the_database_is_no_longer_in_force(made, network, tmp_path):
    node = open_node(network["coordinators"].config.directory)
    with node.store.write() as tx:
        copy = tx.one(AgreementCopy, state="valid")
        tx.change(copy, document=copy.document.replace(b"11", b"1"))
    assert current(node) is None
    with node.store.write() as tx:
        tx.change(tx.get(AgreementCopy, copy.id), document=copy.document)
    assert current(node) is not None
    node.close()


def test_members_that_share_a_key_or_lack_a_mailbox_are_refused(nodes):
    police, labour = card(nodes["police"]), card(nodes["labour"])
    same = replace(labour, signing=police.signing)
    assert "used by two members" in refusal(agreement_of(nodes, members=[police, same], parties=[]))
    lost = replace(labour, endpoint="")
    assert "no member hosts its mailbox" in refusal(agreement_of(nodes, members=[police, lost], parties=[]))


def test_what_is_no_turtle_or_no_agreement_is_refused_in_words():
    for content in (b"", b"no turtle at all <", b"<urn:a> a <urn:b> ."):
        with pytest.raises(errors.NotValid):
            read_agreement(content)
