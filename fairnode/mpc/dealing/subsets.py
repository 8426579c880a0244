"""Which party holds what: replicated (CNF) sharing among m parties against t = (m - 1) / 2 of them.

The secret is the sum of one value r_T for every set T of t parties; r_T is held by the parties *not* in T.
Any t parties miss exactly the value of their own set, which is uniform: they learn nothing. Ito, Saito,
Nishizeki (1987); conversion to Shamir shares: Cramer, Damgard, Ishai (TCC 2005).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairnode.errors import NotValid
from fairnode.mpc.dealing.rings import P61, Words

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


def shamir_weight(subset: Subset, party: int, prime: int = P61) -> int:
    """f_T(party + 1) for the polynomial of degree t with f_T(0) = 1 and f_T(j + 1) = 0 for all j in T."""
    weight = 1
    for j in subset:
        weight = weight * (party - j) * pow(-(j + 1), -1, prime) % prime
    return weight


def to_shamir(rows: Mapping[Subset, Words], party: int, prime: int = P61) -> NDArray[Any]:
    """Shamir shares (object array of ints below `prime`) of the values that `rows` share modulo `prime`.

    Local: share = sum over T of r_T * f_T(party + 1), a point of a polynomial of degree t whose value at 0
    is the sum of all r_T. Its other coefficients are uniform because the r_T are.
    """
    columns: Sequence[Any] = [
        row.astype(object) * shamir_weight(subset, party, prime) for subset, row in rows.items()
    ]
    shares: NDArray[Any] = np.sum(np.stack(columns), axis=0) % prime
    return shares
