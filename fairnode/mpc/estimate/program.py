"""Program `overlap-estimate`: how many persons are on no list, from a table nobody sees.

Shape: `lists` K and `bound` N as in the overlap; `models`, up to ten lists of interactions registered with
the study; `standard_errors` and `observed` ask for more figures, at most ten numbers in all (P17).
Opened to the compute parties, and nothing else: whether the table is large enough (200 persons, 11 of them on
two or more lists); if it is, the asked figures, each to two significant figures. Intervals are conditional
on the model. The exact table stays shared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairnode.errors import NotValid
from fairnode.mpc.estimate.decomposable import Estimate, estimate, open_bits
from fairnode.mpc.estimate.fitting import estimate_by_fitting
from fairnode.mpc.estimate.grid import figures, locate, value_at
from fairnode.mpc.estimate.models import Model, registered
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.exchange import Row, Runtime
from fairnode.mpc.kernels.field import FieldKernel, Share, modulo
from fairnode.mpc.kernels.numbers import Number, all_of
from fairnode.mpc.kernels.opening import apart
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.kernels.result import Result
from fairnode.mpc.kernels.sharing import RowSource, pack, unpack
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.overlap.cells import lane, on_lanes
from fairnode.mpc.overlap.matches import count_overlaps
from fairnode.mpc.overlap.shape import OverlapShape, patterns

FEWEST_PERSONS, FEWEST_REPEATED = 200, 11
MOST_FIGURES = 10

Dealt = Sequence[Mapping[Row, Words | RowSource]]


@dataclass(frozen=True)
class EstimateShape:
    """What the study registered: the overlap's shape, the models, and which figures are asked for."""

    overlap: OverlapShape
    models: tuple[Model, ...]
    standard_errors: bool
    observed: bool

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> EstimateShape:
        """From a study's parameters. Raises `NotValid` for more than ten figures, or what is no model."""
        shape = cls(
            OverlapShape.of(parameters),
            tuple(registered(parameters)),
            bool(parameters.get("standard_errors", False)),
            bool(parameters.get("observed", False)),
        )
        errors = sum(model.decomposable for model in shape.models) if shape.standard_errors else 0
        asked = len(shape.models) + errors + shape.observed
        if asked > MOST_FIGURES:
            raise NotValid(
                f"The study asks for {asked} figures of one table; at most {MOST_FIGURES} are released.",
                to_do="Register fewer models, or leave out their standard errors.",
            )
        return shape


async def run(mpc: Runtime, rows: Dealt, parameters: Mapping[str, Any]) -> Result:
    """The asked figures as `opened`: `rows` as dealt by the owners of the lists, in the order of places."""
    exchange = await connect(mpc)
    kernel, shape = BitKernel(exchange), EstimateShape.of(parameters)
    counts = await count_overlaps(kernel, rows, shape.overlap)
    opened = await estimates(kernel, on_lanes(kernel, counts, shape.overlap), shape)
    return Result(opened, exchange.traffic)


async def estimates(kernel: BitKernel, table: Number, shape: EstimateShape) -> dict[str, Any]:
    """What the study asked for, or only `estimable: False` if the table is too small."""
    field = FieldKernel(kernel)
    cells = await exact_numbers(field, table, shape.overlap.lists)
    repeated = cells[shape.overlap.lists :].sum()
    if not await _large_enough(field, cells.sum(), repeated):
        return {"estimable": False}
    opened: dict[str, Any] = {"estimable": True}
    if shape.observed:
        opened["observed"] = await _figures(field, modulo(cells.sum(keepdims=True)))
    made = await _of_models(field, cells, shape)
    opened["models"] = [{"hidden": e.hidden, "standard_error": e.standard_error} for e in made]
    return opened


async def exact_numbers(field: FieldKernel, table: Number, lists: int) -> Share:
    """The 2^K - 1 exact cells as shared integers, in the order of `patterns`, from a table on lanes.

    exact(S) = sum over R containing S of (-1)^(|R| - |S|) superset(R): local, once the bits are numbers.
    """
    order = patterns(lists)
    lanes = [lane(pattern) for pattern in order]
    bits = np.concatenate([unpack(plane, 64)[:, lanes] for plane in table], axis=1).astype(bool)
    numbers = (await field.from_bits(pack(bits), bits.shape[1])).reshape(len(table), len(order))
    supersets = sum(numbers[i] * (1 << i) for i in range(len(table)))
    signs = [[(-1) ** (len(r) - len(s)) if set(s) <= set(r) else 0 for r in order] for s in order]
    return modulo(np.array(signs, object).dot(supersets))


def interval(observed: int, made: Estimate) -> tuple[int | None, int | None]:
    """The 95 % interval of the whole population from released figures: n + n0 exp(+-1.96 se / n0) (P16).

    Conditional on the model being right; two significant figures.
    """
    if not made.hidden or made.standard_error is None:
        return None, None
    spread = math.exp(1.96 * made.standard_error / made.hidden)
    return figures(observed + made.hidden / spread), figures(observed + made.hidden * spread)


async def _large_enough(field: FieldKernel, persons: int, repeated: int) -> bool:
    """P17, as one opened bit."""
    over = np.array([persons - FEWEST_PERSONS, repeated - FEWEST_REPEATED], object)
    enough = unpack(await field.not_negative(modulo(over), 48), 2).astype(bool)
    both = np.concatenate([pack(enough[:, :1]), pack(enough[:, 1:])], axis=1)
    opened = await field.bits.open_to_all(await all_of(field.bits, apart(both, 1)))
    return bool(opened[0] & np.uint64(1))


async def _figures(field: FieldKernel, number: Share) -> int | None:
    async def reaches(limits: NDArray[np.object_]) -> NDArray[np.uint8]:
        shared = await field.not_negative(modulo(2 * number[:, None] - limits), 48)
        return await open_bits(field, shared, limits.shape)

    return value_at((await locate(1, reaches))[0])


async def _of_models(field: FieldKernel, cells: Share, shape: EstimateShape) -> list[Estimate]:
    bound = shape.overlap.bound
    closed = [model for model in shape.models if model.decomposable]
    fitted = [model for model in shape.models if not model.decomposable]
    made: dict[Model, Estimate] = {}
    if closed:
        exact = await estimate(field, cells, closed, bound, with_errors=shape.standard_errors)
        made.update(zip(closed, exact, strict=True))
    if fitted:
        values = await estimate_by_fitting(field, cells, fitted, bound)
        made.update((model, Estimate(value)) for model, value in zip(fitted, values, strict=True))
    return [made[model] for model in shape.models]
