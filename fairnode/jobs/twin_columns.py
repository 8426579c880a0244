"""Draws one column of a synthetic twin with NumPy: millions of rows in a second or two.

Columns are independent of one another. A code that is not shown gets an even part of a small weight, whether
it occurs or not, so nothing can be read from its presence or absence.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from fairnode import vocabulary
from fairnode.records.dataset import Column
from fairnode.records.profile import VariableProfile

HIDDEN = 0.05  # share of the rows over which all that is not shown is spread evenly
MISSING = 0.05  # share of cells without a value, where nothing is known
_EPOCH = datetime.date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Size:
    """How many rows a twin has, and of which years (first and last)."""

    rows: int
    years: tuple[int, int]


def draw_column(
    column: Column, told: VariableProfile | None, size: Size, chance: np.random.Generator
) -> pa.Array:
    """The values of a column, after its profile where there is one, else with invented weights."""
    rows = size.rows
    if column.multiple:
        return _lists(column, told, rows, chance)
    if column.kind == "date":
        return _dates(size, chance)
    if not column.codes:
        return _numbers(column, size, chance)
    weights = _weights(column, told, chance)
    picked = chance.choice(len(weights), size=rows, p=weights).astype(np.int32)
    values = [int(code) for code in column.codes] if column.kind == "integer" else list(column.codes)
    kind = pa.int32() if column.kind == "integer" else pa.string()
    return pa.array([*values, None], kind).take(pa.array(picked))


def _weights(column: Column, told: VariableProfile | None, chance: np.random.Generator) -> np.ndarray:
    """A weight for each code and, last, for no value; they add up to 1."""
    if told is None:
        # some codes are rare, so that an author sees cells hidden
        falling = (1.0 + np.arange(len(column.codes))) ** -1.5
        weights = chance.permutation(falling)
        return np.append(weights / weights.sum() * (1 - MISSING), MISSING)
    shown: dict[str | None, int] = dict(told.shown)
    if told.missing is not None:
        shown[None] = told.missing
    weights = np.array([float(shown.get(code, 0)) for code in (*column.codes, None)])
    unknown = np.array([code not in shown for code in (*column.codes, None)])
    rest = HIDDEN if unknown.any() and weights.any() else 0.0
    weights = weights / weights.sum() * (1 - rest) if weights.any() else weights
    weights[unknown] = (rest or 1.0) / max(1, unknown.sum())
    return np.asarray(weights / weights.sum())


def _lists(column: Column, told: VariableProfile | None, rows: int, chance: np.random.Generator) -> pa.Array:
    """Lists in which each code stands as often as its count says, independently of the others."""
    chances = _chances(column, told, rows, chance)
    has = np.empty((rows, len(column.codes)), dtype=bool)
    for place, share in enumerate(chances):
        has[:, place] = chance.random(rows, dtype=np.float32) < share
    order = np.argsort(np.array(column.codes))  # a list holds its codes in alphabetical order
    has = has[:, order]
    sizes = has.sum(axis=1)
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
    items = pa.array(np.array(column.codes)[order].tolist()).take(pa.array(np.nonzero(has)[1]))
    return pa.ListArray.from_arrays(pa.array(offsets), items, mask=pa.array(sizes == 0))


def _chances(
    column: Column, told: VariableProfile | None, rows: int, chance: np.random.Generator
) -> list[float]:
    """How often each code stands in a list."""
    if told is None:
        return [float(share) for share in chance.permutation(0.4 / (1 + np.arange(len(column.codes))))]
    shown = dict(told.shown)
    hidden = HIDDEN / len(column.codes)
    return [min(1.0, shown[code] / rows) if code in shown else hidden for code in column.codes]


def _dates(size: Size, chance: np.random.Generator) -> pa.Array:
    """Days of the years of the record's period."""
    first = datetime.date(size.years[0], 1, 1).toordinal() - _EPOCH
    last = datetime.date(size.years[1], 12, 31).toordinal() - _EPOCH
    days = chance.integers(first, last, size.rows, dtype=np.int32, endpoint=True)
    return pa.array(days, pa.int32(), mask=chance.random(size.rows) < MISSING).cast(pa.date32())


def _numbers(column: Column, size: Size, chance: np.random.Generator) -> pa.Array:
    """Numbers between the bounds of the variable; years are those of the period."""
    variable = vocabulary.variable(column.name)
    least = variable.minimum or 0
    most = variable.maximum if variable.maximum is not None else least + 100
    if variable.kind == "year":
        least, most = size.years
    numbers = chance.integers(least, most, size.rows, dtype=np.int32, endpoint=True)
    return pa.array(numbers, pa.int32(), mask=chance.random(size.rows) < MISSING)
