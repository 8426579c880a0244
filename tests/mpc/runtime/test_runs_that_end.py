"""What goes wrong at one party ends the run at every honest one, with a reason that names the party.

Bounds of time are for a machine that does much else; `benchmarks/mpc/ends.py` measures from the moment itself.
"""

import time

import pytest
from mpc_network import Network, Party, make_certificate, run_all

LONG = pytest.mark.long
PARAMETERS = {
    "cells": 4,
    "k": 11,
    "base": 5,
    "earlier": 0,
    "largest": 100_000,
    "lists": "disjoint",
    "engine": "bits",
}
INPUTS = [[20, 1, 0, 7], [30, 0, 2, 9], [40, 3, 0, 50]]


def reasons(outcomes):
    return [(o["reason"]["code"], o["reason"]["party"]) for o in outcomes if o is not None]


def ended(three, tmp_path, odd, party, limit=20.0, engine="bits"):
    """The reasons at the honest parties, and how long it took."""
    jobs = three.jobs("sum", PARAMETERS | {"engine": engine}, INPUTS, limit)
    started = time.monotonic()
    outcomes = run_all(jobs, tmp_path / "run", {party: odd})
    seconds = time.monotonic() - started
    assert all("output" not in outcome for outcome in outcomes if outcome)
    return reasons(outcomes), seconds


@pytest.mark.parametrize(
    ("how", "party"),
    [("dies", 0), ("dies", 2), ("dies-at-hello", 1), pytest.param("dies-at-hello", 0, marks=LONG)],
)
def test_a_party_that_dies_is_named_at_once(three, tmp_path, how, party):
    said, seconds = ended(three, tmp_path, how, party)
    assert said == [("lost", party)] * 2
    assert seconds < 10


@LONG
@pytest.mark.parametrize("how", ["dies", "garbage"])
def test_four_honest_parties_of_five_name_the_fifth(tmp_path, how):
    with Network(tmp_path / "network", 5) as five:
        jobs = five.jobs("sum", PARAMETERS, [*INPUTS, INPUTS[0]])
        outcomes = run_all(jobs, tmp_path / "run", {2: how})
    assert reasons(outcomes) == [("lost" if how == "dies" else how, 2)] * 4


@pytest.mark.parametrize("party", [1, pytest.param(0, marks=LONG)])
def test_a_party_that_stalls_is_named_at_the_deadline(three, tmp_path, party):
    said, seconds = ended(three, tmp_path, "stalls", party, limit=5.0)
    assert said == [("stalled", party)] * 2
    assert 4 < seconds < 15


@pytest.mark.parametrize(
    ("how", "code", "engine"),
    [
        ("garbage", "garbage", "bits"),
        ("oversized", "oversized", "bits"),
        ("cuts-words", "garbage", "bits"),
        pytest.param("lies-about-lengths", "garbage", "bits", marks=LONG),
        pytest.param("malformed", "garbage", "mpyc", marks=LONG),
        ("pickles", "garbage", "mpyc"),
        ("lies-in-hello", "other-inputs", "bits"),
    ],
)
def test_a_party_that_sends_what_it_should_not_is_named(three, tmp_path, how, code, engine):
    said, seconds = ended(three, tmp_path, how, 1, engine=engine)
    assert said == [(code, 1)] * 2
    assert seconds < 10


def test_a_party_that_sends_arrays_of_another_length_is_named_or_names_another(three, tmp_path):
    jobs = three.jobs("sum", PARAMETERS | {"engine": "mpyc"}, INPUTS)
    for outcome in run_all(jobs, tmp_path / "run", {1: "short"}):
        if outcome is not None:
            assert outcome["reason"]["code"] == "garbage"
            assert outcome["reason"]["party"] == 1 or outcome["reason"]["told_by"] == 1


def test_a_party_that_floods_the_others_is_named(three, tmp_path):
    jobs = three.jobs("sum", PARAMETERS, INPUTS)
    jobs = [job | {"limits": {"message": 64 << 10, "waiting": 256 << 10}} for job in jobs]
    assert reasons(run_all(jobs, tmp_path / "run", {1: "hoards"})) == [("oversized", 1)] * 2


def test_a_program_that_fails_ends_the_run_everywhere_without_its_message(three, tmp_path):
    jobs = three.jobs("sum", PARAMETERS, INPUTS)
    parties = [
        Party(job, tmp_path / f"{i}", "odd_party.py raises" if i == 2 else None) for i, job in enumerate(jobs)
    ]
    try:
        outcomes = [party.outcome() for party in parties]
    finally:
        for party in parties:
            party.kill()
    assert reasons(outcomes) == [("fault", 2)] * 3
    assert all("424242" not in file.read_text() for file in tmp_path.glob("*/log"))


@pytest.mark.parametrize("party", [0, 1, pytest.param(2, marks=LONG)])
def test_a_foreign_party_is_refused_by_its_certificate(three, tmp_path, party):
    certificate, key = make_certificate(tmp_path, "foreign")
    jobs = three.jobs("sum", PARAMETERS, INPUTS, seconds=6)
    jobs[party] |= {"certificate": str(certificate), "key": str(key), "seconds": 1.2}
    started = time.monotonic()
    outcomes = run_all(jobs, tmp_path / "run")
    del outcomes[party]
    assert reasons(outcomes) == [("foreign", party)] * 2
    assert time.monotonic() - started < 6


def test_a_party_with_the_right_certificate_and_another_number_is_foreign(three, tmp_path):
    jobs = three.jobs("sum", PARAMETERS, INPUTS, seconds=6)
    jobs[0] |= {"certificate": jobs[2]["certificate"], "key": jobs[2]["key"], "seconds": 1.2}
    outcomes = run_all(jobs, tmp_path / "run")
    assert reasons(outcomes[1:]) == [("foreign", 0)] * 2


def test_a_party_that_speaks_another_version_is_named_at_once(three, tmp_path):
    said, seconds = ended(three, tmp_path, "speaks-another-version", 0)
    assert said == [("other-engine", 0)] * 2
    assert seconds < 10


def test_a_party_that_never_comes_is_named(three, tmp_path):
    jobs = three.jobs("sum", PARAMETERS, INPUTS)
    for job in jobs:
        job["join_seconds"] = 4
    outcomes = run_all(jobs[:2], tmp_path / "run")
    assert reasons(outcomes) == [("absent", 2)] * 2


def test_a_party_may_come_late(three, tmp_path):
    jobs = three.jobs("sum", PARAMETERS, INPUTS)
    early = [Party(job, tmp_path / f"{i}") for i, job in enumerate(jobs[1:])]
    time.sleep(1)
    late = Party(jobs[0], tmp_path / "late")
    try:
        outcomes = [party.outcome() for party in (late, *early)]
    finally:
        for party in (late, *early):
            party.kill()
    assert [outcome["outcome"] for outcome in outcomes] == ["done"] * 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"program": {"name": "sum", "digest": "00" * 32}}, "other-program"),
        ({"parameters": PARAMETERS | {"k": 12}}, "other-parameters"),
        ({"recipient": "11" * 32}, "other-parameters"),
        ({"study": "cd" * 32}, "input"),
        pytest.param({"attempt": 2}, "input", marks=LONG),
    ],
)
def test_a_party_that_is_about_to_do_something_else_is_named(three, tmp_path, change, code):
    jobs = three.jobs("sum", PARAMETERS, INPUTS)
    jobs[1] |= change
    assert reasons(run_all(jobs, tmp_path / "run")) == [(code, 1)] * 3


def test_an_input_that_one_party_did_not_get_ends_the_run_everywhere(three, tmp_path):
    jobs = three.jobs("sum", PARAMETERS, INPUTS)
    (three.home(1) / "0.block").write_bytes(b"\0" * 40)
    outcomes = run_all(jobs, tmp_path / "run")
    assert reasons(outcomes) == [("input", 1)] * 3
    assert "org0.example" in outcomes[0]["reason"]["sentence"]


def test_a_run_that_ended_may_be_started_again_with_the_same_shares(three, tmp_path):
    jobs = three.jobs("sum", PARAMETERS, INPUTS)
    assert reasons(run_all(jobs, tmp_path / "first", {1: "dies"})) == [("lost", 1)] * 2
    outcomes = run_all(jobs, tmp_path / "second")
    assert three.combine("sum", PARAMETERS, outcomes)["cells"] == [90, None, None, 65]
