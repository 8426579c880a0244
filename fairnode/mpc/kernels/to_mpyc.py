"""From shared bits to MPyC's secret integers: the way from the bulk kernels to everything irregular."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.linear import row_weight
from fairnode.mpc.kernels.sharing import pack, unpack
from fairnode.mpc.kernels.streams import Words

if TYPE_CHECKING:
    from mpyc.runtime import Runtime
    from mpyc.sectypes import SecureArray, SecureInteger


def to_secret_bits(kernel: BitKernel, shared: Words, count: int, kind: type[SecureInteger]) -> SecureArray:
    """The first `count` bits of a shared vector (rows held, W) as an MPyC array of 0 and 1 of type `kind`.

    Each row becomes a Shamir sharing without a message (Cramer, Damgaard, Ishai, TCC 2005); the XOR of the
    rows is a tree of x + y - 2 x y, whose products MPyC reshares freshly.
    """
    field = kind.field
    waiting = []
    for row in kernel.rows:
        if row in kernel.held:
            bits = unpack(shared[kernel.held.index(row)], count).astype(object)
            share = bits * row_weight(row, kernel.party, field.modulus) % field.modulus
        else:
            share = np.zeros(count, object)
        waiting.append(kind.array(field.array(share, check=False)))
    while len(waiting) > 1:
        pairs = [(waiting[i], waiting[i + 1]) for i in range(0, len(waiting) - 1, 2)]
        waiting = [x + y - 2 * (x * y) for x, y in pairs] + (waiting[-1:] if len(waiting) % 2 else [])
    return waiting[0]


def to_secret_numbers(
    mpc: Runtime, kernel: BitKernel, planes: Sequence[Words], count: int, kind: type[SecureInteger]
) -> SecureArray:
    """The first `count` numbers of planes (lowest bit first) as an MPyC array of type `kind`."""
    words = planes[0].shape[1]
    joined = np.concatenate(planes, axis=1)
    needed = np.concatenate([np.arange(count) + 64 * words * i for i in range(len(planes))])
    bits = _selected(kernel, joined, needed, kind)
    table = mpc.np_reshape(bits, (len(planes), count))
    return sum(table[i] * (1 << i) for i in range(len(planes)))


def _selected(
    kernel: BitKernel, shared: Words, positions: np.typing.NDArray[np.int64], kind: type[SecureInteger]
) -> SecureArray:
    """Only the bits at `positions`: moving bits about is local."""
    chosen = unpack(shared, 64 * shared.shape[1])[:, positions].astype(bool)
    return to_secret_bits(kernel, pack(chosen), len(positions), kind)
