"""Draws a synthetic twin: rows with a view's schema, from gated one-way counts only.

A twin is for trying out an algorithm, not for figures. Columns are drawn independently of one another, from
counts of at least `THRESHOLD` persons (registrations, where a dataset cannot tell persons apart), rounded to
`BASE`. Every code of a closed list that is not shown, whether it occurs or not, gets the same small weight:
nothing can be read from its presence or absence.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping, Sequence

from fairnode.records.dataset import Column

THRESHOLD = 11
BASE = 10
HIDDEN = 0.05  # share of the rows over which all codes of the list are spread evenly
MOST_ROWS = 100_000

NOT_RECORDED = ""

Counts = Mapping[str, int]
Value = str | int | datetime.date | list[str] | None


def gate(counts: Counts) -> dict[str, int]:
    """The counts that may be known: those of at least `THRESHOLD`, rounded to `BASE`."""
    return {code: round_to_base(count) for code, count in sorted(counts.items()) if count >= THRESHOLD}


def round_to_base(count: int) -> int:
    """The nearest multiple of `BASE`, halves up."""
    return (count + BASE // 2) // BASE * BASE


def draw_column(column: Column, marginal: Counts, rows: int, rng: random.Random) -> list[Value]:
    """`rows` values of a column from its gated counts (`NOT_RECORDED` counts the cells without a value).

    For a column of lists, counts are of rows that have a code among theirs, and `rows` is their total.
    """
    if column.multiple:
        return _lists(column, marginal, rows, rng)
    codes = _codes(column, marginal)
    weights = [marginal.get(code, HIDDEN * rows / len(codes)) for code in codes]
    return [_value(column, code, rng) for code in rng.choices(codes, weights, k=rows)]


def _codes(column: Column, marginal: Counts) -> list[str]:
    """All that may be drawn: the closed list, else what is shown; and nothing at all."""
    closed = column.codes or tuple(code for code in marginal if code != NOT_RECORDED)
    return [*closed, NOT_RECORDED]


def _lists(column: Column, marginal: Counts, rows: int, rng: random.Random) -> list[Value]:
    """Lists in which each code stands as often as its count says, independently of the others."""
    hidden = HIDDEN / len(column.codes)
    chances = [(code, marginal[code] / rows if code in marginal else hidden) for code in column.codes]
    drawn = ([code for code, chance in chances if rng.random() < chance] for _ in range(rows))
    return [sorted(codes) or None for codes in drawn]


def _value(column: Column, code: str, rng: random.Random) -> Value:
    """A code as a cell of the view; a year of a date becomes a day of that year."""
    if code == NOT_RECORDED:
        return None
    if column.kind == "date":
        return datetime.date(int(code), 1, 1) + datetime.timedelta(days=rng.randrange(365))
    return int(code) if column.kind == "integer" else code


def draw_twin(
    schema: Sequence[Column], marginals: Mapping[str, Counts], rows: int, seed: int
) -> dict[str, list[Value]]:
    """The columns of a twin; the same ones for the same counts and seed."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret: nothing confidential goes in
    return {column.name: draw_column(column, marginals[column.name], rows, rng) for column in schema}
