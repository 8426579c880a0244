"""The last word: an attacker with everything that was ever told, in one system, and what to hide from it.

The unknowns are atoms (`fairnode.disclosure.told`), none of them negative; every shown count is the sum of its
atoms. A hidden count is safe if two points that respect all of that were found at which it differs by the
threshold at least. Points are looked for by moving many counts at once, and for what is left one by one; the
multipliers of a program that cannot move its count far enough name the shown cells that hold it fast.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, eye, hstack, vstack

from fairnode.disclosure.told import Joint, Owner
from fairnode.jobs.lp_blocks import OutOfTime
from fairnode.jobs.lp_joint import System, system_of

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_TOLERANCE = 1e-6
_OF_NOW = 1000.0  # a count of this release gives way to earlier ones only when nothing else helps
_MANY = 4  # counts that are worth a program in which they move together
_ENOUGH = 0.1  # as long as moving many at once proves so many of them, it goes on
_STEPS = 200_000  # of the simplex method: a program that takes more is given up
_NO_POINT = 2  # how linprog says that no point respects everything
_HOLDS = 1e-7  # a multiplier that is more than nothing


class _Contradiction(OutOfTime):
    """No atoms fit what was told: the data changed in between, or units are in several cells.

    Where it comes later, of numbers too close to each other, nothing can be said either: as when time is up.
    """


@dataclass(frozen=True)
class Move:
    """Where a program ended: every count at that point, and the multipliers of the shown ones."""

    point: Numbers
    holds: Numbers


class Attacker:
    """What can be found out of one joint, with some cells of this release hidden."""

    def __init__(self, joint: Joint, k: int, end: float) -> None:
        self._joint, self._k, self._end = joint, k, end
        self._system: System = system_of(joint)
        self._true = np.array([count.n for count in joint.counts], dtype=float)
        self._shown = np.array([count.shown for count in joint.counts])
        self._now = np.array([count.owner is not None for count in joint.counts])
        self._asked = np.array([count.asked for count in joint.counts]) & ~self._shown
        self._settled = np.zeros(len(self._true), dtype=bool)
        self._need = np.full(len(self._true), float(k))
        self._compared: set[int] = set()
        self.fits = True
        point = self._start()
        self._low, self._high = point.copy(), point.copy()

    def hide(self, owners: set[Owner]) -> None:
        """Take cells of this release away; from now on nobody may find out what they told."""
        mine = np.array([count.owner in owners for count in self._joint.counts])
        self._asked |= mine & self._shown
        self._shown &= ~mine

    def widths(self) -> Numbers:
        """How wide an interval was found for each count: up to k of those that are known to be safe."""
        return self._high - self._low

    def holding(self) -> Owner | None:
        """A cell of this release to hide for the sake of a count; None if every count is safe.

        Raises `OutOfTime`.
        """
        self._move_many()
        while (open_ := self._open()).any():
            place = int(np.flatnonzero(open_)[0])
            up, down = self._move([place], 1.0), self._move([place], -1.0)
            if self._open()[place]:
                owner = self._smallest(np.abs(up.holds) + np.abs(down.holds))
                if owner is not None and not self._known_before(place):
                    return owner
                self._settled[place] = True
        return None

    def _open(self) -> Mask:
        """The counts that must not be found out and are not known to be safe."""
        found: Mask = self._asked & ~self._settled & (self.widths() < self._need - _TOLERANCE)
        return found

    def _move_many(self) -> None:
        before = np.inf
        while (left := int(self._open().sum())) >= _MANY and left < before * (1 - _ENOUGH):
            before = left
            for sign in (1.0, -1.0):
                if (open_ := self._open()).any():
                    self._move(np.flatnonzero(open_).tolist(), sign)

    def _smallest(self, holds: Numbers) -> Owner | None:
        """The smallest cell of this release with a multiplier."""
        found = np.flatnonzero((holds > _HOLDS) & self._now & self._shown).tolist()
        best = min(found, key=lambda place: (self._true[place], place), default=None)
        return None if best is None else self._joint.counts[best].owner

    def _known_before(self, place: int) -> bool:
        """Whether a count is bounded as narrowly without this release: then that is not its doing."""
        if place in self._compared:
            return False  # what it needs is known, and it is not there yet
        self._compared.add(place)
        earlier = self._shown & ~self._now
        low, high = self._low[place], self._high[place]
        for sign in (1.0, -1.0):
            moved = self._program([place], sign, earlier, (low, high)).point[place]
            low, high = min(low, moved), max(high, moved)
        self._need[place] = min(self._k, high - low)
        return bool(self._high[place] - self._low[place] >= self._need[place] - _TOLERANCE)

    def _move(self, places: list[int], sign: float) -> Move:
        """Move counts as far as needed, up or down, and remember how far all counts came with them."""
        move = self._program(places, sign, self._shown, (self._low[places], self._high[places]))
        self._low, self._high = np.minimum(self._low, move.point), np.maximum(self._high, move.point)
        return move

    def _program(
        self, places: list[int], sign: float, rows: Mask, known: tuple[Numbers | float, Numbers | float]
    ) -> Move:
        """The point at which some counts add up to most (or least), none of them counting beyond `known` and k."""
        counts = self._system.counts
        number, width = len(places), counts.shape[1]
        left = vstack([self._system.shared, counts[rows]])
        fixed = hstack([left, csr_matrix((left.shape[0], number))], format="csr")
        right = np.concatenate([np.zeros(self._system.shared.shape[0]), self._true[rows]])
        moved = hstack([-sign * counts[places], sign * eye(number)], format="csr")
        limits = np.tile(np.array([0.0, np.inf]), (width + number, 1))
        low, high = known
        limits[width:, 0], limits[width:, 1] = (
            (-np.inf, low + self._k) if sign > 0 else (high - self._k, np.inf)
        )
        cost = np.concatenate([np.zeros(width), np.full(number, -sign)])
        found = _solved(cost, (moved, np.zeros(number)), (fixed, right), limits, self._end)
        holds = np.zeros(len(self._true))
        holds[rows] = found.eqlin.marginals[self._system.shared.shape[0] :]
        return Move(counts @ found.x[:width], holds)

    def _start(self) -> Numbers:
        """Every count at a point that respects all that was told; what was told is mended where there is none."""
        try:
            return self._program([], 1.0, self._shown, (np.zeros(0), np.zeros(0))).point
        except _Contradiction:
            self.fits = False
        point = self._nearest()
        # without the last digits, which would make it contradict itself again
        self._true = np.where(self._shown, np.round(point, 6), self._true)
        return point

    def _nearest(self) -> Numbers:
        """Every count at the point that contradicts least of what was told, earlier releases first."""
        counts, shared = self._system.counts[self._shown], self._system.shared
        number, width = counts.shape
        weights = np.where(self._now[self._shown], _OF_NOW, 1.0)
        cost = np.concatenate([np.zeros(width), weights, weights])
        slack = hstack([counts, eye(number), -eye(number)], format="csr")
        fixed = vstack([slack, hstack([shared, csr_matrix((shared.shape[0], 2 * number))])], format="csr")
        right = np.concatenate([self._true[self._shown], np.zeros(shared.shape[0])])
        limits = np.tile(np.array([0.0, np.inf]), (width + 2 * number, 1))
        nothing = (csr_matrix((0, fixed.shape[1])), np.zeros(0))
        found = _solved(cost, nothing, (fixed, right), limits, self._end)
        return np.asarray(self._system.counts @ found.x[:width])


def attackers(joint: Joint, k: int, end: float) -> list[Attacker]:
    """Whom to keep the secrets of a joint from: somebody with everything that was told.

    Where that contradicts itself one fits it, and one more looks at this release alone. Raises `TooLarge`
    and `OutOfTime`.
    """
    whole = Attacker(joint, k, end)
    if whole.fits:
        return [whole]
    now = tuple(c for c in joint.counts if c.owner is not None or (c.shown and c.n == 0))
    return [whole, Attacker(replace(joint, counts=now), k, end)]


def _solved(
    cost: Numbers,
    above: tuple[csr_matrix, Numbers],
    fixed: tuple[csr_matrix, Numbers],
    limits: Numbers,
    end: float,
) -> Any:
    """What HiGHS found. Raises `_Contradiction` where nothing can be, `OutOfTime` when it took too long."""
    if process_time() > end:
        raise OutOfTime
    found = linprog(
        cost, A_ub=above[0], b_ub=above[1], A_eq=fixed[0], b_eq=fixed[1], bounds=limits, method="highs",
        options={"maxiter": _STEPS},
    )  # fmt: skip
    if found.status == _NO_POINT:
        raise _Contradiction
    if found.status != 0:
        raise OutOfTime
    return found
