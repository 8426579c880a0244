"""Sums in the field and modulo 2^64 equal plaintext, whether dealt from outside or contributed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode.errors import NotValid
from fairnode.mpc.kernels.exchange import held_by
from fairnode.mpc.kernels.linear import (
    P,
    add_rows,
    lagrange,
    open_shamir,
    open_sum,
    random_elements,
    reduced,
    rows_to_shamir,
    share_and_add,
    split_additively,
    times,
)
from fairnode.mpc.kernels.local import Network, run_locally

both = pytest.mark.parametrize(("parties", "threshold"), [(3, 1), (5, 2)])
elements = st.one_of(st.integers(0, P - 1), st.sampled_from([0, 1, 2**32, 2**32 - 1, P - 1]))


@settings(max_examples=200, deadline=None)
@given(x=elements, y=elements)
def test_times_is_exact_for_all_field_elements(x, y):
    assert int(times(np.array([x], np.uint64), y)[0]) == x * y % P


@given(x=st.integers(0, 2**64 - 1))
def test_reduced_is_exact_for_all_words(x):
    assert int(reduced(np.array([x], np.uint64))[0]) == x % P


@both
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_dealt_vectors_add_up_and_stay_shared(parties, threshold, data):
    count = data.draw(st.integers(1, 20))
    vector = st.lists(st.integers(0, P - 1), min_size=count, max_size=count)
    inputs = data.draw(st.lists(vector, min_size=1, max_size=4))
    dealt = [split_additively(np.array(v, np.uint64), parties, threshold) for v in inputs]

    async def party(exchange):
        held = held_by(exchange.party, parties, threshold)
        total = add_rows([{row: rows[row] for row in held} for rows in dealt])
        share = rows_to_shamir(total, exchange.party, parties, threshold)
        return share, await open_shamir(exchange, share)

    results = run_locally(Network(parties, threshold), party)
    expected = [sum(column) % P for column in zip(*inputs, strict=True)]
    assert all(opened.tolist() == expected for _, opened in results)
    some = range(1, threshold + 2)
    factors = lagrange(list(some), 0)
    interpolated = sum(int(results[p - 1][0][0]) * f for p, f in zip(some, factors, strict=True)) % P
    assert interpolated == expected[0]


@both
def test_contributed_vectors_add_up(parties, threshold):
    inputs = np.random.default_rng(3).integers(0, P, (parties, 1001), np.uint64)

    async def party(exchange):
        return await open_shamir(exchange, await share_and_add(exchange, inputs[exchange.party]))

    expected = [sum(int(v) for v in column) % P for column in inputs.T]
    for opened in run_locally(Network(parties, threshold), party):
        assert opened.tolist() == expected


@both
@pytest.mark.parametrize("count", [1, 2, 1000])
def test_an_opened_sum_is_exact_modulo_2_64(parties, threshold, count):
    inputs = np.random.default_rng(4).integers(0, 2**64, (parties, count), np.uint64)

    async def party(exchange):
        first = await open_sum(exchange, inputs[exchange.party])
        return first, await open_sum(exchange, inputs[exchange.party]), exchange.traffic.sent

    for first, second, sent in run_locally(Network(parties, threshold), party):
        assert np.array_equal(first, inputs.sum(axis=0, dtype=np.uint64))
        assert np.array_equal(second, first)
        assert sent <= 2 * (16 * (count + parties) * (parties - 1) / parties)


def test_two_sums_of_the_same_vector_send_different_bytes():
    network = Network(3, 1)

    async def party(exchange):
        for _ in range(2):
            await open_sum(exchange, np.zeros(100, np.uint64))

    run_locally(network, party)
    first_rounds = [m.payload for m in network.transcript if len(m.payload) > 8 * 33 and any(m.payload)]
    assert len(set(first_rounds)) == len(first_rounds)


def test_vectors_of_different_lengths_are_refused():
    with pytest.raises(NotValid, match="different lengths"):
        add_rows([{(0,): random_elements(3)}, {(0,): random_elements(4)}])
