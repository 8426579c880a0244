"""The rehearsal shows a real run: every message, nothing about the counts in sizes, order or words."""

import json
import random

from click.testing import CliRunner

from fairnode.cli.main import fairnode
from fairnode.mpc.openings import rule
from fairnode.mpc.rehearsal import rehearse


def shape(made):
    """Who sent what to whom, in the order of each pair of parties."""
    pairs = {(s.sender, s.receiver) for s in made.messages}
    return {
        pair: [(s.what, s.size) for s in made.messages if (s.sender, s.receiver) == pair] for pair in pairs
    }


def test_messages_look_the_same_whatever_the_counts_are():
    rng = random.Random(3)
    some = [[rng.choice([0, 3, 12, 50]) for _ in range(130)] for _ in range(4)]
    runs = [rehearse(some), rehearse([[0] * 130] * 4)]
    wanted = [
        rule.rounded(sum(v), 5) if rule.allowed(v, [], 11, 3) else None for v in zip(*some, strict=True)
    ]
    assert runs[0].table["cells"] == wanted
    assert runs[1].table["cells"] == [None] * 130
    assert shape(runs[0]) == shape(runs[1])
    assert len(shape(runs[0])) == 6
    for made in runs:
        for view in made.views:
            assert view.octets > 10_000
            assert abs(view.ones - 0.5) < 0.02
            assert view.chance > 1e-6
        assert [s.opened_values for s in made.statistics] == [0, 0, 0]


def test_the_command_tells_it_to_people_and_machines():
    run = CliRunner().invoke(fairnode, ["rehearse", "--contributors", "3", "--cells", "5", "--json"])
    assert run.exit_code == 0, run.output
    told = json.loads(run.output)
    assert {"from", "to", "bytes", "what"} == set(told["messages"][0])
    assert len(told["views"]) == 3
    assert len(told["table"]["cells"]) == 5
