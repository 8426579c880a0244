"""Pseudorandom words from a shared key: AES-128 in counter mode, keys separated by purpose.

AES-CTR with a fresh key and counter from zero is the pseudorandom generator; a key is only ever used
for one (purpose, use) pair, so that no two masks of a run come from the same key stream.
"""

from __future__ import annotations

import hashlib

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

Words = NDArray[np.uint64]

CACHE_WORDS = 16384  # 128 KiB: the few rows of one gate step stay in the second-level cache
SLACK_WORDS = 2  # `update_into` asks for 15 spare bytes after what it writes; it leaves them as they are

_ZEROS = bytes(8 * CACHE_WORDS)


def derive_key(key: bytes, purpose: str, use: int) -> bytes:
    """A 16-byte key for one purpose and one use of `key` (BLAKE2b with person and salt, RFC 7693)."""
    return hashlib.blake2b(
        key, digest_size=16, person=purpose.encode().ljust(16, b"\0"), salt=use.to_bytes(16, "big")
    ).digest()


def load_cipher() -> None:
    """Have the cipher loaded: the first of a process takes a millisecond, as long as several rounds."""
    Stream(bytes(16), "load")


def octets(words: Words) -> memoryview:
    """The bytes of a contiguous array, writable in place."""
    return memoryview(words.data).cast("B")


class Stream:
    """The two ends of a key hold equal streams as long as they ask for the same lengths in the same order."""

    def __init__(self, key: bytes, purpose: str, use: int = 0) -> None:
        cipher = Cipher(algorithms.AES(derive_key(key, purpose, use)), modes.CTR(bytes(16)))
        self._counter = cipher.encryptor()

    def fill(self, out: memoryview) -> None:
        """Write the next len(out) - 16 bytes of the stream into `out`; its last 16 bytes are spare."""
        size = len(out) - 8 * SLACK_WORDS
        for start in range(0, size, len(_ZEROS)):
            step = min(len(_ZEROS), size - start)
            self._counter.update_into(memoryview(_ZEROS)[:step], out[start:])

    def mask(self, inout: memoryview) -> None:
        """XOR the next len(inout) - 16 bytes of the stream onto `inout`, in place."""
        self._counter.update_into(inout[: len(inout) - 8 * SLACK_WORDS], inout)

    def words(self, count: int) -> Words:
        """The next `count` words as a new array."""
        out = np.empty(count + SLACK_WORDS, np.uint64)
        self.fill(octets(out))
        return out[:count]
