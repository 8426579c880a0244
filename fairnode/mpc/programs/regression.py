"""`regression`: a logistic or Poisson regression over all contributors' persons, of which only the fit is opened.

**Shape.** `design`: the rows of covariates of `patterns` patterns, public and signed with the study (the first
column is the intercept). Each contributor deals whole numbers by pattern: persons, and events; for a
Poisson fit also how many of the persons have an event. For a logistic fit these are the events, each person
having one at most. Then, for each of `earlier` releases, its number of changed persons for each of the `cells`
of the table from which these are (P6). All of them are recounted by the node (class A).
**Ranges.** Every number is dealt as so many bits as `largest` has. A person has at most 50 events: as there are K
persons with one, never is nearly everything one person's.
**What is opened.** To the recipient: whether the rules hold; if so, whether the fit has a finite maximum
("separable" data have none, nor has a category that nobody is in); if so, coefficients and variances to three
significant figures. The rules: at least ten persons a coefficient and K in all; every cell of every two-way
table of covariates, and of each covariate by having an event, has no person or at least K; and so have
the changed persons of each cell since each earlier release; also without any coalition of contributors.
To the compute parties and to the contributors: nothing, no iterate either. They deal once, in one round.

**How.** `mpc.regression`: rules as a circuit on shared bits, Newton's method in fixed point on shared integers;
masked openings differ from uniform by at most 2^-40 each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from fairnode.errors import NotValid
from fairnode.mpc import kernels, regression
from fairnode.mpc.dealing import Ring, Rows, Words
from fairnode.mpc.kernels import table as tables
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.field import FieldKernel, Share
from fairnode.mpc.kernels.numbers import Number, all_of, keep, sum_numbers
from fairnode.mpc.kernels.opening import OpeningRule
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.kernels.sharing import ALL_ONES, pack, unpack
from fairnode.mpc.openings import rule
from fairnode.mpc.programs import checks
from fairnode.mpc.programs.contract import Columns, Parameters, Program, Session, Shares, Table
from fairnode.mpc.regression.design import LOGISTIC, Design
from fairnode.mpc.regression.figures import planes_of_figures, read_figures, three_figures
from fairnode.mpc.regression.fit import WIDE, Fit, fit
from fairnode.mpc.regression.rules import allowed

LARGEST = 1 << 20
MOST_EVENTS = 50
"""Of one person."""
MAX_CELLS, MAX_EARLIER = 10_000, 20
ROUNDS_SECONDS, VALUE_SECONDS = 480.0, 0.1
"""Some two thousand rounds, whatever the data: a quarter of a second for each; and more for large designs."""


def check(parameters: Parameters, contributors: int, parties: int) -> None:
    """Raise NotValid for parameters out of range, what is no design, or too few contributors."""
    rest = {name: value for name, value in parameters.items() if name not in ("family", "design")}
    ranges = {
        "largest": range(1, LARGEST + 1),
        "cells": range(1, MAX_CELLS + 1),
        "earlier": range(MAX_EARLIER + 1),
        "engine": ("bits",),
    }
    checks.check_parameters("regression", rest, ranges)
    Design.of(parameters)
    rule.check_contributors(contributors, parties)


def seconds(parameters: Parameters) -> float:
    """How long a run may take: rounds are many, and each waits for the slowest connection."""
    return ROUNDS_SECONDS + VALUE_SECONDS * Design.of(parameters).rows.size


def _lists(design: Design) -> int:
    """How many numbers of each pattern are dealt."""
    return 2 if design.family == LOGISTIC else 3


def _sizes(parameters: Parameters, design: Design) -> list[tuple[int, int]]:
    """What each contributor deals, as (lists, numbers in each): by pattern, then by cell."""
    return [(_lists(design), design.patterns), (int(parameters["earlier"]), int(parameters["cells"]))]


def length(parameters: Parameters, _: int = 0) -> int:
    """How many words each contributor deals: its numbers as planes of bits."""
    bits = int(parameters["largest"]).bit_length()
    return sum(lists * bits * -(-n // 64) for lists, n in _sizes(parameters, Design.of(parameters)))


def encode(columns: Columns, parameters: Parameters, _: int = 0) -> Words:
    """`[persons, events, (Poisson: persons with an event), changed by cell, ...]`.

    Raises NotValid for numbers by pattern that are of no persons.
    """
    design, bits = Design.of(parameters), int(parameters["largest"]).bit_length()
    apart, parts = _lists(design), []
    for (lists, n), told in zip(_sizes(parameters, design), (columns[:apart], columns[apart:]), strict=True):
        checks.check_columns(told, lists, n, lambda _: int(parameters["largest"]))
        parts.append(tables.words(np.array(told, np.uint64), bits) if lists else np.zeros(0, np.uint64))
    persons, events, affected = columns[0], columns[1], columns[apart - 1]
    if any(a > n for n, a in zip(persons, affected, strict=True)):
        raise NotValid("A pattern has more persons with an event than persons.")
    if any(not a <= e <= MOST_EVENTS * a for e, a in zip(events, affected, strict=True)):
        raise NotValid(
            f"A pattern has persons with no event, or more than {MOST_EVENTS}, among those with one."
        )
    return np.concatenate(parts)


async def run(session: Session, inputs: Sequence[Rows], parameters: Parameters) -> Shares:
    """The output shares of this party: the words `status` (allowed, settled) and `figures`."""
    exchange = await connect(session.runtime)
    kernel, design = BitKernel(exchange), Design.of(parameters)
    field = FieldKernel(kernel)
    dealt = [_numbers(kernel, rows, design, parameters) for rows in inputs]
    judging = OpeningRule(checks.bound(parameters), rule.coalition_size(len(inputs), session.m))
    last = _lists(design) - 1
    apiece = [(numbers[0], numbers[last]) for numbers, _ in dealt]
    changes = [[changed[i] for _, changed in dealt] for i in range(int(parameters["earlier"]))]
    fine = await allowed(kernel, design, apiece, judging, changes)
    persons, events = [
        await _whole(field, [numbers[i] for numbers, _ in dealt], design.patterns) for i in (0, 1)
    ]
    most = len(inputs) * design.patterns * int(parameters["largest"])
    made = await fit(field, design, persons, events, most)
    words = await _released(field, fine, made)
    session.runtime.opened_values += exchange.traffic.opened
    return {"words": kernel.to_rows(words)}


def _numbers(
    kernel: BitKernel, rows: Rows, design: Design, parameters: Parameters
) -> tuple[list[Number], list[Number]]:
    """One contributor's numbers by pattern, and its changed persons by cell, as planes."""
    bits, start, found = int(parameters["largest"]).bit_length(), 0, []
    for lists, n in _sizes(parameters, design):
        words = lists * bits * -(-n // 64)
        dealt = kernel.dealt(rows.rows, start, start + words)
        planes = dealt.reshape(len(kernel.held), lists, bits, -(-n // 64))
        found.append([[planes[:, i, bit] for bit in range(bits)] for i in range(lists)])
        start += words
    return found[0], found[1]


async def _whole(field: FieldKernel, numbers: Sequence[Number], count: int) -> Share:
    """The sum of numbers on lanes as shared integers."""
    bits = len(numbers[0]) + len(numbers).bit_length()
    total = await sum_numbers(field.bits, numbers, bits)
    packed = pack(np.concatenate([unpack(plane, count) for plane in total], axis=1).astype(bool))
    values = (await field.from_bits(packed, bits * count)).reshape(bits, count)
    return np.asarray(sum(value * (1 << i) for i, value in enumerate(values)))


async def _released(field: FieldKernel, fine: Words, made: Fit) -> Words:
    """Status and figures as shared words: those of the fit are zero unless both status bits are one."""
    kernel, count = field.bits, len(made.coefficients)
    both = await all_of(kernel, [fine, made.settled & np.uint64(1)])
    positive = await field.not_negative(made.coefficients, WIDE)
    signs = await field.from_bits(positive, count)
    size = await field.multiply(2 * signs - 1, made.coefficients)
    figures = [positive & np.uint64((1 << count) - 1)]
    figures += await three_figures(field, size)
    figures += await three_figures(field, made.variances)
    shown = await keep(kernel, (both & np.uint64(1)) * ALL_ONES, figures)
    return np.concatenate([fine, both, *shown], axis=1)


def table(opened: Mapping[str, Sequence[int]], parameters: Parameters) -> Table:
    """`state`: "shown", "hidden" (the rules do not hold) or "separable"; coefficients and standard errors."""
    fine, both, positive, *figures = opened["words"]
    told = {"family": parameters["family"], "bound": checks.bound(parameters), "lists": parameters["lists"]}
    if not fine & 1 or not both & 1:
        state = "separable" if fine & 1 else "hidden"
        return {**told, "state": state, "coefficients": None, "standardErrors": None}
    count, half = Design.of(parameters).columns, planes_of_figures()
    sizes = read_figures(figures[:half], count)
    variances = read_figures(figures[half:], count)
    return {
        **told,
        "state": "shown",
        "coefficients": [s if positive >> i & 1 else -s for i, s in enumerate(sizes)],
        "standardErrors": [float(f"{math.sqrt(v):.3g}") for v in variances],
    }


def describe(parameters: Parameters) -> str:
    """What the study's page says about this computation."""
    design, least = Design.of(parameters), checks.bound(parameters)
    return (
        f"A {design.family} regression with {design.columns} coefficients over {design.patterns} patterns of "
        "covariates. Coefficients and standard errors are shown to three figures, and only if there are ten "
        "persons for each coefficient and every cell of two covariates, or of one and an event, has nobody or "
        f"at least {least}, also "
        "without any small group of contributors. No step of the fit is shown to anyone."
    )


_PARTS = tuple(f"{regression.__name__}.{part}" for part in ("design", "fit", "figures", "rules"))
REGRESSION = Program(
    name="regression",
    version="2",
    ring=lambda _: Ring.XOR,
    sources=(
        *(__name__, checks.__name__, rule.__name__, tables.__name__),
        *_PARTS,
        *kernels.BIT_SOURCES,
        *kernels.RULE_SOURCES,
        *kernels.FIELD_SOURCES,
    ),
    check=check,
    length=length,
    encode=encode,
    run=run,
    table=table,
    describe=describe,
    seconds=seconds,
)
