"""Six organisations, each its own kind of file: every cell of the combined table is that of the files (P4).

The reference is counted from the raw files by `tests.network.plain`, which knows nothing of fairnode, and is
also what the container would have written: each node's own recount must equal it, or its gate refuses.
"""

from __future__ import annotations

import json
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fairnode.combine import announce
from fairnode.demo.make import case_files
from fairnode.demo.members import example
from fairnode.records.rows import Dataset
from fairnode.records.states import VisitState
from tests.network import plain
from tests.network.town import KEYS, Town, agreement_of, join_all, make_nodes

DIMENSIONS = ("exploitationForm", "sex", "ageBroad")


CACHE = Path(__file__).parents[2] / ".cache" / "demo"


@pytest.fixture(scope="module")
def files():
    """The case files of the demo."""
    CACHE.mkdir(parents=True, exist_ok=True)
    return case_files(CACHE)


@pytest.fixture(scope="module")
def six(tmp_path_factory, files, warm):
    """Six nodes with the case files of the demo."""
    nodes = make_nodes(tmp_path_factory.mktemp("six"), KEYS)
    for key, node in nodes.items():
        organisation = next(o for o in example().ORGANISATIONS if o.key == key)
        source = dict(tomllib.loads(example().source(organisation))["source"])
        source["path"] = str(files / key / source["path"])
        with node.store.write() as tx:
            tx.change(tx.one(Dataset), source=source)
    join_all(nodes, agreement_of(nodes))
    town = Town(nodes, warm=warm)
    town.know_each_other()
    yield town
    for node in nodes.values():
        node.close()


def test_every_shown_and_every_hidden_cell_is_that_of_the_plain_rule_over_the_six_files(six, files):
    organisations = {o.key: o for o in example().ORGANISATIONS}
    counted = {key: plain.counts(files, organisations[key], DIMENSIONS) for key in KEYS}
    study = six.ask(KEYS, DIMENSIONS)
    six.carry()
    with ThreadPoolExecutor(3) as pool:
        visits = list(pool.map(lambda key: six.visit_file(key, study, counted[key]), KEYS))
    assert {visit.state for visit in visits} == {VisitState.READY}
    six.carry()
    announce.step_combinations(six.home)
    six.carry()
    for key in KEYS:
        assert six.deal(key, study).state == VisitState.SHARED
    six.carry()
    six.compute()
    (release,) = six.finish(study)
    told = json.loads(release.table)
    (table,) = told["tables"]
    found = {tuple(c["k"]): c.get("n") if c["status"] == "shown" else None for c in table["cells"]}
    # registrations: nobody is counted once only, so K is 2 x 11; a coalition of t = 1 of three parties
    expected = {cell: plain.opened([counted[key][cell] for key in KEYS], 22) for cell in found}
    assert set().union(*counted.values()) - {()} <= {*found, *_open(counted)}
    assert found == expected
    assert sum(n is None for n in found.values()) > 5
    assert sum(n is not None for n in found.values()) > 5
    assert told["combined"]["bound"] == 22
    for margin in table["sumsOfShownCells"]:
        at = DIMENSIONS.index(margin["variable"]) if "variable" in margin else None
        inside = [n for k, n in found.items() if n is not None and (at is None or k[at] == margin["code"])]
        assert margin["n"] == (sum(inside) if inside else None), margin


def _open(counted):
    """Combinations of which a file leaves something open: they are in no cell."""
    return {key for one in counted.values() for key in one if "" in key}
