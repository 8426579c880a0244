"""Sets of lists as bit masks, and the two sums over all of them at once.

List number i is bit i, so a pattern over t lists is an integer below 2^t and a table is a vector of
that length, with the unseen cell (on no list) at index 0.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def superset_sums(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Sum, for every mask, the values of the masks that contain it (zeta transform, last axis).

    `values` has shape (..., 2^t); the answer has the same shape and dtype. N*_theta of Chan, Silverman
    and Vincent (2021) is `superset_sums(counts)[theta]`.
    """
    size = values.shape[-1]
    out = np.array(values)
    step = 1
    while step < size:
        folded = out.reshape(*out.shape[:-1], size // (2 * step), 2, step)
        folded[..., 0, :] += folded[..., 1, :]
        step *= 2
    return out


def subset_sums(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Sum, for every mask, the values of the masks contained in it (last axis)."""
    return superset_sums(values[..., ::-1])[..., ::-1]


@cache
def sizes(lists: int) -> Ints:
    """Number of lists in every mask, shape (2^lists,)."""
    return np.array([mask.bit_count() for mask in range(2**lists)], dtype=np.int64)


@cache
def masks_of_order(lists: int, order: int) -> tuple[int, ...]:
    """All masks of `order` lists, in the order (1,2), (1,3), ... that papers and ties use."""
    return tuple(sum(1 << i for i in chosen) for chosen in combinations(range(lists), order))


def members(mask: int) -> tuple[int, ...]:
    """The list numbers in a mask, ascending."""
    return tuple(i for i in range(mask.bit_length()) if mask >> i & 1)
