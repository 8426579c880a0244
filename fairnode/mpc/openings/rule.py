"""The opening rule P4, P5, P6 in clear numbers: who could subtract what, and which values are too small.

These are the public parts of the rule (they depend on the number of parties and on k only), used by the
programs, and `allowed`, the rule itself on values in clear, which the tests hold the programs against.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from fairnode.errors import NotValid
from fairnode.mpc.dealing.subsets import threshold

MANY_CONTRIBUTORS = 20
"""Above so many contributors only single ones are considered as insiders."""
DISJOINT, OVERLAPPING = "disjoint", "overlapping"


def bound(k: int, lists: str) -> int:
    """K: k where lists are declared disjoint (or counts are of distinct persons), else 2k."""
    return k if lists == DISJOINT else 2 * k


def coalition_size(contributors: int, parties: int) -> int:
    """c: so many contributors may put their numbers together, without the rest becoming too small."""
    return 1 if contributors > MANY_CONTRIBUTORS else max(1, threshold(parties))


def check_contributors(contributors: int, parties: int) -> None:
    """Raise NotValid if there are fewer contributors than the rule asks."""
    least = coalition_size(contributors, parties) + 2
    if contributors < least:
        raise NotValid(
            f"A combined table needs at least {least} contributing organisations; there are {contributors}.",
            to_do="Ask more organisations, or make the table at one of them as a local study.",
        )


def coalitions(contributors: int, parties: int) -> tuple[tuple[int, ...], ...]:
    """All sets A of 1 to c contributors, by index."""
    largest = coalition_size(contributors, parties)
    return tuple(
        itertools.chain.from_iterable(
            itertools.combinations(range(contributors), size) for size in range(1, largest + 1)
        )
    )


def allowed(values: Sequence[int], changed: Sequence[int], least: int, parties: int) -> bool:
    """Whether a cell with the contributors' `values` is opened; `least` is K.

    `changed` has, for each earlier release that intersects the cell, the number of changed persons summed
    over the contributors.
    """
    total = sum(values)
    rests = [total - sum(values[i] for i in who) for who in coalitions(len(values), parties)]
    return total >= least and all(rest == 0 or rest >= least for rest in [*rests, *changed])


def rounded(total: int, base: int) -> int:
    """`total` to the nearest multiple of `base`, halves up."""
    return (total + base // 2) // base * base
