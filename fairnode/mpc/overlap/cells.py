"""From shared superset counts to the exact cells of the overlap table, in MPyC, still shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.to_mpyc import to_secret_bits, to_secret_numbers
from fairnode.mpc.overlap.matches import SharedCounts
from fairnode.mpc.overlap.shape import patterns

if TYPE_CHECKING:
    from mpyc.runtime import Runtime
    from mpyc.sectypes import SecureArray, SecureInteger

SIZE_BITS = 32  # of the size word; `shape.LARGEST_BOUND` fits


def moebius(lists: int) -> NDArray[np.object_]:
    """The matrix that takes superset counts to exact cells, both in the order of `shape.patterns`.

    exact(S) = sum over R containing S of (-1)^(|R| - |S|) superset(R).
    """
    order = patterns(lists)
    return np.array(
        [[(-1) ** (len(r) - len(s)) if set(s) <= set(r) else 0 for r in order] for s in order], object
    )


async def exact_cells(
    mpc: Runtime, kernel: BitKernel, counts: SharedCounts, lists: int, kind: type[SecureInteger]
) -> SecureArray:
    """The 2^K - 1 exact cells as an MPyC array of type `kind`, in the order of `shape.patterns`."""
    bits = mpc.np_reshape(to_secret_bits(kernel, counts.sizes, 64 * lists, kind), (lists, 64))
    sizes = sum(bits[:, i] * (1 << i) for i in range(SIZE_BITS))
    supersets = to_secret_numbers(mpc, kernel, counts.supersets, len(counts.patterns), kind)
    return await apply_public(mpc, moebius(lists), mpc.np_concatenate([sizes, supersets]))


async def apply_public(mpc: Runtime, matrix: NDArray[np.object_], vector: SecureArray) -> SecureArray:
    """A public integer matrix times a shared vector: local at each party."""
    kind = type(vector)
    field = kind.sectype.field
    share = await mpc.gather(vector)
    return kind(field.array(matrix.dot(share.value) % field.modulus, check=False))
