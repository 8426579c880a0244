"""`quantile`: the first value of a public grid that at least `order` per cent of all persons do not exceed.

**Shape.** `grid` is a rising list of at most 200 whole numbers, the last one not below any value. A
contributor puts in, for each grid value, its number of persons with at most that value (the last: all).
**What is opened.** To the recipient: the grid value, if at least K persons have at most that value and at
least K have more, also without any coalition of contributors; else nothing (P4; a rest of zero persons is
not enough here). To the compute parties: masked numbers only, one for each grid value, and
MPyC's comparisons (statistical distance 2^-40 each). Persons in all at most 2^24.

**How.** "100 C(g) >= order N" is compared for all g at once and stays secret: it is 0 up to the quantile
and 1 from there on, so that differences pick the quantile and the counts beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fairnode.errors import Finding, NotValid
from fairnode.mpc.dealing import Ring, Rows, Words
from fairnode.mpc.openings import rule
from fairnode.mpc.programs import checks, conditional
from fairnode.mpc.programs.contract import Columns, Parameters, Program, Session, Shared, Shares, Table

PERSONS = 1 << 24
GRID = range(2, 201)


def check(parameters: Parameters, contributors: int, parties: int) -> None:
    """Raise NotValid for parameters out of range or a grid that does not rise."""
    grid = parameters.get("grid")
    if not isinstance(grid, list) or len(grid) not in GRID or not all(type(g) is int for g in grid):
        raise NotValid("The grid must be a list of 2 to 200 whole numbers.", findings=(Finding("grid", ""),))
    if sorted(set(grid)) != grid or grid[0] < 0 or grid[-1] >= 1 << 40:
        raise NotValid("The grid must rise, from 0 or more.", findings=(Finding("grid", "does not rise"),))
    rest = {name: value for name, value in parameters.items() if name != "grid"}
    checks.check_parameters("quantile", rest, {"order": range(1, 100), "persons": range(1, PERSONS + 1)})
    rule.check_contributors(contributors, parties)


def length(parameters: Parameters, _: int = 0) -> int:
    """How many numbers each contributor deals."""
    return len(parameters["grid"])


def encode(columns: Columns, parameters: Parameters, _: int = 0) -> Words:
    """One list: persons with at most each grid value. Raises NotValid if it falls anywhere."""
    checks.check_columns(columns, 1, len(parameters["grid"]), lambda _: int(parameters["persons"]))
    if list(columns[0]) != sorted(columns[0]):
        raise NotValid("The numbers of persons up to each grid value cannot fall.")
    return np.array(columns[0], dtype=np.uint64)


async def run(session: Session, inputs: Sequence[Rows], parameters: Parameters) -> Shares:
    """The output shares of this party: `mark`, and mark times the grid value."""
    mpc, least = session.runtime, checks.bound(parameters)
    below = [session.enter(rows) for rows in inputs]
    chosen = await _chosen(session, sum(below[1:], start=below[0]), int(parameters["order"]))
    picked = mpc.np_sum(mpc.np_stack(below) * chosen, axis=1)  # persons up to the quantile, by contributor
    everyone = [each[-1] for each in below]
    above = [everyone[i] - picked[i] for i in range(len(inputs))]
    sides = []
    for side in ([picked[i] for i in range(len(inputs))], above):
        total = sum(side[1:], start=side[0])
        sides += [total - sum(side[i] for i in who) for who in ((), *rule.coalitions(len(inputs), session.m))]
    y = mpc.np_fromlist(sides).reshape(len(sides), 1)
    grid = session.field.field.array(np.array(parameters["grid"], dtype=object))
    value = mpc.np_sum((chosen * grid).reshape(1, len(parameters["grid"])), axis=1)
    return await conditional.if_all_nonzero(
        session, [y, *conditional.small_roots(y, least)], {"value": value}
    )


async def _chosen(session: Session, counts: Shared, order: int) -> Shared:
    """1 at the first grid value with 100 C >= order N, else 0; over the session's field."""
    mpc, size = session.runtime, counts.shape[0]
    kind = mpc.SecInt(40)
    whole = await session.lift(counts, kind)
    enough = 1 - mpc.np_less(100 * whole - order * whole[size - 1], 0)
    bits = mpc.np_fromlist(mpc.convert(mpc.np_tolist(enough), session.field))
    before = mpc.np_concatenate((bits[:1] * 0, bits[: size - 1]))
    return bits - before


def table(opened: Mapping[str, Sequence[int]], parameters: Parameters) -> Table:
    """The quantile, or None for hidden."""
    return {
        "value": conditional.quotients(opened, "value")[0],
        "order": parameters["order"],
        "bound": checks.bound(parameters),
    }


def describe(parameters: Parameters) -> str:
    """What the study's page says about this computation."""
    return (
        f"The {parameters['order']} % quantile on a grid of {len(parameters['grid'])} values. It is "
        f"shown only if at least {checks.bound(parameters)} persons lie on either side, also without any "
        "small group of contributors."
    )


QUANTILE = Program(
    name="quantile",
    version="1",
    sources=(__name__, checks.__name__, conditional.__name__, rule.__name__),
    check=check,
    ring=lambda _: Ring.P61,
    length=length,
    encode=encode,
    run=run,
    table=table,
    describe=describe,
)
