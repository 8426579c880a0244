"""What a kernel needs from the outside: who the parties are, keys they have in common, and messages.

A *row* is one part of a replicated (CNF) secret and is named by the t parties that do NOT hold it:
with three parties and t = 1 there are the rows (0,), (1,) and (2,), and party 0 holds (1,) and (2,).
Any t parties miss exactly the row that bears their name (Ito, Saito, Nishizeki 1987).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any, Protocol

from fairnode.errors import NotValid

Row = tuple[int, ...]
Runtime = Any
"""MPyC's runtime, which has no types of its own; named here, so that who names programs does not load MPyC."""


class WrongMessage(NotValid):
    """What a peer sent does not have the form that this step of the protocol has; `peer` is its number."""

    def __init__(self, peer: int, what: str) -> None:
        super().__init__(f"Compute party {peer} sent {what}.")
        self.peer = peer


@dataclass
class Traffic:
    """What one party sent so far: bytes of payload, messages, and rounds it took part in; words opened."""

    sent: int = 0
    messages: int = 0
    rounds: int = 0
    opened: int = 0


class Exchange(Protocol):
    """One party's connection to the others: keys in common with them and rounds of messages."""

    @property
    def party(self) -> int:
        """The number of this party, 0 <= party < parties."""

    @property
    def parties(self) -> int:
        """How many compute parties there are (m)."""

    @property
    def threshold(self) -> int:
        """How many of them may collude without learning anything (t < m / 2)."""

    @property
    def traffic(self) -> Traffic:
        """Counters of what was sent, for the ledger and the benchmarks."""

    def pair_key(self, peer: int) -> bytes:
        """16 secret bytes that only this party and `peer` know, fresh for this run."""

    def row_key(self, row: Row) -> bytes:
        """16 secret bytes that exactly the holders of `row` know, fresh for this run."""

    def next_use(self) -> int:
        """0, 1, 2, ...: a number, equal at all parties, that no earlier kernel of this run got."""

    async def exchange(self, out: Mapping[int, bytes], senders: Collection[int]) -> Mapping[int, bytes]:
        """Send `out` (peer -> bytes) and return what each of `senders` sent to this party.

        Messages between two parties arrive in the order in which they were sent.
        """


@cache
def rows_of(parties: int, threshold: int) -> tuple[Row, ...]:
    """All rows of a sharing among `parties` with `threshold`, in the order every party uses."""
    return tuple(combinations(range(parties), threshold))


@cache
def held_by(party: int, parties: int, threshold: int) -> tuple[Row, ...]:
    """The rows that `party` holds, in the common order."""
    return tuple(row for row in rows_of(parties, threshold) if party not in row)


def holders(row: Row, parties: int) -> tuple[int, ...]:
    """The parties that hold `row`."""
    return tuple(p for p in range(parties) if p not in row)
