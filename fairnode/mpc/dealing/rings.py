"""The groups in which inputs are shared, their arithmetic on uint64 arrays, and the seeded masks.

A mask must be uniform in its group and independent of everything else. It is AES-128-CTR output under a
key that BLAKE2b derives from a 16-byte seed for one purpose only (domain separation). For 2^64 and XOR
the words are used as they are. For p = 2^61 - 1 each element takes 128 bits and is reduced modulo p: no
value is more than 2^-67 (= p / 2^128) more likely than another, relatively, so there is nothing to reject and
both sides always consume the same number of bytes.
"""

from __future__ import annotations

import hashlib
import sys
from enum import Enum

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

Words = NDArray[np.uint64]

P61 = 2**61 - 1
_P = np.uint64(P61)
_CHUNK = 1 << 18
_AES_BLOCK = 16
_ZEROS = bytes(_CHUNK)


class Ring(Enum):
    """`P61`: integers modulo the prime 2^61 - 1. `Z64`: modulo 2^64. `XOR`: words of 64 bits."""

    P61 = "p61"
    Z64 = "z64"
    XOR = "xor"

    def add(self, left: Words, right: Words) -> Words:
        """Elementwise sum in the group."""
        if self is Ring.P61:
            return reduce61(left + right)
        return left + right if self is Ring.Z64 else left ^ right

    def subtract(self, left: Words, right: Words) -> Words:
        """Elementwise difference in the group."""
        if self is Ring.P61:
            return reduce61(left + (_P - right))
        return left - right if self is Ring.Z64 else left ^ right


def reduce61(values: Words) -> Words:
    """`values` (any uint64) modulo 2^61 - 1, in 0 .. 2^61 - 2."""
    folded = (values & _P) + (values >> np.uint64(61))
    return np.where(folded >= _P, folded - _P, folded)


def mask(seed: bytes, ring: Ring, length: int, purpose: bytes) -> Words:
    """`length` pseudo-random elements of `ring`, a function of the 16-byte seed, the ring and the purpose.

    `purpose` (at most 16 bytes) keeps the masks of one seed for different uses independent.
    """
    stream = SeedRow(seed, ring, purpose)
    if ring is not Ring.P61:
        return stream.words(length)
    words = stream.words(2 * length)
    high, low = reduce61(words[:length]), reduce61(words[length:])
    # high * 2^64 = high * 8 (mod 2^61 - 1): a shift by three with the top bits folded back.
    eightfold = ((high << np.uint64(3)) & _P) + (high >> np.uint64(58))
    return reduce61(eightfold + low)


class SeedRow:
    """The words of a seed's key stream, made where they are read: a row that takes no memory."""

    def __init__(self, seed: bytes, ring: Ring, purpose: bytes) -> None:
        self._key = hashlib.blake2b(ring.value.encode(), digest_size=16, key=seed, person=purpose).digest()

    def words(self, length: int) -> Words:
        """The first `length` words."""
        out = np.empty(length, np.uint64)
        self.read(0, out)
        return out

    def read(self, start: int, out: Words) -> None:
        """Put the words from `start` on into `out`, a contiguous array."""
        block, skip = divmod(8 * start, _AES_BLOCK)
        counter = block.to_bytes(_AES_BLOCK, "big")
        encryptor = Cipher(algorithms.AES(self._key), modes.CTR(counter)).encryptor()
        encryptor.update(bytes(skip))
        # The cipher writes where it is told to as long as there is room for another block behind it.
        size, target = out.nbytes, out.view(np.uint8).data
        direct = max(0, size - _AES_BLOCK)
        for done in range(0, direct, _CHUNK):
            encryptor.update_into(memoryview(_ZEROS)[: min(_CHUNK, direct - done)], target[done:])
        target[direct:] = encryptor.update(bytes(size - direct))
        if sys.byteorder == "big":
            out.byteswap(inplace=True)
