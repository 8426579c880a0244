"""A correction block: the one part of an input that no seed gives, sealed once for all who hold it.

Its words are cut into segments. Each is sealed by AES-256-GCM under the block's key, which is used for nothing
else, with its number as nonce, and bound to study, sender and length of the dealing: so any stretch of a block
is opened alone, and no segment can be left out, moved, or taken from another block.
It travels in pieces, each known by its SHA-256; the digest of a block is that of the list of its pieces.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fairnode.mpc.dealing.rings import Words
from fairnode.mpc.dealing.terms import digest

PIECE = 1 << 21
"""Bytes of a piece; the last one may be shorter."""
SEGMENT_WORDS = 1 << 15
TAG = 16
_SEALED = 8 * SEGMENT_WORDS + TAG


def block_size(length: int) -> int:
    """Bytes of the block of a dealing of `length` words."""
    return 8 * length + TAG * -(-length // SEGMENT_WORDS)


def seal_block(words: Words, key: bytes, bound: bytes) -> bytearray:
    """The block of `words` (changed by nothing), sealed under a key that is used once."""
    sealed = bytearray(block_size(len(words)))
    cipher, room = AESGCM(key), memoryview(sealed)
    for number, start in enumerate(range(0, len(words), SEGMENT_WORDS)):
        part = np.ascontiguousarray(words[start : start + SEGMENT_WORDS], "<u8")
        at = number * _SEALED
        end = at + part.nbytes + TAG
        cipher.encrypt_into(_nonce(number), part.view(np.uint8).data, bound, room[at:end])
    return sealed


def pieces_of(block: bytes | bytearray | Path) -> Iterator[bytes]:
    """The pieces of a block in order. Raises OSError if a file cannot be read."""
    if not isinstance(block, Path):
        for start in range(0, len(block), PIECE):
            yield bytes(block[start : start + PIECE])
        return
    with block.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            yield piece


def piece_digest(piece: bytes) -> str:
    """SHA-256 in hex: what a piece is asked for by, and compared with."""
    return hashlib.sha256(piece).hexdigest()


def block_digest(pieces: Sequence[str]) -> str:
    """The digest of a block from those of its pieces: what its sender commits to."""
    return digest(" ".join(pieces).encode(), "fairnode-block")


class BlockRow:
    """The words of a sealed block, opened where they are read: a row that takes no memory."""

    def __init__(self, block: bytes | bytearray | Path, key: bytes, bound: bytes, length: int) -> None:
        self._block, self._cipher, self._bound, self._length = block, AESGCM(key), bound, length

    def check(self) -> None:
        """Open it once as a whole: raises InvalidTag unless all of it was sealed for this use and is here."""
        scratch = np.empty(SEGMENT_WORDS, np.uint64)
        for start in range(0, self._length, SEGMENT_WORDS):
            self.read(start, scratch[: min(SEGMENT_WORDS, self._length - start)])

    def words(self, length: int) -> Words:
        """The first `length` words."""
        out = np.empty(length, np.uint64)
        self.read(0, out)
        return out

    def read(self, start: int, out: Words) -> None:
        """Put the words from `start` on into `out`, a contiguous array. Raises as `check`, and OSError."""
        stop, scratch = start + len(out), np.empty(SEGMENT_WORDS, "<u8")
        first, last = start // SEGMENT_WORDS, -(-stop // SEGMENT_WORDS)
        for number, sealed in zip(range(first, last), self._sealed(first, last), strict=True):
            begin = number * SEGMENT_WORDS
            end = min(begin + SEGMENT_WORDS, self._length)
            inside = slice(max(begin, start), min(end, stop))
            whole = inside == slice(begin, end)
            target = out[begin - start : end - start] if whole else scratch[: end - begin]
            if len(sealed) != target.nbytes + TAG:
                raise InvalidTag
            self._cipher.decrypt_into(_nonce(number), sealed, self._bound, target.view(np.uint8).data)
            if not whole:
                out[inside.start - start : inside.stop - start] = target[
                    inside.start - begin : inside.stop - begin
                ]
            elif not np.little_endian:
                target.byteswap(inplace=True)

    def _sealed(self, first: int, last: int) -> Iterator[memoryview]:
        """The sealed segments from number `first` to before `last`; one that is cut short fails its tag."""
        if not isinstance(self._block, Path):
            for number in range(first, last):
                yield memoryview(self._block)[number * _SEALED : (number + 1) * _SEALED]
            return
        room = memoryview(bytearray(_SEALED))
        with self._block.open("rb", buffering=0) as file:
            file.seek(first * _SEALED)
            for _ in range(first, last):
                yield room[: file.readinto(room)]


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
