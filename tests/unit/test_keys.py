"""Signing and sealing: what was signed opens, and nothing else does."""

from __future__ import annotations

import base64
import json
import stat
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey

from fairnode import errors, keys

ONE, TWO = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
BOTH = (keys.public_hex(ONE), keys.public_hex(TWO))


def sealed(payload: bytes, *signers: Ed25519PrivateKey) -> bytes:
    message = keys.pae(keys.PAYLOAD_TYPE, payload)
    return keys.envelope(payload, {keys.public_hex(k): k.sign(message) for k in signers})


def changed(envelope: bytes, **values: object) -> bytes:
    return json.dumps({**json.loads(envelope), **values}).encode()


@given(st.binary(max_size=200))
def test_an_envelope_opens_for_those_who_signed(payload) -> None:
    assert keys.open_envelope(sealed(payload, ONE, TWO), BOTH) == payload
    assert keys.open_envelope(sealed(payload, ONE, TWO), BOTH[:1]) == payload


def test_the_encoding_that_is_signed_is_that_of_dsse() -> None:
    # the example of the specification (protocol.md)
    assert keys.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_missing_signature_is_refused() -> None:
    with pytest.raises(errors.NotValid, match="missing or wrong"):
        keys.open_envelope(sealed(b"x", ONE), BOTH)


def test_a_signature_over_something_else_is_refused() -> None:
    other = json.loads(sealed(b"y", ONE, TWO))["signatures"]
    with pytest.raises(errors.NotValid, match="missing or wrong"):
        keys.open_envelope(changed(sealed(b"x", ONE, TWO), signatures=other), BOTH)


def test_one_signature_twice_is_not_two_signatures() -> None:
    envelope = sealed(b"x", ONE)
    twice = json.loads(envelope)["signatures"] * 2
    with pytest.raises(errors.NotValid, match="twice"):
        keys.open_envelope(changed(envelope, signatures=twice), BOTH[:1])


def test_a_signature_under_anothers_name_is_refused() -> None:
    envelope = sealed(b"x", ONE, TWO)
    swapped = [{**s} for s in json.loads(envelope)["signatures"]]
    swapped[0]["sig"], swapped[1]["sig"] = swapped[1]["sig"], swapped[0]["sig"]
    with pytest.raises(errors.NotValid, match="missing or wrong"):
        keys.open_envelope(changed(envelope, signatures=swapped), BOTH)


@pytest.mark.parametrize(
    "envelope",
    [b"", b"[]", b"{}", b"null", b"\xff", changed(sealed(b"x", ONE), payload="?"),
     changed(sealed(b"x", ONE), signatures=[{"keyid": "x"}]), changed(sealed(b"x", ONE), signatures=3)],
)  # fmt: skip
def test_what_is_no_envelope_is_refused(envelope) -> None:
    with pytest.raises(errors.NotValid):
        keys.open_envelope(envelope, BOTH[:1])


def test_another_payload_type_is_refused() -> None:
    message = keys.pae("text/plain", b"x")
    told = {
        "payloadType": "text/plain",
        "payload": base64.b64encode(b"x").decode(),
        "signatures": [{"keyid": keys.key_id(BOTH[0]), "sig": base64.b64encode(ONE.sign(message)).decode()}],
    }
    with pytest.raises(errors.NotValid, match="another kind"):
        keys.open_envelope(json.dumps(told).encode(), BOTH[:1])


@given(st.binary(max_size=64), st.integers(0, 63), st.binary(max_size=16))
def test_a_changed_bit_of_a_signature_is_noticed(content, position, more) -> None:
    signature = bytearray(ONE.sign(content))
    assert keys.verify(BOTH[0], bytes(signature), content)
    assert not keys.verify(BOTH[1], bytes(signature), content)
    assert not keys.verify(BOTH[0], bytes(signature), content + b"!" + more)
    signature[position] ^= 1
    assert not keys.verify(BOTH[0], bytes(signature), content)


@pytest.mark.parametrize("public", ["", "zz", "00", "ff" * 32])
def test_a_key_that_is_none_verifies_nothing(public) -> None:
    assert not keys.verify(public, bytes(64), b"")


@given(st.binary(max_size=100), st.text(min_size=1))
def test_what_is_sealed_under_a_token_opens_with_it_only(content, token) -> None:
    box = keys.seal_with_token(content, token)
    assert keys.open_with_token(box, token) == content
    with pytest.raises(errors.NotKnown):
        keys.open_with_token(box, token + "x")


def test_what_is_sealed_under_a_password_opens_with_it_only() -> None:
    box = keys.seal_with_password(b"secret", "right")
    assert keys.open_with_password(box, "right") == b"secret"
    assert box != keys.seal_with_password(b"secret", "right")
    with pytest.raises(errors.NotKnown):
        keys.open_with_password(box, "wrong")


@given(st.binary(max_size=100))
def test_what_is_sealed_to_a_key_opens_for_its_holder_only(content) -> None:
    holder = PrivateKey.generate()
    box = keys.seal_to(bytes(holder.public_key).hex(), content)
    assert keys.open_sealed(holder, box) == content
    with pytest.raises(errors.NotValid):
        keys.open_sealed(PrivateKey.generate(), box)
    with pytest.raises(errors.NotValid):
        keys.open_sealed(holder, box[:-1] + bytes([box[-1] ^ 1]))


def test_the_keys_of_a_node_are_made_once_and_for_its_user_only(tmp_path) -> None:
    made = keys.make_node_keys(tmp_path / "keys")
    again = keys.load_node_keys(tmp_path / "keys")
    assert (made.public, made.sealing_public, made.secret) == (
        again.public,
        again.sealing_public,
        again.secret,
    )
    assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "keys").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    with pytest.raises(errors.Conflict):
        keys.make_node_keys(tmp_path / "keys")
    assert keys.load_node_keys(tmp_path / "keys").public == made.public


def test_missing_keys_are_said_to_be_missing(tmp_path) -> None:
    with pytest.raises(errors.Unavailable, match="cannot be read"):
        keys.load_node_keys(tmp_path)


@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers(-(2**53) + 1, 2**53 - 1),
                    lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=20))  # fmt: skip
def test_the_canonical_form_is_one_form(value) -> None:
    content = keys.canonical(value)
    assert json.loads(content) == value
    assert keys.canonical(json.loads(content)) == content


def test_the_order_of_fields_does_not_matter() -> None:
    assert keys.canonical({"b": 1, "a": [2, {"d": 3, "c": 4}]}) == b'{"a":[2,{"c":4,"d":3}],"b":1}'


def test_a_commitment_says_nothing_without_the_secret() -> None:
    assert keys.commitment(b"one", b"3") != keys.commitment(b"two", b"3")
    assert keys.commitment(b"one", b"3") == keys.commitment(b"one", b"3")


def test_a_process_without_the_private_sealing_key_knows_the_public_one_and_opens_nothing(tmp_path) -> None:
    made = keys.make_node_keys(tmp_path / "keys")
    kept = (tmp_path / "keys" / "sealing.pub").read_text()
    assert kept == made.sealing_public == bytes(made.sealing.public_key).hex()
    with pytest.raises(errors.Unavailable, match="worker alone"):
        _ = replace(made, opens=None).sealing
