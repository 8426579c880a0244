"""The bits of the search index against Python's own sets, whatever is put in and taken out."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from fairnode.store import bitmaps

NUMBERS = st.one_of(st.integers(0, 40), st.integers(0, 3 * bitmaps.BLOCK))
SETS = st.sets(NUMBERS, max_size=60)
CROWDED = st.integers(0, bitmaps.BLOCK).map(lambda first: set(range(first, first + 2_000)))


@given(st.one_of(SETS, CROWDED))
def test_a_set_becomes_bits_and_comes_back(numbers: set[int]) -> None:
    bits = bitmaps.of(numbers, max(numbers, default=0))
    assert bits.bit_count() == len(numbers)
    assert list(bitmaps.members(bits)) == sorted(numbers)
    assert list(bitmaps.newest(bits)) == sorted(numbers, reverse=True)


@given(st.one_of(SETS, CROWDED))
def test_a_block_lies_on_disk_as_what_is_shorter(numbers: set[int]) -> None:
    block = bitmaps.of({n % bitmaps.BLOCK for n in numbers}, bitmaps.BLOCK)
    packed = bitmaps.pack(block)
    assert len(packed) == min(2 * block.bit_count(), bitmaps.BLOCK // 8)
    assert int.from_bytes(bitmaps.unpack(packed), "little") == block


@given(
    st.lists(st.tuples(st.sampled_from(["put", "take"]), st.integers(1, 3), NUMBERS), max_size=80),
    st.integers(1, 9),
)
def test_changes_leave_what_sets_would_hold(steps: list[tuple[str, int, int]], size: int) -> None:
    held: dict[int, set[int]] = {1: set(), 2: set(), 3: set()}
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(bitmaps.SCHEMA)
        for start in range(0, len(steps), size):
            changes = bitmaps.Changes()
            for what, term, number in steps[start : start + size]:
                getattr(changes, what)(term, number)
                held[term] = held[term] | {number} if what == "put" else held[term] - {number}
            changes.write(connection)
        for term, numbers in held.items():
            assert list(bitmaps.members(bitmaps.read(connection, term))) == sorted(numbers)
