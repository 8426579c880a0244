"""Replicated (CNF) sharing of words by XOR, and packing of bits and numbers into words.

A secret word is the XOR of one word per row; all rows but one are random. Input parties cut it (`mpc.dealing`),
the recipient puts it together (`mpc.openings`); compute parties hold what `exchange.held_by` says.
A *plane* is one bit of many numbers, 64 of them in a word; a number is a list of planes, lowest bit first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fairnode.errors import NotValid
from fairnode.mpc.kernels.exchange import Row, held_by
from fairnode.mpc.kernels.streams import Words

ALL_ONES = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


def xor_all(rows: Words) -> Words:
    """The XOR of the rows of an array (rows, W)."""
    total: Words = np.bitwise_xor.reduce(rows, axis=0)
    return total


class RowSource(Protocol):
    """A row that can be read piece by piece, so that no party needs to hold a long one in memory."""

    def read(self, start: int, out: Words) -> None:
        """Put the len(out) words of the row from `start` on into `out`."""


def read_row(row: Words | RowSource, start: int, out: Words) -> None:
    """Fill `out` from an array or a `RowSource`; raises `NotValid` if the row is too short."""
    if not isinstance(row, np.ndarray):
        row.read(start, out)
    elif len(row) < start + len(out):
        raise NotValid(f"A share has {len(row)} words where the study says at least {start + len(out)}.")
    else:
        out[:] = row[start : start + len(out)]


def held_rows(
    rows: Mapping[Row, Words | RowSource], party: int, parties: int, threshold: int
) -> list[Words | RowSource]:
    """The rows of `party` in the common order. Raises `NotValid` if one is missing or not its own."""
    wanted = held_by(party, parties, threshold)
    if set(rows) != set(wanted):
        raise NotValid(f"Compute party {party} was dealt the shares {sorted(rows)} and not {list(wanted)}.")
    return [rows[name] for name in wanted]


def pack(bits: NDArray[np.bool_]) -> Words:
    """Bits (..., n) -> words (..., ceil(n / 64)), bit i of the last axis at bit i % 64 of word i // 64."""
    padding = -bits.shape[-1] % 64
    padded = np.pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, padding)])
    packed = np.packbits(padded, axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8").astype(np.uint64, copy=False)


def unpack(words: Words, count: int) -> NDArray[np.uint8]:
    """The first `count` bits of each row of words, as 0 and 1: the inverse of `pack`."""
    octets = np.ascontiguousarray(words).astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(octets, axis=-1, count=count, bitorder="little")


def bit_planes(numbers: NDArray[Any]) -> Words:
    """Unsigned numbers (..., n), n a multiple of 64 -> planes (..., bits of a number, n / 64), lowest first."""
    octets = np.ascontiguousarray(numbers.astype(numbers.dtype.newbyteorder("<"), copy=False))
    columns = np.moveaxis(octets[..., None].view(np.uint8), -1, 0)
    planes = [
        np.packbits(column & np.uint8(1 << i), axis=-1, bitorder="little")  # whatever is not zero is a one
        for column in map(np.ascontiguousarray, columns)
        for i in range(8)
    ]
    return np.stack(planes, axis=-2).view("<u8").astype(np.uint64, copy=False)


def to_planes(numbers: NDArray[np.uint64], bits: int) -> Words:
    """Numbers (n,) below 2^bits -> planes (bits, ceil(n / 64)). Raises `NotValid` for one out of range."""
    values = np.asarray(numbers, np.uint64)
    if bits < 64 and len(values) and int(values.max()) >> bits:
        raise NotValid(f"The number {int(values.max())} does not fit in the agreed {bits} bits.")
    padded: NDArray[np.unsignedinteger[Any]] = np.zeros(
        len(values) + -len(values) % 64, np.uint32 if bits <= 32 else np.uint64
    )
    padded[: len(values)] = values
    return bit_planes(padded)[:bits]


def from_planes(planes: Words, count: int) -> NDArray[np.uint64]:
    """Planes (bits, words) -> the first `count` numbers: the inverse of `to_planes`."""
    bits = unpack(planes, count).astype(np.uint64)
    weights = np.uint64(1) << np.arange(len(planes), dtype=np.uint64)
    numbers: Words = (bits * weights[:, None]).sum(axis=0, dtype=np.uint64)
    return numbers
