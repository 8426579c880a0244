"""From shared superset counts to the exact cells of the overlap table, in MPyC, still shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.numbers import Number
from fairnode.mpc.kernels.sharing import pack, unpack
from fairnode.mpc.kernels.to_mpyc import to_secret_numbers
from fairnode.mpc.overlap.matches import SharedCounts
from fairnode.mpc.overlap.shape import OverlapShape, patterns

if TYPE_CHECKING:
    from mpyc.runtime import Runtime
    from mpyc.sectypes import SecureArray, SecureInteger


def moebius(lists: int) -> NDArray[np.object_]:
    """The matrix that takes superset counts to exact cells, both in the order of `shape.patterns`.

    exact(S) = sum over R containing S of (-1)^(|R| - |S|) superset(R).
    """
    order = patterns(lists)
    return np.array(
        [[(-1) ** (len(r) - len(s)) if set(s) <= set(r) else 0 for r in order] for s in order], object
    )


async def exact_cells(
    mpc: Runtime, kernel: BitKernel, counts: SharedCounts, shape: OverlapShape, kind: type[SecureInteger]
) -> SecureArray:
    """The 2^K - 1 exact cells as an MPyC array of type `kind`, in the order of `shape.patterns`."""
    totals = to_secret_numbers(
        mpc, kernel, _sizes_and_counts(kernel, counts, shape), len(patterns(shape.lists)), kind
    )
    return await apply_public(mpc, moebius(shape.lists), totals)


def _sizes_and_counts(kernel: BitKernel, counts: SharedCounts, shape: OverlapShape) -> Number:
    """List sizes, then superset counts, as one number of a lane each; none is above the agreed bound."""
    bits = shape.bound.bit_length()
    sizes = unpack(counts.sizes, 64 * shape.lists).reshape(len(kernel.held), shape.lists, 64)
    supersets = [unpack(plane, len(counts.patterns)) for plane in counts.supersets]
    none = np.zeros((len(kernel.held), len(counts.patterns)), np.uint8)
    supersets += [none] * (bits - len(supersets))
    return [pack(np.concatenate([sizes[:, :, i], supersets[i]], axis=1).astype(bool)) for i in range(bits)]


async def apply_public(mpc: Runtime, matrix: NDArray[np.object_], vector: SecureArray) -> SecureArray:
    """A public integer matrix times a shared vector: local at each party."""
    kind = type(vector)
    field = kind.sectype.field
    share = await mpc.gather(vector)
    return kind(field.array(matrix.dot(share.value) % field.modulus, check=False))
