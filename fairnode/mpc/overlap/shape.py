"""The public shape of an overlap: every size that a message can have follows from it (P13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from fairnode.errors import NotValid

SLOTS = 25  # a bin of a solved table has no solution with probability 2^-24 a list of 100,000 (`tables`)
MOST_SLOTS = 32
FINGERPRINT = 62
FEWEST_LISTS, MOST_LISTS = 3, 6
LARGEST_BOUND = 5_000_000
BLOCK_WORDS = 256  # bins are dealt and compared in blocks of at most 64 times so many

Pattern = tuple[int, ...]


@dataclass(frozen=True)
class OverlapShape:
    """Lists K, upper bound N of persons a list, fingerprint bits and slots; signed with the study.

    A false match is a person who is not on the other list and whose fingerprint the bin's values give all the
    same: N K (K - 1) / 2 persons are looked up, so about K^2 N 2^(-1 - bits) in all, 2^-42 for five lists of
    100,000 and 62 bits.
    """

    lists: int
    bound: int
    fingerprint: int = FINGERPRINT
    slots: int = SLOTS

    def __post_init__(self) -> None:
        if not FEWEST_LISTS <= self.lists <= MOST_LISTS:
            raise NotValid(f"An overlap takes {FEWEST_LISTS} to {MOST_LISTS} lists, not {self.lists}.")
        if not 1 <= self.bound <= LARGEST_BOUND:
            raise NotValid(f"The bound on a list's length is 1 to {LARGEST_BOUND}, not {self.bound}.")
        if self.fingerprint not in range(8, 65, 2) or not 1 <= self.slots <= MOST_SLOTS:
            raise NotValid(
                f"A fingerprint has 8 to 64 bits, an even number, and a bin 1 to {MOST_SLOTS} slots."
            )

    @classmethod
    def of(cls, parameters: Mapping[str, int]) -> OverlapShape:
        """From a study's parameters: `lists`, `bound`, and optionally `fingerprint` and `slots`."""
        chosen = {
            k: int(parameters[k]) for k in ("lists", "bound", "fingerprint", "slots") if k in parameters
        }
        return cls(**chosen)

    @property
    def bins(self) -> int:
        """Number of bins in use: B of P13, at most 64 a word."""
        return 2 * self.bound + 256 if self.bound < 5000 else -(-127 * self.bound // 100)

    @property
    def blocks(self) -> int:
        """Into how many blocks of bins the tables are cut."""
        return -(-self.bins // (64 * BLOCK_WORDS))

    @property
    def width(self) -> int:
        """Words of bins in a block; `blocks * width` words hold all bins."""
        return -(-self.bins // (64 * self.blocks))

    @property
    def cuckoo_words(self) -> int:
        """Words of one block of a cuckoo table: planes (slots, 2, width) of codes, then of fingerprints."""
        return (2 * self.slots + self.fingerprint) * self.width

    @property
    def solved_words(self) -> int:
        """Words of one block of a solved table: planes (slots, fingerprint, width)."""
        return self.slots * self.fingerprint * self.width

    def has_cuckoo(self, place: int) -> bool:
        """Whether the list at `place` is ever compared by its cuckoo table: all but the last."""
        return place < self.lists - 1

    def has_solved(self, place: int) -> bool:
        """Whether the list at `place` is ever compared by its solved table: all but the first."""
        return place > 0

    def solved_start(self, place: int) -> int:
        """Where the solved table of the list at `place` begins in what its owner deals."""
        return self.blocks * self.cuckoo_words * self.has_cuckoo(place)

    def length(self, place: int) -> int:
        """Words that the owner of the list at `place` deals: cuckoo table, solved table, one word of size."""
        return self.solved_start(place) + self.blocks * self.solved_words * self.has_solved(place) + 1


def patterns(lists: int) -> list[Pattern]:
    """The 2^K - 1 cells in the common order: by number of lists, then by the lists."""
    return [p for size in range(1, lists + 1) for p in combinations(range(lists), size)]
