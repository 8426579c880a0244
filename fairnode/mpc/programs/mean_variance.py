"""`mean-variance`: mean and standard deviation of a measure over all contributors' persons.

**Shape.** For each of `cells` groups a contributor puts in five numbers: persons n, sum, sum of squares, and
its two largest values (0 where it has none), of a measure in whole units from 0 to `largest`; n at most
`persons`. It deals 11 elements a cell: sum and largest values in limbs of 16 bits, for the comparisons.
Of a measure with few values it also deals, for each of `codes` values, how many persons have it.
**What is opened.** To the recipient, for a group: n, sum and sum of squares, all or none. None, if the
opening rule P4 hides n or the persons with one of those values (three moments of few values are their
counts again), if all persons have the same value, or if the person with the largest value has too much of
the sum: without the two largest persons of all contributors the rest must be at least `dominance` per
cent of the largest value (the p % rule at the level of persons, so that the second largest cannot
estimate the largest any closer).
The table prints n rounded to 5, mean and standard deviation with three significant figures.
To the compute parties: masked numbers only, nine a group, as in `sum`, plus MPyC's comparisons
(statistical distance 2^-40 each).

**How.** x1 and x2, the two largest values, need not be found: rest(u, v) = T - u - v - u p / 100 is
smallest for them, so that every pair of candidates is compared, n^2 pairs for n contributors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from fairnode.errors import NotValid
from fairnode.mpc.dealing import P61, Ring, Rows, Words
from fairnode.mpc.openings import rule
from fairnode.mpc.programs import checks, conditional
from fairnode.mpc.programs.contract import Columns, Parameters, Program, Session, Shared, Shares, Table

LIMB_BITS, LIMBS = 16, 3
LARGEST, PERSONS = 1 << 24, 1 << 22
MOST_CODES, MOST_COUNTS = 50, 1000
"""Values counted by themselves: in a group, and in all groups together."""
N, SUM, SQUARES, FIRST, SECOND = range(5)
SQUARES_ROW, SUM_ROWS, MEASURES = 1, 2, 2 + 3 * LIMBS
"""Of the rows that are dealt; those after `MEASURES` are persons by value."""


def check(parameters: Parameters, contributors: int, parties: int) -> None:
    """Raise NotValid for parameters out of range, or sums that could be."""
    ranges = {
        "cells": range(1, 1001),
        "largest": range(1, LARGEST + 1),
        "persons": range(1, PERSONS + 1),
        "codes": range(MOST_CODES + 1),
        "dominance": range(1, 101),
    }
    checks.check_parameters("mean-variance", parameters, ranges)
    if int(parameters["persons"]) * int(parameters["largest"]) ** 2 * contributors >= P61:
        raise NotValid(
            "Sums of squares of this study could be too large to compute with.",
            to_do="Measure in coarser units, so that `largest` is smaller.",
        )
    if int(parameters["cells"]) * int(parameters["codes"]) > MOST_COUNTS:
        raise NotValid(f"There are more than {MOST_COUNTS} combinations of a group and a value.")
    rule.check_contributors(contributors, parties)


def length(parameters: Parameters, _: int = 0) -> int:
    """How many numbers each contributor deals: n, squares, limbs of sum and largest values, and counts."""
    return int(parameters["cells"]) * (MEASURES + int(parameters["codes"]))


def encode(columns: Columns, parameters: Parameters, _: int = 0) -> Words:
    """`[n, sum, squares, largest, second largest, *persons by value]`, by group, as ring elements."""
    largest, persons = int(parameters["largest"]), int(parameters["persons"])
    codes = int(parameters["codes"])
    limits = (persons, persons * largest, persons * largest**2, largest, largest, *[persons] * codes)
    checks.check_columns(columns, 5 + codes, int(parameters["cells"]), lambda i: limits[i])
    numbers = np.array(columns, dtype=np.uint64)
    limbs = [
        (numbers[which] >> np.uint64(LIMB_BITS * i)) & np.uint64((1 << LIMB_BITS) - 1)
        for which in (SUM, FIRST, SECOND)
        for i in range(LIMBS)
    ]
    return np.stack([numbers[N], numbers[SQUARES], *limbs, *numbers[SECOND + 1 :]]).reshape(-1)


async def run(session: Session, inputs: Sequence[Rows], parameters: Parameters) -> Shares:
    """The output shares of this party: `mark`, and mark times n, sum and sum of squares."""
    cells = int(parameters["cells"])
    entered = [session.enter(rows).reshape(-1, cells) for rows in inputs]
    summed = sum(entered[1:], start=entered[0])
    n = summed[0]
    total = sum(summed[SUM_ROWS + i] * (1 << LIMB_BITS * i) for i in range(LIMBS))
    fair = await _undominated(session, entered, int(parameters["dominance"]))
    factors = [
        *conditional.small_roots(_counted(session, entered), checks.bound(parameters)),
        n.reshape(1, cells),
        fair.reshape(1, cells),
        (n * summed[SQUARES_ROW] - total * total).reshape(1, cells),  # zero if all have the same value
    ]
    return await conditional.if_all_nonzero(
        session, factors, {"n": n, "sum": total, "squares": summed[SQUARES_ROW]}
    )


def _counted(session: Session, entered: Sequence[Shared]) -> Shared:
    """Persons in all and by value (rows): of all contributors, and without each coalition of them."""
    mpc = session.runtime
    counts = [mpc.np_vstack((each[:1], each[MEASURES:])) for each in entered]
    total = sum(counts[1:], start=counts[0])
    rests = [total - sum(counts[i] for i in who) for who in rule.coalitions(len(counts), session.m)]
    return mpc.np_vstack((total, *rests))


async def _undominated(session: Session, entered: Sequence[Shared], percent: int) -> Shared:
    """One bit a group, over the session's field: no pair of persons breaks the p % rule."""
    mpc, cells = session.runtime, entered[0].shape[1]
    kind = mpc.SecInt(LIMB_BITS * LIMBS + 16)
    total = await _whole(session, sum((each[2:5] for each in entered[1:]), start=entered[0][2:5]), kind)
    first = [await _whole(session, each[5:8], kind) for each in entered]
    second = [await _whole(session, each[8:11], kind) for each in entered]
    others = [[*first[:i], second[i], *first[i + 1 :]] for i in range(len(entered))]
    rests = [
        100 * (total - u - v) - percent * u for u, lower in zip(first, others, strict=True) for v in lower
    ]
    broken = mpc.np_less(mpc.np_stack(rests), 0)
    fair = mpc.np_prod(1 - broken, axis=0)
    bits = mpc.convert(mpc.np_tolist(fair), session.field)
    return mpc.np_fromlist(bits).reshape(cells)


async def _whole(session: Session, limbs: Shared, kind: Shared) -> Shared:
    """Numbers of three limbs (rows) as secure integers."""
    cells = limbs.shape[1]
    lifted = await session.lift(limbs.reshape(LIMBS * cells), kind)
    return sum(lifted[i * cells : (i + 1) * cells] * (1 << LIMB_BITS * i) for i in range(LIMBS))


def table(opened: Mapping[str, Sequence[int]], parameters: Parameters) -> Table:
    """For each group n (rounded to 5), mean and standard deviation (three figures), or None for hidden."""
    columns = [conditional.quotients(opened, name) for name in ("n", "sum", "squares")]
    cells = [
        None if n is None or total is None or squares is None else _figures(n, total, squares)
        for n, total, squares in zip(*columns, strict=True)
    ]
    return {"cells": cells, "bound": checks.bound(parameters), "dominance": parameters["dominance"]}


def _figures(n: int, total: int, squares: int) -> dict[str, float]:
    variance = (squares - total * total / n) / (n - 1)
    return {
        "n": rule.rounded(n, 5),
        "mean": significant(total / n),
        "standard_deviation": significant(math.sqrt(max(variance, 0.0))),
    }


def significant(value: float, figures: int = 3) -> float:
    """`value` with so many significant figures."""
    return float(f"{value:.{figures}g}")


_BY_VALUE = "if the same holds for each value that anybody has, "


def describe(parameters: Parameters) -> str:
    """What the study's page says about this computation."""
    by_value = _BY_VALUE if parameters["codes"] else ""
    return (
        f"Mean and standard deviation in {parameters['cells']} groups. A group is shown only if its number "
        f"of persons is at least {checks.bound(parameters)}, also without any small group of contributors, "
        f"{by_value}if not all have the same value, and if no single person has too large a part of the "
        "sum; else nothing of it is opened to anyone."
    )


MEAN_VARIANCE = Program(
    name="mean-variance",
    version="2",
    sources=(__name__, checks.__name__, conditional.__name__, rule.__name__),
    check=check,
    ring=lambda _: Ring.P61,
    length=length,
    encode=encode,
    run=run,
    table=table,
    describe=describe,
)
