"""The input party's side of an overlap: keys of persons become two tables of fingerprints, ready to deal.

Only input parties know the hashing key (P12), so compute parties could not test a guess even if all of
them colluded to open the fingerprints. Everything here happens at the owner of the list, in clear.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from fairnode.errors import Conflict, NotValid
from fairnode.mpc.kernels.sharing import pack
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.overlap.shape import OverlapShape

CHOICES = 3
_ROUNDS = 1000
_NO_PIVOT, _NO_ITEM = 0, 1  # unequal to each other and, their top bit being 0, to every fingerprint


class AttemptFailed(Conflict):
    """The tables could not be built with this attempt's key; the party posts the next attempt (P13)."""

    code = "attempt-failed"


@dataclass(frozen=True)
class HashingKey:
    """The linkage secret of the input parties, bound to one study and one attempt (P12)."""

    secret: bytes
    study: str
    attempt: int = 0

    def derive(self) -> bytes:
        """The 32-byte BLAKE2b key: HKDF-SHA256 with the study hash as salt and the attempt as info."""
        info = b"fairnode overlap/1 attempt " + str(self.attempt).encode()
        return HKDF(SHA256(), 32, salt=self.study.encode(), info=info).derive(self.secret)


@dataclass(frozen=True)
class Tables:
    """What one list deals, and what was left out of it and why (numbers of rows, local knowledge)."""

    words: Words
    kept: int
    repeated: int
    ambiguous: int
    missing: int


@dataclass(frozen=True)
class Keys:
    """Distinct match keys, and how many rows were dropped: repeated, ambiguous, without a key."""

    keys: list[str]
    repeated: int
    ambiguous: int
    missing: int


def distinct(keys: Sequence[str], persons: Sequence[str] | None = None) -> Keys:
    """Each key at most once (P11): rows of one person merge, a key of several persons is dropped whole.

    Without `persons`, rows with the same key are taken for one person. An empty key is a missing one.
    """
    owners = keys if persons is None else persons
    rows = [(key, owner) for key, owner in zip(keys, owners, strict=True) if key]
    pairs = set(rows)
    sharing = Counter(key for key, _ in pairs)
    unique = sorted(key for key, owners_of_key in sharing.items() if owners_of_key == 1)
    ambiguous = sum(1 for key, _ in rows if sharing[key] > 1)
    return Keys(unique, len(rows) - ambiguous - len(unique), ambiguous, len(keys) - len(rows))


def bins(
    keys: Sequence[str],
    key: HashingKey,
    shape: OverlapShape,
    place: int,
    persons: Sequence[str] | None = None,
) -> Tables:
    """The words that the list at `place` deals: cuckoo table, simple table and its size.

    Raises `NotValid` for an empty list, a list over the agreed bound or a place that is not there, and
    `AttemptFailed` if the persons do not fit into the bins with this attempt's key.
    """
    if not 0 <= place < shape.lists:
        raise NotValid(f"There is no list {place} among {shape.lists}.")
    unique = distinct(keys, persons)
    if not unique.keys:
        raise NotValid(
            "The list has no person with a usable key.", to_do="Check the columns the key is made of."
        )
    if len(unique.keys) > shape.bound:
        raise NotValid(
            f"The list has {len(unique.keys)} persons, more than the {shape.bound} agreed in the study.",
            to_do="Ask for a study with a higher bound.",
        )
    places, prints = hashed(unique.keys, key.derive(), shape)
    parts: list[Words] = []
    if shape.has_cuckoo(place):
        parts.append(_cuckoo_words(places, prints, shape))
    if shape.has_simple(place):
        parts.append(_simple_words(places, prints, shape))
    parts.append(np.array([len(unique.keys)], np.uint64))
    return Tables(np.concatenate(parts), len(unique.keys), unique.repeated, unique.ambiguous, unique.missing)


def hashed(keys: Sequence[str], key: bytes, shape: OverlapShape) -> tuple[NDArray[np.int64], Words]:
    """Three bins (n, 3) and a fingerprint (n,) with top bit one for each key, from one BLAKE2b-256 each."""
    blake2b = hashlib.blake2b
    digests = b"".join(blake2b(k.encode(), key=key, digest_size=32).digest() for k in keys)
    words = np.frombuffer(digests, "<u8").astype(np.uint64, copy=False).reshape(-1, 4)
    places = (words[:, :CHOICES] % np.uint64(shape.bins)).astype(np.int64)
    prints = words[:, CHOICES] >> np.uint64(64 - shape.fingerprint)
    return places, prints | np.uint64(1 << (shape.fingerprint - 1))


def cuckoo(places: NDArray[np.int64], bins: int) -> NDArray[np.int64]:
    """Which item lies in each bin (-1: none), every item in one of its three bins.

    All homeless items move at once: into an empty bin of theirs if there is one, else into a random one,
    from where they push out who was there. Raises `AttemptFailed` after 1,000 rounds.
    """
    table = np.full(bins, -1, np.int64)
    draw = np.random.default_rng(0)  # the arrangement needs no secrecy: it is only ever dealt in shares
    homeless = np.arange(len(places))
    for _ in range(_ROUNDS):
        if not len(homeless):
            return table
        target = places[homeless, draw.integers(0, CHOICES, len(homeless))]
        for choice in range(CHOICES):
            other = places[homeless, choice]
            target = np.where((table[target] >= 0) & (table[other] < 0), other, target)
        pushed = np.unique(table[target])
        table[target] = homeless
        beaten = homeless[table[target] != homeless]
        homeless = np.concatenate([beaten, pushed[pushed >= 0]])
    raise _failed()


def _cuckoo_words(places: NDArray[np.int64], prints: Words, shape: OverlapShape) -> Words:
    table = cuckoo(places, shape.bins)
    values = np.full(shape.blocks * shape.width * 64, _NO_PIVOT, np.uint64)
    filled = np.flatnonzero(table >= 0)
    values[filled] = prints[table[filled]]
    return _block_planes(values[None, :], shape).reshape(-1)


def _simple_words(places: NDArray[np.int64], prints: Words, shape: OverlapShape) -> Words:
    count = len(prints)
    entries = np.unique(places.reshape(-1) * count + np.repeat(np.arange(count), CHOICES))
    bin_of, item = entries // count, entries % count  # sorted by bin, each (bin, item) once
    slot = np.arange(len(entries)) - np.searchsorted(bin_of, bin_of)
    if slot.max() >= shape.slots:
        raise _failed()
    values = np.full((shape.slots, shape.blocks * shape.width * 64), _NO_ITEM, np.uint64)
    values[slot, bin_of] = prints[item]
    return _block_planes(values, shape).reshape(-1)


def _block_planes(values: Words, shape: OverlapShape) -> Words:
    """Values (slots, bins) -> planes (blocks, fingerprint, slots, width)."""
    slots, bins_a_block = len(values), 64 * shape.width
    planes = np.empty((shape.blocks, shape.fingerprint, slots, shape.width), np.uint64)
    for block in range(shape.blocks):
        part = values[:, block * bins_a_block : (block + 1) * bins_a_block]
        for bit in range(shape.fingerprint):
            planes[block, bit] = pack(((part >> np.uint64(bit)) & np.uint64(1)).astype(bool))
    return planes


def _failed() -> AttemptFailed:
    return AttemptFailed(
        "The list does not fit into the bins with this attempt's key; this happens by chance.",
        to_do="Nothing: all contributors upload again with the next attempt.",
    )
