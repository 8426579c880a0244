"""`overlap-cells`: the cells of an overlap table that P9 allows, where every contributor's counsel allowed it.

**Shape.** Three to six contributors, each with one list of at most `bound` persons; a contributor deals the
`OverlapShape.length(place)` words of its two hashed tables (`mpc.overlap.tables`).
**What is opened.** To the recipient: which cells are shown, rounded to `base`; all others are "hidden" alike.
A cell is shown if it has k persons or more; but no cell is, unless for every owner of a list (and, with
five compute parties, any two of them together), who know how many are on their own lists, the hidden cells
that they can sum have nobody or k persons at least, with room for k - 1 more, and their lists without
any shown cell have k persons at least. To the compute parties: nothing.
**When.** Never by a policy alone, never of data under the Law Enforcement Directive or the Dutch police act, and
only where the policy of each dataset has the term `OverlapCellsAllowed`. It uses up all figures of the table.

**How.** The exact overlap is counted and stays shared; the rule is a circuit on its cells, one lane a cell, and
cells that it hides leave as zeros, whatever the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np

from fairnode.errors import Finding, NotValid
from fairnode.mpc.dealing import Ring, Rows
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.numbers import (
    Number,
    add_modulo,
    all_of,
    at_least,
    is_zero,
    keep,
    sum_numbers,
    widen,
)
from fairnode.mpc.kernels.opening import beside
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.kernels.rounding import round_to_base
from fairnode.mpc.kernels.sharing import ALL_ONES
from fairnode.mpc.kernels.streams import Words
from fairnode.mpc.openings import lists as openings
from fairnode.mpc.openings import rule
from fairnode.mpc.openings.lists import groups
from fairnode.mpc.overlap.cells import LANES, exact_cells, lane, on_lanes, read_cells
from fairnode.mpc.overlap.matches import count_overlaps
from fairnode.mpc.overlap.shape import OverlapShape, patterns
from fairnode.mpc.programs.contract import Parameters, Program, Session, Shares, Table
from fairnode.mpc.programs.hidden_population import OVERLAP_SOURCES, encode, length, seconds

NAME = "overlap-cells"
_FIELDS = frozenset({"lists", "bound", "fingerprint", "slots", "least", "base"})


def check(parameters: Parameters, contributors: int, parties: int) -> None:
    """Raise NotValid for a shape that is not taken, a k below 3, or too few lists."""
    if set(parameters) != _FIELDS:
        raise NotValid(f"The parameters of `{NAME}` are not complete: it takes {', '.join(sorted(_FIELDS))}.")
    OverlapShape.of(parameters)
    if parameters["least"] not in range(3, 1001) or parameters["base"] not in (3, 5, 10):
        raise NotValid(
            "A cell is shown from k = 3 on at least, and rounded.", findings=(Finding("least", ""),)
        )
    rule.check_contributors(contributors, parties)
    if int(parameters["lists"]) != contributors:
        raise NotValid(f"The study names {parameters['lists']} lists, and {contributors} contribute.")


async def run(session: Session, inputs: Sequence[Rows], parameters: Parameters) -> Shares:
    """The output shares of this party: the words `cells`, status and rounded counts on lanes."""
    kernel, shape = BitKernel(await connect(session.runtime)), OverlapShape.of(parameters)
    counted = await count_overlaps(kernel, [rows.rows for rows in inputs], shape)
    cells = await exact_cells(kernel, on_lanes(kernel, counted, shape), shape.lists)
    known = groups(shape.lists, rule.coalition_size(shape.lists, session.m))
    status, total = await judge(kernel, cells, known, int(parameters["least"]), int(parameters["base"]))
    return {"cells": kernel.to_rows(np.concatenate([status, *total], axis=1))}


async def judge(
    kernel: BitKernel, cells: Number, known: Sequence[openings.Group], least: int, base: int
) -> tuple[Words, Number]:
    """Status and rounded count of each cell on lanes; all are hidden if the rule fails for any group."""
    masks = [reduce(np.bitwise_or, (np.uint64(1 << lane(p)) for p in group)) for group in known]
    inside = reduce(np.bitwise_or, masks)
    large = await at_least(kernel, cells, least) & inside
    shown = await keep(kernel, large, cells)
    hidden = [c ^ s for c, s in zip(cells, shown, strict=True)]
    fine = [
        await _hidden_are_fine(kernel, hidden, large, masks, least),
        await _rests_are_fine(kernel, cells, (large, shown), masks, least),
    ]
    verdict = await _of_all_lanes(kernel, await all_of(kernel, [w for v in fine for w in _words(v)]))
    status, *total = await keep(kernel, verdict, [large, *await round_to_base(kernel, shown, base)])
    return status, total


async def _hidden_are_fine(
    kernel: BitKernel, hidden: Number, large: Words, masks: Sequence[np.uint64], least: int
) -> Words:
    """A word a group, all ones if its hidden cells sum to 0, or to k and more with room for k - 1 more."""
    bits = least.bit_length()
    inverse = [kernel.invert(plane) for plane in widen(kernel, hidden, bits)]
    most = [kernel.public(np.array([ALL_ONES * np.uint64(least >> i & 1)])) for i in range(bits)]
    room = await add_modulo(kernel, most, inverse)  # k - 1 - x: k plus the inverse of x, modulo 2^bits
    room = await keep(kernel, kernel.invert(large), room)
    sums, rooms = await _over_groups(kernel, hidden, masks), await _over_groups(kernel, room, masks)
    enough = await all_of(
        kernel, [await at_least(kernel, sums, least), await at_least(kernel, rooms, least - 1)]
    )
    neither = kernel.invert(await is_zero(kernel, sums)), kernel.invert(enough)
    wrong = await kernel.and_(*neither)
    return kernel.invert(wrong & np.uint64(1))


async def _rests_are_fine(
    kernel: BitKernel,
    cells: Number,
    shown: tuple[Words, Number],
    masks: Sequence[np.uint64],
    least: int,
) -> Words:
    """A word a group: on each of its lanes the cell is hidden, or the group without it has k persons."""
    large, counts = shown
    totals = [_on_all_lanes(plane) for plane in await _over_groups(kernel, cells, masks)]
    counted = beside([list(widen(kernel, counts, len(totals)))] * len(masks))
    less_one = await add_modulo(kernel, totals, [kernel.invert(plane) for plane in counted])
    # total - cell - 1; never below zero where the total is over the cell, and all ones where they are equal
    above = await at_least(kernel, less_one, least - 1)
    equal = await all_of(kernel, less_one)
    enough = await kernel.and_(above, kernel.invert(equal))
    concerned = np.concatenate([large & mask for mask in masks], axis=1)
    return kernel.invert(await kernel.and_(concerned, kernel.invert(enough)))


async def _over_groups(kernel: BitKernel, number: Number, masks: Sequence[np.uint64]) -> Number:
    """The sum of a number's lanes over each group, on lane 0 of a word a group."""
    sums = widen(kernel, beside([[plane & mask for plane in number] for mask in masks]), len(number) + 6)
    for shift in (32, 16, 8, 4, 2, 1):
        sums = await sum_numbers(kernel, [sums, [plane >> np.uint64(shift) for plane in sums]], len(sums))
    return sums


def _on_all_lanes(plane: Words) -> Words:
    """All lanes of a word get what its lane 0 has."""
    return (plane & np.uint64(1)) * ALL_ONES


def _words(vector: Words) -> list[Words]:
    """A vector's words, one by one."""
    return [vector[:, i : i + 1] for i in range(vector.shape[1])]


async def _of_all_lanes(kernel: BitKernel, word: Words) -> Words:
    """The AND of all lanes, on every lane."""
    for shift in (32, 16, 8, 4, 2, 1):
        turned = word >> np.uint64(shift) | word << np.uint64(LANES - shift)
        word = await kernel.and_(word, turned)
    return word


def table(opened: Mapping[str, Sequence[int]], parameters: Parameters) -> Table:
    """The cells in the order of `shape.patterns`: places of the lists, and persons or None for hidden."""
    shape = OverlapShape.of(parameters)
    found = read_cells(np.array(opened["cells"], np.uint64), shape)
    cells = [[list(p), found[p]] for p in patterns(shape.lists)]
    return {"overlap": cells, "bound": parameters["least"], "base": parameters["base"]}


def describe(parameters: Parameters) -> str:
    """What the study's page says about this computation."""
    least = parameters["least"]
    return (
        f"Counts who is on which of {parameters['lists']} lists without naming anybody, and opens the numbers of "
        f"persons on exactly the same lists, rounded to {parameters['base']}, where they are {least} or more; and "
        f"none of them, if the owner of a list, who knows its length, could find out about fewer than {least} "
        "others from them. The policy of each dataset must allow it, and counsel of each organisation decides."
    )


OVERLAP_CELLS = Program(
    name=NAME,
    version="1",
    sources=(__name__, openings.__name__, *OVERLAP_SOURCES),
    check=check,
    ring=lambda _: Ring.XOR,
    length=length,
    encode=encode,
    run=run,
    table=table,
    describe=describe,
    seconds=seconds,
)
