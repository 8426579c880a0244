"""Who does what in an AND gate: which products of rows fall to which party, and who collects their sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fairnode.mpc.kernels.exchange import Row, held_by, holders, rows_of
from fairnode.mpc.kernels.streams import CACHE_WORDS


@dataclass(frozen=True)
class Products:
    """Products of a party with a factor in common: XOR of `left` rows of x AND that of `right` rows of y."""

    left: tuple[int, ...]
    right: tuple[int, ...]


@dataclass(frozen=True)
class Piece:
    """Words start..stop-1 of one AND, whose masked sum becomes the row `target`."""

    start: int
    stop: int
    target: Row
    collector: int

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Stretches of the piece that stay in the cache: first word, and the one after the last."""
        for start in range(self.start, self.stop, CACHE_WORDS):
            yield start, min(start + CACHE_WORDS, self.stop)


def assign_products(parties: int, threshold: int) -> list[list[Products]]:
    """For each party the products of rows it adds up: every pair of rows is somebody's, evenly spread.

    For each row of x one holder takes all rows of y that it holds too, the next holder in turn what is
    left, and so on; so most products of a party have their y factor in common and need one AND gate.
    """
    rows = rows_of(parties, threshold)
    load = [0] * parties
    sums: list[dict[tuple[Row, ...], list[Row]]] = [{} for _ in range(parties)]
    for left in rows:
        able = holders(left, parties)
        followed = [p for p in able if (p + 1) % parties in able] or list(able)
        first = min(followed, key=lambda p: load[p])
        load[first] += 1
        waiting = set(rows)
        for party in sorted(able, key=lambda p: (p - first) % parties):
            right = tuple(row for row in rows if row in waiting and party not in row)
            waiting -= set(right)
            if right:
                sums[party].setdefault(right, []).append(left)
    index = [{row: i for i, row in enumerate(held_by(p, parties, threshold))} for p in range(parties)]
    return [
        [
            Products(tuple(index[p][row] for row in left), tuple(index[p][row] for row in right))
            for right, left in sums[p].items()
        ]
        for p in range(parties)
    ]


def spread(rows: Sequence[Row], parties: int) -> dict[Row, int]:
    """One holder for each row, every party chosen as often as possible."""
    load = [0] * parties
    chosen: dict[Row, int] = {}
    for row in rows:
        chosen[row] = min(holders(row, parties), key=lambda p: (load[p], -p))
        load[chosen[row]] += 1
    return chosen
