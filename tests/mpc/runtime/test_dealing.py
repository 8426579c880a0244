"""An input dealt from outside is what was dealt, only for whom it was, and says nothing to t parties."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.public import PublicKey, SealedBox

from fairnode.errors import NotValid
from fairnode.mpc.dealing import (
    P61,
    Dealing,
    ReceiveKeys,
    Ring,
    SeedRow,
    Terms,
    deal,
    new_receiver_key,
    receive,
)
from fairnode.mpc.dealing.blocks import PIECE, SEGMENT_WORDS, BlockRow, block_size, pieces_of, seal_block
from fairnode.mpc.dealing.deal import envelope_bytes, signed_bytes

KEYS = [new_receiver_key() for _ in range(5)]
SENDER = Ed25519PrivateKey.generate()
LIMIT = {Ring.P61: P61, Ring.Z64: 2**64, Ring.XOR: 2**64}


def terms(m=3, ring=Ring.P61, length=4):
    return Terms("ab" * 32, 1, "https://org.example/", ring, length, tuple(k.public for k in KEYS[:m]))


def received(dealing, told, party, secret=None):
    keys = ReceiveKeys(secret or KEYS[party].secret, SENDER.public_key())
    return receive(dealing.packages[party], dealing.correction, told, party, keys)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([3, 5]), st.sampled_from(list(Ring)), st.data())
def test_the_values_of_all_sets_make_the_secret_and_holders_hold_the_same(m, ring, data):
    values = data.draw(st.lists(st.integers(0, LIMIT[ring] - 1), min_size=1, max_size=20))
    told = terms(m, ring, len(values))
    dealing = deal(np.array(values, dtype=np.uint64), told, SENDER)
    each = [received(dealing, told, party) for party in range(m)]
    assert len({rows.commitment for rows in each}) == 1
    together = {}
    for party, rows in enumerate(each):
        assert all(party not in subset for subset in rows.rows)
        for subset, row in rows.arrays().items():
            np.testing.assert_array_equal(together.setdefault(subset, row), row)
    total = np.zeros(len(values), np.uint64)
    for row in together.values():
        total = ring.add(total, row)
    assert total.tolist() == values


@pytest.mark.parametrize("m", [3, 5])
@pytest.mark.parametrize("ring", list(Ring))
def test_what_one_party_holds_is_uniform_whatever_the_secret(m, ring):
    told = terms(m, ring, 40_000)
    dealing = deal(np.zeros(told.length, np.uint64), told, SENDER)
    for party in range(m):
        for row in received(dealing, told, party).arrays().values():
            top = row >> np.uint64(57 if ring is Ring.P61 else 60)
            for nibble in (top, row & np.uint64(15)):
                counts = np.bincount(nibble.astype(np.int64), minlength=16)
                statistic = float(((counts - 2500.0) ** 2 / 2500.0).sum())
                assert statistic < 60  # chi-square with 15 degrees of freedom: 1 in 10^6 is 55


@given(st.binary(min_size=16, max_size=16), st.integers(0, 300), st.integers(1, 300))
def test_a_row_of_a_seed_is_the_same_wherever_reading_starts(seed, start, length):
    row, part = SeedRow(seed, Ring.XOR, b"test"), np.empty(length, np.uint64)
    row.read(start, part)
    np.testing.assert_array_equal(part, row.words(start + length)[start:])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), ring=st.sampled_from([Ring.XOR, Ring.Z64]))
def test_a_block_in_a_file_is_the_block_in_memory_wherever_reading_starts(tmp_path, data, ring):
    values = data.draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=40))
    told = terms(3, ring, len(values))
    dealing = deal(np.array(values, dtype=np.uint64), told, SENDER)
    file = tmp_path / "block"
    file.write_bytes(dealing.correction)
    keys = ReceiveKeys(KEYS[0].secret, SENDER.public_key())
    rows = receive(dealing.packages[0], file, told, 0, keys)
    whole = received(dealing, told, 0).arrays()
    assert rows.commitment == received(dealing, told, 0).commitment
    (lazy,) = [row for row in rows.rows.values() if isinstance(row, BlockRow)]
    (name,) = [name for name, row in rows.rows.items() if row is lazy]
    start = data.draw(st.integers(0, len(values) - 1))
    part = np.empty(len(values) - start, np.uint64)
    lazy.read(start, part)
    np.testing.assert_array_equal(part, whole[name][start:])
    np.testing.assert_array_equal(rows.arrays()[name], whole[name])


@pytest.mark.parametrize("damage", ["flip", "moved", "cut", "empty", "gone", "other"])
def test_a_damaged_block_in_a_file_is_refused(tmp_path, damage):
    told = terms(3, Ring.XOR, 200_000)
    dealing = deal(np.arange(told.length, dtype=np.uint64), told, SENDER)
    block = bytearray(dealing.correction)
    if damage == "flip":
        block[1_100_000] ^= 1
    if damage == "moved":
        block[: SEGMENT_WORDS * 8 + 16], block[SEGMENT_WORDS * 8 + 16 : 2 * (SEGMENT_WORDS * 8 + 16)] = (
            block[SEGMENT_WORDS * 8 + 16 : 2 * (SEGMENT_WORDS * 8 + 16)],
            block[: SEGMENT_WORDS * 8 + 16],
        )
    changed_block = {
        "cut": block[:-9],
        "empty": b"",
        "other": deal([1], terms(3, Ring.XOR, 1), SENDER).correction,
    }
    file = tmp_path / "block"
    if damage != "gone":
        file.write_bytes(bytes(changed_block.get(damage, block)))
    keys = ReceiveKeys(KEYS[0].secret, SENDER.public_key())
    with pytest.raises((NotValid, OSError)):
        receive(dealing.packages[0], file, told, 0, keys)
    with pytest.raises((InvalidTag, OSError)):
        BlockRow(file, bytes(32), b"", told.length).check()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3 * SEGMENT_WORDS), st.data())
def test_any_stretch_of_a_block_is_opened_alone_and_only_for_what_it_was_sealed(length, data):
    words = np.random.default_rng(length).integers(0, 2**64, length, np.uint64)
    sealed = seal_block(words, b"k" * 32, b"one use")
    assert len(sealed) == block_size(length)
    start = data.draw(st.integers(0, length - 1))
    part = np.empty(data.draw(st.integers(1, length - start)), np.uint64)
    BlockRow(sealed, b"k" * 32, b"one use", length).read(start, part)
    np.testing.assert_array_equal(part, words[start : start + len(part)])
    with pytest.raises(InvalidTag):
        BlockRow(sealed, b"k" * 32, b"another", length).read(start, part)


def test_a_block_travels_in_pieces_that_are_known_by_their_digests():
    told = terms(3, Ring.XOR, 3 * PIECE // 8)
    dealing = deal(np.arange(told.length, dtype=np.uint64), told, SENDER)
    assert len(dealing.pieces) == 4
    assert b"".join(pieces_of(dealing.correction)) == dealing.correction
    keys = ReceiveKeys(KEYS[2].secret, SENDER.public_key())
    without = receive(dealing.packages[2], None, told, 2, keys)  # it does not hold the block, and needs none
    assert without.commitment == received(dealing, told, 0).commitment
    with pytest.raises(NotValid, match="correction block"):
        receive(dealing.packages[0], None, told, 0, ReceiveKeys(KEYS[0].secret, SENDER.public_key()))


def test_upload_is_one_block_and_a_small_package_for_each_party():
    told = terms(5, Ring.XOR, 10_000)
    dealing = deal(np.zeros(told.length, np.uint64), told, SENDER)
    assert len(dealing.correction) == block_size(told.length) == 8 * told.length + 16
    assert all(len(package) < 4096 for package in dealing.packages)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"study": "cd" * 32}, "study"),
        ({"attempt": 2}, "attempt"),
        ({"sender": "https://other.example/"}, "sender"),
        ({"ring": Ring.Z64}, "sharing"),
        ({"length": 5}, "number of values"),
        ({"receivers": tuple(k.public for k in KEYS)}, "number of compute parties"),
    ],
)
def test_an_input_for_something_else_is_refused(change, word):
    told = terms()
    dealing = deal([1, 2, 3, 4], told, SENDER)
    with pytest.raises(NotValid, match=word):
        received(dealing, replace(told, **change), 0)


def test_an_input_for_another_party_is_refused():
    told = terms()
    dealing = deal([1, 2, 3, 4], told, SENDER)
    turned = Dealing(dealing.packages[::-1], dealing.correction, dealing.pieces)
    with pytest.raises(NotValid, match="another"):
        received(turned, told, 0)
    with pytest.raises(NotValid, match="cannot be opened"):
        received(dealing, told, 0, secret=KEYS[1].secret)


def changed(dealing, party, change):
    """The dealing with the envelope of `party` changed and signed again by its sender."""
    envelope = json.loads(dealing.packages[party])
    change(envelope)
    envelope["signature"] = SENDER.sign(signed_bytes(envelope)).hex()
    packages = list(dealing.packages)
    packages[party] = envelope_bytes(envelope)
    return Dealing(tuple(packages), dealing.correction, dealing.pieces)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_garbled_upload_is_refused(data):
    told = terms()
    dealing = deal([1, 2, 3, 4], told, SENDER)
    parts = [bytearray(dealing.packages[0]), bytearray(dealing.correction)]
    which = data.draw(st.sampled_from([0, 1]))
    at = data.draw(st.integers(0, len(parts[which]) - 1))
    parts[which][at] ^= data.draw(st.integers(1, 255))
    garbled = Dealing((bytes(parts[0]), *dealing.packages[1:]), bytes(parts[1]), dealing.pieces)
    with pytest.raises(NotValid):
        received(garbled, told, 0)


def test_a_box_sealed_by_another_for_the_sender_is_refused():
    told = terms()
    dealing = deal([1, 2, 3, 4], told, SENDER)
    foreign = Ed25519PrivateKey.generate()
    with pytest.raises(NotValid, match="not signed"):
        received(deal([1, 2, 3, 4], told, foreign), told, 0)
    inside = {"type": "fairnode.dealing/1", "study": told.study}
    box = SealedBox(PublicKey(KEYS[0].public)).encrypt(json.dumps(inside).encode())
    for wrong in (box, SealedBox(PublicKey(KEYS[0].public)).encrypt(b"[1]")):
        resealed = changed(dealing, 0, lambda e, b=wrong: e.update(box=base64.b64encode(b).decode()))
        with pytest.raises(NotValid):
            received(resealed, told, 0)


@pytest.mark.parametrize(
    "values", [[1, 2, 3], [[1, 2, 3, 4]], [1, 2, 3, -1], [1, 2, 3, P61], [1.0, 2.0, 3.0, 4.0], []]
)
def test_what_cannot_be_shared_is_refused(values):
    with pytest.raises(NotValid):
        deal(values, terms(), SENDER)


@pytest.mark.parametrize("m", [1, 2, 4, 6])
def test_only_three_or_five_compute_parties(m):
    keys = tuple(new_receiver_key().public for _ in range(m))
    with pytest.raises(NotValid, match="3 or 5"):
        deal([1, 2, 3, 4], replace(terms(), receivers=keys), SENDER)


def test_an_inconsistent_dealing_has_different_commitments():
    told = terms()
    first, second = deal([1, 2, 3, 4], told, SENDER), deal([1, 2, 3, 4], told, SENDER)
    assert received(first, told, 0).commitment != received(second, told, 0).commitment
    mixed = Dealing(first.packages, second.correction, second.pieces)
    with pytest.raises(NotValid, match="correction block"):
        received(mixed, told, 0)
