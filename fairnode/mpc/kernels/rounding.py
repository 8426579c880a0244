"""Rounding a secret number to a multiple of a small public base, before anything of it is opened."""

from __future__ import annotations

from collections.abc import Sequence

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.numbers import Number, add_modulo, widen
from fairnode.mpc.kernels.streams import Words

Classes = list[Words]  # one bit for each remainder; exactly one of them is set


async def remainder(kernel: BitKernel, number: Sequence[Words], base: int) -> Classes:
    """The remainder of a number after division by `base` (2..16), as one bit a class.

    Each four bits are a digit; digits are turned into classes and added in a tree, which costs base^2
    gates a step: 2 + log2(bits / 4) rounds.
    """
    assert 2 <= base <= 16
    digits = [widen(kernel, number[i : i + 4], 4) for i in range(0, len(number), 4)]
    waiting = await _digit_classes(kernel, digits, base)
    scale = 1
    for k, classes in enumerate(waiting):
        waiting[k] = _scaled(kernel, classes, scale, base)
        scale = scale * 16 % base
    while len(waiting) > 1:
        pairs = [(waiting[i], waiting[i + 1]) for i in range(0, len(waiting) - 1, 2)]
        rest = waiting[2 * len(pairs) :]
        made = await kernel.and_many([(x, y) for a, b in pairs for x in a for y in b])
        waiting = [
            _merged(kernel, made[k * base * base : (k + 1) * base * base], base) for k in range(len(pairs))
        ] + rest
    return waiting[0]


async def round_to_base(kernel: BitKernel, number: Sequence[Words], base: int) -> Number:
    """The nearest multiple of `base`, a tie going up, with as many bits plus one; base 1 changes nothing.

    The amount to add, -base/2 < amount <= base/2, is linear in the classes of the remainder: one adder.
    """
    bits = len(number) + 1
    wide = widen(kernel, number, bits)
    if base == 1:
        return wide
    classes = await remainder(kernel, number, base)
    amounts = [-r if 2 * r < base else base - r for r in range(base)]
    amount: Number = []
    for i in range(bits):
        bit = kernel.zeros(number[0].shape[1])
        for r, value in enumerate(amounts):
            if value >> i & 1:
                bit = bit ^ classes[r]
        amount.append(bit)
    return await add_modulo(kernel, wide, amount)


async def _digit_classes(kernel: BitKernel, digits: Sequence[Number], base: int) -> list[Classes]:
    halves = await kernel.and_many([pair for d in digits for pair in ((d[0], d[1]), (d[2], d[3]))])
    minterms: list[tuple[Words, Words]] = []
    for k, digit in enumerate(digits):
        low = _of_two_bits(kernel, digit[0], digit[1], halves[2 * k])
        high = _of_two_bits(kernel, digit[2], digit[3], halves[2 * k + 1])
        minterms += [(high[v >> 2], low[v & 3]) for v in range(16)]
    made = await kernel.and_many(minterms)
    classes: list[Classes] = []
    for k in range(len(digits)):
        of_digit = [kernel.zeros(digits[0][0].shape[1]) for _ in range(base)]
        for value in range(16):
            of_digit[value % base] = of_digit[value % base] ^ made[16 * k + value]
        classes.append(of_digit)
    return classes


def _of_two_bits(kernel: BitKernel, low: Words, high: Words, both: Words) -> Classes:
    """One bit for each value 0..3 of two bits whose AND is `both`."""
    return [kernel.invert(low ^ high ^ both), low ^ both, high ^ both, both]


def _scaled(kernel: BitKernel, classes: Classes, scale: int, base: int) -> Classes:
    moved = [kernel.zeros(classes[0].shape[1]) for _ in range(base)]
    for r, bit in enumerate(classes):
        moved[r * scale % base] = moved[r * scale % base] ^ bit
    return moved


def _merged(kernel: BitKernel, products: Sequence[Words], base: int) -> Classes:
    merged = [kernel.zeros(products[0].shape[1]) for _ in range(base)]
    for a in range(base):
        for b in range(base):
            merged[(a + b) % base] = merged[(a + b) % base] ^ products[a * base + b]
    return merged
