"""Arithmetic on large shared integers equals plaintext: products, fixed point, from and to bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.field import FieldKernel, P
from fairnode.mpc.kernels.local import Network, run_locally
from fairnode.mpc.kernels.sharing import pack, unpack

both = pytest.mark.parametrize(("parties", "threshold"), [(3, 1), (5, 2)])


def compute(program, parties=3, threshold=1):
    async def party(exchange):
        kernel = BitKernel(exchange)
        return await program(kernel, FieldKernel(kernel))

    results = run_locally(Network(parties, threshold), party)
    for result in results[1:]:
        assert np.array_equal(result, results[0])
    return results[0].tolist()


numbers = st.lists(st.integers(-(2**100), 2**100), min_size=1, max_size=20)


@both
@settings(max_examples=15, deadline=None)
@given(x=numbers)
def test_products_and_openings_are_exact(parties, threshold, x):
    async def program(_, field):
        share = field.public(np.array(x, object))
        squares = await field.multiply(share, share)
        return await field.open(await field.product(np.stack([squares, share, share - 1, share], axis=-1)))

    assert compute(program, parties, threshold) == [v**2 * v * (v - 1) * v for v in x]


@both
@settings(max_examples=15, deadline=None)
@given(x=st.lists(st.integers(0, 1), min_size=1, max_size=100))
def test_shared_bits_become_numbers(parties, threshold, x):
    words = pack(np.array(x, bool))

    async def program(kernel, field):
        shared = await kernel.share(words if kernel.party == 1 else None, 1, len(words))
        return await field.open(await field.from_bits(shared, len(x)))

    assert compute(program, parties, threshold) == x


@both
@settings(max_examples=15, deadline=None)
@given(x=numbers)
def test_signs_and_bits_are_exact(parties, threshold, x):
    width = 103

    async def program(kernel, field):
        share = field.public(np.array(x, object))
        share = await field.multiply(share, field.public(np.ones(1, object)))
        planes = await field.to_planes(share, width)
        opened = await kernel.open_to_all(np.concatenate(planes, axis=1))
        sign = await kernel.open_to_all(await field.not_negative(share, width))
        return np.array(
            [*unpack(opened.reshape(width, -1), len(x)).T.tolist(), unpack(sign, len(x)).tolist()], object
        )

    *bits, signs = compute(program, parties, threshold)
    assert [sum(int(b) << i for i, b in enumerate(row)) - (1 << (width - 1)) for row in bits] == x
    assert signs == [int(v >= 0) for v in x]


@both
@settings(max_examples=15, deadline=None)
@given(x=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), y=st.floats(-1e3, 1e3))
def test_fixed_point_products_are_right_to_the_last_bits(parties, threshold, x, y):
    fraction = 40

    async def program(_, field):
        a = field.public(np.array([round(v * 2**fraction) for v in x], object))
        b = field.public(np.array([round(y * 2**fraction)], object))
        return await field.open(await field.multiply_fixed(a, b, fraction, 120))

    for opened, v in zip(compute(program, parties, threshold), x, strict=True):
        exact = round(v * 2**fraction) * round(y * 2**fraction) / 2**fraction
        assert abs(opened - exact) <= 7 + abs(exact) * 2**-52


def test_the_field_is_prime_where_it_matters():
    assert pow(3, P - 1, P) == 1
