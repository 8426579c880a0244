"""How narrowly a hidden count can be bounded: equations between hidden counts, solved by HiGHS.

See `fairnode.disclosure.audit` for the two attackers; `strong` is the first of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from fairnode.disclosure.audit import Question, involved

_TOLERANCE = 1e-6
_ANYTHING = (0.0, float("inf"))
_UNBOUNDED = 3

Row = tuple[tuple[int, int], ...]


@dataclass
class Effort:
    """How many linear programs may still be solved."""

    left: float = float("inf")


@dataclass
class Net:
    """A question with its equations at hand: which counts are in which, and what is part of what."""

    question: Question
    members: tuple[tuple[int, ...], ...]
    equations_of: dict[int, list[int]]
    wholes_of: dict[int, list[int]]
    _above: dict[int, frozenset[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, question: Question) -> Net:
        """The net of a question."""
        relations = question.links.relations
        members = tuple(involved(relation) for relation in relations)
        equations: defaultdict[int, list[int]] = defaultdict(list)
        wholes: defaultdict[int, list[int]] = defaultdict(list)
        for number, relation in enumerate(relations):
            for index in members[number]:
                equations[index].append(number)
                if index != relation.whole:
                    wholes[index].append(relation.whole)
        return cls(question, members, dict(equations), dict(wholes))

    def around(self, indices: Iterable[int]) -> set[int]:
        """All counts that are in an equation with one of these."""
        return {i for index in indices for number in self.equations_of[index] for i in self.members[number]}

    def above(self, index: int) -> frozenset[int]:
        """The small counts of which this one is a part: to know their size would be to know its own."""
        if index not in self._above:
            items, k = self.question.links.items, self.question.k
            found: set[int] = set()
            reach = {index}
            while reach:
                reach = {
                    whole
                    for each in reach
                    for whole in self.wholes_of.get(each, ())
                    if items[whole].value < k and whole not in found
                }
                found |= reach
            self._above[index] = frozenset(found)
        return self._above[index]

    def row(self, number: int, hidden: set[int]) -> tuple[Row, int]:
        """An equation as coefficients of hidden counts, and what they add up to."""
        relation = self.question.links.relations[number]
        signs: defaultdict[int, int] = defaultdict(int)
        signs[relation.whole] += 1
        for part in relation.parts:
            signs[part] -= 1
        if relation.rest is not None:
            signs[relation.rest] -= relation.sign
        items = self.question.links.items
        row = tuple((index, sign) for index, sign in sorted(signs.items()) if index in hidden and sign)
        return row, -sum(sign * items[index].value for index, sign in signs.items() if index not in hidden)


class Equations:
    """The equations between the counts that are hidden now, split into independent blocks."""

    def __init__(self, net: Net, hidden: set[int], effort: Effort) -> None:
        self._k = net.question.k
        self._root = {index: index for index in hidden}
        rows = [row for row in (net.row(number, hidden) for number in range(len(net.members))) if row[0]]
        for coefficients, _ in rows:
            (first, _), *others = coefficients
            for other, _ in others:
                self._root[self._find(other)] = self._find(first)
        grouped: defaultdict[int, dict[Row, int]] = defaultdict(dict)
        for coefficients, known in rows:
            grouped[self._find(coefficients[0][0])][coefficients] = known
        self._blocks = {index: _Block(net, block, effort) for index, block in grouped.items()}

    def wide(self, index: int, *, strong: bool) -> bool:
        """Whether a hidden count can be anything within an interval of at least k."""
        block = self._blocks.get(self._find(index))
        return block is None or block.width(index, strong=strong) >= self._k - _TOLERANCE

    def _find(self, index: int) -> int:
        while self._root[index] != index:
            self._root[index] = self._root[self._root[index]]
            index = self._root[index]
        return index


class _Block:
    """Equations that hang together, and the smallest and largest value found so far for each count."""

    def __init__(self, net: Net, rows: dict[Row, int], effort: Effort) -> None:
        indices = sorted({index for row in rows for index, _ in row})
        self._order = {index: position for position, index in enumerate(indices)}
        self._k = net.question.k
        self._effort = effort
        items = net.question.links.items
        self._known = np.array([_bounds(items[index].value, self._k) for index in indices], dtype=float)
        self._free = np.tile(np.array(_ANYTHING), (len(indices), 1))
        self._above = [
            [self._order[a] for a in (index, *net.above(index)) if a in self._order] for index in indices
        ]
        entries = [(r, self._order[index], sign) for r, row in enumerate(rows) for index, sign in row]
        data = ([e[2] for e in entries], ([e[0] for e in entries], [e[1] for e in entries]))
        matrix = csr_matrix(data, shape=(len(rows), len(indices)), dtype=float)
        right = np.array(list(rows.values()), dtype=float)
        self._constraint = LinearConstraint(matrix, right, right)
        true = np.array([items[index].value for index in indices], dtype=float)
        self._seen = {strong: (true.copy(), true.copy()) for strong in (True, False)}

    def width(self, index: int, *, strong: bool) -> float:
        """How wide the interval of possible values is (infinite, or the first width found of at least k)."""
        position = self._order[index]
        unknown = self._above[position] if strong else []
        bounds = (self._known if strong else self._free).copy()
        bounds[unknown] = _ANYTHING
        low, high = self._seen[strong]
        for sign in (-1.0, 1.0):
            if high[position] - low[position] >= self._k:
                break
            cost = np.zeros(len(self._order))
            cost[position] = sign
            self._effort.left -= 1
            found = milp(cost, constraints=self._constraint, bounds=Bounds(*bounds.T))
            if found.status == _UNBOUNDED:
                return float("inf")
            if found.status == 0:
                self._note(found.x, position, unknown, strong=strong)
        return float(high[position] - low[position])

    def _note(
        self, point: npt.NDArray[np.float64], position: int, unknown: list[int], *, strong: bool
    ) -> None:
        """Remember a possible point: one for every other count too, if it respects all that is known."""
        low, high = self._seen[strong]
        known = self._known[unknown]
        within = np.all((known[:, 0] <= point[unknown]) & (point[unknown] <= known[:, 1]))
        where = slice(None) if within else slice(position, position + 1)
        low[where] = np.minimum(low[where], point[where])
        high[where] = np.maximum(high[where], point[where])


def _bounds(value: int, k: int) -> tuple[float, float]:
    """What the stronger attacker knows of a hidden count: nothing there, 1 to k - 1, or at least k."""
    if value == 0:
        return (0.0, 0.0)
    return (1.0, k - 1.0) if value < k else (float(k), float("inf"))
