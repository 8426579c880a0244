"""From shared bits to MPyC's secret integers: the way from the bulk kernels to everything irregular."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.exchange import Row
from fairnode.mpc.kernels.linear import row_weight
from fairnode.mpc.kernels.sharing import pack, unpack
from fairnode.mpc.kernels.streams import Words

if TYPE_CHECKING:
    from mpyc.runtime import Runtime
    from mpyc.sectypes import SecureArray, SecureInteger


def to_secret_bits(
    mpc: Runtime, kernel: BitKernel, shared: Words, count: int, kind: type[SecureInteger]
) -> SecureArray:
    """The first `count` bits of a shared vector (rows held, W) as an MPyC array of 0 and 1 of type `kind`.

    Parties 0..t-1 input the XOR of the rows they hold and nobody before them does; the one row that is
    left becomes a Shamir sharing without a message (Cramer, Damgaard, Ishai, TCC 2005). Then the XOR of
    these t + 1 secrets, x + y - 2 x y: t rounds of products, freshly reshared by MPyC.
    """
    bits = unpack(shared, count)
    left = kernel.rows[0]  # the row that parties 0..t-1 miss
    secret = _row_as_share(kernel, bits, left, kind)
    for dealer in range(kernel.threshold):
        mine = [
            i for i, row in enumerate(kernel.held) if dealer not in row and set(range(dealer)) <= set(row)
        ]
        value = np.bitwise_xor.reduce(bits[mine], axis=0) if kernel.party == dealer else np.zeros(count)
        dealt = mpc.input(kind.array(value.astype(int).astype(object)), senders=dealer)
        secret = secret + dealt - 2 * (secret * dealt)
    return secret


def _row_as_share(
    kernel: BitKernel, bits: NDArray[np.uint8], row: Row, kind: type[SecureInteger]
) -> SecureArray:
    """The bits of one row, known to its holders, as a Shamir sharing: no message."""
    field = kind.field
    if row in kernel.held:
        weight = row_weight(row, kernel.party, field.modulus)
        share = bits[kernel.held.index(row)].astype(object) * weight % field.modulus
    else:
        share = np.zeros(bits.shape[1], object)
    return kind.array(field.array(share, check=False))


def to_secret_numbers(
    mpc: Runtime, kernel: BitKernel, planes: Sequence[Words], count: int, kind: type[SecureInteger]
) -> SecureArray:
    """The first `count` numbers of planes (lowest bit first) as an MPyC array of type `kind`."""
    bits = pack(np.concatenate([unpack(plane, count) for plane in planes], axis=1).astype(bool))
    table = mpc.np_reshape(to_secret_bits(mpc, kernel, bits, len(planes) * count, kind), (len(planes), count))
    return sum(table[i] * (1 << i) for i in range(len(planes)))
