"""Each node is witness to the others: a ledger that was rewritten no longer fits the heads that others keep."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

import pytest

from fairnode import errors
from fairnode.keys import canonical, verify
from fairnode.ledger import merkle, verify_ledger
from fairnode.ledger.commit import Entry, commit, head_bytes
from fairnode.ledger.shown import shown_heads
from fairnode.network.heads import keep_head, kept_head, own_head, own_proof
from fairnode.peers.client import PeerClient
from fairnode.peers.heads import proof_from, verify_peers
from fairnode.records.rows import Head, LedgerLine
from fairnode.store.tables import TABLES
from tests.network.conftest import listening
from tests.network.town import card


def meet(here, there):
    """`here` keeps the head that `there` shows at its door."""
    with PeerClient(here, card(there)) as client:
        keep_head(here, card(there), client.get("/head"), lambda a, b: proof_from(client, a, b))


def rewrite(node, number):
    """What a node's own operator could do: another line in the place of one, and everything above it anew."""
    base = sqlite3.connect(node.config.database)
    for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        base.execute(f'DROP TRIGGER "{name}"')
    lines, heads = TABLES[LedgerLine].name, TABLES[Head].name
    peaks: list[bytes] = []
    for key, before in base.execute(f"SELECT id, body FROM {lines} ORDER BY id").fetchall():
        told = json.loads(before) | ({"actor": "p-nobody"} if key == number else {})
        body = canonical(told)
        leaf = merkle.leaf_hash(body)
        peaks = merkle.add_peak(peaks, key - 1, leaf)
        root = merkle.root_of_peaks(peaks).hex()
        signature = node.keys.signing.sign(head_bytes(key, root, told["at"])).hex()
        base.execute(f"UPDATE {lines} SET body = ?, leaf = ? WHERE id = ?", (body, leaf.hex(), key))
        values = (root, json.dumps([p.hex() for p in peaks]), signature, key)
        base.execute(f"UPDATE {heads} SET root = ?, peaks = ?, signature = ? WHERE id = ?", values)
    base.commit()
    base.close()


def write(node, times=3):
    for _ in range(times):
        commit(node.desk, lambda _: None, Entry("test.line", "x", "node"))


def test_a_node_that_rewrites_its_ledger_is_found_out_and_named(network):
    mine, theirs = network["police"], network["labour"]
    with listening(theirs):
        write(theirs)
        meet(mine, theirs)
        write(theirs)
        asked = {w.node: w for w in verify_peers(mine)}
        assert asked[theirs.iri].trouble == ""
        assert asked[theirs.iri].now > asked[theirs.iri].kept > 0

        rewrite(theirs, 2)
        assert verify_ledger(theirs.desk).sound  # alone, nobody would see it
        asked = {w.node: w for w in verify_peers(mine)}
        assert "is not the one it showed before" in asked[theirs.iri].trouble
        assert "Labour" in asked[theirs.iri].name or "labour" in asked[theirs.iri].name
        for _ in range(2):
            with pytest.raises(errors.NotAllowed, match="not the one it showed before"):
                meet(mine, theirs)
    with mine.store.read() as reader:
        assert len(reader.find(LedgerLine, {"kind": "peer.rewrote-its-ledger"})) == 1


def test_a_node_that_is_down_is_reported_as_such(network):
    asked = {w.node: w for w in verify_peers(network["police"])}
    assert "does not answer" in asked[network["coordinators"].iri].trouble


def test_a_head_of_fewer_lines_or_another_at_the_same_size_is_not_believed(network):
    mine, theirs = network["police"], network["coordinators"]
    with listening(theirs):
        with theirs.store.read() as reader:
            early = own_head(theirs, reader)
        write(theirs)
        meet(mine, theirs)
        meet(mine, theirs)
        with pytest.raises(errors.NotAllowed):
            keep_head(mine, card(theirs), early, lambda *_: [])
    with mine.store.read() as reader:
        size = kept_head(reader, theirs.iri).size
    root = "ab" * 32
    told = {"size": size, "root": root, "at": "2026-01-01T00:00:00Z"}
    told["signature"] = theirs.keys.signing.sign(head_bytes(size, root, told["at"])).hex()
    with pytest.raises(errors.NotAllowed):
        keep_head(mine, card(theirs), told, lambda *_: [])


def test_a_head_that_its_node_did_not_sign_is_refused(network):
    mine, theirs = network["police"], network["coordinators"]
    with theirs.store.read() as reader:
        told = own_head(theirs, reader)
    for change in ({"size": 1}, {"root": "00" * 32}, {"signature": "zz"}, {"signature": "00" * 64}):
        with pytest.raises(errors.NotValid):
            keep_head(mine, card(theirs), {**told, **change}, lambda *_: [])


def test_the_host_is_witness_to_the_member_without_a_port(network):
    host, shelters = network["coordinators"], network["shelters"]

    def shown(first):
        with shelters.store.read() as reader:
            head = own_head(shelters, reader)
            proof = own_proof(shelters, reader, first, head["size"]) if first else []
        return {"messages": [], "head": head, "from": first, "proof": proof}

    with listening(host), PeerClient(shelters, card(host)) as client:
        size = client.post("/hosted", shown(0))["head"]
        assert size > 0
        write(shelters)
        assert client.post("/hosted", shown(0))["head"] == size  # tells from where it wants the proof
        grown = client.post("/hosted", shown(size))["head"]
        assert grown > size
        write(shelters)
        rewrite(shelters, 1)
        with pytest.raises(errors.Unavailable, match="not the one it showed before"):
            client.post("/hosted", shown(grown))


def with_slots(node, seconds=3600):
    """The same node, with releases at other slots."""
    settings = replace(node.config.settings, release_slot=seconds)
    return replace(node, config=replace(node.config, settings=settings))


def test_others_are_shown_heads_at_slots_and_dated_by_them_so_that_no_line_is_timed(network):
    """A line is written when a container ends, and when that is its author chose (P8)."""
    node = with_slots(network["police"])
    public = node.keys.public
    with node.store.write() as tx:  # a line of an earlier slot
        last = tx.last(Head)
        before = tx.add(Head(last.id + 1, "ab" * 32, [], "2020-02-02T20:17:43Z", "stored"))
    write(node)
    with node.store.read() as reader:
        shown, newest = own_head(node, reader), reader.last(Head)
        assert (shown["size"], shown["at"]) == (before.id, "2020-02-02T21:00:00Z")
        assert verify(
            public, bytes.fromhex(shown["signature"]), head_bytes(before.id, before.root, shown["at"])
        )
        listed = shown_heads(reader, node.keys, 3600, limit=1000, after=newest.id + 9)
        assert listed[0].id == before.id
        assert {head.at[13:] for head in listed if head.id > 1} == {":00:00Z"}
        for more in (before.id + 1, newest.id):
            with pytest.raises(errors.NotValid):
                own_proof(node, reader, 1, more)


def test_a_clock_that_was_wrong_for_a_while_takes_back_no_head_that_was_shown(network):
    """A head of a time to come may have been shown already: a smaller one would look like a rewritten ledger."""
    node = with_slots(network["police"])
    with node.store.write() as tx:
        last = tx.last(Head)
        shown = tx.add(Head(last.id + 1, "ab" * 32, [], "2099-01-01T00:00:00Z", ""))
        assert own_head(node, tx)["size"] == shown.id
