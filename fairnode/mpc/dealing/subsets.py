"""Which party holds what: replicated (CNF) sharing among m parties against t = (m - 1) / 2 of them.

The secret is the sum of one value r_T for every set T of t parties; r_T is held by the parties *not* in T.
Any t parties miss exactly the value of their own set, which is uniform: they learn nothing. Ito, Saito,
Nishizeki (1987); conversion to Shamir shares: Cramer, Damgard, Ishai (TCC 2005).
"""

from __future__ import annotations

import itertools

from fairnode.errors import NotValid

Subset = tuple[int, ...]
SIZES = (3, 5)
"""Numbers of compute parties that there may be: t = 1 and t = 2."""


def threshold(m: int) -> int:
    """The number t = (m - 1) / 2 of parties that may collude. Raises NotValid unless m is 3 or 5."""
    if m not in SIZES:
        raise NotValid(
            f"A computation has 3 or 5 compute parties, not {m}.",
            to_do="Name three or five different organisations as compute parties.",
        )
    return (m - 1) // 2


def subsets(m: int) -> tuple[Subset, ...]:
    """All sets T of t parties, in lexicographic order."""
    return tuple(itertools.combinations(range(m), threshold(m)))


def correction_subset(m: int) -> Subset:
    """The one set whose value is not made from a seed but sent as the correction block."""
    return subsets(m)[-1]


def holds_block(m: int, party: int) -> bool:
    """Whether `party` holds the correction block."""
    return party not in correction_subset(m)


def held(m: int, party: int) -> tuple[Subset, ...]:
    """The sets T whose values `party` holds: those it is not in."""
    return tuple(subset for subset in subsets(m) if party not in subset)


def label(subset: Subset) -> str:
    """The set as a key in JSON: '0' or '1+3'."""
    return "+".join(map(str, subset))
