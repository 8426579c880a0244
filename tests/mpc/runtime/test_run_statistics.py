"""What a run has to show for itself: the same shape whatever the numbers are, and read back with care."""

import pytest
from mpc_network import run_all

from fairnode.errors import NotValid
from fairnode.mpc.party.statistics import RunStatistics, parse_statistics
from fairnode.mpc.programs import program

TOLD = {"cells": 3, "k": 11, "base": 5, "earlier": 0, "largest": 1000, "lists": "disjoint", "engine": "bits"}


def test_each_party_tells_sizes_counts_and_times_of_its_run(three, tmp_path):
    runs = [
        run_all(three.jobs("sum", TOLD, inputs), tmp_path / name)
        for name, inputs in {"many": [[20, 1, 900]] * 3, "none": [[0, 0, 0]] * 3}.items()
    ]
    told = [[parse_statistics(outcome["statistics"]) for outcome in outcomes] for outcomes in runs]
    for party, seen in enumerate(told[0]):
        assert (seen.party, seen.parties) == (party, 3)
        assert seen.program_digest == program("sum").digest
        assert seen.rounds > 0
        assert seen.messages > 0
        assert seen.peak_memory > 1 << 20
        assert 0 < seen.joining + seen.agreeing + seen.computing <= seen.seconds + 0.01
        assert seen.cpu_seconds > 0
    assert len({seen.inputs for seen in told[0]}) == 1
    assert sum(s.bytes_sent for s in told[0]) >= sum(s.bytes_received for s in told[0]) > 0
    assert [s.opened_values for s in told[0]] == [s.opened_values for s in told[1]]


def test_a_run_that_ended_tells_how_far_it_came(three, tmp_path):
    jobs = three.jobs("sum", TOLD, [[20, 1, 9]] * 3)
    jobs = [job | {"join_seconds": 1.0} for job in jobs]
    outcomes = run_all(jobs, tmp_path, {2: "dies-at-hello"})
    for outcome in (outcomes[0], outcomes[1]):
        assert outcome["outcome"] == "ended"
        assert parse_statistics(outcome["statistics"]).computing == 0.0


@pytest.mark.parametrize(
    "changed",
    [
        {"more": 1},
        {"rounds": -1},
        {"rounds": 1.5},
        {"rounds": True},
        {"engine": "a\n"},
        {"engine": "a" * 201},
        {"seconds": "1"},
        {"bytes_sent": 2**63},
    ],
)
def test_statistics_of_another_node_are_believed_in_form_only(changed):
    with pytest.raises(NotValid):
        parse_statistics(RunStatistics(1, 3).to_json() | changed)


def test_statistics_say_of_which_party_they_are():
    with pytest.raises(NotValid, match="which party"):
        parse_statistics({"rounds": 1})
    assert parse_statistics({"party": 1, "parties": 3}) == RunStatistics(1, 3)
