"""The closed form of P14 for all decomposable models at once, as products of linear expressions in n0.

n0 solves prod_C (n0 + a_C) = n0 prod_S (n0 + a_S), cliques C and separators S, and the left side is larger
below the root. Factors are arrays (models, 2, k): left side and right side, padded with ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairnode.mpc.estimate.grid import LARGEST
from fairnode.mpc.estimate.models import Clique, Model
from fairnode.mpc.overlap.shape import patterns

HALVINGS = 10
"""How often the bracket of n0 is halved, unopened, before the standard error: to 10^-4 of n0."""


@dataclass(frozen=True)
class ClosedForm:
    """A factor is slope * n0 + (row of `persons` times cells) + filler; 1 and 0, in padding 0 and 1."""

    slope: NDArray[np.object_]
    filler: NDArray[np.object_]
    persons: NDArray[np.object_]

    @classmethod
    def of(cls, models: Sequence[Model]) -> ClosedForm:
        """The factors of these models, all decomposable and of the same lists."""
        most = max(len(model.generators) for model in models)
        shape = (len(models), 2, most)
        slope, filler = np.zeros(shape, object), np.ones(shape, object)
        persons = np.zeros((*shape, len(patterns(models[0].lists))), object)
        for m, model in enumerate(models):
            assert model.separators is not None, "the caller sorts out which models are decomposable"
            for side, sets in enumerate((model.generators, model.separators)):
                for k, clique in enumerate(sets):
                    persons[m, side, k] = _missed(clique, model.lists)
            slope[m, :, : len(model.generators)] = 1  # on the right n0 itself is the last factor
            filler[m, :, : len(model.generators)] = 0
        return cls(slope, filler, persons)


def _missed(clique: Clique, lists: int) -> list[int]:
    """Which cells count persons on no list of the clique."""
    return [0 if set(pattern) & set(clique) else 1 for pattern in patterns(lists)]


def product_width(models: Sequence[Model], bound: int) -> int:
    """Bits, with sign, of the largest difference of products at twice n0."""
    largest = 2 * (models[0].lists * bound + LARGEST)
    return 2 + max(len(model.generators) for model in models) * largest.bit_length()


def error_width(models: Sequence[Model], bound: int) -> int:
    """As `product_width` for the comparisons that give the standard error, with n0 narrowed."""
    unit = 2 << HALVINGS
    largest = unit * (models[0].lists * bound + LARGEST)
    factors = max(len(model.generators) for model in models)
    squares = (4 * LARGEST**2 * unit).bit_length() + factors.bit_length()
    return 4 + max(factors * largest.bit_length() + 2, (factors - 1) * largest.bit_length() + squares)
