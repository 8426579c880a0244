"""Sums of vectors: modulo 2^64 for what may be opened whole, over the field 2^61 - 1 for what stays shared.

Field elements are uint64 below P = 2^61 - 1; shares lie at the points 1..m as MPyC's do, so that a
share made here is a share in MPyC's field of that prime.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fairnode.mpc.kernels.exchange import Exchange, Row, WrongMessage, held_by
from fairnode.mpc.kernels.streams import CACHE_WORDS, SLACK_WORDS, Stream, Words, octets

P = 2**61 - 1
_P = np.uint64(P)
_SHIFT = np.uint64(61)
_LOW32 = np.uint64(0xFFFF_FFFF)


# ---- the field 2^61 - 1 in uint64


def reduced(x: Words) -> Words:
    """The words of `x` (any 64-bit values) modulo P, in 0..P-1."""
    folded = (x & _P) + (x >> _SHIFT)
    return np.where(folded >= _P, folded - _P, folded)


def times(x: Words, factor: int) -> Words:
    """Field elements times one public factor, exactly, by 32-bit halves."""
    high, low = np.uint64(factor % P >> 32), np.uint64(factor % P & 0xFFFF_FFFF)
    x_high, x_low = x >> np.uint64(32), x & _LOW32
    middle = x_high * low + x_low * high  # < 2^62
    lowest = x_low * low  # < 2^64
    highest = x_high * high  # < 2^58, weight 2^64 = 8 (mod P)
    total = (highest << np.uint64(3)) + (middle >> np.uint64(29)) + (lowest & _P) + (lowest >> _SHIFT)
    return reduced(total + ((middle << np.uint64(32)) & _P))


# ---- additive rows (what an input party deals) to Shamir shares


def rows_to_shamir(rows: Mapping[Row, Words], party: int, parties: int, threshold: int) -> Words:
    """The Shamir share of `party` of what its rows add up to: local (Cramer, Damgaard, Ishai, TCC 2005).

    Each row is carried by the polynomial that is 1 at zero and 0 at the points of those who miss it.
    """
    names = held_by(party, parties, threshold)
    total = np.zeros(len(rows[names[0]]), np.uint64)
    for name in names:
        total = reduced(total + times(rows[name], row_weight(name, party, P)))
    return total


def row_weight(row: Row, party: int, prime: int) -> int:
    """The value at `party`'s point of the polynomial that is 1 at zero and 0 at the points of `row`."""
    weight = 1
    for missing in row:
        weight = weight * (missing - party) * pow(missing + 1, -1, prime) % prime
    return weight


# ---- sums that may be opened whole


async def open_sum(exchange: Exchange, numbers: Words) -> Words:
    """The sum modulo 2^64 of all compute parties' vectors, told to all of them, and nothing else.

    Pairwise masks cancel in the sum; a party adds up its part of the vector (reduce-scatter) and tells it
    to all (all-gather): 16 (m - 1) / m bytes a number and party, the least there is. What fewer than m - 1
    colluders see is uniform but for the total. For totals that may be opened *whole*, never for counts that
    a rule has still to judge: so no program here uses it; it is what opened sums of others are measured against.
    """
    m, me, use = exchange.parties, exchange.party, exchange.next_use()
    others = [p for p in range(m) if p != me]
    masks = {peer: Stream(exchange.pair_key(peer), "sum: mask", use) for peer in others}
    masked, mask = np.array(numbers, np.uint64), np.empty(CACHE_WORDS + SLACK_WORDS, np.uint64)
    for start in range(0, len(masked), CACHE_WORDS):
        block = masked[start : start + CACHE_WORDS]
        for peer, stream in masks.items():
            stream.fill(octets(mask[: len(block) + SLACK_WORDS]))
            signed = np.add if peer > me else np.subtract
            signed(block, mask[: len(block)], out=block)
    parts = np.array_split(masked, m)
    got = await exchange.exchange({p: octets(parts[p]).tobytes() for p in others}, others)
    mine = parts[me].copy()
    for peer, message in got.items():
        mine += _vector(message, len(mine), peer)
    got = await exchange.exchange(dict.fromkeys(others, mine.tobytes()), others)
    exchange.traffic.opened += len(numbers)
    return np.concatenate([mine if p == me else _vector(got[p], len(parts[p]), p) for p in range(m)])


def _vector(message: bytes, count: int, peer: int) -> Words:
    if len(message) != 8 * count:
        raise WrongMessage(peer, f"{len(message)} bytes where this step has {8 * count}")
    return np.frombuffer(message, np.uint64)
