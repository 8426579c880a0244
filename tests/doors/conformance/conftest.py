"""One node with nothing but metadata: records in a directory, no agreement, no engine, served as it is."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fairnode.config import Config, Organisation
from fairnode.demo.members import free_ports
from fairnode.keys import digest
from fairnode.ledger import Entry, commit
from fairnode.metadata import keep
from fairnode.new_node import make_node
from fairnode.node import Node, open_node
from fairnode.records.rows import DatasetVersion
from tests.doors.conformance.point import Point

EXAMPLES = Path(__file__).parents[3] / "ontology" / "examples"


def record(node: Node, example: str, key: str, **changes: str) -> bytes:
    """A record of the ontology's own examples, as that of this node's dataset `key`."""
    text = (EXAMPLES / f"{example}.ttl").read_text(encoding="utf-8").replace("https://node.example", node.iri)
    start = text.index(f"<{node.iri}/dataset/") + 1
    text = text.replace(text[start : text.index(">", start)], f"{node.iri}/dataset/{key}")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text.encode()


def fill(node: Node) -> None:
    """Put in datasets of every state."""
    examples = {
        "full": "dataset/pass-full",
        "least": "dataset/pass-least",
        "described": "description/pass-full",
    }
    for key, example in examples.items():
        keep.add_dataset(node, record(node, example, key), {}, "tests")
    for key in ("changed", "gone", "draft"):
        _again(node, key)
    second = record(node, "dataset/pass-full", "changed", Victims="Presumed victims")
    keep.change_dataset(node, "changed", "tests", turtle=second)
    keep.withdraw_dataset(node, "gone", "tests")


def _again(node: Node, key: str) -> None:
    """The full record once more, without the seconds that its check takes."""
    turtle = record(node, "dataset/pass-full", key)
    state = "draft" if key == "draft" else "published"
    values = {"id": key, "iri": f"{node.iri}/dataset/{key}", "record": turtle, "sha256": digest(turtle)}
    row = replace(keep.dataset(node, "full"), **values, state=state)
    version = DatasetVersion(f"{key}/1", key, 1, turtle, row.sha256, row.created)
    commit(node.desk, lambda tx: (tx.add(row), tx.add(version)), Entry("dataset.added", key, "tests"))


@pytest.fixture(scope="session")
def point(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Point]:
    """The node, answering."""
    folder, port = tmp_path_factory.mktemp("point") / "node", free_ports(1)[0]
    organisation = Organisation("Shelter North", "shelter")
    make_node(Config(folder, "shelter", f"http://127.0.0.1:{port}", "127.0.0.1", port, organisation))
    node = open_node(folder)
    fill(node)
    node.close()
    command = [
        sys.executable,
        "-c",
        "from fairnode.cli.main import main; main()",
        "serve",
        "--dir",
        str(folder),
    ]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        _wait(f"{node.iri}/health", process)
        asked = Point(node.iri)
        yield asked
        asked.http.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until it answers."""
    until = time.monotonic() + 180
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert process.poll() is None, "the web process ended"
            time.sleep(0.1)
    raise AssertionError("the web process does not answer")
