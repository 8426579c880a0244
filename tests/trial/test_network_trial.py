"""Several twins as a mock network: the table that they would give together, by the rule of combined studies."""

from __future__ import annotations

import json

import pytest

from examples.netherlands import ORGANISATIONS, record
from fairnode.keys import digest
from fairnode.mpc.openings.rule import allowed
from fairnode.records.rows import PeerRecord
from tests.factories import DATASET

pytestmark = pytest.mark.needs_docker


@pytest.fixture(scope="module")
def network(new_site):
    """A node that harvested the records of two others."""
    site, iris = new_site(), []
    with site.open() as node, node.store.write() as tx:
        for place, organisation in enumerate(o for o in ORGANISATIONS if o.key != "police"):
            content = record(organisation, f"http://node{place}.example").encode()
            iri = content.split(b"a dcat:Dataset")[0].rsplit(b"<", 1)[-1].split(b">")[0].decode()
            tx.add(PeerRecord(iri, iri.split("/dataset/")[0], "", content, digest(content), "published", ""))
            iris.append(iri)
    return site, iris


def tried(network, datasets, *, code: int):
    site, _ = network
    options = [word for iri in datasets for word in ("--dataset", iri)]
    told = ["--dimension", "exploitationForm", "--dimension", "sex", "--json"]
    done = site.cli("algorithm", "try", "counts", *options, *told, ok=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_twins_of_other_nodes_are_drawn_from_their_records_and_combined_by_the_rule(network):
    told = json.loads(tried(network, [DATASET, *network[1][:2]], code=0))
    assert [trial["dataset"] for trial in told["trials"]] == [DATASET, *network[1][:2]]
    counts = list(zip(*(trial["counted"][0] for trial in told["trials"]), strict=True))
    assert len(counts) == len(told["cells"])
    for values, cell in zip(counts, told["cells"], strict=True):
        assert (cell["n"] is not None) == allowed(values, [], 22, 3)
        assert cell["n"] is None or abs(cell["n"] - sum(values)) <= 2
        assert bool(cell["why"]) == (cell["n"] is None)
    assert {cell["n"] is None for cell in told["cells"]} == {True, False}


def test_two_are_too_few_and_a_stranger_is_said_so(network):
    site, iris = network
    assert "at least 3 contributing organisations" in tried(network, [DATASET, iris[0]], code=7)
    unknown = site.cli("algorithm", "try", "counts", "--dataset", "http://x.example/dataset/d", ok=False)
    assert unknown.returncode == 3
    assert "network harvest" in unknown.stderr
