"""Replicated (CNF) sharing of words by XOR, and packing of bits and numbers into words.

A secret word is the XOR of one word per row; all rows but one are random. `split` is for an input party
that deals from outside, `join` for a recipient; compute parties hold what `exchange.held_by` says.
A *plane* is one bit of many numbers, 64 of them in a word; a number is a list of planes, lowest bit first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fairnode.errors import NotValid
from fairnode.mpc.kernels.exchange import Row, held_by, rows_of
from fairnode.mpc.kernels.streams import Words, octets

ALL_ONES = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


def xor_all(rows: Words) -> Words:
    """The XOR of the rows of an array (rows, W)."""
    total: Words = np.bitwise_xor.reduce(rows, axis=0)
    return total


class RowSource(Protocol):
    """A row that can be read piece by piece, so that no party needs to hold a long one in memory."""

    def read(self, start: int, out: Words) -> None:
        """Put the len(out) words of the row from `start` on into `out`."""


class FileRow:
    """A row in a file of little-endian 64-bit words, read where needed (never mapped into memory)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, start: int, out: Words) -> None:
        """Raises `NotValid` if the file ends too early."""
        with self._path.open("rb", buffering=0) as file:
            file.seek(8 * start)
            if file.readinto(octets(out)) != out.nbytes:
                raise NotValid("A share is shorter than the study says.", internal=str(self._path))


def read_row(row: Words | RowSource, start: int, out: Words) -> None:
    """Fill `out` from an array or a `RowSource`; raises `NotValid` if the row is too short."""
    if not isinstance(row, np.ndarray):
        row.read(start, out)
    elif len(row) < start + len(out):
        raise NotValid(f"A share has {len(row)} words where the study says at least {start + len(out)}.")
    else:
        out[:] = row[start : start + len(out)]


def split(words: Words, parties: int, threshold: int) -> dict[Row, Words]:
    """Fresh rows of `words`: all but the last are random, the last makes the XOR right."""
    names = rows_of(parties, threshold)
    rows = {name: np.frombuffer(os.urandom(8 * len(words)), np.uint64) for name in names[:-1]}
    last = words.copy()
    for row in rows.values():
        last ^= row
    return {**rows, names[-1]: last}


def join(rows: Mapping[Row, Words], parties: int, threshold: int) -> Words:
    """The secret words of complete rows. Raises `NotValid` if rows are missing or differ in length."""
    missing = [name for name in rows_of(parties, threshold) if name not in rows]
    if missing:
        raise NotValid(f"The result cannot be put together: the share {missing[0]} has not come yet.")
    lengths = {len(row) for row in rows.values()}
    if len(lengths) > 1:
        raise NotValid("The result cannot be put together: its shares differ in length.")
    return xor_all(np.stack([rows[name] for name in rows_of(parties, threshold)]))


def join_from_parties(shares: Sequence[Mapping[Row, Words]], parties: int, threshold: int) -> Words:
    """What a recipient does with the shares of compute parties: compare copies, then `join`.

    A row is held by m - t parties. Raises `NotValid` if two of them sent different words: one of
    the parties then changed its share, and the result must not be used.
    """
    rows: dict[Row, Words] = {}
    for share in shares:
        for name, row in share.items():
            if name in rows and not np.array_equal(rows[name], row):
                raise NotValid(
                    f"Compute parties sent different words for the share {name}; the result is not used.",
                    to_do="Run the study again and have the compute parties compare their logs.",
                )
            rows.setdefault(name, row)
    return join(rows, parties, threshold)


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
    bits = np.unpackbits(octets[..., None].view(np.uint8), axis=-1, bitorder="little")
    packed = np.packbits(bits, axis=-2, bitorder="little").swapaxes(-1, -2)
    return np.ascontiguousarray(packed).view("<u8").astype(np.uint64, copy=False)


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
