"""Clocks that disagree do not end a run: a party is who holds the key of the agreed certificate."""

from mpc_network import make_certificate, run_all

TOLD = {"cells": 2, "k": 11, "base": 5, "earlier": 0, "largest": 100, "lists": "disjoint", "engine": "bits"}


def test_a_certificate_that_a_clock_takes_for_expired_or_not_begun_serves(three, tmp_path):
    make_certificate(three.home(0), "node", (400, 800))
    make_certificate(three.home(1), "node", (-800, -400))
    outcomes = run_all(three.jobs("sum", TOLD, [[20, 1]] * 3, seconds=40), tmp_path / "run")
    assert three.combine("sum", TOLD, outcomes)["cells"] == [60, None]
