"""P9 in clear: which cells of an overlap table may be opened, when owners of lists know their own lists.

A coalition of owners knows, for each combination of its lists, how many persons are on exactly these of them (a
*group* of cells): from that it can take off what is shown. The public parts are used by the program
`overlap-cells`, `shown_cells` is what the tests hold it against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from fairnode.mpc.overlap.shape import Pattern, patterns

Group = tuple[Pattern, ...]


def groups(lists: int, coalition: int) -> list[Group]:
    """The groups of cells whose total some coalition of 1..`coalition` owners knows; none twice."""
    order = patterns(lists)
    found: dict[Group, None] = {}
    for size in range(1, coalition + 1):
        for owners in combinations(range(lists), size):
            for on in _parts(owners):
                found[tuple(p for p in order if set(p) & set(owners) == set(on))] = None
    return list(found)


def _parts(owners: Sequence[int]) -> Iterator[Pattern]:
    """The combinations of lists of a coalition on which a person may be; not on none of them."""
    for size in range(1, len(owners) + 1):
        yield from combinations(owners, size)


def shown_cells(cells: Mapping[Pattern, int], lists: int, least: int, coalition: int) -> list[Pattern]:
    """The cells that are opened: those of `least` persons or more, or none at all.

    None, unless in every group the hidden cells sum to 0, or to `least` and more, leaving room for `least` - 1
    persons more (else all of them would be known to be as large as a hidden cell can be); and unless the
    group without any of its shown cells has `least` persons.
    """
    shown = [p for p in patterns(lists) if cells.get(p, 0) >= least]
    for group in groups(lists, coalition):
        hidden = [cells.get(p, 0) for p in group if p not in shown]
        room = sum(least - 1 - n for n in hidden)
        if sum(hidden) and (sum(hidden) < least or room < least - 1):
            return []
        total = sum(cells.get(p, 0) for p in group)
        if any(total - cells[p] < least for p in group if p in shown):
            return []
    return shown
