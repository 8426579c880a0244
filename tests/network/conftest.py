"""Four nodes, one of them without a port, made once and copied; and mailbox doors that really listen."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager

import pytest

from fairnode.mailboxes.door import make_door
from fairnode.node import open_node
from tests.network.town import agreement_of, join_all, make_nodes

KEYS = ("police", "labour", "coordinators", "shelters")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nodes")
    for node in make_nodes(folder, KEYS).values():
        node.close()
    return folder


def opened(made, folder):
    shutil.copytree(made, folder)
    return {path.name: open_node(path) for path in sorted(folder.iterdir())}


@pytest.fixture(scope="session")
def nodes(made, tmp_path_factory):
    """Nodes without an agreement; tests leave them as they are."""
    found = opened(made, tmp_path_factory.mktemp("apart") / "nodes")
    yield found
    for node in found.values():
        node.close()


@pytest.fixture(scope="module")
def network(made, tmp_path_factory):
    """Nodes with an agreement, for the tests of one module."""
    found = opened(made, tmp_path_factory.mktemp("network") / "nodes")
    join_all(found, agreement_of(found))
    yield found
    for node in found.values():
        node.close()


@contextmanager
def listening(node):
    """The mailbox door of a node, open for a while."""
    door = make_door(node)
    door.prepare()
    thread = threading.Thread(target=door.serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        door.stop()
        thread.join()
