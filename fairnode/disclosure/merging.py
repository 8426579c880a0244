"""Neighbouring bands put together until each cell is large enough: life tables and quantiles on a grid.

The grid is canonical; where it is cut follows from which cells are below the threshold, and tells no more
than hiding them would. Bands are notations such as "7-13", "5" and "730+"; other codes ("unknown") stand alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from fairnode.records.result import Key, RecountedCell, TableSpec, TrueMargin

_BAND = re.compile(r"(\d+)(?:-(\d+)|(\+))?")
Groups = tuple[tuple[str, ...], ...]
"""The codes of a dimension, each with the neighbours that it is put together with."""


def band(code: str) -> tuple[int, int | None] | None:
    """The first and last number of a band, the last None where it is open; None for other codes."""
    found = _BAND.fullmatch(code)
    if found is None:
        return None
    low = int(found[1])
    return (low, None) if found[3] else (low, int(found[2] or low))


def joined(codes: Sequence[str]) -> str:
    """The notation of neighbouring bands together."""
    if len(codes) == 1:
        return codes[0]
    low, high = codes[0].partition("-")[0].rstrip("+"), codes[-1].rpartition("-")[2]
    return f"{low}+" if high.endswith("+") else f"{low}-{high}"


def runs_of_bands(codes: Sequence[str]) -> dict[str, frozenset[str]]:
    """Each band that several neighbours can make -> those neighbours."""
    bands = _in_a_row(codes)
    return {
        joined(bands[first:last]): frozenset(bands[first:last])
        for first in range(len(bands))
        for last in range(first + 2, len(bands) + 1)
    }


def groups_of(
    spec: TableSpec, cells: Sequence[RecountedCell], large_enough: Callable[[Sequence[RecountedCell]], bool]
) -> Groups:
    """Which codes of the first dimension go together so that every cell is `large_enough`.

    From the lowest band up; what is left at the top joins the band below it. Cells along which even all
    bands together are too small do not count: they stay hidden whatever is done.
    """
    codes = spec.dimensions[0].codes
    bands = _in_a_row(codes)
    lines: defaultdict[Key, dict[str, RecountedCell]] = defaultdict(dict)
    for cell in cells:
        if cell.key[0] in bands:
            lines[cell.key[1:]][cell.key[0]] = cell
    counted = [line for line in lines.values() if large_enough(list(line.values()))]
    groups: list[list[str]] = [[]]
    for code in bands:
        groups[-1].append(code)
        if counted and all(large_enough([line[c] for c in groups[-1]]) for line in counted):
            groups.append([])
    left = groups.pop()
    if groups:
        groups[-1] += left
    elif left:
        groups.append(left)
    alone = [(code,) for code in codes if code not in bands]
    return (*(tuple(group) for group in groups), *alone)


def merged_spec(spec: TableSpec, groups: Groups) -> TableSpec:
    """The table with the bands of `groups` in its first dimension."""
    first, *others = spec.dimensions
    axis = replace(first, codes=tuple(joined(group) for group in groups))
    return replace(spec, dimensions=(axis, *others))


def merged_margins(margins: Sequence[TrueMargin], groups: Groups) -> tuple[TrueMargin, ...]:
    """The margins of the merged table, added up from those of the fine one."""
    into = {code: joined(group) for group in groups for code in group}
    sums: defaultdict[tuple[tuple[int, ...], Key], int] = defaultdict(int)
    for margin in margins:
        key = (into[margin.key[0]], *margin.key[1:]) if 0 in margin.axes else margin.key
        sums[margin.axes, key] += margin.n
    return tuple(TrueMargin(axes, key, n) for (axes, key), n in sums.items())


def positions(spec: TableSpec, groups: Groups) -> Iterator[tuple[int, int]]:
    """For each cell of the fine table its position, and that of the cell that it goes into."""
    into = {code: joined(group) for group in groups for code in group}
    places = {key: place for place, key in enumerate(merged_spec(spec, groups).keys())}
    for place, key in enumerate(spec.keys()):
        yield place, places[(into[key[0]], *key[1:])]


def _in_a_row(codes: Sequence[str]) -> list[str]:
    """The codes that are bands, if each follows upon the one before it; else none, for a gap cannot be named."""
    found = [(code, edges) for code in codes if (edges := band(code)) is not None]
    follows = all(high is not None and low == high + 1 for (_, (_, high)), (_, (low, _)) in pairwise(found))
    return [code for code, _ in found] if follows else []
