"""Large secret integers: Shamir shares over the prime 2^521 - 1, for the few numbers that need products.

A share is an array of Python integers (dtype object) below P, of a polynomial of degree t at the point
party + 1; so sums and public factors are local, on the arrays themselves, modulo P. A product opens
x y + r for a uniform r that all parties share without a message (pseudorandom secret sharing, Cramer,
Damgaard, Ishai, TCC 2005), and subtracts r: one round. Masks that need not wrap modulo P, but only hide a
bounded number statistically, also give truncation and bits.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.exchange import WrongMessage
from fairnode.mpc.kernels.linear import row_weight
from fairnode.mpc.kernels.numbers import Number, sum_numbers
from fairnode.mpc.kernels.sharing import pack, unpack
from fairnode.mpc.kernels.streams import Stream, Words, octets

P = 2**521 - 1
SECURITY = 40  # an opened masked number is within 2^-40 of uniform
_WORDS, _OCTETS = 9, 66  # drawn for, and sent of, one element

Share = NDArray[np.object_]


class FieldKernel:
    """One party's arithmetic, beside its `BitKernel`. The same calls in the same order at all parties."""

    def __init__(self, bits: BitKernel) -> None:
        """Derive key streams; raises `NotValid` if products of shares could not be opened."""
        self.bits = bits
        self._exchange = exchange = bits.exchange
        m, use = bits.parties, exchange.next_use()
        self._weights = [row_weight(row, bits.party, P) for row in bits.held]
        self._masks = [Stream(exchange.row_key(row), "field: mask", use) for row in bits.held]
        self._zero = {p: Stream(exchange.pair_key(p), "field: zero", use) for p in bits.others}
        points = range(1, m + 1)
        self._at_zero = [_lagrange_at_zero(i, points) for i in points]

    # ---- sharing and opening

    def public(self, numbers: NDArray[np.object_]) -> Share:
        """A sharing of public integers, of any sign: the constant polynomial."""
        return np.asarray(numbers, object) % P

    async def open(self, share: Share) -> Share:
        """Tell everybody the numbers, as integers in -P/2..P/2, and nothing else about the polynomials."""
        opened = await self._sum_of_all(share)
        return np.where(opened > P // 2, opened - P, opened)

    async def from_bits(self, shared: Words, count: int) -> Share:
        """The first `count` bits of a shared vector (rows held, W) as numbers 0 and 1.

        Parties 0..t-1 each share the XOR of the rows that they hold and nobody before them does; the row
        that is left is known to all other parties. x xor y is x + y - 2 x y.
        """
        kernel, bits = self.bits, unpack(shared, count)
        left = kernel.rows[0]
        number = np.zeros(count, object)
        if left in kernel.held:
            k = kernel.held.index(left)
            number = bits[k].astype(object) * self._weights[k] % P
        for dealt in await self._dealt_bits(bits):
            number = (number + dealt - 2 * await self.multiply(number, dealt)) % P
        return number

    async def _dealt_bits(self, bits: NDArray[np.uint8]) -> list[Share]:
        """What parties 0..t-1 share of their rows, in order; one round."""
        kernel, count = self.bits, bits.shape[1]
        dealers = range(kernel.threshold)
        out: dict[int, bytes] = {}
        own = np.zeros(count, object)
        if kernel.party in dealers:
            before = set(range(kernel.party))
            mine = [k for k, row in enumerate(kernel.held) if before <= set(row)]
            value = np.bitwise_xor.reduce(bits[mine], axis=0).astype(object)
            shares = _split(value, kernel.parties, kernel.threshold)
            own = shares[kernel.party]
            out = {p: _encode(shares[p]) for p in kernel.others}
        got = await self._exchange.exchange(out, [d for d in dealers if d != kernel.party])
        return [own if d == kernel.party else _decode(got[d], count, d) for d in dealers]

    # ---- products

    async def multiply(self, x: Share, y: Share) -> Share:
        """The products modulo P, elementwise with broadcasting: one round."""
        product = (x * y) % P
        masks = self._drawn(product.size, lambda drawn: drawn % P)
        mask = self._shared_sum(masks).reshape(product.shape)
        opened = await self._sum_of_all((product + mask) % P)
        return modulo(opened - mask)

    async def product(self, x: Share) -> Share:
        """The products over the last axis, by a tree."""
        while x.shape[-1] > 1:
            half = x.shape[-1] // 2
            made = await self.multiply(x[..., :half], x[..., half : 2 * half])
            x = np.concatenate([made, x[..., 2 * half :]], axis=-1)
        return x[..., 0]

    async def multiply_fixed(self, x: Share, y: Share, fraction: int, width: int) -> Share:
        """Products of fixed-point numbers with `fraction` bits, |x y| below 2^(width - 1) before shifting.

        One round. The last bit is off by at most half the number of rows plus one, unbiased.
        """
        return await self.truncate((x * y) % P, fraction, width)

    async def truncate(self, product: Share, fraction: int, width: int) -> Share:
        """Numbers divided by 2^fraction; also sums of products (degree 2t), which so get fresh shares.

        As `multiply_fixed`, for numbers below 2^(width - 1).
        """
        high = self._drawn(product.size, lambda drawn: drawn & ((1 << (width + SECURITY - fraction)) - 1))
        low = self._drawn(product.size, lambda drawn: drawn & ((1 << fraction) - 1))
        above = self._shared_sum(high).reshape(product.shape)
        mask = (above * (1 << fraction) + self._shared_sum(low).reshape(product.shape)) % P
        opened = await self._sum_of_all((product + mask + (1 << (width - 1))) % P)
        offset = (1 << (width - 1 - fraction)) + len(self.bits.rows) // 2
        return modulo((opened >> fraction) - offset - above)

    # ---- bits

    async def to_planes(self, x: Share, width: int) -> Number:
        """The numbers -2^(width - 1) <= x < 2^(width - 1), plus 2^(width - 1), as planes of shared bits.

        Opened is c = x + r, r the sum of one number a row, each known to the holders of the row; the bits of
        c - r are those of the inverse of (inverse of c) + r, a sum in the bit kernel.
        """
        flat = x.reshape(-1)
        masks = self._drawn(flat.size, lambda drawn: drawn & ((1 << (width + SECURITY)) - 1))
        masked = (flat + self._shared_sum(masks) + (1 << (width - 1))) % P
        opened = await self._sum_of_all(masked)
        kernel = self.bits
        numbers: list[Number] = [[kernel.public(~plane) for plane in _planes(opened, width)]]
        for row in kernel.rows:
            planes = np.zeros((width, len(kernel.held), -(-flat.size // 64)), np.uint64)
            if row in kernel.held:
                k = kernel.held.index(row)
                planes[:, k] = _planes(masks[k], width)
            numbers.append(list(planes))
        return [kernel.invert(plane) for plane in await sum_numbers(kernel, numbers, width)]

    async def not_negative(self, x: Share, width: int) -> Words:
        """One shared bit a number: whether it is >= 0; |x| below 2^(width - 1)."""
        return (await self.to_planes(x, width))[-1]

    # ---- steps

    def _drawn(self, count: int, fit: Callable[[int], int]) -> list[Share]:
        """For each held row `count` numbers that exactly its holders know."""
        return [_numbers(stream, count, fit) for stream in self._masks]

    def _shared_sum(self, known: list[Share]) -> Share:
        """The Shamir share of the sum, over all rows, of numbers known to the holders of each row."""
        total = sum((numbers * w for numbers, w in zip(known, self._weights, strict=True)), start=0)
        return np.asarray(total % P)

    async def _sum_of_all(self, share: Share) -> Share:
        """The value at 0 of polynomials of degree at most m - 1, told to all.

        What a party sends is its term of the interpolation plus a share of zero from keys of pairs: uniform,
        but that all terms add up to the value.
        """
        kernel = self.bits
        term = share.reshape(-1) * self._at_zero[kernel.party] % P
        for peer, stream in self._zero.items():
            drawn = _numbers(stream, term.size, lambda number: number % P)
            term = (term + drawn if peer > kernel.party else term - drawn) % P
        got = await self._exchange.exchange(dict.fromkeys(kernel.others, _encode(term)), kernel.others)
        self._exchange.traffic.opened += term.size
        total = term
        for peer, message in got.items():
            total = total + _decode(message, term.size, peer)
        return np.asarray(total % P).reshape(share.shape)


def modulo(numbers: Share) -> Share:
    """Integers of any size and sign modulo P: after sums and public factors on shares."""
    return np.asarray(numbers % P)


def _numbers(stream: Stream, count: int, fit: Callable[[int], int]) -> Share:
    """`count` numbers of 576 bits from a stream, each made fit: modulo P within 2^-500 of uniform."""
    drawn = bytes(octets(stream.words(_WORDS * count)))
    step = 8 * _WORDS
    numbers = [fit(int.from_bytes(drawn[i : i + step], "little")) for i in range(0, step * count, step)]
    return np.array(numbers, object)


def _split(values: Share, parties: int, threshold: int) -> list[Share]:
    """Fresh Shamir shares of degree t, one array a party."""
    coefficients = [
        np.array([secrets.randbelow(P) for _ in range(values.size)], object) for _ in range(threshold)
    ]
    shares = []
    for point in range(1, parties + 1):
        share = np.zeros(values.size, object)
        for coefficient in coefficients:
            share = (share + coefficient) * point % P
        shares.append((share + values) % P)
    return shares


def _planes(numbers: Share, width: int) -> Words:
    """The lowest `width` bits of non-negative integers as planes (width, ceil(n / 64))."""
    size = -(-width // 8)
    low = (1 << width) - 1
    joined = b"".join((int(number) & low).to_bytes(size, "little") for number in numbers)
    bits = np.unpackbits(np.frombuffer(joined, np.uint8).reshape(-1, size), axis=1, bitorder="little")
    return pack(bits[:, :width].T.astype(bool))


def _encode(numbers: Share) -> bytes:
    return b"".join(int(number).to_bytes(_OCTETS, "little") for number in numbers)


def _decode(message: bytes, count: int, peer: int) -> Share:
    """The elements of a message. Raises `WrongMessage` if there are more or fewer, or one is not below P."""
    numbers = [int.from_bytes(message[i : i + _OCTETS], "little") for i in range(0, len(message), _OCTETS)]
    if len(message) != _OCTETS * count or any(number >= P for number in numbers):
        raise WrongMessage(peer, "numbers in a form that this step does not have")
    return np.array(numbers, object)


def _lagrange_at_zero(i: int, points: range) -> int:
    factor = 1
    for j in points:
        if j != i:
            factor = factor * j * pow(j - i, -1, P) % P
    return factor
