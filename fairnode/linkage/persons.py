"""One list: which records are of one person, and the one key that each person gets.

Records are one person when the organisation's own key says so, when whole names and birth date agree (a
strong key), or when two weak keys agree. 1 January counts for strong keys only. Everything is in clear, at
the list's owner (P11).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from fairnode.linkage.keys import RULES, WEAK_MARK, Identity, KeyRule, key_of

STRONG = ("names", "either-order")
WEAK = ("slk-581", "sound", "initials")


@dataclass(frozen=True)
class Record:
    """One row of a list: its person in the organisation's own numbering ("" if there is none), and who."""

    person: str
    who: Identity


@dataclass(frozen=True)
class Keyed:
    """The keys of a list, each once, and what became of its records: for the list's owner only.

    `merged` records were found to be of somebody already there; `ambiguous` persons share a key with others
    and are left out, `without` have none; `weak` are in with a key from 1 January.
    """

    keys: tuple[str, ...]
    records: int
    merged: int
    ambiguous: int
    without: int
    weak: int


def keys_of(records: Sequence[Record], rule: KeyRule) -> Keyed:
    """Each person's key by `rule`, sorted; a key that several persons have is dropped for all of them."""
    clusters = cluster(records)
    chosen = [key_of_person([records[i].who for i in members], rule) for members in clusters]
    owners = Counter(key for key in chosen if key)
    kept = sorted(key for key, persons in owners.items() if persons == 1)
    return Keyed(
        keys=tuple(kept),
        records=len(records),
        merged=len(records) - len(clusters),
        ambiguous=sum(persons for persons in owners.values() if persons > 1),
        without=chosen.count(""),
        weak=sum(key.startswith(WEAK_MARK) for key in kept),
    )


def cluster(records: Sequence[Record]) -> list[list[int]]:
    """The places of the records of each person, in the order of their first."""
    parent = list(range(len(records)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[tuple[str, ...], int] = {}
    for i, record in enumerate(records):
        for mark in _marks(record):
            a, b = root(first.setdefault(mark, i)), root(i)
            parent[max(a, b)] = min(a, b)
    found: dict[int, list[int]] = defaultdict(list)
    for i in range(len(records)):
        found[root(i)].append(i)
    return list(found.values())


def _marks(record: Record) -> Iterator[tuple[str, ...]]:
    """Whatever two records must have in common, one of these, to be of one person."""
    if record.person:
        yield ("person", record.person)
    if not record.who.usable:
        return
    for name in STRONG:
        yield (name, RULES[name].derive(record.who))
    if not record.who.defaulted:
        weak = {name: RULES[name].derive(record.who) for name in WEAK}
        for left, right in combinations(WEAK, 2):
            yield (left, weak[left], right, weak[right])


def key_of_person(whos: Sequence[Identity], rule: KeyRule) -> str:
    """The key that most records of the person have; a real birth date goes before 1 January."""
    found = Counter(key for who in whos if (key := key_of(rule, who)))
    return min(found, key=lambda key: (key.startswith(WEAK_MARK), -found[key], key), default="")
