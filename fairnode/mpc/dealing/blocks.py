"""A correction block in a file: checked in one pass, then decrypted piece by piece where words are read.

The block is ChaCha20-Poly1305 (RFC 8439) under a key that is used once: stream blocks from counter 1 on, so
any part of it can be decrypted alone, and the tag is that of Poly1305 under the stream's block 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms
from cryptography.hazmat.primitives.poly1305 import Poly1305

from fairnode.mpc.dealing.rings import Words

TAG = 16
_CHUNK = 1 << 20
_STREAM_BLOCK = 64


def block_digest(correction: bytes | Path) -> str:
    """BLAKE2b-256 (hex) of a whole block, as its sender commits to it."""
    hasher = hashlib.blake2b(digest_size=32, person=b"fairnode-block")
    for part in [correction] if isinstance(correction, bytes) else _parts(correction):
        hasher.update(part)
    return hasher.hexdigest()


class BlockRow:
    """The words of an encrypted block in a file: a row that takes no memory."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path, self._key = path, key

    def check(self, bound: bytes) -> None:
        """Raise InvalidSignature unless the block is whole and was encrypted for `bound`."""
        size = self._path.stat().st_size - TAG
        if size < 0:
            raise InvalidSignature
        mac = Poly1305(self._stream(0).update(bytes(32)))
        mac.update(bound + bytes(-len(bound) % 16))
        left, tag = size, b""
        for part in _parts(self._path):
            mac.update(part[:left])
            tag += part[max(left, 0) :]
            left = max(left - len(part), 0)
        mac.update(bytes(-size % 16) + len(bound).to_bytes(8, "little") + size.to_bytes(8, "little"))
        mac.verify(tag)

    def words(self, length: int) -> Words:
        """The first `length` words."""
        out = np.empty(length, np.uint64)
        self.read(0, out)
        return out

    def read(self, start: int, out: Words) -> None:
        """Put the words from `start` on into `out`. Raises OSError if the file has become shorter."""
        with self._path.open("rb", buffering=0) as file:
            file.seek(8 * start)
            sealed = bytearray(out.nbytes)
            if file.readinto(sealed) != out.nbytes:
                raise OSError("a correction block became shorter")
        block, skip = divmod(8 * start, _STREAM_BLOCK)
        stream = self._stream(1 + block)
        stream.update(bytes(skip))
        out[:] = np.frombuffer(stream.update(sealed), "<u8")

    def _stream(self, block: int) -> CipherContext:
        nonce = block.to_bytes(4, "little") + bytes(12)
        return Cipher(algorithms.ChaCha20(self._key, nonce), mode=None).decryptor()


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(_CHUNK):
            yield part
