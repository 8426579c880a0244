"""Gates and arithmetic on replicated bits equal plaintext, for three and five parties, quick and bulk."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode.mpc.kernels import bits as bits_module
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.count import count_bits
from fairnode.mpc.kernels.exchange import held_by, rows_of
from fairnode.mpc.kernels.local import Network, run_locally, split
from fairnode.mpc.kernels.numbers import (
    add,
    add_modulo,
    add_ripple,
    at_least,
    is_zero,
    keep,
    sum_numbers,
)
from fairnode.mpc.kernels.products import assign_products, spread
from fairnode.mpc.kernels.rounding import remainder, round_to_base
from fairnode.mpc.kernels.sharing import from_planes, to_planes, unpack

SETTINGS = [(3, 1), (5, 2), (4, 1), (5, 1)]
both = pytest.mark.parametrize(("parties", "threshold"), SETTINGS[:2])
every = pytest.mark.parametrize(("parties", "threshold"), SETTINGS)


def compute(program, *numbers, parties=3, threshold=1, bits=8):
    """Deal numbers (lists) as planes, run `program(kernel, *numbers)` at each party, open its planes."""
    count = len(numbers[0])
    dealt = []
    for values in numbers:
        planes = to_planes(np.array(values, np.uint64), bits)
        dealt.append((planes.shape, split(planes.reshape(-1), parties, threshold)))

    async def party(exchange):
        kernel = BitKernel(exchange)
        shared = []
        for (planes, words), rows in dealt:
            held = {row: rows[row] for row in kernel.held}
            x = kernel.dealt(held, 0, planes * words).reshape(len(kernel.held), planes, words)
            shared.append([x[:, i] for i in range(planes)])
        result = await program(kernel, *shared)
        opened = await kernel.open_to_all(np.concatenate(result, axis=1))
        return opened.reshape(len(result), -1)

    results = run_locally(Network(parties, threshold), party)
    assert all(np.array_equal(r, results[0]) for r in results)
    return from_planes(results[0], count).tolist()


def joined(shares):
    """The words that the rows of all parties hold; copies of a row are the same."""
    rows = {}
    for share in shares:
        for name, row in share.items():
            assert np.array_equal(rows.setdefault(name, row), row)
    return np.bitwise_xor.reduce(list(rows.values()))


def pairs(bits):
    number = st.integers(0, 2**bits - 1)
    return st.lists(st.tuples(number, number), min_size=1, max_size=80)


@every
def test_every_product_of_rows_falls_to_exactly_one_party_that_holds_both(parties, threshold):
    rows = rows_of(parties, threshold)
    seen = []
    for p, products in enumerate(assign_products(parties, threshold)):
        held = held_by(p, parties, threshold)
        seen += [(held[a], held[b]) for q in products for a in q.left for b in q.right]
    assert sorted(seen) == sorted((a, b) for a in rows for b in rows)


@every
def test_the_collecting_of_sums_is_spread_over_all_parties(parties, threshold):
    chosen = spread(rows_of(parties, threshold), parties)
    counts = [list(chosen.values()).count(p) for p in range(parties)]
    assert max(counts) - min(counts) <= 1
    assert all(party not in row for row, party in chosen.items())


@every
@pytest.mark.parametrize("bulk", [True, False])
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_and_equals_plaintext_for_any_length(parties, threshold, bulk, data):
    count = data.draw(st.integers(1, 70))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    x, y = rng.integers(0, 2**64, (2, count), np.uint64)

    async def party(exchange):
        kernel = BitKernel(exchange)
        a = await kernel.share(x if kernel.party == 0 else None, 0, count)
        b = await kernel.share(y if kernel.party == parties - 1 else None, parties - 1, count)
        return kernel.to_rows(await kernel.and_(a, b))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bits_module, "BULK_WORDS", 1 if bulk else 10**9)
        shares = run_locally(Network(parties, threshold), party)
    assert np.array_equal(joined(shares), x & y)


def test_a_bulk_and_across_cache_blocks_equals_plaintext():
    count = 3 * 8192 + 5
    x, y = np.random.default_rng(1).integers(0, 2**64, (2, count), np.uint64)

    async def party(exchange):
        kernel = BitKernel(exchange)
        a = await kernel.share(x if kernel.party == 0 else None, 0, count)
        b = await kernel.share(y if kernel.party == 1 else None, 1, count)
        return await kernel.open_to_all(await kernel.and_(a, b) ^ kernel.invert(a))

    for opened in run_locally(Network(5, 2), party):
        assert np.array_equal(opened, (x & y) ^ ~x)


@both
@settings(max_examples=15, deadline=None)
@given(values=pairs(8))
@pytest.mark.parametrize("adder", [add, add_ripple])
def test_both_adders_equal_plaintext(parties, threshold, adder, values):
    a, b = zip(*values, strict=True)
    assert compute(adder, a, b, parties=parties, threshold=threshold) == list(map(operator.add, a, b))


@settings(max_examples=15, deadline=None)
@given(values=pairs(6), inner=st.booleans())
def test_computations_beside_each_other_give_what_they_give_alone_for_the_rounds_of_the_longer(values, inner):
    a, b = zip(*values, strict=True)
    rounds = []

    async def longer(kernel, x, y):
        if not inner:
            return await sum_numbers(kernel, [x, y, x], 8)
        twice, once = await kernel.both(sum_numbers(kernel, [x, y, x], 8), add_modulo(kernel, x, y))
        return [p ^ q ^ q for p, q in zip(twice, [*once, *once], strict=False)]

    async def beside(kernel, x, y):
        before = kernel.exchange.traffic.rounds
        found, large = await kernel.both(longer(kernel, x, y), at_least(kernel, x, 11))
        rounds.append(kernel.exchange.traffic.rounds - before)
        return [*found[:8], large]

    expected = [(2 * x + y) % 256 | int(x >= 11) << 8 for x, y in values]
    assert compute(beside, a, b, bits=6) == expected
    alone = []

    async def by_itself(kernel, x, y):
        before = kernel.exchange.traffic.rounds
        found = await sum_numbers(kernel, [x, y, x], 8)
        alone.append(kernel.exchange.traffic.rounds - before)
        return found

    compute(by_itself, a, b, bits=6)
    assert rounds == alone


@settings(max_examples=15, deadline=None)
@given(values=pairs(7))
def test_add_modulo_drops_the_carry(values):
    a, b = zip(*values, strict=True)
    assert compute(add_modulo, a, b, bits=7) == [(x + y) % 128 for x, y in values]


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.lists(st.integers(0, 255), min_size=3, max_size=3), min_size=1, max_size=9))
def test_the_sum_of_any_number_of_numbers_equals_plaintext(rows):
    async def program(kernel, *numbers):
        return await sum_numbers(kernel, numbers, 12)

    assert compute(program, *rows) == [sum(column) for column in zip(*rows, strict=True)]


@both
@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.integers(0, 255), min_size=1, max_size=70), bound=st.integers(-1, 300))
def test_comparison_with_a_public_bound_equals_plaintext(parties, threshold, values, bound):
    async def program(kernel, a):
        return [await at_least(kernel, a, bound)]

    assert compute(program, values, parties=parties, threshold=threshold) == [int(v >= bound) for v in values]


@settings(max_examples=20, deadline=None)
@given(values=pairs(3))
def test_zero_test_and_keeping_equal_plaintext(values):
    a, b = zip(*values, strict=True)

    async def program(kernel, x, y):
        empty = await is_zero(kernel, x)
        return [empty, *await keep(kernel, empty, y)]

    expected = [int(x == 0) | (y if x == 0 else 0) << 1 for x, y in values]
    assert compute(program, a, b, bits=3) == expected


@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.integers(0, 2**11 - 1), min_size=1, max_size=70), base=st.integers(2, 16))
def test_remainder_and_rounding_to_a_base_equal_plaintext(values, base):
    async def classes(kernel, a):
        return await remainder(kernel, a, base)

    async def rounded(kernel, a):
        return await round_to_base(kernel, a, base)

    assert compute(classes, values, bits=11) == [1 << v % base for v in values]
    assert compute(rounded, values, bits=11) == [(v + base // 2) // base * base for v in values]


@both
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), vectors=st.integers(1, 64), words=st.integers(1, 9))
def test_count_bits_equals_plaintext(parties, threshold, seed, vectors, words):
    x = np.random.default_rng(seed).integers(0, 2**64, (vectors, words), np.uint64)
    rows = split(x.reshape(-1), parties, threshold)

    async def party(exchange):
        kernel = BitKernel(exchange)
        held = {row: rows[row] for row in kernel.held}
        shared = kernel.dealt(held, 0, vectors * words).reshape(len(kernel.held), vectors, words)
        planes = await count_bits(kernel, [shared[:, v] for v in range(vectors)])
        return await kernel.open_to_all(np.concatenate(planes, axis=1))

    opened = run_locally(Network(parties, threshold), party)[0]
    counts = from_planes(opened.reshape(-1, 1), 64).tolist()
    assert counts[:vectors] == unpack(x, 64 * words).sum(axis=1).tolist()
    assert counts[vectors:] == [0] * (64 - vectors)
