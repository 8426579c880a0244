"""What colluders see does not depend on the secrets: messages are uniform, and hide every unknown product."""

from itertools import combinations, product

import numpy as np
import pytest

from fairnode.mpc.kernels import bits as bits_module
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.exchange import held_by, rows_of
from fairnode.mpc.kernels.field import _OCTETS, FieldKernel
from fairnode.mpc.kernels.linear import open_sum
from fairnode.mpc.kernels.local import Network, run_locally, split
from fairnode.mpc.kernels.streams import Stream

both = pytest.mark.parametrize(("parties", "threshold"), [(3, 1), (5, 2)])
ZERO, ONES = np.uint64(0), np.uint64(2**64 - 1)


def looks_uniform(octets):
    """Chi-square over byte values, within six standard deviations of its mean."""
    counts = np.bincount(np.frombuffer(octets, np.uint8), minlength=256)
    expected = len(octets) / 256
    statistic = ((counts - expected) ** 2 / expected).sum()
    return abs(statistic - 255) < 6 * np.sqrt(2 * 255)


def sent_between(network):
    streams = {}
    for message in network.transcript:
        streams.setdefault((message.sender, message.receiver), bytearray()).extend(message.payload)
    return streams


@both
@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("secret", [ZERO, ONES])
def test_messages_of_the_and_gate_are_uniform_whatever_the_secrets(
    parties, threshold, bulk, secret, monkeypatch
):
    monkeypatch.setattr(bits_module, "BULK_WORDS", 1 if bulk else 10**9)
    words = np.full(4096, secret)
    dealt = [split(words, parties, threshold) for _ in range(2)]
    network = Network(parties, threshold)

    async def party(exchange):
        kernel = BitKernel(exchange)
        x, y = (kernel.dealt({r: rows[r] for r in kernel.held}, 0, 4096) for rows in dealt)
        for _ in range(len(kernel.rows)):
            x = await kernel.and_(x, y)

    run_locally(network, party)
    sent = sent_between(network)
    assert all(looks_uniform(octets) for octets in sent.values())
    if parties == 3:
        assert {pair: len(octets) for pair, octets in sent.items()} == {
            (p, (p - 1) % 3): 3 * words.nbytes for p in range(3)
        }  # one element a party and gate
    elif not bulk:
        assert set(sent) == {(a, b) for a in range(parties) for b in range(parties) if a != b}


@both
@pytest.mark.parametrize("secret", [0, 2**61 - 2])
def test_messages_of_sums_are_uniform_whatever_the_numbers(parties, threshold, secret):
    network = Network(parties, threshold)
    numbers = np.full(8192, secret, np.uint64)

    async def party(exchange):
        await open_sum(exchange, numbers)

    run_locally(network, party)
    scattered = network.transcript[: parties * (parties - 1)]
    assert all(looks_uniform(message.payload) for message in scattered)


@both
@pytest.mark.parametrize("secret", [0, 2**100])
def test_messages_of_field_products_and_truncations_are_uniform(parties, threshold, secret):
    network = Network(parties, threshold)

    async def party(exchange):
        field = FieldKernel(BitKernel(exchange))
        share = field.public(np.full(400, secret, object))
        await field.multiply(share, share)
        await field.multiply_fixed(share, field.public(np.ones(1, object)), 20, 140)

    run_locally(network, party)
    for octets in sent_between(network).values():
        elements = np.frombuffer(bytes(octets), np.uint8).reshape(-1, _OCTETS)
        assert looks_uniform(np.ascontiguousarray(elements[:, : _OCTETS - 1]).tobytes())


# ---- no linear leak: no XOR of what colluders see is an XOR of things that they must not know


def rank(columns):
    """How many bit vectors are independent under XOR (Gaussian elimination over GF(2), 64 bits a word)."""
    basis = []
    for column in columns:
        rest = column.copy()
        for word, bit, known in basis:
            if rest[word] >> bit & np.uint64(1):
                rest ^= known
        if rest.any():
            word = int(np.flatnonzero(rest)[0])
            basis.append((word, np.uint64(int(rest[word]).bit_length() - 1), rest))
    return len(basis)


PIECE = 40  # words: many more bits than there are columns


@both
@pytest.mark.parametrize("bulk", [False, True])
def test_colluders_cannot_combine_what_they_see_into_anything_unknown(parties, threshold, bulk, monkeypatch):
    monkeypatch.setattr(bits_module, "BULK_WORDS", 1 if bulk else 10**9)
    combine(parties, threshold, PIECE * len(rows_of(parties, threshold)) if bulk else PIECE)


def combine(parties, threshold, count):
    """For every coalition: what it is sent tells nothing, under XOR, of unknown rows and their products.

    Unknown vectors must be as independent of what is held and seen as they are of what is held.
    """
    rows = rows_of(parties, threshold)
    secrets = np.random.default_rng(1).integers(0, 2**64, (2, count), np.uint64)
    dealt = [split(words, parties, threshold) for words in secrets]
    for coalition in combinations(range(parties), threshold):
        network = Network(parties, threshold)

        async def party(exchange):
            kernel = BitKernel(exchange)
            x, y = (kernel.dealt({r: share[r] for r in kernel.held}, 0, count) for share in dealt)
            return kernel.to_rows(await kernel.and_(x, y))

        results = run_locally(network, party)
        held, seen = known_to(coalition, network, dealt, count)
        x, y = dealt
        unknown = [x[coalition], y[coalition], x[coalition] & y[coalition]]
        unknown += [
            v for row in rows if row != coalition for v in (x[coalition] & y[row], x[row] & y[coalition])
        ]
        for start in range(0, count, PIECE):
            piece = slice(start, start + PIECE)
            before = [column[piece] for column in held]
            after = [*before, *seen, *(row[piece] for p in coalition for row in results[p].values())]
            hidden = [column[piece] for column in unknown]
            assert rank([*after, *hidden]) - rank(after) == rank([*before, *hidden]) - rank(before)


def known_to(coalition, network, dealt, count):
    """Bit vectors that the coalition holds or can compute from its keys, and pieces that it was sent."""
    m, t = network.parties, network.threshold
    rows = sorted({row for p in coalition for row in held_by(p, m, t)})
    columns = [source[row] for source in dealt for row in rows]
    columns += [a & b for a, b in product([dealt[0][r] for r in rows], [dealt[1][r] for r in rows])]
    for p in coalition:
        for peer in range(m):
            if peer != p:
                key = network.pair_keys[min(p, peer), max(p, peer)]
                columns.append(Stream(key, "and: zero share", 0).words(count))
    seen = []
    for message in network.transcript:
        if message.receiver in coalition and message.sender not in coalition:
            words = np.frombuffer(message.payload, np.uint64)
            seen += [words[i : i + PIECE] for i in range(0, len(words), PIECE)]
    return columns, seen


@pytest.mark.parametrize("parties", [3, 5])
def test_a_gate_without_zero_shares_would_be_found_out(parties, monkeypatch):
    monkeypatch.setattr(Stream, "mask", lambda *_: None)
    with pytest.raises(AssertionError):
        combine(parties, (parties - 1) // 2, 40)
