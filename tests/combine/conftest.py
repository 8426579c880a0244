"""A town of four organisations, three of which compute; copied for each test that changes it."""

from __future__ import annotations

import shutil

import pytest

from fairnode.mpc.party.start import WarmParties
from fairnode.node import open_node
from tests.network.town import Town, agreement_of, join_all, make_nodes

FOUR = ("police", "labour", "coordinators", "kmar")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    nodes = make_nodes(folder, (*FOUR, "others"))
    join_all(nodes, agreement_of(nodes))
    Town(nodes).know_each_other()
    for node in nodes.values():
        node.close()
    return folder


@pytest.fixture(scope="session")
def warm(tmp_path_factory):
    """The warm server of a node, here of all of them."""
    with WarmParties(tmp_path_factory.mktemp("warm")) as parties:
        yield parties


def _opened(built, folder, warm):
    shutil.copytree(built, folder)
    town = Town({path.name: open_node(path) for path in sorted(folder.iterdir())}, warm=warm)
    yield town
    for node in town.nodes.values():
        node.close()


@pytest.fixture
def town(built, tmp_path, warm):
    yield from _opened(built, tmp_path / "town", warm)


@pytest.fixture(scope="module")
def one_town(built, tmp_path_factory, warm):
    """The same town for all tests of a module, which tell one story."""
    yield from _opened(built, tmp_path_factory.mktemp("story") / "town", warm)
