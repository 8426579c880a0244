"""Child job: complementary suppression, audited by linear programming (HiGHS through SciPy).

What it promises is written in `fairnode.disclosure.audit`. The search is greedy: while some hidden count
can be bounded too narrowly, the smallest shown cell of this release in an equation with it is hidden.
Hiding more only ever widens intervals, so a count found safe stays safe. When time runs out, every cell
that is linked to an unsafe count is hidden: then the release adds nothing about any of them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from fairnode.disclosure.audit import (
    Answer,
    Owner,
    Question,
    answer_to_json,
    involved,
    question_from_json,
)
from fairnode.disclosure.links import Relation
from fairnode.jobs.process import main

_TOLERANCE = 1e-6
_ANYTHING = (0.0, float("inf"))
_GIVE_BACK = 1000


@dataclass
class _Effort:
    """How many linear programs may still be solved."""

    left: float = float("inf")


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Answer one question."""
    return answer_to_json(audit(question_from_json(job)))


def audit(question: Question) -> Answer:
    """The cells of this release to hide as well, so that no hidden count can be bounded too narrowly."""
    state = _State.of(question)
    chosen: set[Owner] = set()
    end = monotonic() + question.seconds
    while True:
        unsafe = state.unsafe(end)
        if unsafe is None:
            return Answer(tuple(sorted(chosen | state.linked())), in_time=False)
        more = state.choose(unsafe)
        if not more:
            return Answer(tuple(sorted(_give_back(question, chosen, state.lost))))
        chosen |= more
        state.hide(more)


def _give_back(question: Question, chosen: set[Owner], lost: set[int]) -> set[Owner]:
    """Show again, largest first, what turns out not to be needed.

    Limited by effort and not by time, so that the same question always has the same answer.
    """
    effort = _Effort(_GIVE_BACK)
    sizes: defaultdict[Owner, int] = defaultdict(int)
    for item in question.links.items:
        if item.owner in chosen:
            sizes[item.owner] += item.value
    for owner in sorted(chosen, key=lambda each: (-sizes[each], each)):
        state = _State.of(question)
        state.lost = set(lost)
        state.hide(chosen - {owner})
        if state.settled(owner, effort):
            chosen = chosen - {owner}
    return chosen


@dataclass
class _State:
    """What is hidden so far, and what of it was found safe."""

    question: Question
    hidden: set[int]
    sensitive: set[int]
    safe: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, question: Question) -> _State:
        items = question.links.items
        linked = {index for relation in question.links.relations for index in involved(relation)}
        hidden = {index for index in linked if items[index].hidden}
        return cls(question, hidden, {index for index in hidden if items[index].sensitive})

    def targets(self) -> list[int]:
        """Hidden counts not yet found safe: the sensitive ones, and what was hidden for their sake."""
        items = self.question.links.items
        extra = {index for index in self.hidden if not items[index].hidden}
        return sorted((self.sensitive | extra) - self.safe - self.lost)

    def unsafe(self, end: float) -> list[int] | None:
        """The targets that can be bounded too narrowly; None if time ran out."""
        equations = _Equations.of(self.question, self.hidden, _Effort())
        found = []
        for index in self.targets():
            if monotonic() > end:
                return None
            strong = index in self.sensitive
            if equations.wide(index, self.question.k, strong=strong):
                self.safe.add(index)
            else:
                found.append(index)
        return found

    def settled(self, near: Owner, effort: _Effort) -> bool:
        """Whether no target can be bounded too narrowly; False also if the effort is spent.

        Counts in an equation with a cell of `near` are looked at first: they are where it fails.
        """
        equations = _Equations.of(self.question, self.hidden, effort)
        items = self.question.links.items
        first = {
            index
            for relation in self.question.links.relations
            if any(items[i].owner == near for i in involved(relation))
            for index in involved(relation)
        }
        targets = sorted(self.targets(), key=lambda index: (index not in first, index))
        return all(
            equations.wide(index, self.question.k, strong=index in self.sensitive) and effort.left > 0
            for index in targets
        )

    def choose(self, unsafe: list[int]) -> set[Owner]:
        """For each unsafe count the cheapest cell to hide; what cannot be helped any more is given up.

        Nothing of this release can help where a count follows from earlier releases alone.
        """
        more: set[Owner] = set()
        touched: set[int] = set()
        for index in unsafe:
            near = self._near(index)
            if not near:
                self.lost.add(index)
                continue
            if touched & set(near):
                continue
            items = self.question.links.items
            best = min(near, key=lambda i: (items[i].value, items[i].owner or ("", ())))
            touched |= set(near)
            owner = items[best].owner
            assert owner is not None
            more.add(owner)
        return more

    def hide(self, owners: set[Owner]) -> None:
        """Hide these cells: every count that they tell."""
        items = self.question.links.items
        linked = {index for relation in self.question.links.relations for index in involved(relation)}
        self.hidden |= {index for index in linked if items[index].owner in owners}

    def linked(self) -> set[Owner]:
        """Every cell of this release that is linked, however far, to a count that is not known to be safe."""
        reach = set(self.targets())
        while True:
            more = {
                index
                for relation in self.question.links.relations
                if reach & set(involved(relation))
                for index in involved(relation)
            }
            if more <= reach:
                return {owner for index in reach if (owner := self.question.links.items[index].owner)}
            reach |= more

    def _near(self, index: int) -> list[int]:
        """The nearest shown cells of this release: in an equation with `index`, or with its neighbours."""
        items = self.question.links.items
        reach, seen = {index}, set[int]()
        while reach - seen:
            seen |= reach
            around = [set(involved(r)) for r in self.question.links.relations if reach & set(involved(r))]
            members: set[int] = set().union(*around)
            shown = [i for i in members - self.hidden if items[i].owner is not None]
            if shown:
                return shown
            reach = members & self.hidden
        return []


@dataclass
class _Equations:
    """The equations between hidden counts, split into independent blocks."""

    question: Question
    block_of: dict[int, int]
    blocks: dict[int, _Block]

    @classmethod
    def of(cls, question: Question, hidden: set[int], effort: _Effort) -> _Equations:
        root = {index: index for index in hidden}

        def find(index: int) -> int:
            while root[index] != index:
                root[index] = root[root[index]]
                index = root[index]
            return index

        rows = [_row(relation, question, hidden) for relation in question.links.relations]
        rows = [row for row in rows if row[0]]
        for coefficients, _ in rows:
            first, *others = coefficients
            for other in others:
                root[find(other)] = find(first)
        grouped: defaultdict[int, list[tuple[dict[int, int], int]]] = defaultdict(list)
        for row in rows:
            grouped[find(next(iter(row[0])))].append(row)
        blocks = {index: _Block.of(question, block, effort) for index, block in grouped.items()}
        return cls(question, {index: find(index) for index in hidden}, blocks)

    def wide(self, index: int, k: int, *, strong: bool) -> bool:
        """Whether `index` can be anything within an interval of at least k."""
        block = self.blocks.get(self.block_of[index])
        return block is None or block.width(index, k, strong=strong) >= k - _TOLERANCE


def _row(relation: Relation, question: Question, hidden: set[int]) -> tuple[dict[int, int], int]:
    """An equation as coefficients of hidden counts and the known rest of it."""
    items = question.links.items
    signs: defaultdict[int, int] = defaultdict(int)
    signs[relation.whole] += 1
    for part in relation.parts:
        signs[part] -= 1
    if relation.rest is not None:
        signs[relation.rest] -= relation.sign
    coefficients = {index: sign for index, sign in signs.items() if index in hidden and sign}
    known = -sum(sign * items[index].value for index, sign in signs.items() if index not in hidden)
    return coefficients, known


@dataclass
class _Block:
    """Equations that hang together: matrix, right-hand side, and the true values of the hidden counts."""

    order: dict[int, int]
    matrix: csr_matrix
    right: np.ndarray[Any, np.dtype[np.float64]]
    values: list[int]
    seen: dict[bool, list[tuple[float, float]]]
    effort: _Effort

    @classmethod
    def of(cls, question: Question, rows: list[tuple[dict[int, int], int]], effort: _Effort) -> _Block:
        unique = {tuple(sorted(row.items())): known for row, known in rows}
        order = {index: i for i, index in enumerate(sorted({index for row in unique for index, _ in row}))}
        values = [question.links.items[index].value for index in order]
        entries = [(r, order[i], sign) for r, row in enumerate(unique) for i, sign in row]
        data = ([e[2] for e in entries], ([e[0] for e in entries], [e[1] for e in entries]))
        matrix = csr_matrix(data, shape=(len(unique), len(order)), dtype=float)
        seen = {strong: [(float(v), float(v)) for v in values] for strong in (True, False)}
        return cls(order, matrix, np.array(list(unique.values()), dtype=float), values, seen, effort)

    def width(self, index: int, k: int, *, strong: bool) -> float:
        """How wide the interval of possible values is (infinite, or the first width found of at least k)."""
        position = self.order[index]
        known = [_bounds(value, k) if strong else _ANYTHING for value in self.values]
        known[position] = _ANYTHING
        bounds = Bounds(*np.array(known, dtype=float).T)
        equations = LinearConstraint(self.matrix, self.right, self.right)
        for sign in (-1.0, 1.0):
            low, high = self.seen[strong][position]
            if high - low >= k:
                break
            cost = np.zeros(len(self.order))
            cost[position] = sign
            self.effort.left -= 1
            found = milp(cost, constraints=equations, bounds=bounds)
            if found.status == 3:
                return float("inf")
            if found.status == 0:
                self._note(found.x, position, k, strong=strong)
        low, high = self.seen[strong][position]
        return high - low

    def _note(
        self, point: np.ndarray[Any, np.dtype[np.float64]], position: int, k: int, *, strong: bool
    ) -> None:
        """Remember a possible point: it is one for every other count too if it respects what is known."""
        low, high = _bounds(self.values[position], k) if strong else _ANYTHING
        everywhere = low <= point[position] <= high
        for i, value in enumerate(point):
            if everywhere or i == position:
                smallest, largest = self.seen[strong][i]
                self.seen[strong][i] = (min(smallest, float(value)), max(largest, float(value)))


def _bounds(value: int, k: int) -> tuple[float, float]:
    """What the stronger attacker knows of a hidden count: nothing there, 1 to k - 1, or at least k."""
    if value == 0:
        return (0.0, 0.0)
    return (1.0, k - 1.0) if value < k else (float(k), float("inf"))


if __name__ == "__main__":
    main(run)
