"""The program `sum` in plain MPyC (`engine="mpyc"`): the same work by polynomials over 2^61 - 1, more slowly.

Dealt are counts as elements of the field, so that ranges are the contributors' word (a contributor that
enters more than `largest` breaks its own study, not the privacy of another).

To the compute parties is opened nothing but one masked number a cell, total + r, where r is the sum over all
sets T of t parties of integers below B = 2^60 / C(m, t) that the parties of T do not know: its distribution
differs by at most total / B from one that does not depend on the total (2^-41 for totals of 10^5, m = 3).
With `dominance` the same for each contributor's count, and MPyC's comparisons (2^-40 each).

**How.** A value y is neither 0 nor at least K exactly when it is a root of f(y) = (y - 1)...(y - K + 1).
With y = T - x(A) for every coalition A, and y the changed persons of each earlier release, and T times f(T)
for the total itself, the product of all of them is zero exactly when the cell must be hidden; see
`conditional` for how the recipient, and nobody else, learns whether it is.

**Rounding** needs T modulo the base. The mask r is known modulo the base: each integer is known to its
holders, so s = sum of (r_T mod base) is shared without interaction, and (T + r) mod base is public. The
remainder is then a polynomial in s, which has at most C(m, t) * (base - 1) + 1 values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fairnode.mpc.dealing import P61, Rows
from fairnode.mpc.openings import rule
from fairnode.mpc.programs import checks
from fairnode.mpc.programs.conditional import if_all_nonzero, small_roots
from fairnode.mpc.programs.contract import Mpc, Parameters, Session, Shared, Shares


async def run(session: Session, inputs: Sequence[Rows], parameters: Parameters) -> Shares:
    """The output shares of this party: `mark` (zero: hidden) and mark times total."""
    mpc, cells = session.runtime, int(parameters["cells"])
    entered = [session.enter(rows).reshape(-1, cells) for rows in inputs]
    summed = sum(entered[1:], start=entered[0])
    total = summed[0]
    guarded = [total - sum(entered[i][0] for i in who) for who in rule.coalitions(len(inputs), session.m)]
    guarded += [summed[1 + e] for e in range(int(parameters["earlier"]))]
    least = checks.bound(parameters)
    factors = [*small_roots(mpc.np_stack([total, *guarded]), least), total.reshape(1, cells)]
    if "dominance" in parameters:
        fair = await _undominated(session, [total, *(each[0] for each in entered)], parameters["dominance"])
        factors.append(fair.reshape(1, cells))
    rounded = await _rounded(session, total, int(parameters["base"]))
    return await if_all_nonzero(session, factors, {"total": rounded})


async def _undominated(session: Session, numbers: Sequence[Shared], percent: int) -> Shared:
    """One bit a cell, over the session's field: no contributor has more than `percent` of the total.

    `numbers`: the total, then the count of each contributor.
    """
    mpc, cells = session.runtime, numbers[0].shape[0]
    lifted = await session.lift(mpc.np_concatenate(tuple(numbers)), mpc.SecInt(40))
    total, counts = lifted[:cells], [lifted[i * cells : (i + 1) * cells] for i in range(1, len(numbers))]
    broken = mpc.np_less(mpc.np_stack([percent * total - 100 * count for count in counts]), 0)
    bits = mpc.convert(mpc.np_tolist(mpc.np_prod(1 - broken, axis=0)), session.field)
    return mpc.np_fromlist(bits)


async def _rounded(session: Session, total: Shared, base: int) -> Shared:
    """The shared totals rounded to the nearest multiple of `base`, halves up."""
    if base == 1:
        return total
    mpc, length_ = session.runtime, total.shape[0]
    sets = math.comb(session.m, session.t)
    random = session.split_random((1 << 60) // sets, length_)
    masked = await mpc.output(total + (base // 2) + session.weigh(random))
    opened = [int(value) % base for value in masked.value]
    remainder_of_mask = session.weigh({subset: row % base for subset, row in random.items()})
    powers = _powers(mpc, remainder_of_mask, sets * (base - 1))
    table = [_coefficients(value, base, sets * (base - 1)) for value in range(base)]
    weights = np.array([table[value] for value in opened], dtype=object).T
    remainder = mpc.np_sum(
        powers * session.field.field.array(weights[1:]), axis=0
    ) + session.field.field.array(weights[0])
    return total + (base // 2) - remainder


def _powers(mpc: Mpc, s: Shared, degree: int) -> Shared:
    """s, s^2, ..., s^degree, stacked on the first axis, in log2(degree) rounds."""
    powers = s.reshape(1, s.shape[0])
    while (have := powers.shape[0]) < degree:
        more = powers[: min(have, degree - have)] * powers[have - 1]
        powers = mpc.np_vstack((powers, more))
    return powers


def _coefficients(opened: int, base: int, degree: int) -> list[int]:
    """The polynomial g with g(s) = (opened - s) mod base for s in 0..degree, modulo 2^61 - 1, low to high."""
    coefficients = [0] * (degree + 1)
    for i in range(degree + 1):
        basis, scale = [1], 1
        for j in range(degree + 1):
            if j != i:
                basis = [(low - j * high) % P61 for low, high in zip([0, *basis], [*basis, 0], strict=True)]
                scale = scale * (i - j) % P61
        factor = (opened - i) % base * pow(scale, -1, P61) % P61
        coefficients = [(c + factor * b) % P61 for c, b in zip(coefficients, basis, strict=True)]
    return coefficients
