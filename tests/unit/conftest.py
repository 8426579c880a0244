"""A small node without people and data: database, keys and a ledger with one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fairnode.config import Config, Organisation
from fairnode.new_node import make_node
from fairnode.node import open_node


@pytest.fixture(scope="session")
def empty_node(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("empty") / "node"
    make_node(Config(folder, "empty", "http://empty.example", "127.0.0.1", 1, Organisation("Empty")))
    return folder


@pytest.fixture
def node(empty_node, tmp_path):
    """A node that a test may change."""
    shutil.copytree(empty_node, tmp_path / "node")
    made = open_node(tmp_path / "node")
    yield made
    made.close()
