"""Arithmetic on secret numbers held as planes of bits: add, subtract, compare, keep.

A number is a list of shared vectors, lowest bit first, 64 numbers to a word. Every function says
what it costs: the widest AND of a layer takes one round (two for bulk, see `bits`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.sharing import ALL_ONES
from fairnode.mpc.kernels.streams import Words

Number = list[Words]

RIPPLE_WORDS = 4096  # from here on the gates of a parallel adder cost more than a round for each bit


def widen(kernel: BitKernel, number: Sequence[Words], bits: int) -> Number:
    """The same number with zeros on top, or cut to its lowest `bits` planes."""
    zero = kernel.zeros(number[0].shape[1])
    return [*number[:bits], *[zero] * (bits - len(number))]


async def add_ripple(kernel: BitKernel, a: Sequence[Words], b: Sequence[Words]) -> Number:
    """The sum of a and b with one bit more than the wider: few gates, but a round for each bit."""
    bits = max(len(a), len(b))
    a, b = widen(kernel, a, bits), widen(kernel, b, bits)
    carry = kernel.zeros(a[0].shape[1])
    total: Number = []
    for x, y in zip(a, b, strict=True):
        total.append(x ^ y ^ carry)
        carry = carry ^ await kernel.and_(x ^ carry, y ^ carry)
    return [*total, carry]


async def add(kernel: BitKernel, a: Sequence[Words], b: Sequence[Words]) -> Number:
    """The sum of a and b with one bit more than the wider (Kogge-Stone): 1 + log2(bits) rounds.

    Very many numbers are added bit by bit instead, with a fifth of the gates.
    """
    if a[0].shape[1] >= RIPPLE_WORDS:
        return await add_ripple(kernel, a, b)
    bits = max(len(a), len(b))
    a, b = widen(kernel, a, bits), widen(kernel, b, bits)
    carries = await kernel.and_many(list(zip(a, b, strict=True)))
    halves = [x ^ y for x, y in zip(a, b, strict=True)]
    passes = list(halves)
    reach = 1
    while reach < bits:
        upper, further = range(reach, bits), range(2 * reach, bits)
        made = await kernel.and_many(
            [(passes[i], carries[i - reach]) for i in upper]
            + [(passes[i], passes[i - reach]) for i in further]
        )
        for i, bit in zip(upper, made, strict=False):
            carries[i] = carries[i] ^ bit
        for i, bit in zip(further, made[len(upper) :], strict=True):
            passes[i] = bit
        reach *= 2
    return [halves[0], *(halves[i] ^ carries[i - 1] for i in range(1, bits)), carries[-1]]


async def add_modulo(kernel: BitKernel, a: Sequence[Words], b: Sequence[Words]) -> Number:
    """The sum of a and b modulo 2^bits of the wider: `add` without its top carry."""
    return (await add(kernel, a, b))[:-1]


async def subtract(kernel: BitKernel, a: Sequence[Words], b: Sequence[Words]) -> Number:
    """The difference a - b modulo 2^bits of the wider: the inverse of (inverse of a) + b."""
    bits = max(len(a), len(b))
    inverse = [kernel.invert(x) for x in widen(kernel, a, bits)]
    return [kernel.invert(x) for x in await add_modulo(kernel, inverse, b)]


async def sum_numbers(kernel: BitKernel, numbers: Sequence[Sequence[Words]], bits: int) -> Number:
    """The sum of numbers, modulo 2^bits: layers of carry-save adders (three to two), then one adder."""
    waiting = [widen(kernel, number, bits) for number in numbers]
    while len(waiting) > 2:
        threes = [waiting[i : i + 3] for i in range(0, len(waiting) - 2, 3)]
        rest = waiting[3 * len(threes) :]
        carries = await kernel.and_many(
            [(x ^ y, y ^ z) for a, b, c in threes for x, y, z in zip(a, b, c, strict=True)]
        )
        waiting = rest
        for k, (a, b, c) in enumerate(threes):
            waiting.append([x ^ y ^ z for x, y, z in zip(a, b, c, strict=True)])
            made = [carries[k * bits + i] ^ b[i] for i in range(bits - 1)]
            waiting.append([kernel.zeros(a[0].shape[1]), *made])
    return await add_modulo(kernel, *waiting) if len(waiting) == 2 else waiting[0]


async def at_least(kernel: BitKernel, a: Sequence[Words], bound: int) -> Words:
    """[a >= bound] for a public bound: the carry out of a + (2^bits - bound), a tree of log2(bits) rounds."""
    words = a[0].shape[1]
    return await at_least_each(kernel, a, [(bound, words)])


async def at_least_each(kernel: BitKernel, a: Sequence[Words], bounds: Sequence[tuple[int, int]]) -> Words:
    """As `at_least`, with a bound of its own for each stretch of words: pairs (bound, number of words)."""
    bits = len(a)
    offsets = [(1 << bits) - min(max(bound, 0), 1 << bits) for bound, _ in bounds]
    widths = [words for _, words in bounds]
    planes = [
        np.repeat([ALL_ONES * np.uint64(offset >> i & 1) for offset in offsets], widths)
        for i in range(bits + 1)
    ]
    return await carries(kernel, a, planes)


async def carries(kernel: BitKernel, a: Sequence[Words], public: Sequence[Words]) -> Words:
    """Whether a + a public number reaches 2^bits; `public` has one plane more than `a`, one number a lane."""
    makes = [x & ones for x, ones in zip(a, public, strict=False)]  # adding a one to a one makes a carry,
    passes = [x ^ kernel.public(ones) for x, ones in zip(a, public, strict=False)]  # to a zero passes it on
    while len(makes) > 1:
        pairs = range(0, len(makes) - 1, 2)
        made = await kernel.and_many([(passes[i + 1], x) for i in pairs for x in (makes[i], passes[i])])
        odd = [len(makes) - 1] if len(makes) % 2 else []
        makes = [makes[i + 1] ^ made[i] for i in pairs] + [makes[i] for i in odd]
        passes = [made[i + 1] for i in pairs] + [passes[i] for i in odd]
    carry: Words = makes[0] ^ kernel.public(public[-1])
    return carry


async def all_of(kernel: BitKernel, bits: Sequence[Words]) -> Words:
    """AND of shared vectors, by a tree."""
    waiting = list(bits)
    while len(waiting) > 1:
        pairs = [(waiting[i], waiting[i + 1]) for i in range(0, len(waiting) - 1, 2)]
        waiting = await kernel.and_many(pairs) + (waiting[-1:] if len(waiting) % 2 else [])
    return waiting[0]


async def is_zero(kernel: BitKernel, a: Sequence[Words]) -> Words:
    """[a == 0]."""
    return await all_of(kernel, [kernel.invert(x) for x in a])


async def keep(kernel: BitKernel, condition: Words, number: Sequence[Words]) -> Number:
    """The number where the condition bit is one, else zero: one round."""
    return await kernel.and_many([(condition, x) for x in number])
