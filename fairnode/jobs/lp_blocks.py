"""How narrowly a hidden count can be bounded: equations between hidden counts, solved by HiGHS.

See `fairnode.disclosure.audit` for the two attackers; `strong` is the first of them. Three steps, each for what
the one before left open:

1. what follows from single equations: many a count is too narrow by these already;
2. small programs of the counts around each one, all others being what they are, many in one go;
3. all equations of the block, for one count after the other.

A point that respects all equations proves a count safe, whoever found it and however; nothing is called safe
without one. Of a large block only so many counts get to the third step: the rest are taken for narrow, so that
more is hidden and never less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from time import process_time

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

Row = tuple[tuple[int, int], ...]
"""An equation: (count, 1 or -1), ..."""
Proofs = dict[int, frozenset[int]]
"""A count -> the counts that are not what they are at the points that prove it wide enough."""
Numbers = npt.NDArray[np.float64]

_TOLERANCE = 1e-6
_AROUND = (8, 32)  # counts of each equation that a small program has, and another one where that fails
_AT_ONCE = 64  # small programs in one go
_HELPS = 4  # of so many small programs one has to help for more to be tried
_LARGE = 300  # counts in a block: from here on there is a second step, and the third is limited


class OutOfTime(Exception):
    """The time or the effort of a search is spent."""


@dataclass
class Effort:
    """What a search may still spend: `left` on programs by size, `whole` on counts in those of large blocks."""

    left: float = float("inf")
    whole: int = 500_000

    def spend(self, counts: int, end: float) -> None:
        """A program of so many counts. Raises `OutOfTime` if too little is left, or it is after `end`."""
        self.left -= 1 + counts / 100
        if self.left < 0 or process_time() > end:
            raise OutOfTime


@dataclass(frozen=True)
class Counts:
    """What is true of counts: how large each is, and of which small ones it is a part; and the threshold.

    `rests` are those that no cell is about: of these nobody knows a class.
    """

    values: Mapping[int, int]
    above: Mapping[int, Set[int]]
    rests: Set[int]
    k: int


class Block:
    """Equations that hang together."""

    def __init__(self, rows: Sequence[Row], counts: Counts, effort: Effort) -> None:
        self._k = counts.k
        self._effort = effort
        self._indices = list(counts.values)
        self._place = {index: place for place, index in enumerate(self._indices)}
        self._rows = [tuple((self._place[index], sign) for index, sign in row) for row in rows]
        self._rows_of: list[list[int]] = [[] for _ in self._indices]
        for number, row in enumerate(self._rows):
            for place, _ in row:
                self._rows_of[place].append(number)
        self._true = np.array(list(counts.values.values()), dtype=float)
        free = np.tile(np.array([0.0, np.inf]), (len(self._indices), 1))
        known = np.array([_bounds(value, counts.k) for value in counts.values.values()], dtype=float)
        known[[self._place[index] for index in counts.rests]] = (0.0, np.inf)
        self._bounds = {True: known, False: free}
        self._all = list(range(len(self._indices)))
        self._above = [[self._place[a] for a in sorted(counts.above[index])] for index in self._indices]
        self._system = _System([(number, row) for number, row in enumerate(self._rows)], len(self._indices))

    def proofs(self, indices: Sequence[int], *, strong: bool, end: float) -> Proofs:
        """Those of these counts that can be anything within an interval of at least k.

        Raises `OutOfTime` when the processor has worked until `end`, or no effort is left.
        """
        narrow = self._narrow_by_one(strong=strong)
        places = [self._place[index] for index in indices]
        left = [place for place in places if place not in narrow]
        found = self._by_moving_a_few(left, strong=strong, end=end) if self._large else {}
        for place in left:
            if place not in found and self._may_ask_all():
                found |= self._move_in_all(_Try(place, self._all, self._opened(place, strong=strong)), end)
        return {
            self._indices[place]: frozenset(self._indices[p] for p in moved) for place, moved in found.items()
        }

    def _by_moving_a_few(
        self, places: Sequence[int], *, strong: bool, end: float
    ) -> dict[int, frozenset[int]]:
        """Which of these counts can be moved far enough by moving a few around them.

        Where that helps few, as with tables of three dimensions, the rest are not tried.
        """
        found: dict[int, frozenset[int]] = {}
        for around in _AROUND:
            asked = [place for place in places if place not in found]
            for first in range(0, len(asked), _AT_ONCE):
                tries = [
                    _Try(place, self._around(place, around), self._opened(place, strong=strong))
                    for place in asked[first : first + _AT_ONCE]
                ]
                proven = self._move_far(tries, end)
                found |= proven
                if len(proven) * _HELPS < len(tries):
                    break
        return found

    @property
    def _large(self) -> bool:
        return len(self._indices) >= _LARGE

    def _may_ask_all(self) -> bool:
        """Whether one more count may have a program of all equations."""
        self._effort.whole -= len(self._indices) if self._large else 0
        return self._effort.whole >= 0

    def _opened(self, place: int, *, strong: bool) -> Numbers:
        """What an attacker knows of each count who is after this one: nothing of it, and of what it is part of."""
        bounds = self._bounds[strong].copy()
        bounds[[place, *self._above[place]]] = (0.0, np.inf)
        return bounds

    def _narrow_by_one(self, *, strong: bool) -> set[int]:
        """The counts that a single equation and what is known of the others in it bound too narrowly."""
        bounds = self._bounds[strong]
        widths = self._system.widths(bounds, self._true)
        return {
            p
            for p in np.flatnonzero(widths < self._k - _TOLERANCE).tolist()
            if not (strong and self._above[p])
        }

    def _move_far(self, tries: Sequence[_Try], end: float) -> dict[int, frozenset[int]]:
        """Which of these counts can be moved far enough: first up, then down."""
        found: dict[int, frozenset[int]] = {}
        for sign in (1.0, -1.0):
            left = [each for each in tries if each.place not in found]
            if left:
                self._effort.spend(sum(len(each.members) for each in left), end)
                self._move(left, sign)
                found |= {t.place: frozenset(t.moved) for t in left if t.width >= self._k - _TOLERANCE}
        return found

    def _move_in_all(self, each: _Try, end: float) -> dict[int, frozenset[int]]:
        """The same for one count, in all equations: they are a matrix already."""
        for sign in (1.0, -1.0):
            self._effort.spend(len(self._all), end)
            cost = np.zeros(len(self._all))
            cost[each.place] = -sign
            point = self._system.best(cost, self._limits(each), self._true)
            if point is not None:
                each.note(point, self._true)
            if each.width >= self._k - _TOLERANCE:
                return {each.place: frozenset(each.moved)}
        return {}

    def _limits(self, each: _Try) -> Numbers:
        """Between what its counts may be; the one that is moved as far as k from what it is."""
        bounds = each.bounds[each.members]
        here, true = each.members.index(each.place), self._true[each.place]
        bounds[here] = (max(bounds[here, 0], true - self._k), min(bounds[here, 1], true + self._k))
        return bounds

    def _move(self, tries: Sequence[_Try], sign: float) -> None:
        """Move each count as far as k in one direction, all of them in one program of which each has its part."""
        rows: list[list[tuple[int, int]]] = []
        members: list[int] = []
        limits: list[Numbers] = []
        cost = np.zeros(sum(len(each.members) for each in tries))
        for each in tries:
            at = {place: len(members) + i for i, place in enumerate(each.members)}
            for number in each.rows(self._rows_of):
                rows.append([(at[place], s) for place, s in self._rows[number] if place in at])
            cost[at[each.place]] = -sign
            members += each.members
            limits.append(self._limits(each))
        system = _System(list(enumerate(rows)), len(members))
        point = system.best(cost, np.concatenate(limits), self._true[members])
        if point is None:
            return
        start = 0
        for each in tries:
            each.note(point[start : start + len(each.members)], self._true)
            start += len(each.members)

    def _around(self, place: int, most: int) -> list[int]:
        """The counts of a small program: the roomiest beside this one, and what closes the circles."""
        room = self._bounds[True][:, 1] - self._bounds[True][:, 0]
        near = {place}
        for number in self._rows_of[place]:
            others = [p for p, _ in self._rows[number] if p != place]
            near.update(sorted(others, key=lambda p: (-room[p], p))[:most])
        rows = {number for p in near for number in self._rows_of[p]}
        within = Counter(p for number in rows for p, _ in self._rows[number])
        return sorted(near | {p for p, n in within.items() if n == len(self._rows_of[p])})


class _Try:
    """One count, the counts that may move with it, what is known of all, and what was found."""

    def __init__(self, place: int, members: list[int], bounds: Numbers) -> None:
        self.place, self.members, self.bounds = place, members, bounds
        self.width = 0.0
        self.moved: set[int] = set()

    def rows(self, rows_of: Sequence[Sequence[int]]) -> list[int]:
        """The equations that these counts are in."""
        return sorted({number for place in self.members for number in rows_of[place]})

    def note(self, point: Numbers, true: Numbers) -> None:
        """Remember how far the count is from what it is at this point, and what else is."""
        by = np.abs(point - true[self.members])
        self.width += float(by[self.members.index(self.place)])
        self.moved.update(p for p, far in zip(self.members, by > _TOLERANCE, strict=True) if far)


class _System:
    """Equations as a sparse matrix."""

    def __init__(self, rows: Sequence[tuple[int, Sequence[tuple[int, int]]]], counts: int) -> None:
        self._of = np.array([number for number, row in rows for _ in row], dtype=np.int64)
        self._at = np.array([place for _, row in rows for place, _ in row], dtype=np.int64)
        self._sign = np.array([sign for _, row in rows for _, sign in row], dtype=float)
        self._shape = (len(rows), counts)

    def best(self, cost: Numbers, bounds: Numbers, true: Numbers) -> Numbers | None:
        """The point of least cost among those at which every equation has the sum that it truly has."""
        matrix = csr_matrix((self._sign, (self._of, self._at)), shape=self._shape)
        right = matrix @ true
        found = milp(cost, constraints=LinearConstraint(matrix, right, right), bounds=Bounds(*bounds.T))
        return np.asarray(found.x) if found.status == 0 else None

    def widths(self, bounds: Numbers, true: Numbers) -> Numbers:
        """How wide an interval single equations leave each count, given what is known of the others in them."""
        sums = np.bincount(self._of, self._sign * true[self._at], minlength=self._shape[0])
        ends = self._sign[:, None] * bounds[self._at]
        least, most = ends.min(axis=1), ends.max(axis=1)
        low = sums[self._of] - self._without_own(most, np.inf)
        high = sums[self._of] - self._without_own(least, -np.inf)
        flipped = self._sign < 0
        low[flipped], high[flipped] = -high[flipped], -low[flipped]
        lowest, highest = np.zeros(self._shape[1]), np.full(self._shape[1], np.inf)
        np.maximum.at(lowest, self._at, low)
        np.minimum.at(highest, self._at, high)
        return highest - lowest

    def _without_own(self, ends: Numbers, endless: float) -> Numbers:
        """For each count of each equation the sum of the others' ends; `endless` if one of them is."""
        finite = np.isfinite(ends)
        sums = np.bincount(self._of, np.where(finite, ends, 0.0), minlength=self._shape[0])
        without = np.bincount(self._of, ~finite, minlength=self._shape[0])[self._of] - ~finite
        return np.where(without > 0, endless, sums[self._of] - np.where(finite, ends, 0.0))


def _bounds(value: int, k: int) -> tuple[float, float]:
    """What the stronger attacker knows of a hidden count: nothing there, 1 to k - 1, or at least k."""
    if value == 0:
        return (0.0, 0.0)
    return (1.0, k - 1.0) if value < k else (float(k), float("inf"))
