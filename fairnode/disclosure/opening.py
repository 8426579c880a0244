"""When a total over nodes may be opened (P4): the reference in the clear of what parties do in secret."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations


def may_open(contributions: Sequence[int], k: int, c: int) -> bool:
    """Whether the total of `contributions` may be opened to contributors of whom up to `c` may collude.

    The total is at least `k`; without the contributions of any set of at most `c` of them, 0 or at least
    `k` is left; and there are at least c + 2 contributors. `k` counts distinct persons, or is doubled.
    """
    total = sum(contributions)
    if total < k or len(contributions) < c + 2:
        return False
    rests = (total - sum(known) for size in range(1, c + 1) for known in combinations(contributions, size))
    return all(rest == 0 or rest >= k for rest in rests)
