"""The overlap of lists dealt from outside is exact, for any lists, and bad lists are refused at home."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode.errors import NotValid
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.local import Network, run_locally, split
from fairnode.mpc.kernels.sharing import bit_planes, from_planes, unpack
from fairnode.mpc.openings.lists import groups, shown_cells
from fairnode.mpc.overlap import matches as matches_module
from fairnode.mpc.overlap import shape as shape_module
from fairnode.mpc.overlap.cells import exact_cells, lane, on_lanes, read_cells
from fairnode.mpc.overlap.matches import count_overlaps
from fairnode.mpc.overlap.shape import OverlapShape, patterns
from fairnode.mpc.overlap.solving import solved, vectors
from fairnode.mpc.overlap.tables import AttemptFailed, HashingKey, bins, cuckoo, distinct, hashed
from fairnode.mpc.programs.overlap_cells import judge

KEY = HashingKey(b"linkage secret of the input parties", "ab" * 32)


def computed(lists, shape, program, parties=3, threshold=1):
    """Deal lists of keys, count them at each party, hand kernel and shared table to `program`."""
    dealt = [
        split(bins(keys, KEY, shape, place).words, parties, threshold) for place, keys in enumerate(lists)
    ]

    async def party(exchange):
        kernel = BitKernel(exchange)
        mine = [{row: rows[row] for row in kernel.held} for rows in dealt]
        counts = await count_overlaps(kernel, mine, shape)
        planes = await program(kernel, on_lanes(kernel, counts, shape))
        return await kernel.open_to_all(np.concatenate(planes, axis=1))

    results = run_locally(Network(parties, threshold), party)
    assert all(np.array_equal(r, results[0]) for r in results)
    return results[0]


def overlap(lists, shape, parties=3, threshold=1):
    """The opened exact cells by pattern."""

    async def cells(kernel, table):
        return await exact_cells(kernel, table, shape.lists)

    counts = from_planes(computed(lists, shape, cells, parties, threshold)[:, None], 64)
    assert counts.sum() == sum(counts[lane(p)] for p in patterns(shape.lists))
    return {p: int(counts[lane(p)]) for p in patterns(shape.lists)}


def plain_cells(lists):
    sets = [set(keys) for keys in lists]
    everyone = set().union(*sets)
    on = [tuple(i for i, s in enumerate(sets) if person in s) for person in everyone]
    return {pattern: on.count(pattern) for pattern in patterns(len(lists))}


def population(seed, lists, size, pool):
    rng = np.random.default_rng(seed)
    return [[f"person {i}" for i in rng.choice(pool, size, replace=False)] for _ in range(lists)]


@pytest.mark.parametrize(("lists", "parties", "threshold"), [(3, 3, 1), (5, 3, 1), (6, 5, 2), (4, 5, 2)])
def test_every_cell_equals_the_plaintext_table(lists, parties, threshold):
    people = population(lists, lists, 120, 200)
    shape = OverlapShape(lists, 150)
    assert overlap(people, shape, parties, threshold) == plain_cells(people)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), data=st.data())
def test_lists_of_any_lengths_and_overlap_are_counted_exactly(seed, data):
    pool = [f"p{i}" for i in range(40)]
    some = st.lists(st.sampled_from(pool), min_size=1, max_size=30, unique=True)
    lists = [data.draw(some) for _ in range(3)]
    fingerprint = data.draw(st.sampled_from([42, 48, 62, 64]))
    assert overlap(lists, OverlapShape(3, 30, fingerprint)) == plain_cells(lists)


def test_tables_compared_in_several_blocks_and_batches_give_the_same(monkeypatch):
    monkeypatch.setattr(shape_module, "BLOCK_WORDS", 3)
    monkeypatch.setattr(matches_module, "BATCH_WORDS", 1)
    people = population(9, 4, 300, 500)
    shape = OverlapShape(4, 300)
    assert shape.blocks > 3
    assert overlap(people, shape) == plain_cells(people)


def test_equal_lists_and_disjoint_lists():
    same = [f"a{i}" for i in range(25)]
    other = [f"b{i}" for i in range(25)]
    assert overlap([same, same, same], OverlapShape(3, 25))[0, 1, 2] == 25
    assert overlap([same, other, other], OverlapShape(3, 25))[0,] == 25


@pytest.mark.parametrize("full", [False, True])
def test_of_lists_is_opened_what_the_rule_for_their_owners_allows(full):
    """`full`: three hidden tens of one list, which its owner would know to be ten each, close the whole table."""
    wanted = dict.fromkeys(patterns(3), 30) | {(0, 1): 10, (0, 2): 10, (1, 2): 10, (0, 1, 2): 10}
    wanted |= {} if full else {(0, 1, 2): 0, (0, 1): 6, (0, 2): 6, (1, 2): 6}
    lists = [[f"{p} {n}" for p, size in wanted.items() if i in p for n in range(size)] for i in range(3)]
    shape = OverlapShape(3, 60)

    async def judged(kernel, table):
        cells = await exact_cells(kernel, table, 3)
        status, total = await judge(kernel, cells, groups(3, 1), 11, 5)
        return [status, *total]

    allowed = shown_cells(wanted, 3, 11, 1)
    assert bool(allowed) is not full
    expected = {p: n if p in allowed else None for p, n in wanted.items()}
    assert read_cells(computed(lists, shape, judged), shape) == expected


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 2000))
def test_a_cuckoo_table_holds_every_item_in_one_of_its_bins(seed, count):
    keys = [f"{seed}-{i}" for i in range(count)]
    shape = OverlapShape(3, count)
    places, _ = hashed(keys, KEY.derive(), shape)
    table = cuckoo(places, shape.bins)
    assert sorted(table[table >= 0].tolist()) == list(range(count))
    assert all(b in places[i] for b, i in enumerate(table) if i >= 0)


def times(a, b):
    """The product of two elements of the field of four, 0..3 as bits of 1 and w."""
    return (a & 1) * b ^ (a >> 1) * (b << 1 ^ (b >> 1) * 7)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), slots=st.integers(1, 6), bins=st.sampled_from([64, 128]))
def test_values_of_a_bin_give_the_fingerprint_of_all_its_items_from_their_codes(data, slots, bins):
    count = data.draw(st.integers(0, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    shape = OverlapShape(3, 100, 20, slots)
    bin_of = np.sort(rng.integers(0, bins, count))
    items = vectors(*rng.integers(0, 2**64, (2, count), np.uint64), shape)
    values = solved(bin_of, items, bins, slots)
    code, print_ = ([(items >> np.uint64(shift + k)) & np.uint64(1) for k in range(32)] for shift in (0, 32))
    systems = [
        [[int(code[k][0, i] + 2 * code[k][1, i]) for k in range(slots)] for i in np.flatnonzero(bin_of == b)]
        for b in range(bins)
    ]
    assert (values is None) == any(dependent(rows) for rows in systems)
    if values is not None:
        for i, b in enumerate(bin_of):
            for bit in range(10):
                value = [int(v[0] >> bit & 1) + 2 * int(v[1] >> bit & 1) for v in values[:, :, b].T]
                fits = 0
                for k in range(slots):
                    fits ^= times(int(code[k][0, i] + 2 * code[k][1, i]), value[k])
                assert fits == print_[bit][0, i] + 2 * print_[bit][1, i]


def dependent(rows):
    """Whether some sum of multiples of the rows, not all of them zero, is zero (all of them tried)."""
    sums = {(0,) * len(rows[0])} if rows else set()
    for row in rows:
        multiples = [tuple(times(c, x) for x in row) for c in range(1, 4)]
        if any(multiple in sums for multiple in multiples):
            return True
        sums |= {tuple(a ^ b for a, b in zip(s, m, strict=True)) for s in sums for m in multiples}
    return False


def test_planes_hold_the_bits_of_numbers():
    numbers = np.random.default_rng(4).integers(0, 2**32, (2, 192), np.uint32)
    planes = bit_planes(numbers)
    assert planes.shape == (2, 32, 3)
    weights = 1 << np.arange(32, dtype=np.uint64)
    assert np.array_equal((unpack(planes, 192) * weights[:, None]).sum(axis=1), numbers)


def test_a_table_that_is_too_small_fails_the_attempt():
    places, _ = hashed([f"{i}" for i in range(100)], KEY.derive(), OverlapShape(3, 100))
    with pytest.raises(AttemptFailed):
        cuckoo(places % 90, 90)
    with pytest.raises(AttemptFailed):
        bins([f"{i}" for i in range(100)], KEY, OverlapShape(3, 100, slots=1), 1)


def test_each_attempt_and_study_hashes_anew():
    keys = {HashingKey(b"s", study, attempt).derive() for study in ("a", "b") for attempt in (0, 1)}
    assert len(keys) == 4


def test_repeated_ambiguous_and_missing_keys_are_dropped_and_counted():
    keys = ["x", "x", "y", "", "z", "z"]
    persons = ["1", "1", "2", "3", "4", "5"]
    unique = distinct(keys, persons)
    assert (unique.keys, unique.repeated, unique.ambiguous, unique.missing) == (["x", "y"], 1, 2, 1)
    assert distinct(keys).keys == ["x", "y", "z"]
    assert distinct(keys).repeated == 2


def test_a_list_with_a_tenth_of_duplicates_counts_each_person_once():
    people = population(2, 3, 100, 150)
    shape = OverlapShape(3, 100)
    doubled = [keys + keys[:10] for keys in people]
    assert overlap(doubled, shape) == plain_cells(people)


def test_bad_lists_and_shapes_are_refused_with_a_reason():
    shape = OverlapShape(3, 10)
    with pytest.raises(NotValid, match="no person"):
        bins(["", ""], KEY, shape, 0)
    with pytest.raises(NotValid, match="more than the 10"):
        bins([str(i) for i in range(11)], KEY, shape, 0)
    with pytest.raises(NotValid, match="3 to 6 lists"):
        OverlapShape(7, 10)
    with pytest.raises(NotValid, match="bound"):
        OverlapShape(3, 0)
    with pytest.raises(NotValid, match="even number"):
        OverlapShape(3, 10, 63)


def test_all_messages_have_the_same_lengths_whatever_the_lists_hold():
    lengths = []
    for lists in (population(1, 3, 40, 60), [["only one"], ["another"], ["only one"]]):
        shape = OverlapShape(3, 40)
        dealt = [split(bins(keys, KEY, shape, place).words, 3, 1) for place, keys in enumerate(lists)]
        network = Network(3, 1)

        async def party(exchange, dealt=dealt, shape=shape):
            kernel = BitKernel(exchange)
            await count_overlaps(kernel, [{r: rows[r] for r in kernel.held} for rows in dealt], shape)

        run_locally(network, party)
        lengths.append(sorted((m.sender, m.receiver, len(m.payload)) for m in network.transcript))
    assert lengths[0] == lengths[1]
