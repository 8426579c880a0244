"""Any hierarchical model under sharing: iterative proportional fitting in fixed point (P15).

The missing cell is scaled like every other but counts in no margin; its fitted value is n0. All models are
fitted side by side, so more models cost few rounds more. The number of sweeps is public and fixed:
stopping when nothing changes any more would tell about the cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairnode.errors import FairnodeError
from fairnode.mpc.estimate.grid import LARGEST, VALUES, search
from fairnode.mpc.estimate.models import Model
from fairnode.mpc.estimate.plain import margin_matrices

if TYPE_CHECKING:
    from mpyc.runtime import Runtime
    from mpyc.sectypes import SecureArray, SecureFixedPoint, SecureInteger

BITS, FRACTION = 64, 32  # division needs a fraction of half the bits: with 24 it silently returned zeros
SWEEPS = 40  # with the last step extrapolated, enough for 0.1 % on every public table
_EMPTY = 2.0**-16  # added to margins that are divided by: an empty one then gives the ratio 0 / 2^-16 = 0
_STEADY = 2.0**-4  # below this difference of steps, in persons, nothing is extrapolated


class FixedPointFailed(FairnodeError):
    """MPyC's fixed-point division does not work as it must here; no estimate was made."""

    code = "fixed-point-failed"
    http_status = 500


@dataclass(frozen=True)
class FitKinds:
    """Fixed-point numbers, and secret integers of the same field in which cells come in."""

    number: type[SecureFixedPoint]
    whole: type[SecureInteger]


def fit_kinds(mpc: Runtime) -> FitKinds:
    """The types for one run of fits."""
    number = mpc.SecFxp(BITS, FRACTION)
    return FitKinds(number, mpc.SecInt(BITS - FRACTION, p=number.field.modulus))


async def check_division(mpc: Runtime, kinds: FitKinds) -> None:
    """Divide known numbers before any secret one. Raises `FixedPointFailed` if a quotient is wrong."""
    over = np.array([1.0, 7.0, 200000.0, 1.0, 0.0])
    under = np.array([3.0, 1000.0, 3.0, _EMPTY, _EMPTY])
    array = kinds.number.array
    quotients = await mpc.output(mpc.input(array(over), senders=0) / mpc.input(array(under), senders=0))
    if not np.allclose(np.asarray(quotients, float), over / under, rtol=1e-4, atol=1e-6):
        raise FixedPointFailed("Fixed-point division failed its self-test; no estimate was made.")


async def estimate_by_fitting(
    mpc: Runtime, kinds: FitKinds, cells: SecureArray, models: Sequence[Model], sweeps: int = SWEEPS
) -> list[int | None]:
    """n0 of each model to two significant figures; `cells` of type `kinds.whole`, in pattern order.

    Opens only the comparisons of the search. No standard errors: they need the inverse of a secret matrix.
    """
    hidden = await fit(mpc, kinds, cells, models, sweeps)

    async def reaches(which: list[int], limits: list[int]) -> list[bool]:
        bits = 1 - mpc.np_sgn(hidden[which] * 2 - np.array(limits, float), LT=True)
        return [bool(int(bit)) for bit in await mpc.output(bits)]

    found = await search(len(models), reaches)
    return [VALUES[index] if index < len(VALUES) else None for index in found]


async def fit(
    mpc: Runtime, kinds: FitKinds, cells: SecureArray, models: Sequence[Model], sweeps: int
) -> SecureArray:
    """The fitted missing cell of each model, secret, at most `LARGEST`."""
    await check_division(mpc, kinds)
    observed = await _fixed_point(mpc, kinds, cells)
    margins = _padded_margins(models)
    goals = [await _times(mpc, margin[:, :, 1:], observed[None, :], kinds) for margin in margins]
    count = 1 << models[0].lists
    fitted = kinds.number.array(np.ones((len(models), count)))
    steps: list[SecureArray] = []
    for sweep in range(sweeps):
        for margin, goal in zip(margins, goals, strict=True):
            now = await _times(mpc, margin[:, :, 1:], fitted[:, 1:], kinds)
            ratio = goal / (now + _EMPTY)
            fitted = fitted * await _times(mpc, margin.transpose(0, 2, 1), ratio, kinds)
        if sweep >= sweeps - 3:
            steps.append(fitted[:, 0])
    return _extrapolated(mpc, steps)


def _extrapolated(mpc: Runtime, steps: Sequence[SecureArray]) -> SecureArray:
    """Aitken's limit of the last three iterates; where they hardly move any more, the last one."""
    before, last = steps[1] - steps[0], steps[2] - steps[1]
    shrinking = before - last
    moving = 1 - mpc.np_sgn(shrinking * shrinking - _STEADY**2, LT=True)
    divisor = moving * (shrinking - 1) + 1
    return steps[2] + moving * (last * (last / divisor))


def _padded_margins(models: Sequence[Model]) -> list[NDArray[np.float64]]:
    """For step k of a sweep the margins of every model's k-th generator: (models, configurations, cells).

    A model with fewer generators does its last one again, which changes nothing; one with smaller
    generators has empty configurations.
    """
    of_models = [margin_matrices(model) for model in models]
    steps = max(len(margins) for margins in of_models)
    configurations = max(len(margin) for margins in of_models for margin in margins)
    padded = []
    for k in range(steps):
        step = np.zeros((len(models), configurations, 1 << models[0].lists))
        for m, margins in enumerate(of_models):
            margin = margins[min(k, len(margins) - 1)]
            step[m, : len(margin)] = margin
        padded.append(step)
    return padded


async def _fixed_point(mpc: Runtime, kinds: FitKinds, cells: SecureArray) -> SecureArray:
    share = await mpc.gather(cells)
    scaled = share.value * (1 << FRACTION) % kinds.number.field.modulus
    return kinds.number.array(kinds.number.field.array(scaled, check=False), integral=False)


async def _times(
    mpc: Runtime, matrices: NDArray[np.float64], vectors: SecureArray, kinds: FitKinds
) -> SecureArray:
    """Public 0/1 matrices (models, rows, columns) times secret vectors (models, columns): local."""
    share = (await mpc.gather(vectors)).value
    whole = matrices.astype(int).astype(object)
    product = np.sum(whole * share[:, None, :], axis=2) % kinds.number.field.modulus
    return kinds.number.array(kinds.number.field.array(product, check=False), integral=False)


assert LARGEST < 1 << (BITS - FRACTION - 1), "a fitted number must fit"
