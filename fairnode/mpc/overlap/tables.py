"""The input party's side of an overlap: keys of persons become two tables, ready to deal.

A *cuckoo* table has at most one person a bin, by code and fingerprint. A *solved* table has values in each bin
that give everybody's fingerprint from the code, for everybody whose bin it is: an oblivious key-value store.

Only input parties know the hashing key (P12), so compute parties could not test a guess even if all of
them colluded to open the fingerprints. Everything here happens at the owner of the list, in clear.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from fairnode.errors import Conflict, NotValid
from fairnode.mpc.kernels.sharing import bit_planes
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.overlap.shape import OverlapShape
from fairnode.mpc.overlap.solving import CODE, Vectors, solved, vectors

CHOICES = 3
_ROUNDS = 1000
_NOBODY = np.uint64(1 << CODE)  # code 0, fingerprint 1: the one vector that no values fit


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
    places, items = hashed(unique.keys, key.derive(), shape)
    parts: list[Words] = []
    if shape.has_cuckoo(place):
        parts.append(_cuckoo_words(places, items, shape))
    if shape.has_solved(place):
        parts.append(_solved_words(places, items, shape))
    parts.append(np.array([len(unique.keys)], np.uint64))
    return Tables(np.concatenate(parts), len(unique.keys), unique.repeated, unique.ambiguous, unique.missing)


def hashed(keys: Sequence[str], key: bytes, shape: OverlapShape) -> tuple[NDArray[np.int64], Vectors]:
    """Three bins (n, 3), and code and fingerprint as one vector, for each key, from one BLAKE2b-320 each."""
    blake2b = hashlib.blake2b
    digests = b"".join(blake2b(k.encode(), key=key, digest_size=40).digest() for k in keys)
    words = np.frombuffer(digests, "<u8").astype(np.uint64, copy=False).reshape(-1, CHOICES + 2)
    places = (words[:, :CHOICES] % np.uint64(shape.bins)).astype(np.int64)
    return places, vectors(words[:, CHOICES], words[:, CHOICES + 1], shape)


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


def _cuckoo_words(places: NDArray[np.int64], items: Vectors, shape: OverlapShape) -> Words:
    """Blocks of the code and fingerprint of the person in each bin; an empty one has code 0, fingerprint 1.

    As 0 is what values give for code 0, an empty bin matches nothing.
    """
    table = cuckoo(places, shape.bins)
    lying = np.zeros((2, shape.blocks * shape.width * 64), np.uint64)
    lying[0] = _NOBODY
    filled = np.flatnonzero(table >= 0)
    lying[:, filled] = items[:, table[filled]]
    words = np.empty((shape.blocks, shape.cuckoo_words), np.uint64)
    for block, part in zip(words, np.split(lying, shape.blocks, axis=1), strict=True):
        planes = bit_planes(part).reshape(2, 2, CODE, shape.width)  # code or fingerprint, of low and high
        block[:] = np.concatenate(
            [
                planes[:, 0, : shape.slots].swapaxes(0, 1).reshape(-1),
                planes[:, 1, : shape.fingerprint // 2].reshape(-1),
            ]
        )
    return words.reshape(-1)


def _solved_words(places: NDArray[np.int64], items: Vectors, shape: OverlapShape) -> Words:
    """Blocks of the values of each bin: for everybody in it, code times values is the fingerprint."""
    count, bins_a_block = items.shape[1], 64 * shape.width
    entries = np.unique(places.reshape(-1) * count + np.repeat(np.arange(count), CHOICES))
    bin_of, item = entries // count, entries % count  # sorted by bin, each (bin, item) once
    edges = np.searchsorted(bin_of, np.arange(shape.blocks + 1) * bins_a_block)
    words = np.empty((shape.blocks, shape.slots, 2, shape.fingerprint // 2, shape.width), np.uint64)
    for block, (start, stop) in enumerate(pairwise(edges)):
        inside = bin_of[start:stop] - block * bins_a_block
        values = solved(inside, items[:, item[start:stop]], bins_a_block, shape.slots)
        if values is None:
            raise _failed()
        planes = bit_planes(values)  # (2, slots, 32, width)
        words[block] = planes[:, :, : shape.fingerprint // 2].swapaxes(0, 1)
    return words.reshape(-1)


def _failed() -> AttemptFailed:
    return AttemptFailed(
        "The list does not fit into the bins with this attempt's key; this happens by chance.",
        to_do="Nothing: all contributors upload again with the next attempt.",
    )
