"""Arrays of field elements as bytes, in the place where MPyC would unpickle what a peer sent.

An array is one byte of width, four bytes of count, and count little-endian integers of that width. There
is nothing in it that could name a class or run code; what does not have exactly this form ends the run.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairnode.mpc.transport.link import PeerBytes
from fairnode.mpc.transport.reason import RunEnded

HEADER = struct.Struct("<BI")
WIDEST = 64
"""Bytes of the widest field element: fields of up to 512 bits."""


class Codec:
    """Stands where MPyC has the module `pickle`. `step` tells the program counter of the running protocol.

    In every protocol of MPyC that sends arrays, a party sends as many elements as it takes from each
    other party in the same step, so that a message of another length is known before it is used.
    """

    def __init__(self, step: Callable[[], int]) -> None:
        self._step = step
        self._counts: dict[int, int] = {}

    def dumps(self, values: ArrayLike) -> bytes:
        """A one-dimensional array of integers >= 0 as bytes."""
        payload = encode(values)
        self._counts[self._step()] = HEADER.unpack_from(payload)[1]
        return payload

    def loads(self, payload: bytes) -> NDArray[Any]:
        """The array in `payload`. Raises RunEnded, naming the sender, if it is none, or of another length."""
        try:
            numbers = decode(payload)
        except ValueError as error:
            raise _refused(payload) from error
        if isinstance(payload, PeerBytes) and self._counts.get(payload.counter, len(numbers)) != len(numbers):
            raise _refused(payload)
        return numbers


def encode(values: ArrayLike) -> bytes:
    """A one-dimensional array of integers >= 0 as bytes."""
    flat = np.asarray(values)
    if flat.ndim != 1:
        raise TypeError("only one-dimensional arrays travel between parties")
    numbers = [int(value) for value in flat]
    width = max(8, (max(numbers, default=0).bit_length() + 7) // 8)
    head = HEADER.pack(width, len(numbers))
    if width == 8:
        return head + np.array(numbers, dtype="<u8").tobytes()
    return head + b"".join(number.to_bytes(width, "little") for number in numbers)


def decode(payload: bytes) -> NDArray[Any]:
    """The array of Python integers in `payload`. Raises ValueError for anything else."""
    width, count = HEADER.unpack_from(payload) if len(payload) >= HEADER.size else (0, 0)
    if not 8 <= width <= WIDEST or len(payload) != HEADER.size + width * count:
        raise ValueError("not an array of this engine")
    if width == 8:
        return np.frombuffer(payload, dtype="<u8", offset=HEADER.size).astype(object)
    starts = range(HEADER.size, len(payload), width)
    numbers = (int.from_bytes(payload[start : start + width], "little") for start in starts)
    return np.fromiter(numbers, dtype=object, count=count)


def _refused(payload: bytes) -> RunEnded:
    peer = payload.peer if isinstance(payload, PeerBytes) else -1
    return RunEnded("garbage", peer, f"Party {peer} sent numbers in a form that this engine does not take.")
