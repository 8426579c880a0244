"""The closed form in plain MPyC (`engine="mpyc"`): 9 comparisons a figure, one after the other.

Slow, and the oracle that `decomposable` is held against; see there for the method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairnode.mpc.estimate.closed_form import HALVINGS, ClosedForm, error_width, product_width
from fairnode.mpc.estimate.decomposable import Estimate
from fairnode.mpc.estimate.grid import VALUES, bracket, search, value_at
from fairnode.mpc.estimate.models import Model

if TYPE_CHECKING:
    from mpyc.runtime import Runtime
    from mpyc.sectypes import SecureArray, SecureInteger


@dataclass(frozen=True)
class _Sides:
    """Both sides of the equation for all models at once, as arrays (models, 2, factors).

    A factor is slope * n0 + persons + filler: slope 1 and filler 0, but for the padding 0 and 1.
    """

    slope: NDArray[np.object_]
    filler: NDArray[np.object_]
    persons: SecureArray

    def chosen(self, which: list[int]) -> _Sides:
        return _Sides(self.slope[which], self.filler[which], self.persons[which])

    def factors(self, n0: SecureArray | NDArray[np.object_], unit: int) -> SecureArray:
        """The factors times `unit` at `n0`, given in units of 1 / unit, one number a model."""
        return self.slope * n0.reshape(-1, 1, 1) + self.persons * unit + self.filler


def secure_kind(mpc: Runtime, models: Sequence[Model], bound: int) -> type[SecureInteger]:
    """Secret integers wide enough for every product of these models on lists of at most `bound` persons."""
    kind: type[SecureInteger] = mpc.SecInt(error_width(models, bound) + 8)
    return kind


async def estimate(
    mpc: Runtime, cells: SecureArray, models: Sequence[Model], bound: int, *, with_errors: bool
) -> list[Estimate]:
    """n0, and if asked for its standard error, of each decomposable model; `cells` of type `secure_kind`.

    Opens, for each number, the comparisons that lead to its two significant figures, and no more.
    """
    sides = await _sides(mpc, cells, models)
    bits = product_width(models, bound)

    async def reaches(which: list[int], limits: list[int]) -> list[bool]:
        return await _opened(mpc, _at_least(mpc, sides.chosen(which), np.array(limits, object), 2, bits))

    found = await search(len(models), reaches)
    finite = [i for i, index in enumerate(found) if index < len(VALUES)]
    errors: dict[int, int | None] = {}
    if with_errors and finite:
        brackets = [bracket(found[i]) for i in finite]
        width = error_width(models, bound)
        indices = await _standard_errors(mpc, sides.chosen(finite), brackets, width)
        errors = {i: value_at(index) for i, index in zip(finite, indices, strict=True)}
    return [Estimate(value_at(index), errors.get(i)) for i, index in enumerate(found)]


async def _sides(mpc: Runtime, cells: SecureArray, models: Sequence[Model]) -> _Sides:
    """The numbers a_C and a_S of all models: linear in the cells, so local."""
    form = ClosedForm.of(models)
    matrix = form.persons.reshape(-1, form.persons.shape[-1])
    numbers = await apply_public(mpc, matrix, cells)
    return _Sides(form.slope, form.filler, mpc.np_reshape(numbers, form.slope.shape))


def _at_least(
    mpc: Runtime, sides: _Sides, n0: SecureArray | NDArray[np.object_], unit: int, bits: int
) -> SecureArray:
    """One secret bit a model: whether its root is at least n0 / unit."""
    products = mpc.np_prod(sides.factors(n0, unit), axis=2)
    return 1 - mpc.np_sgn(products[:, 0] - products[:, 1], l=bits, LT=True)


async def _standard_errors(
    mpc: Runtime, sides: _Sides, brackets: Sequence[tuple[int, int]], bits: int
) -> list[int]:
    """For each model the index of its standard error on the grid."""
    unit = 2 << HALVINGS
    n0 = await _narrowed(mpc, sides, brackets, bits)
    factors = sides.factors(n0, unit)
    above = 4 * mpc.np_prod(factors[:, 0], axis=1)
    below = unit * _fall(mpc, sides, factors)

    async def reaches(which: list[int], limits: list[int]) -> list[bool]:
        squares = np.array([limit**2 for limit in limits], object)
        difference = above[which] - squares * below[which]
        return await _opened(mpc, 1 - mpc.np_sgn(difference, l=bits, LT=True))

    return await search(len(brackets), reaches)


async def _narrowed(
    mpc: Runtime, sides: _Sides, brackets: Sequence[tuple[int, int]], bits: int
) -> SecureArray:
    """The root in units of 1 / (2 << HALVINGS), by halving the public bracket; no comparison is opened."""
    low = np.array([b[0] << HALVINGS for b in brackets], object)
    width = np.array([b[1] - b[0] for b in brackets], object)
    root = type(sides.persons)(np.zeros(len(brackets), object)) + low
    for k in reversed(range(HALVINGS)):
        further = _at_least(mpc, sides, root + width * (1 << k), 2 << HALVINGS, bits)
        root = root + further * (width * (1 << k))
    return root


def _fall(mpc: Runtime, sides: _Sides, factors: SecureArray) -> SecureArray:
    """Minus the derivative of left - right: for each side the sum of products with one factor left out."""
    count = factors.shape[2]
    others = 1 - np.eye(count, dtype=int).astype(object)
    slopes = sides.slope[:, :, :, None] * np.eye(count, dtype=int).astype(object)
    rows = mpc.np_reshape(factors, (len(sides.slope), 2, 1, count)) * others + slopes
    sums = mpc.np_sum(mpc.np_prod(rows, axis=3), axis=2)
    return sums[:, 1] - sums[:, 0]


async def _opened(mpc: Runtime, bits: SecureArray) -> list[bool]:
    return [bool(int(bit)) for bit in await mpc.output(bits)]


async def apply_public(mpc: Runtime, matrix: NDArray[np.object_], vector: SecureArray) -> SecureArray:
    """A public integer matrix times a shared vector: local at each party."""
    kind = type(vector)
    field = kind.sectype.field
    share = await mpc.gather(vector)
    return kind(field.array(matrix.dot(share.value) % field.modulus, check=False))
