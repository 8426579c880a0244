"""A question of the audit with its equations at hand, and which of them hang together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from fairnode.disclosure.audit import Question, involved
from fairnode.jobs.lp_blocks import Block, Counts, Effort, Proofs, Row


@dataclass
class Net:
    """A question with its equations at hand: which counts are in which, and what is part of what."""

    question: Question
    members: tuple[tuple[int, ...], ...]
    equations_of: dict[int, list[int]]
    wholes_of: dict[int, list[int]]
    rests: frozenset[int]
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
        rests = frozenset(relation.rest for relation in relations if relation.rest is not None)
        return cls(question, members, dict(equations), dict(wholes), rests)

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

    def row(self, number: int, hidden: set[int]) -> Row:
        """An equation as coefficients of hidden counts."""
        relation = self.question.links.relations[number]
        signs: defaultdict[int, int] = defaultdict(int)
        signs[relation.whole] += 1
        for part in relation.parts:
            signs[part] -= 1
        if relation.rest is not None:
            signs[relation.rest] -= relation.sign
        return tuple((index, sign) for index, sign in sorted(signs.items()) if index in hidden and sign)


class Equations:
    """The equations between the counts that are hidden now, split into independent blocks."""

    def __init__(self, net: Net, hidden: set[int], effort: Effort) -> None:
        self._root = {index: index for index in hidden}
        rows = dict.fromkeys(filter(None, (net.row(number, hidden) for number in range(len(net.members)))))
        for (first, _), *others in rows:
            for other, _ in others:
                self._root[self._find(other)] = self._find(first)
        grouped: defaultdict[int, list[Row]] = defaultdict(list)
        for row in rows:
            grouped[self._find(row[0][0])].append(row)
        self._blocks = {root: _block(net, rows_of, effort) for root, rows_of in grouped.items()}

    def proofs(self, indices: Iterable[int], *, strong: bool, end: float = float("inf")) -> Proofs:
        """Those of some hidden counts that can be anything within an interval of at least k.

        Each with the counts that are not what they are at the points that prove it: it stays proven when others
        are shown. `strong` says which attacker is meant. Raises `OutOfTime` when the processor has worked until
        `end`, or no effort is left.
        """
        found: Proofs = {}
        grouped: defaultdict[int, list[int]] = defaultdict(list)
        for index in indices:
            root = self._find(index)
            if root in self._blocks:
                grouped[root].append(index)
            else:
                found[index] = frozenset()
        for root, inside in grouped.items():
            found |= self._blocks[root].proofs(inside, strong=strong, end=end)
        return found

    def _find(self, index: int) -> int:
        while self._root[index] != index:
            self._root[index] = self._root[self._root[index]]
            index = self._root[index]
        return index


def _block(net: Net, rows: list[Row], effort: Effort) -> Block:
    """The equations of one block, with what is true of its counts."""
    items = net.question.links.items
    indices = sorted({index for row in rows for index, _ in row})
    counts = {index: items[index].value for index in indices}
    above = {index: net.above(index) & counts.keys() for index in indices}
    return Block(rows, Counts(counts, above, net.rests & counts.keys(), net.question.k), effort)
