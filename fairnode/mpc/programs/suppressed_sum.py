"""`sum`: a table added over contributors, of which only the cells that the opening rule allows are opened.

**Shape.** Each contributor deals `1 + earlier` lists of `cells` whole numbers: its count for every cell, then,
for each of `earlier` releases that the cells intersect, its number of changed persons for every cell (P6).
**Ranges.** Every number is dealt as so many bits as `largest` has (at most 24), so nothing larger can be
entered, whatever a contributor does.
**What is opened.** To the recipient: which cells are shown, and the rounded totals of those. A cell is shown
if its total is at least K and, without any coalition of contributors, the rest is 0 or at least K (P4), the
changed persons since each earlier release are 0 or at least K (P6), and, if the study says `dominance`, no
contributor has more than so many per cent of it; all others are hidden alike (P5).
To the compute parties: nothing.

**How.** As a circuit on replicated bits, 64 cells to a word (`kernels.opening`; security in `docs/mpc.md`).
`engine` says "bits" for that, or "mpyc" for the same work in plain MPyC (`sum_mpyc`), with the same results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fairnode.errors import Finding, NotValid
from fairnode.mpc import kernels
from fairnode.mpc.dealing import Ring, Rows, Words
from fairnode.mpc.kernels import table as tables
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.opening import OpeningRule
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.openings import rule
from fairnode.mpc.programs import checks, conditional, sum_mpyc
from fairnode.mpc.programs.contract import Columns, Parameters, Program, Session, Shares, Table

LARGEST = 1 << 24
MAX_CELLS = 100_000
MAX_EARLIER = 20
BASES = (1, 3, 5, 10)
BITS, MPYC = "bits", "mpyc"


def check(parameters: Parameters, contributors: int, parties: int) -> None:
    """Raise NotValid with one finding for each parameter that is missing, unknown or out of range."""
    ranges = {
        "cells": range(1, MAX_CELLS + 1),
        "base": BASES,
        "earlier": range(MAX_EARLIER + 1),
        "largest": range(1, LARGEST + 1),
        "engine": (BITS, MPYC),
    }
    always = {name: value for name, value in parameters.items() if name != "dominance"}
    checks.check_parameters("sum", always, ranges)
    dominance = parameters.get("dominance", 100)
    if isinstance(dominance, bool) or dominance not in range(1, 101):
        raise NotValid(
            "A dominance limit is a percentage from 1 to 100.", findings=(Finding("dominance", "is none"),)
        )
    rule.check_contributors(contributors, parties)


def shape_of(parameters: Parameters, contributors: int, parties: int) -> tables.TableShape:
    """The table of a study and its opening rule, as the kernel takes them."""
    return tables.TableShape(
        cells=int(parameters["cells"]),
        bits=int(parameters["largest"]).bit_length(),
        contributors=contributors,
        earlier=int(parameters["earlier"]),
        rule=OpeningRule(
            checks.bound(parameters),
            rule.coalition_size(contributors, parties),
            int(parameters["base"]),
            parameters.get("dominance"),
        ),
    )


def ring(parameters: Parameters) -> Ring:
    """The group in which the numbers are dealt."""
    return Ring.XOR if parameters["engine"] == BITS else Ring.P61


def length(parameters: Parameters, _: int = 0) -> int:
    """How many elements each contributor deals: planes of bits, or one element a number."""
    lists = 1 + int(parameters["earlier"])
    if parameters["engine"] == MPYC:
        return int(parameters["cells"]) * lists
    return lists * int(parameters["largest"]).bit_length() * -(-int(parameters["cells"]) // 64)


def encode(columns: Columns, parameters: Parameters, _: int = 0) -> Words:
    """`[counts, changed at release 1, ...]`, one number a cell in each, as ring elements."""
    lists = 1 + int(parameters["earlier"])
    checks.check_columns(columns, lists, int(parameters["cells"]), lambda _: int(parameters["largest"]))
    numbers = np.array(columns, dtype=np.uint64)
    if parameters["engine"] == MPYC:
        return numbers.reshape(-1)
    return tables.words(numbers, int(parameters["largest"]).bit_length())


async def run(session: Session, inputs: Sequence[Rows], parameters: Parameters) -> Shares:
    """The output shares of this party: `cells`, or `mark` and `total` of the plain engine."""
    if parameters["engine"] == MPYC:
        return await sum_mpyc.run(session, inputs, parameters)
    kernel = BitKernel(await connect(session.runtime))
    shape = shape_of(parameters, len(inputs), session.m)
    status, total = await tables.judged(kernel, [rows.rows for rows in inputs], shape)
    return {"cells": kernel.to_rows(np.concatenate([status, *total], axis=1))}


def table(opened: Mapping[str, Sequence[int]], parameters: Parameters) -> Table:
    """Cells in order: the rounded total, or None for hidden; with the bound K that the table prints."""
    if parameters["engine"] == MPYC:
        cells = conditional.quotients(opened, "total")
    else:
        cells = tables.read_table(np.array(opened["cells"], np.uint64), int(parameters["cells"]))
    return {
        "cells": cells,
        "bound": checks.bound(parameters),
        "base": parameters["base"],
        "lists": parameters["lists"],
    }


def describe(parameters: Parameters) -> str:
    """What the study's page says about this computation."""
    least, dominance = checks.bound(parameters), parameters.get("dominance")
    dominated = f", and no organisation has more than {dominance} % of it" if dominance else ""
    return (
        f"Adds {parameters['cells']} cells over all contributors. A cell is shown, rounded to "
        f"{parameters['base']}, only if its total is at least {least} and no small group of contributors "
        f"could find a rest of 1 to {least - 1} by taking off its own numbers{dominated}; all others are "
        "'hidden', and nothing of them is opened to anyone."
    )


SUM = Program(
    name="sum",
    version="2",
    ring=ring,
    sources=(
        __name__,
        sum_mpyc.__name__,
        checks.__name__,
        conditional.__name__,
        rule.__name__,
        tables.__name__,
        *kernels.BIT_SOURCES,
        *kernels.RULE_SOURCES,
    ),
    check=check,
    length=length,
    encode=encode,
    run=run,
    table=table,
    describe=describe,
)
