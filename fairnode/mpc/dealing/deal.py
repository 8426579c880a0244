"""The input party's side: values become seeds, one correction block, and a sealed package a receiver."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.public import PublicKey, SealedBox

from fairnode.errors import NotValid
from fairnode.mpc.dealing.blocks import block_digest, piece_digest, pieces_of, seal_block
from fairnode.mpc.dealing.rings import P61, Ring, SeedRow, Words, mask
from fairnode.mpc.dealing.subsets import correction_subset, held, label, subsets
from fairnode.mpc.dealing.terms import Dealing, Terms, digest

TYPE = "fairnode.dealing/2"
MASK = b"fairnode-mask"
MAX_LENGTH = 1 << 28
_PIECE = 1 << 17


def deal(values: Sequence[int] | Words, terms: Terms, key: Ed25519PrivateKey) -> Dealing:
    """Share `values` (as many as `terms.length`) among the compute parties of `terms`, signed with `key`.

    Everything is drawn anew at each call: deal once, keep the result, and send it as often as needed.
    Raises NotValid for another number of values, values outside the ring, or m not 3 or 5.
    """
    rest = _checked(values, terms)
    m = len(terms.receivers)
    last = correction_subset(m)
    seeds = {subset: os.urandom(16) for subset in subsets(m) if subset != last}
    for seed in seeds.values():
        rest = _without_mask(rest, seed, terms)
    block_key = os.urandom(32)
    block = seal_block(rest, block_key, bound(terms))
    pieces = tuple(piece_digest(piece) for piece in pieces_of(block))
    secrets = {**seeds, last: block_key}
    commitments = {label(subset): digest(secret, "fairnode-seed") for subset, secret in secrets.items()}
    commitments["block"] = block_digest(pieces)
    packages = [
        _package(terms, party, {label(s): secrets[s].hex() for s in held(m, party)}, commitments, key)
        for party in range(m)
    ]
    return Dealing(tuple(packages), block, pieces)


def _without_mask(rest: Words, seed: bytes, terms: Terms) -> Words:
    """`rest` less the mask of a seed: in place and piece by piece where elements are whole words."""
    if terms.ring is Ring.P61:
        return terms.ring.subtract(rest, mask(seed, terms.ring, terms.length, MASK))
    stream, piece = SeedRow(seed, terms.ring, MASK), np.empty(min(_PIECE, terms.length), np.uint64)
    for start in range(0, terms.length, _PIECE):
        part = rest[start : start + _PIECE]
        stream.read(start, piece[: len(part)])
        part[:] = terms.ring.subtract(part, piece[: len(part)])
    return rest


def _checked(values: Sequence[int] | Words, terms: Terms) -> Words:
    """`values` as ring elements."""
    if not 0 < terms.length <= MAX_LENGTH:
        raise NotValid(f"A dealing has 1 to {MAX_LENGTH} values, not {terms.length}.")
    array = np.asarray(values)
    if array.shape != (terms.length,):
        raise NotValid(f"This input must be a list of {terms.length} values, not of shape {array.shape}.")
    if array.dtype.kind not in "iu":
        raise NotValid("An input must be whole numbers.", to_do="Scale and round measurements first.")
    limit = P61 if terms.ring is Ring.P61 else 2**64
    if int(array.min()) < 0 or int(array.max()) >= limit:
        raise NotValid("An input has a negative value or one over the range of the computation.")
    return array.astype(np.uint64)


def bound(terms: Terms) -> bytes:
    """What the correction block is authenticated with: it fits no other study, attempt or sender."""
    m = len(terms.receivers)
    fields = [TYPE, terms.study, terms.attempt, terms.sender, terms.ring.value, terms.length, m]
    return json.dumps(fields).encode()


def _package(
    terms: Terms,
    party: int,
    secrets: Mapping[str, str],
    commitments: Mapping[str, str],
    key: Ed25519PrivateKey,
) -> bytes:
    """The signed envelope for one receiver; study, sender and receiver stand inside the box as well."""
    receiver = terms.receivers[party]
    inside = {**header(terms, party), "secrets": dict(secrets), "commitments": dict(commitments)}
    box = SealedBox(PublicKey(receiver)).encrypt(json.dumps(inside, sort_keys=True).encode())
    envelope: dict[str, Any] = {**header(terms, party), "box": base64.b64encode(box).decode()}
    envelope["signature"] = key.sign(signed_bytes(envelope)).hex()
    return envelope_bytes(envelope)


def header(terms: Terms, party: int) -> dict[str, Any]:
    """What stands outside and inside the box alike."""
    return {
        "type": TYPE,
        "study": terms.study,
        "attempt": terms.attempt,
        "sender": terms.sender,
        "receiver": terms.receivers[party].hex(),
        "party": party,
        "parties": len(terms.receivers),
        "ring": terms.ring.value,
        "length": terms.length,
    }


def envelope_bytes(envelope: Mapping[str, Any]) -> bytes:
    """The one form of an envelope as bytes, so that two uploads are the same or differ."""
    return json.dumps(envelope, sort_keys=True).encode()


def signed_bytes(envelope: Mapping[str, Any]) -> bytes:
    """The bytes under the sender's signature: everything but the signature, keys sorted."""
    return envelope_bytes({key: value for key, value in envelope.items() if key != "signature"})
