"""Arrays of field elements as bytes, in the place where MPyC would unpickle what a peer sent.

An array is one byte of width, four bytes of count, and count little-endian integers of that width. There
is nothing in it that could name a class or run code; what does not have exactly this form ends the run.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from fairnode.mpc.transport.link import PeerBytes
from fairnode.mpc.transport.reason import RunEnded

HEADER = struct.Struct("<BI")
WIDEST = 64
"""Bytes of the widest field element: fields of up to 512 bits."""


def dumps(values: Any) -> bytes:
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


def loads(payload: bytes) -> Any:
    """The array of Python integers in `payload`. Raises RunEnded, naming the sender, for anything else."""
    width, count = HEADER.unpack_from(payload) if len(payload) >= HEADER.size else (0, 0)
    if not 8 <= width <= WIDEST or len(payload) != HEADER.size + width * count:
        raise _malformed(payload)
    if width == 8:
        return np.frombuffer(payload, dtype="<u8", offset=HEADER.size).astype(object)
    starts = range(HEADER.size, len(payload), width)
    numbers = (int.from_bytes(payload[start : start + width], "little") for start in starts)
    return np.fromiter(numbers, dtype=object, count=count)


def _malformed(payload: bytes) -> RunEnded:
    peer = payload.peer if isinstance(payload, PeerBytes) else -1
    return RunEnded("garbage", peer, f"Party {peer} sent numbers in a form that this engine does not take.")
