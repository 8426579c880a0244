"""Child job: complementary suppression, audited by linear programming (HiGHS through SciPy).

What it promises is written in `fairnode.disclosure.audit`. A greedy search over sums of two tables comes first:
while some hidden count can be bounded too narrowly, the smallest shown cell of this release in an equation with
it is hidden. Then `fairnode.jobs.lp_exact` looks at everything at once and mends what pairs do not show. Hiding
more only ever widens intervals, so a count found safe stays safe. When time runs out, or there is too much
to look at, every cell that is linked to an unsafe count is hidden: then the release adds nothing about any.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from time import process_time
from typing import Any

from fairnode.disclosure.audit import Answer, Question, answer_to_json, question_from_json
from fairnode.disclosure.told import Owner
from fairnode.jobs.lp_blocks import Effort, OutOfTime, Proofs
from fairnode.jobs.lp_exact import attackers
from fairnode.jobs.lp_joint import TooLarge
from fairnode.jobs.lp_net import Equations, Net
from fairnode.jobs.process import main

_GIVE_BACK = 600


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Answer one question."""
    return answer_to_json(audit(question_from_json(job)))


def audit(question: Question) -> Answer:
    """The cells of this release to hide as well, so that no hidden count can be bounded too narrowly."""
    state = _State.of(Net.of(question))
    chosen: set[Owner] = set()
    effort, end = Effort(), process_time() + question.seconds
    try:
        _search(state, chosen, effort, end)
    except OutOfTime:
        return Answer(tuple(sorted(chosen | state.linked() | _everything(question))), in_time=False)
    state, chosen = _give_back(state, chosen)
    try:
        _mend(state, chosen, effort, end)
    except (OutOfTime, TooLarge):
        return Answer(tuple(sorted(chosen | _everything(question))), in_time=False)
    return Answer(tuple(sorted(chosen)))


def _search(state: _State, chosen: set[Owner], effort: Effort, end: float) -> None:
    """Hide more, and add it to `chosen`, until no equation tells too much. Raises `OutOfTime`."""
    while unsafe := state.unsafe(effort, end):
        more = state.choose(unsafe)
        chosen |= more
        state.hide(more)


def _mend(state: _State, chosen: set[Owner], effort: Effort, end: float) -> None:
    """Hide more, until everything that was ever told does not tell too much. Raises `OutOfTime`, `TooLarge`."""
    question = state.net.question
    found = [each for joint in question.joints for each in attackers(joint, question.k, end)]
    settled: set[Owner] | None = None
    while chosen != settled:
        settled = set(chosen)
        for attacker in found:
            attacker.hide(chosen)
            while holding := attacker.holding():
                attacker.hide({holding})
                chosen.add(holding)
        state.hide(chosen)
        if chosen != settled:
            _search(state, chosen, effort, end)


def _everything(question: Question) -> set[Owner]:
    """Every cell of this release that is shown beside something that nobody may find out."""
    return {c.owner for joint in question.joints for c in joint.counts if c.shown and c.owner is not None}


def _give_back(state: _State, chosen: set[Owner]) -> tuple[_State, set[Owner]]:
    """Show again, largest first, what turns out not to be needed.

    Limited by effort and not by time, so that the same question always has the same answer.
    """
    effort = Effort(_GIVE_BACK)
    sizes: defaultdict[Owner, int] = defaultdict(int)
    for item in state.net.question.links.items:
        if item.owner in chosen:
            sizes[item.owner] += item.value
    for owner in sorted(chosen, key=lambda each: (-sizes[each], each)):
        try:
            without = state.without(owner, effort)
        except OutOfTime:
            break
        if without is not None:
            state, chosen = without, chosen - {owner}
    return state, chosen


@dataclass
class _State:
    """What is hidden so far, and what of it was found safe.

    `weak` are sensitive counts that cannot be kept from the stronger attacker whatever is hidden, because
    what that one knows of others bounds them already; they are kept from the weaker one. `lost` are counts
    that follow from earlier releases alone.
    """

    net: Net
    hidden: set[int]
    sensitive: frozenset[int]
    safe: Proofs = field(default_factory=dict)
    weak: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, net: Net) -> _State:
        items = net.question.links.items
        hidden = {index for index in net.equations_of if items[index].hidden}
        sensitive = frozenset(i for i in hidden if items[i].sensitive or items[i].guarded)
        weak = {i for i in sensitive if not items[i].sensitive or i in net.rests}
        return cls(net, hidden, sensitive, weak=weak)

    def targets(self) -> list[int]:
        """Hidden counts not yet found safe: the sensitive ones, and what was hidden for their sake.

        The latter are kept from the weaker attacker only: that is the exact one, where it is known what was told.
        """
        items = self.net.question.links.items
        if self.net.question.joints:
            asked = frozenset(index for index in self.sensitive if items[index].sensitive)
        else:
            asked = self.sensitive | {index for index in self.hidden if not items[index].hidden}
        return sorted(asked - self.safe.keys() - self.lost)

    def strong(self, index: int) -> bool:
        """Whether a target is to be kept from the stronger attacker."""
        return index in self.sensitive and index not in self.weak

    def unsafe(self, effort: Effort, end: float) -> list[int]:
        """The targets that are not proven to be wide enough. Raises `OutOfTime`."""
        equations = Equations(self.net, self.hidden, effort)
        targets = self.targets()
        for strong in (True, False):
            asked = [index for index in targets if self.strong(index) is strong]
            self.safe |= equations.proofs(asked, strong=strong, end=end)
        return [index for index in targets if index not in self.safe]

    def without(self, owner: Owner, effort: Effort) -> _State | None:
        """The state with the cell of `owner` shown again; None if then something is not proven any more.

        What was proven by points at which this cell is what it is stays proven. Counts in an equation with it are
        looked at first: they are where it fails. Raises `OutOfTime` if the effort is spent.
        """
        shown = self._owned({owner})
        effort.spend(len(self.hidden), float("inf"))
        safe = {
            index: moved for index, moved in self.safe.items() if not moved & shown and index not in shown
        }
        state = replace(self, hidden=self.hidden - shown, safe=safe)
        equations = Equations(state.net, state.hidden, effort)
        first = self.net.around(shown)
        targets = sorted(state.targets(), key=lambda index: (index not in first, index))
        for index in targets:
            proven = equations.proofs([index], strong=state.strong(index))
            if not proven:
                return None
            state.safe |= proven
        return state

    def choose(self, unsafe: list[int]) -> set[Owner]:
        """For each unsafe count the cheapest cell to hide; if there is none, less is asked for it."""
        items = self.net.question.links.items
        more: set[Owner] = set()
        touched: set[int] = set()
        for index in unsafe:
            near = self._near(index)
            if not near:
                (self.weak if self.strong(index) else self.lost).add(index)
            elif not touched & near.keys():
                best = min(near, key=lambda i: (items[i].value, near[i]))
                touched |= near.keys()
                more.add(near[best])
        return more

    def hide(self, owners: set[Owner]) -> None:
        """Hide these cells: every count that they tell."""
        self.hidden |= self._owned(owners)

    def linked(self) -> set[Owner]:
        """Every cell of this release that is linked, however far, to a count that is not known to be safe."""
        items = self.net.question.links.items
        reach = set(self.targets())
        while more := self.net.around(reach) - reach:
            reach |= more
        return {owner for index in reach if (owner := items[index].owner)}

    def _owned(self, owners: set[Owner]) -> set[int]:
        items = self.net.question.links.items
        return {index for index in self.net.equations_of if items[index].owner in owners}

    def _near(self, index: int) -> dict[int, Owner]:
        """The shown cells of this release in the tightest equation with `index`, or with its neighbours.

        Tightest is the one with the fewest hidden counts: it is where this one can be found out.
        """
        reach, seen = {index}, set[int]()
        while reach - seen:
            seen |= reach
            numbers = sorted({number for each in reach for number in self.net.equations_of[each]})
            for number in sorted(numbers, key=lambda n: len(self.hidden.intersection(self.net.members[n]))):
                shown = self._shown(number)
                if shown:
                    return shown
            reach = self.net.around(reach) & self.hidden
        return {}

    def _shown(self, number: int) -> dict[int, Owner]:
        """The shown cells of this release in an equation."""
        items = self.net.question.links.items
        members = self.net.members[number]
        return {i: owner for i in members if i not in self.hidden and (owner := items[i].owner)}


if __name__ == "__main__":
    main(run)
