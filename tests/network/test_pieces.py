"""A correction block travels once, in pieces, to the parties that hold it, however often the way is cut (P13)."""

from __future__ import annotations

import os

import pytest

from fairnode import clock, errors
from fairnode.keys import digest
from fairnode.network.pieces import (
    LARGEST_PIECE,
    check_pieces,
    keep_block,
    keep_piece,
    missing,
    own_pieces,
    remove_pieces,
    wanted_from,
    write_block,
)
from fairnode.peers.client import PeerClient
from fairnode.records.piece import Piece
from fairnode.records.rows import Share
from fairnode.worker import postman
from tests.network.conftest import listening
from tests.network.test_postman import fetching, until, write
from tests.network.town import PARTIES, card

STUDY = "ab" * 32


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Those who listen come back sooner than in earnest."""
    monkeypatch.setattr(postman, "WAIT_SECONDS", 1)


def dealt(sender, pieces=3):
    """A block of some pieces, kept at its sender."""
    contents = [os.urandom(LARGEST_PIECE) for _ in range(pieces - 1)] + [os.urandom(77)]
    keep_block(sender, STUDY, contents)
    return contents


def expect(node, sender, contents):
    """The share that names the pieces, as it lies at a compute party."""
    share = Share(f"{STUDY}#{sender.iri}", STUDY, sender.iri, b"", [digest(c) for c in contents], clock.now())
    with node.store.write() as tx:
        tx.add(share)
    return share


def lacking(node, share):
    with node.store.read() as reader:
        return missing(reader, share)


def forget(node, share):
    with node.store.write() as tx:
        tx.remove(share)
        remove_pieces(tx, [share], STUDY)


def test_a_party_fetches_the_pieces_that_it_lacks_and_goes_on_where_it_was_cut_off(network, tmp_path):
    sender, party = network["police"], network["labour"]
    contents = dealt(sender)
    share = expect(party, sender, contents)
    keep_piece(party, Piece(share.pieces[1], STUDY, sender.iri, contents[1]))  # came before the way was cut
    assert lacking(party, share) == [share.pieces[0], share.pieces[2]]
    with fetching(party), listening(sender):
        until(lambda: lacking(party, share) == [])
    with party.store.read() as reader:
        write_block(reader, share, tmp_path / "block")
    assert (tmp_path / "block").read_bytes() == b"".join(contents)
    forget(party, share)
    with party.store.read() as reader:
        assert reader.count(Piece) == 0
    forget_own(sender)


def forget_own(node):
    with node.store.write() as tx:
        remove_pieces(tx, study=STUDY)


def test_a_member_without_a_port_leaves_each_piece_once_and_its_host_drops_what_is_over(network):
    shelters, host, party = network["shelters"], network["coordinators"], network["labour"]
    contents = dealt(shelters)
    share = expect(party, shelters, contents)
    write(shelters, party, 1, kind="share")
    with listening(host):
        with fetching(shelters, party):
            until(lambda: lacking(party, share) == [])
        with host.store.read() as reader:
            assert reader.ids(Piece, sender=shelters.iri) == set(share.pieces)
        assert share.pieces[0] in own_pieces(shelters)
        forget_own(shelters)
        write(shelters, party, 2)
        with fetching(shelters):
            until(lambda: not host_has(host, shelters))
    forget(party, share)


def host_has(host, sender):
    with host.store.read() as reader:
        return reader.ids(Piece, sender=sender.iri)


def test_pieces_are_for_compute_parties_and_hosted_members_only(network):
    sender, door = network["police"], card(network["police"])
    (name, *_) = [digest(content) for content in dealt(sender)]
    stranger = next(key for key in network if key not in PARTIES)
    with listening(sender):
        with PeerClient(network["labour"], door) as client:
            assert client.get("/piece", id="0" * 64)["content"] is None
            assert client.get("/piece", id=name)["content"]
            with pytest.raises(errors.Unavailable, match="does not host"):
                client.post("/hosted-piece", {"id": name, "study": STUDY, "content": "AAAA"})
        with (
            PeerClient(network[stranger], door) as client,
            pytest.raises(errors.Unavailable, match="Only compute"),
        ):
            client.get("/piece", id=name)
    forget_own(sender)


def test_another_dealing_takes_the_place_of_the_one_before(network):
    sender = network["police"]
    first, second = dealt(sender), dealt(sender, 2)
    assert own_pieces(sender) == {digest(content) for content in second}
    assert not own_pieces(sender) & {digest(content) for content in first}
    forget_own(sender)


def test_what_is_not_what_its_name_says_is_not_kept(network):
    node = network["labour"]
    for content, name in ((b"a", digest(b"b")), (bytes(LARGEST_PIECE + 1), digest(bytes(LARGEST_PIECE + 1)))):
        with pytest.raises(errors.NotValid):
            keep_piece(node, Piece(name, STUDY, "https://other.example/", content))
    for told in ("x", ["AA"], [7], ["g" * 64], ["0" * 64] * 3000):
        with pytest.raises(errors.NotValid):
            check_pieces(told)
    assert wanted_from(node, network["police"].iri) == []
