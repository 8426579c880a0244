"""Sums in the field and modulo 2^64 equal plaintext."""

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode.mpc.dealing import ReceiveKeys, Ring, Terms, deal, new_receiver_key, receive
from fairnode.mpc.kernels.linear import P, open_sum, reduced, rows_to_shamir, times
from fairnode.mpc.kernels.local import Network, run_locally
from fairnode.mpc.openings.outputs import lagrange

both = pytest.mark.parametrize(("parties", "threshold"), [(3, 1), (5, 2)])
elements = st.one_of(st.integers(0, P - 1), st.sampled_from([0, 1, 2**32, 2**32 - 1, P - 1]))


@settings(max_examples=200, deadline=None)
@given(x=elements, y=elements)
def test_times_is_exact_for_all_field_elements(x, y):
    assert int(times(np.array([x], np.uint64), y)[0]) == x * y % P


@given(x=st.integers(0, 2**64 - 1))
def test_reduced_is_exact_for_all_words(x):
    assert int(reduced(np.array([x], np.uint64))[0]) == x % P


@settings(max_examples=20, deadline=None)
@given(data=st.data(), parties=st.sampled_from([3, 5]))
def test_dealt_rows_become_shamir_shares_at_any_t_plus_1_parties(data, parties):
    numbers = data.draw(st.lists(elements, min_size=1, max_size=20))
    keys, sender = [new_receiver_key() for _ in range(parties)], Ed25519PrivateKey.generate()
    public = tuple(key.public for key in keys)
    terms = Terms("ab" * 32, 1, "https://org.example/", Ring.P61, len(numbers), public)
    dealing, t = deal(np.array(numbers, np.uint64), terms, sender), (parties - 1) // 2
    some = data.draw(st.permutations(range(parties)))[: t + 1]
    joined = np.zeros(len(numbers), object)
    for party, weight in zip(some, lagrange([party + 1 for party in some], 0), strict=True):
        mine = ReceiveKeys(keys[party].secret, sender.public_key())
        rows = receive(dealing.packages[party], dealing.correction, terms, party, mine).arrays()
        joined = (joined + weight * rows_to_shamir(rows, party, parties, t).astype(object)) % P
    assert joined.tolist() == numbers


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
