"""What a study costs on the wire, and how soon the researcher sees a release: python -m benchmarks network.

Messages of one combined study over six nodes, three of which compute: counted in the real outboxes. Latency:
from the line in the sender's outbox until the home node has taken it in, through the real door and postman.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.network.mailbox import message_to_json
from fairnode.node import Node
from fairnode.records.rows import Message, Received
from fairnode.worker.postman import Postman
from tests.network.conftest import listening
from tests.network.town import KEYS, Town, agreement_of, join_all, make_nodes

CELLS = (200, 100, 50, 25)
TIMES = 20


def row(name: str, ours: float, goal: float, unit: str) -> dict[str, Any]:
    """One row of a benchmark; the goal is a limit from above."""
    return {
        "name": name,
        "ours": round(ours, 3),
        "peer": None,
        "ratio": None,
        "goal": goal,
        "unit": unit,
        "holds": ours <= goal,
    }


def overhead(town: Town) -> list[dict[str, Any]]:
    """Messages and bytes that a node sends for one study; the busiest node is told."""
    study = town.gather(dict.fromkeys(KEYS, CELLS))
    town.compute()
    assert town.finish(study), "the study has a result"
    sent: dict[str, list[int]] = defaultdict(list)
    for key, node in town.nodes.items():
        with node.store.read() as reader:
            messages = [m for m in reader.find(Message, {"study": study}) if m.receiver != node.iri]
        sent[key] = [len(json.dumps(message_to_json(m, node.iri))) for m in messages]
    most = max(len(sizes) for sizes in sent.values())
    data = [sum(sent[key]) / 1024 for key in ("shelters", "kmar", "others")]
    return [
        row("network.messages_of_the_home_node", most, 30, "messages"),
        row(
            "network.messages_of_a_contributor", max(len(sent[k]) for k in ("kmar", "others")), 10, "messages"
        ),
        row("network.bytes_of_a_contributor", max(data), 64, "KiB"),
        row("network.bytes_of_a_study", sum(map(sum, sent.values())) / 1024, 512, "KiB"),
    ]


def latency(sender: Node, home: Node) -> list[dict[str, Any]]:
    """Seconds from a message in the outbox until it was taken in at the home node."""
    stop = threading.Event()
    with listening(sender):
        Postman(home, stop).look_after()
        time.sleep(1.0)
        seconds = [_one(sender, home, number) for number in range(TIMES)]
        stop.set()
    return [
        row("network.release_to_researcher_median", statistics.median(seconds), 1.0, "s"),
        row("network.release_to_researcher_most", max(seconds), 1.0, "s"),
    ]


def _one(sender: Node, home: Node, number: int) -> float:
    """One message on its way."""
    message = Outgoing(home.iri, "release", "", {"number": number})
    commit(sender.desk, lambda _: None, Entry("bench.sent", str(number), "node"), (message,))
    began = time.monotonic()
    with sender.store.read() as reader:
        sent = reader.last(Message)
    assert sent is not None
    while time.monotonic() - began < 30:
        with home.store.read() as reader:
            if reader.get(Received, f"{sender.iri}#{sent.id}"):
                return time.monotonic() - began
        time.sleep(0.005)
    return 30.0


def rows() -> list[dict[str, Any]]:
    """The rows of this benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        nodes = make_nodes(Path(folder), KEYS)
        join_all(nodes, agreement_of(nodes))
        town = Town(nodes)
        town.know_each_other()
        found = [*overhead(town), *latency(nodes["police"], town.home)]
        for node in nodes.values():
            node.close()
    return found


if __name__ == "__main__":
    json.dump(rows(), sys.stdout, indent=1)
