"""One node harvests the FAIR Data Point of another, with the commands that an operator has."""

from __future__ import annotations

import json
import threading

import pytest
from click.testing import CliRunner

from fairnode.app import make_server
from fairnode.cli.main import fairnode
from fairnode.config import Config, Harvest, Organisation
from fairnode.demo.members import free_ports
from fairnode.ledger.commit import Entry, commit
from fairnode.new_node import make_node
from fairnode.node import open_node
from fairnode.records.rows import Dataset

from .conftest import record


@pytest.fixture
def other(tmp_path):
    """Another node with one dataset, answering on a loopback port."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    make_node(
        Config(tmp_path / "other", "other", url, "127.0.0.1", port, Organisation("The police", "police"))
    )
    node = open_node(tmp_path / "other")
    iri = f"{url}/dataset/victims"
    row = Dataset("victims", iri, "V", record(iri).encode(), "", {}, 1, "published", "l", "2026-11-21T00:00:00Z",
                  "2026-11-21T00:00:00Z")  # fmt: skip
    commit(node.desk, lambda tx: tx.add(row), Entry("dataset.published", "victims", "node"))
    server = make_server(node)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield node
    server.stop()
    thread.join(10)
    node.close()


@pytest.fixture
def home(tmp_path, other):
    """The directory of a node that may harvest it."""
    allowed = Harvest((other.iri,), ("127.0.0.1",))
    make_node(Config(tmp_path / "home", "home", "https://home.example", "127.0.0.1", 1, Organisation("Home"),
                     harvest=allowed))  # fmt: skip
    return tmp_path / "home"


def run(home, *told: str, code: int = 0):
    done = CliRunner().invoke(fairnode, [*told, "--dir", str(home), "--json"])
    if done.exception and not isinstance(done.exception, SystemExit):
        assert getattr(done.exception, "exit_code", None) == code, done.exception
        return None
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_a_node_finds_the_datasets_of_another_that_is_no_member(home, other) -> None:
    run(home, "harvest", "add", other.iri)
    (told,) = run(home, "harvest", "run")
    assert (told["datasets"], told["changed"], told["gone"], told["refused"]) == (1, 1, 0, 0)
    (found,) = run(home, "dataset", "search", "victims", "--variable", "exploitationForm", "--year", "2012")
    assert found["iri"] == f"{other.iri}/dataset/victims"
    assert {"facet", "value", "datasets"} >= set(
        next(iter(run(home, "dataset", "search", "--facets")), {"facet": ""})
    )
    (listed,) = run(home, "harvest", "list")
    assert (listed["datasets"], listed["trouble"]) == (1, "")
    (again,) = run(home, "harvest", "run")
    assert again["changed"] == 0, "the same state is served as the same bytes"
    assert run(home, "harvest", "rebuild") == {"datasets": 1}
    assert run(home, "harvest", "remove", other.iri)["datasets"] == 1
    assert run(home, "dataset", "search", "victims") == []


def test_trouble_at_one_source_is_told_by_the_exit_code_and_keeps_the_rest(home, other, make_point) -> None:
    point = make_point().honest(1)
    text = (home / "node.toml").read_text()
    (home / "node.toml").write_text(text.replace("allow = [", f'allow = ["{point.url}", '))
    run(home, "harvest", "add", other.iri)
    run(home, "harvest", "add", point.url)
    run(home, "harvest", "run")
    point.pages.clear()
    run(home, "harvest", "run", code=6)
    assert len(run(home, "dataset", "search")) == 2
    run(home, "harvest", "add", "https://elsewhere.example", code=4)
    run(home, "harvest", "add", point.url, code=5)
