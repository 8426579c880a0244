"""`sum`: a table added over contributors, of which only the cells that the opening rule allows are opened.

**Shape.** Each contributor deals `cells * (1 + earlier)` whole numbers: its count for every cell, then, for
each of `earlier` releases that the cells intersect, its number of changed persons for every cell (P6).
**Ranges.** Every count is at most `largest` (signed with the study, at most 2^24); a contributor that
enters more breaks its own study, not the privacy of another.
**What is opened.** To the recipient: which cells are shown, and the rounded totals of those (P4, P5, P6).
To the compute parties: nothing but one masked number a cell, total + r, where r is the sum over all sets T
of t parties of integers below B = 2^60 / C(m, t) that the parties of T do not know: its distribution
differs by at most total / B from one that does not depend on the total (2^-41 for totals of 10^5, m = 3).

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
from collections.abc import Mapping, Sequence

import numpy as np

from fairnode.mpc.dealing import P61, Ring, Rows, Words
from fairnode.mpc.openings import rule
from fairnode.mpc.programs import checks, conditional
from fairnode.mpc.programs.conditional import if_all_nonzero, quotients, small_roots
from fairnode.mpc.programs.contract import Columns, Mpc, Parameters, Program, Session, Shared, Shares, Table

LARGEST = 1 << 24
MAX_CELLS = 100_000
MAX_EARLIER = 20
BASES = (1, 3, 5, 10)


def check(parameters: Parameters, contributors: int, parties: int) -> None:
    """Raise NotValid with one finding for each parameter that is missing, unknown or out of range."""
    ranges = {
        "cells": range(1, MAX_CELLS + 1),
        "base": BASES,
        "earlier": range(MAX_EARLIER + 1),
        "largest": range(1, LARGEST + 1),
    }
    checks.check_parameters("sum", parameters, ranges)
    rule.check_contributors(contributors, parties)


def length(parameters: Parameters, _: int = 0) -> int:
    """How many numbers each contributor deals."""
    return int(parameters["cells"]) * (1 + int(parameters["earlier"]))


def encode(columns: Columns, parameters: Parameters, _: int = 0) -> Words:
    """`[counts, changed at release 1, ...]`, one number a cell in each, as ring elements."""
    rows = 1 + int(parameters["earlier"])
    checks.check_columns(columns, rows, int(parameters["cells"]), lambda _: int(parameters["largest"]))
    return np.array(columns, dtype=np.uint64).reshape(-1)


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
    rounded = await _rounded(session, total, int(parameters["base"]))
    return await if_all_nonzero(session, factors, {"total": rounded})


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


def table(opened: Mapping[str, Sequence[int]], parameters: Parameters) -> Table:
    """Cells in order: the rounded total, or None for hidden; with the bound K that the table prints."""
    return {
        "cells": quotients(opened, "total"),
        "bound": checks.bound(parameters),
        "base": parameters["base"],
        "lists": parameters["lists"],
    }


def describe(parameters: Parameters) -> str:
    """What the study's page says about this computation."""
    least = checks.bound(parameters)
    return (
        f"Adds {parameters['cells']} cells over all contributors. A cell is shown, rounded to "
        f"{parameters['base']}, only if its total is at least {least} and no small group of contributors "
        f"could find a rest of 1 to {least - 1} by taking off its own numbers; all others are 'hidden', and "
        "nothing of them is opened to anyone."
    )


SUM = Program(
    name="sum",
    version="1",
    ring=lambda _: Ring.P61,
    sources=(__name__, checks.__name__, conditional.__name__, rule.__name__),
    check=check,
    length=length,
    encode=encode,
    run=run,
    table=table,
    describe=describe,
)
