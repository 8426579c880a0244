"""Decomposable models under sharing: exact integer products, compared for all models side by side.

Opened, for each number, are the comparisons with limits of the grid that lead to its two significant
figures (`grid.locate`). For the standard error n0 is narrowed
further without opening anything: se^2 = prod_C (n0 + a_C) / -d/dn0 [left - right].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairnode.mpc.estimate.closed_form import HALVINGS, ClosedForm, error_width, product_width
from fairnode.mpc.estimate.grid import VALUES, bracket, locate, value_at
from fairnode.mpc.estimate.models import Model
from fairnode.mpc.kernels.field import FieldKernel, Share, modulo
from fairnode.mpc.kernels.sharing import unpack
from fairnode.mpc.kernels.streams import Words

_STEP = 1 << (HALVINGS // 2)  # the bracket of n0 is cut into so many parts, twice


@dataclass(frozen=True)
class Estimate:
    """Two significant figures each; None where there is no finite value or it was not asked for."""

    hidden: int | None
    standard_error: int | None = None


@dataclass(frozen=True)
class _Factors:
    """The closed form with its numbers of persons shared: (models, 2, k)."""

    form: ClosedForm
    persons: Share

    def chosen(self, which: list[int]) -> _Factors:
        form = ClosedForm(self.form.slope[which], self.form.filler[which], self.form.persons[which])
        return _Factors(form, self.persons[which])

    def at(self, n0: NDArray[np.object_], unit: int) -> Share:
        """Factors times `unit` at n0 (models, points), public or shared, in 1 / unit: four axes."""
        linear = self.form.slope[:, None] * n0[:, :, None, None]
        return modulo(linear + (self.persons * unit + self.form.filler)[:, None])


async def estimate(
    field: FieldKernel, cells: Share, models: Sequence[Model], bound: int, *, with_errors: bool
) -> list[Estimate]:
    """n0, and if asked for its standard error, of each model; `cells` shared, in pattern order."""
    form = ClosedForm.of(models)
    factors = _Factors(form, modulo(form.persons.dot(cells)))
    width = product_width(models, bound)

    async def reaches(limits: NDArray[np.object_]) -> NDArray[np.uint8]:
        return await open_bits(field, await _root_reaches(field, factors.at(limits, 2), width), limits.shape)

    found = await locate(len(models), reaches)
    finite = [i for i, index in enumerate(found) if index < len(VALUES)]
    errors: dict[int, int | None] = {}
    if with_errors and finite:
        brackets = np.array([bracket(found[i]) for i in finite], object)
        indices = await _standard_errors(field, factors.chosen(finite), brackets, error_width(models, bound))
        errors = {i: value_at(index) for i, index in zip(finite, indices, strict=True)}
    return [Estimate(value_at(index), errors.get(i)) for i, index in enumerate(found)]


async def _root_reaches(field: FieldKernel, factors: Share, width: int) -> Words:
    """Shared bits, flat over (models, points): whether the root is at least the point."""
    products = await field.product(factors)
    return await field.not_negative(modulo(products[..., 0] - products[..., 1]), width)


async def _standard_errors(
    field: FieldKernel, factors: _Factors, brackets: NDArray[np.object_], width: int
) -> list[int]:
    """For each model the index of its standard error on the grid."""
    unit = 2 << HALVINGS
    n0 = await _narrowed(field, factors, brackets, width)
    at_root = factors.at(n0[:, None], unit)[:, 0]
    above = 4 * await field.product(at_root[:, 0])
    below = unit * await _fall(field, factors.form, at_root)

    async def reaches(limits: NDArray[np.object_]) -> NDArray[np.uint8]:
        difference = modulo(above[:, None] - limits**2 * below[:, None])
        return await open_bits(field, await field.not_negative(difference, width), limits.shape)

    return await locate(len(brackets), reaches)


async def _narrowed(
    field: FieldKernel, factors: _Factors, brackets: NDArray[np.object_], width: int
) -> Share:
    """The root in 1 / (2 << HALVINGS), shared: twice its bracket is cut into 32 parts, nothing opened."""
    root: Share = brackets[:, 0] << HALVINGS
    part = (brackets[:, 1] - brackets[:, 0]) << HALVINGS
    steps = np.arange(1, _STEP).astype(object)
    for _ in range(2):
        part = part // _STEP
        points = modulo(root[:, None] + part[:, None] * steps)
        reached = await _root_reaches(field, factors.at(points, 2 << HALVINGS), width)
        bits = await field.from_bits(reached, points.size)
        root = modulo(root + part * bits.reshape(points.shape).sum(axis=1))
    return root


async def _fall(field: FieldKernel, form: ClosedForm, factors: Share) -> Share:
    """Minus the derivative of left - right: for each side the sum of products with one factor left out."""
    count = factors.shape[-1]
    one_out = np.eye(count, dtype=int).astype(object)
    rows = factors[:, :, None, :] * (1 - one_out) + form.slope[..., None] * one_out
    sums = (await field.product(rows)).sum(axis=2)
    return modulo(sums[:, 1] - sums[:, 0])


async def open_bits(field: FieldKernel, shared: Words, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The first bits of a shared vector, told to all, in the shape asked for."""
    return unpack(await field.bits.open_to_all(shared), math.prod(shape)).reshape(shape)
