"""The postman: what a member wrote arrives once, in order, however long somebody was away (design 4.6)."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager

import pytest

from fairnode.ledger import verify_ledger
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.network import watch as watching
from fairnode.network.watch import Watch, journal
from fairnode.records.rows import LedgerLine, Message, Peer, PeerHead, PeerRecord, Received
from fairnode.worker import postman
from fairnode.worker.postman import Postman
from tests.network.conftest import listening


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Those who listen come back sooner than in earnest, so that a door can be closed."""
    monkeypatch.setattr(postman, "WAIT_SECONDS", 1)


@contextmanager
def fetching(*nodes):
    """The postmen of these nodes, at work for a while."""
    stop = threading.Event()
    postmen = [Postman(node, stop) for node in nodes]
    for one in postmen:
        one.look_after()
    try:
        yield
    finally:
        stop.set()


def write(node, receiver, number, kind="follow"):
    message = Outgoing(receiver.iri, kind, "", {"number": number})
    commit(node.desk, lambda _: None, Entry("test.wrote", str(number), "node"), (message,))


def taken_from(node, sender):
    with node.store.read() as reader:
        return [r.number for r in reader.find(Received, {"sender": sender.iri}, order="number")]


def written_to(node, receiver):
    with node.store.read() as reader:
        return [m.id for m in reader.find(Message, {"receiver": receiver.iri})]


def until(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


def peer(node, other):
    with node.store.read() as reader:
        return reader.get(Peer, other.iri)


def test_a_member_that_was_away_gets_everything_once_and_in_order(network):
    police, home = network["police"], network["coordinators"]
    write(police, home, 1)
    with fetching(home):
        until(lambda: peer(home, police) is not None and "does not answer" in peer(home, police).trouble)
        assert taken_from(home, police) == []
        with listening(police):
            write(police, home, 2)
            until(lambda: taken_from(home, police) == written_to(police, home))
            until(lambda: peer(home, police).trouble == "")
            write(police, home, 3)
            until(lambda: len(taken_from(home, police)) == 3)
    with home.store.read() as reader:
        lines = reader.find(LedgerLine, {"kind": "message.refused"})
        told = [json.loads(line.body)["subject"] for line in lines]
        assert len(told) == len(set(told)) == 3  # no study of ours: refused, once each
        assert reader.find(PeerHead, {"node": police.iri})
        assert [r.node for r in reader.find(PeerRecord, {"node": police.iri})] == [police.iri]
    assert verify_ledger(home.desk).sound


def test_the_member_without_a_port_speaks_through_its_host(network):
    shelters, host, labour = network["shelters"], network["coordinators"], network["labour"]
    write(shelters, labour, 1)
    with listening(host), fetching(shelters, labour):
        until(lambda: taken_from(labour, shelters) == written_to(shelters, labour))
        write(labour, shelters, 2)
        with listening(labour):
            until(lambda: taken_from(shelters, labour) == written_to(labour, shelters))
    with host.store.read() as reader:
        assert reader.find(PeerHead, {"node": shelters.iri})
        assert [r.node for r in reader.find(PeerRecord, {"node": shelters.iri})] == [shelters.iri]
    assert taken_from(host, shelters) == []  # it kept them, and read none


def test_who_waits_for_news_hears_of_it_at_once_and_looks_now_and_then(network, tmp_path, monkeypatch):
    node = network["police"]
    monkeypatch.setattr(watching, "LOOK_SECONDS", 100)
    watch = Watch(journal(node))
    watch.look()
    threading.Timer(0.2, write, (node, network["labour"], 7)).start()
    began = time.monotonic()
    watch.wait(began + 100)
    assert time.monotonic() - began < 50
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.3)
    quiet = Watch(tmp_path / "journal")
    (tmp_path / "journal").touch()
    quiet.look()
    began = time.monotonic()
    quiet.wait(began + 100)
    assert 0.3 <= time.monotonic() - began < 50
    absent = Watch(tmp_path / "none")
    absent.look()
    absent.wait(began + 100)
    assert time.monotonic() - began < 50
