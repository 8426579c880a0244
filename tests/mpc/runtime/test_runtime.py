"""MPyC on our connections computes what it should, and its zero test opens a random multiple only."""

import base64

from mpc_network import Party

from fairnode.mpc.dealing import P61
from fairnode.mpc.openings.outputs import lagrange, open_output

CELLS = 40


def probed(three, tmp_path, kind, values):
    """What each party put out in the test program `kind`."""
    parameters = {
        "cells": CELLS,
        "k": 11,
        "base": 5,
        "earlier": 0,
        "largest": 1000,
        "lists": "disjoint",
        "engine": "mpyc",
    }
    jobs = three.jobs("sum", parameters, [values] * 3)
    parties = [Party(job, tmp_path / f"{i}", f"probe_party.py {kind}") for i, job in enumerate(jobs)]
    try:
        outcomes = [party.outcome() for party in parties]
    finally:
        for party in parties:
            party.kill()
    assert [o["outcome"] for o in outcomes] == ["done"] * 3, outcomes
    return [open_output(base64.b64decode(o["output"]), three.recipient.secret).values for o in outcomes]


def test_operations_of_mpyc_work_without_its_sockets_and_pickles(three, tmp_path):
    for opened in probed(three, tmp_path, "operations", [0] * CELLS):
        assert opened == {
            "less": (0, 1, 0),
            "equal": (1, 0, 0),
            "product": (25, P61 - 56, (2 - 10**12) % P61),
            "quotient": (533,),
            "zero": (1, 0),
            "inverse": (pow(2, -1, P61), 3 * pow(5, -1, P61) % P61),
            "bits": (1, 1, 0, 1, 0),
        }


def roots(coefficients):
    """The two roots of c0 + c1 x + c2 x^2 modulo 2^61 - 1, if there are any."""
    c0, c1, c2 = coefficients
    discriminant = (c1 * c1 - 4 * c2 * c0) % P61
    root = pow(discriminant, (P61 + 1) // 4, P61)  # P61 = 3 modulo 4
    if root * root % P61 != discriminant:
        return []
    return [(-c1 + sign * root) * pow(2 * c2, -1, P61) % P61 for sign in (1, -1)]


def quadratic(points):
    """The coefficients of the polynomial with these values at 1, 2, 3."""
    at_zero = sum(w * y for w, y in zip(lagrange([1, 2, 3], 0), points, strict=True))
    at_minus = sum(w * y for w, y in zip(lagrange([1, 2, 3], -1), points, strict=True))
    c0, c2 = at_zero % P61, (points[0] + at_minus - 2 * at_zero) * pow(2, -1, P61) % P61
    return c0, (points[0] - c0 - c2) % P61, c2


def guesses(own_share, opened):
    """What party 0 can conclude if the opened polynomial is the product of two sharings of degree 1."""
    return [-root * own_share * pow(1 - root, -1, P61) % P61 for root in roots(quadratic(opened))]


def test_the_zero_test_does_not_open_the_factors_of_what_it_opens(three, tmp_path):
    values = [0, 0, *range(1, CELLS - 1)]
    said = probed(three, tmp_path, "zero-test", values)
    assert said[0]["zero"] == (1, 1, *[0] * (CELLS - 2))
    found = [
        value in guesses(said[0]["a"][i], [each["opened"][i] for each in said])
        for i, value in enumerate(values)
        if value
    ]
    assert not any(found)
    # The attack is real: it finds the value in a plain product of two sharings, as MPyC opens it.
    a = [(7 + 1234567 * x) % P61 for x in (1, 2, 3)]
    product = [share * (89 + 7654321 * x) % P61 for x, share in enumerate(a, start=1)]
    assert 7 in guesses(a[0], product)
