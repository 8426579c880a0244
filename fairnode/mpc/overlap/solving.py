"""Linear equations over the field of four elements, one small system a bin, all bins side by side.

An element is a + b w with bits a, b and w^2 = w + 1. A vector of 64 elements is two words, of all a and of all
b, low and high: its first 32 elements are a *code*, the others a *fingerprint*. Values v_1, v_2, ... (each a
fingerprint, one a slot) fit an item if the sum of code_k v_k is the item's fingerprint. Random codes of L
items in a bin depend on each other, and have no solution then, with probability below 4^(L - slots) / 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.overlap.shape import OverlapShape

Vectors = NDArray[np.uint64]
"""Many vectors: an array (2, n) of their low and high words."""
CODE = 32  # elements of a vector before the fingerprint

_SHIFT = np.uint64(CODE)
_HALF = np.uint64((1 << CODE) - 1)


def vectors(codes: Words, prints: Words, shape: OverlapShape) -> Vectors:
    """Vectors of `slots` code elements and `fingerprint / 2` others, from 64 random bits for each part."""
    code = np.stack([codes & _HALF, codes >> _SHIFT]) & np.uint64((1 << shape.slots) - 1)
    fingerprint = np.stack([prints & _HALF, prints >> _SHIFT]) & np.uint64((1 << shape.fingerprint // 2) - 1)
    return code | fingerprint << _SHIFT


def solved(bin_of: NDArray[np.int64], items: Vectors, bins: int, slots: int) -> NDArray[np.uint32] | None:
    """Values (2, slots, bins), low and high halves, that fit all items; None if a bin has no solution.

    `bin_of` (n,) is sorted. Gauss-Jordan: in every bin the first item takes a slot of its own and is taken
    out of all other items of the bin, then the second, and so on; slots that nobody takes stay zero.
    """
    loads = np.bincount(bin_of, minlength=bins)
    fullest = np.argsort(-loads, kind="stable")
    rank = np.empty(bins, np.int64)
    rank[fullest] = np.arange(bins)
    most = int(loads.max(initial=0))
    low, high = (np.zeros((most, bins), np.uint64) for _ in range(2))
    nth = np.arange(len(bin_of)) - np.searchsorted(bin_of, bin_of)
    low[nth, rank[bin_of]], high[nth, rank[bin_of]] = items
    values = np.zeros((2, slots, bins), np.uint32)
    pivots = []
    for turn in range(most):
        concerned = int((loads > turn).sum())  # the fullest bins come first
        pivot = _eliminate(low[:, :concerned], high[:, :concerned], turn)
        if pivot is None:
            return None
        pivots.append(pivot)
    for turn, pivot in enumerate(pivots):
        slot = np.bitwise_count(pivot - np.uint64(1))
        where = fullest[: len(pivot)]
        values[0, slot, where] = low[turn, : len(pivot)] >> _SHIFT
        values[1, slot, where] = high[turn, : len(pivot)] >> _SHIFT
    return values


def _eliminate(low: Words, high: Words, turn: int) -> Words | None:
    """Make row `turn` (rows, bins) one at a slot of its code, and all others zero there; the slot as a bit."""
    code = (low[turn] | high[turn]) & _HALF
    if not code.all():
        return None  # it depends on the rows before it
    pivot: Words = code & (~code + np.uint64(1))
    a, b = _at(low[turn], pivot), _at(high[turn], pivot)
    low[turn], high[turn] = _times(low[turn], high[turn], a ^ b, b)  # the inverse of a + b w is its square
    a, b = _at(low, pivot), _at(high, pivot)
    a[turn] = b[turn] = 0
    more_low, more_high = _times(low[turn], high[turn], a, b)
    low ^= more_low
    high ^= more_high
    return pivot


def _at(words: Words, pivot: Words) -> Words:
    """All ones where the word has the bit, else zero."""
    found: Words = np.uint64(0) - (words & pivot != 0).astype(np.uint64)
    return found


def _times(low: Words, high: Words, a: Words, b: Words) -> tuple[Words, Words]:
    """Vectors times a + b w, for a and b that are zero or all ones."""
    both = b & high
    return a & low ^ both, a & high ^ b & low ^ both
