"""Whose turn it is: approved visits are started round robin over those who asked, not oldest first.

Somebody with a hundred visits waiting does not hold up somebody with one: neither an organisation another, nor
a person a colleague.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A visit's place in the queue: who asked (organisation, and the person there), and of which dataset.

    `alone` says that the dataset's policy lets one visit at a time read it.
    """

    visit: str
    requester: str
    person: str
    dataset: str
    alone: bool = False

    @property
    def names(self) -> tuple[str, str]:
        """Whose turns are counted: the organisation's, and within it the person's."""
        return self.requester, f"{self.requester} {self.person}"


def next_visits(
    waiting: Iterable[Place],
    active: Iterable[Place],
    turns: Mapping[str, int],
    *,
    at_once: int,
    one_per_dataset: bool = False,
) -> list[str]:
    """The visits to start now, in order, so that at most `at_once` are active.

    `waiting` is oldest first; `turns` says when each requester, and each person, was last served (any rising
    number, none for never). First comes who has the fewest active visits, then who was served longest ago:
    among organisations, then among the people of one; then who waits longest. With `one_per_dataset`, or where
    its policy says so, a dataset that is being visited is left alone.
    """
    queue, running = list(waiting), list(active)
    last, latest = dict(turns), max(turns.values(), default=0)
    busy = {place.dataset for place in running if one_per_dataset or place.alone}
    load = Counter(name for place in running for name in place.names)
    chosen: list[str] = []
    while len(running) + len(chosen) < at_once:
        free = [place for place in queue if place.dataset not in busy]
        if not free:
            break
        place = min(free, key=lambda p: [(load[name], last.get(name, -1)) for name in p.names])
        queue.remove(place)
        chosen.append(place.visit)
        load.update(place.names)
        latest += 1
        last |= dict.fromkeys(place.names, latest)
        if one_per_dataset or place.alone:
            busy.add(place.dataset)
    return chosen
