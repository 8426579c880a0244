"""The mailbox door: members of the same agreement only, each request once, each its own mail only (design 4.6)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import httpx2
import pytest

from fairnode import errors
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.network import signatures
from fairnode.network.agreement import read_agreement
from fairnode.network.certificate import certificate_fingerprint, client_context
from fairnode.network.joined import current, join, sign_agreement
from fairnode.network.mailbox import message_from_json, message_to_json
from fairnode.network.signatures import Message, sign_request
from fairnode.peers.client import PeerClient, door_of
from fairnode.records.rows import Hosted
from fairnode.records.rows import Message as Row
from tests.network.conftest import listening, opened
from tests.network.town import agreement_of, card


@pytest.fixture(scope="module")
def door(network):
    with listening(network["coordinators"]):
        yield network


class Caller:
    """A member at the door of the coordinators; each call on a connection of its own."""

    def __init__(self, node, door):
        self.node, self.door = node, door

    def get(self, path, **query):
        with PeerClient(self.node, self.door, 5.0) as client:
            return client.get(path, **query)

    def post(self, path, told):
        with PeerClient(self.node, self.door, 5.0) as client:
            return client.post(path, told)


def client(nodes, key):
    return Caller(nodes[key], card(nodes["coordinators"]))


def write(node, receiver, text, kind="follow"):
    message = Outgoing(receiver.iri, kind, "", {"text": text})
    commit(node.desk, lambda _: None, Entry("test.wrote", receiver.iri, "node"), (message,))


def test_a_member_fetches_its_own_messages_in_order_and_only_those(door):
    for text in ("one", "two"):
        write(door["coordinators"], door["police"], text)
        write(door["coordinators"], door["labour"], f"not for the police: {text}")
    told = client(door, "police").get("/outbox", after=0, wait=0)
    assert [json.loads(m["body"])["text"] for m in told["messages"]] == ["one", "two"]
    (first, _) = [message_from_json(m, card(door["coordinators"])) for m in told["messages"]]
    later = client(door, "police").get("/outbox", after=first.id, wait=0)
    assert [json.loads(m["body"])["text"] for m in later["messages"]] == ["two"]
    with door["coordinators"].store.read() as reader:
        assert reader.get(Row, first.id).taken != ""


def test_a_message_is_refused_when_it_was_changed_or_is_another_members(door):
    write(door["coordinators"], door["police"], "as written")
    told = client(door, "police").get("/outbox", after=0, wait=0)["messages"][-1]
    home = card(door["coordinators"])
    for change in ({"body": '{"text":"other"}'}, {"number": 99}, {"receiver": "x"}, {"signature": "00" * 64}):
        with pytest.raises(errors.NotValid):
            message_from_json({**told, **change}, home)
    with pytest.raises(errors.NotValid, match="another sender"):
        message_from_json(told, card(door["labour"]))


def raw(nodes, key="police", **changes):
    """The answer to a signed request of a member, but for the `changes`."""
    node, to = nodes[key], nodes["coordinators"]
    url = f"https://127.0.0.1:{to.config.peer_port}/outbox?wait=0&agreement={current(to).digest}"
    message = Message("GET", url)
    if changes.get("signed", True):
        sign_request(message, b"", changes.get("claims", node.iri), node.keys.signing)
    message.headers.update(changes.get("headers", {}))
    with httpx2.Client(verify=client_context(certificate_fingerprint(to.config.keys))) as http:
        answers = [
            http.get(changes.get("url", url), headers=message.headers) for _ in range(changes.get("times", 1))
        ]
    return answers[-1]


def test_a_signed_request_is_answered_once(door):
    assert raw(door).status_code == 200
    again = raw(door, times=2)
    assert again.status_code == 401
    assert "made before" in again.json()["detail"]


def test_unsigned_forged_and_changed_requests_are_refused(door, nodes):
    assert raw(door, signed=False).status_code == 401
    assert raw(door, claims=door["labour"].iri).status_code == 401
    assert raw(door, claims="https://nobody.example").status_code == 401
    digest = current(door["police"]).digest
    port = door["coordinators"].config.peer_port
    other = f"https://127.0.0.1:{port}/outbox?wait=0&after=1&agreement={digest}"
    assert raw(door, url=other).status_code == 401
    assert raw(door, headers={"Signature": "sig=:AAAA:"}).status_code == 401


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_off_is_refused_with_a_hint(door, monkeypatch, hours):
    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=hours)

    with monkeypatch.context() as patched:
        patched.setattr(signatures, "datetime", Wrong)
        message = Message("GET", f"https://127.0.0.1:{door['coordinators'].config.peer_port}/outbox")
        sign_request(message, b"", door["police"].iri, door["police"].keys.signing)
    key_of = {door["police"].iri: door["police"].keys.public}.get
    with pytest.raises(errors.NotKnown) as caught:
        signatures.check_request(message, b"", key_of, signatures.Nonces())
    assert "clocks" in caught.value.to_do


def test_a_node_with_another_certificate_is_not_spoken_to(door):
    node = door["police"]
    to = card(door["coordinators"])
    wrong = type(to)(**{**vars(to), "certificate": "ab" * 32})
    with pytest.raises(errors.Unavailable) as caught:
        Caller(node, wrong).get("/head")
    assert "not the one in the agreement" in caught.value.internal


def test_nodes_with_two_versions_of_the_agreement_do_not_speak(door, made, tmp_path):
    nodes = opened(made, tmp_path / "nodes")
    content = agreement_of(door, title="Another version")
    signed = {node.iri: sign_agreement(node, content) for node in door.values()}
    join(nodes["police"], content, signed, "p-lars")
    with pytest.raises(errors.Unavailable, match="holds another agreement"):
        Caller(nodes["police"], card(door["coordinators"])).get("/head")


def test_a_node_without_an_agreement_speaks_to_nobody(door, nodes):
    with pytest.raises(errors.Unavailable, match="in no network"):
        Caller(nodes["police"], card(door["coordinators"])).get("/head")


def test_the_host_keeps_the_mail_of_the_member_without_a_port_and_gives_it_to_its_receiver(door):
    shelters, host = door["shelters"], current(door["shelters"]).member(door["coordinators"].iri)
    write(shelters, door["police"], "from behind the wall")
    with shelters.store.read() as reader:
        message = reader.last(Row)
    body = {"messages": [message_to_json(message, shelters.iri)]}
    there = Caller(shelters, host)
    assert there.post("/hosted", body)["kept"] == 1
    assert there.post("/hosted", body)["kept"] == 0
    told = client(door, "police").get("/outbox", after=0, wait=0, of=shelters.iri)["messages"]
    assert json.loads(told[-1]["body"])["text"] == "from behind the wall"
    assert client(door, "labour").get("/outbox", after=0, wait=0, of=shelters.iri)["messages"] == []


def test_nobody_leaves_mail_in_anothers_name(door):
    police, shelters = door["police"], door["shelters"]
    write(police, door["labour"], "x")
    with police.store.read() as reader:
        mine = reader.last(Row)
    with pytest.raises(errors.Unavailable, match="does not host"):
        client(door, "police").post("/hosted", {"messages": [message_to_json(mine, police.iri)]})
    forged = message_to_json(mine, shelters.iri)
    with pytest.raises(errors.Unavailable, match="not signed by its sender"):
        client(door, "shelters").post("/hosted", {"messages": [forged]})
    with door["coordinators"].store.read() as reader:
        assert all(h.sender == shelters.iri for h in reader.find(Hosted))


def test_a_member_that_nobody_hosts_cannot_be_reached(network):
    agreement = read_agreement(agreement_of(network))
    lost = type(agreement.members[0])(
        **{**vars(agreement.members[0]), "endpoint": "", "host": "https://gone.example"}
    )
    with pytest.raises(errors.Unavailable, match="nobody hosts it"):
        door_of(agreement, lost)


def test_numbers_in_the_query_that_are_none_are_taken_as_nothing(door):
    assert isinstance(client(door, "police").get("/outbox", after="x", wait="-1")["messages"], list)
    with pytest.raises(errors.Unavailable, match="no such heads"):
        client(door, "police").get("/consistency", first=5, second=100_000)
