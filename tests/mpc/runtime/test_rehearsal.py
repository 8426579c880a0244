"""The rehearsal shows a real run: every message, nothing about the counts in sizes, order or words."""

import json
import random
import re
from functools import reduce
from operator import xor

import pytest
from click.testing import CliRunner

from fairnode import errors
from fairnode.cli.main import fairnode
from fairnode.cli.synthetic import counted
from fairnode.cli.transcript import transcript_page
from fairnode.demo.members import example
from fairnode.mpc.openings import rule
from fairnode.mpc.rehearsal import rehearse
from fairnode.records.rows import Dataset
from tests.network.town import make_nodes


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


def test_the_page_shows_every_message_beside_what_it_did_not_tell(tmp_path):
    made = rehearse([[1, 20, 0], [2, 30, 0], [3, 8, 0], [0, 9, 4]])
    zeros = rehearse([[0] * 3] * 4)
    page = transcript_page(made, zeros, ["Police <b>", "Care", "Shelters", "Inspectors"], ["a", "b", "c"])
    rows = re.findall(r"<td>computer \d</td>", page)
    assert len(rows) == len(made.messages)
    assert all(seen.begins.hex(" ") in page for seen in made.messages)
    assert "Police &lt;b&gt;" in page
    assert "the same messages went from whom to whom" in " ".join(page.split())
    assert all(sentence[:40] in page for sentence in ("The programs are new and have not been rev",))
    assert not re.search(r"(src|href)=\"https?:", page)  # nothing is loaded from elsewhere
    for held, counts in zip(made.held, made.counts, strict=True):
        assert len(held.parts) == 3
        assert (
            tuple(reduce(xor, column) for column in zip(*(n for _, n in held.parts), strict=True)) == counts
        )


@pytest.mark.long
def test_a_run_whose_messages_tell_zeros_from_counts_is_said_to():
    made, zeros = rehearse([[1, 2]] * 3), rehearse([[0] * 70] * 3)
    page = transcript_page(made, zeros, ["a", "b", "c"], ["x", "y"])
    assert "The messages differ in number or size" in page


@pytest.fixture
def node(tmp_path):
    """A node with one dataset, synthetic or not."""
    (made,) = make_nodes(tmp_path, ("kmar",)).values()
    header = "Registratienr;Geb.datum;Sekse;District;Melddatum;Vorm"
    rows = [f"{n};19900101;vrouw;01;20120301;SEKS" for n in range(30)]
    organisation = next(o for o in example().ORGANISATIONS if o.key == "kmar")
    names = [c.name for c in organisation.columns]
    lines = [dict(zip(header.split(";"), row.split(";"), strict=True)) for row in rows]
    source = made.config.directory / "cases.csv"
    text = [";".join(names), *(";".join(line.get(name, "") for name in names) for line in lines)]
    source.write_text("\n".join(text) + "\n", encoding="utf-8")
    with made.store.write() as tx:
        told = {"kind": "csv", "path": str(source), "encoding": "utf-8", "delimiter": ";"}
        tx.change(tx.get(Dataset, "kmar-victims"), source=told)
    yield made
    made.close()


def test_counts_of_a_synthetic_dataset_go_in_and_of_any_other_no_transcript_is_made(node):
    (one,) = counted([node.config.directory], "sex")
    assert dict(zip(one.codes, one.counts, strict=True))["female"] == 30
    with node.store.write() as tx:
        row = tx.get(Dataset, "kmar-victims")
        tx.change(row, record=row.record.replace(b"fn:synthetic true", b"fn:synthetic false"))
    with pytest.raises(errors.NotAllowed, match="synthetic data only"):
        counted([node.config.directory], "sex")
