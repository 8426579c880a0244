"""A node without datasets, people or engine."""

from __future__ import annotations

import pytest

from fairnode.config import Config, Organisation, Settings
from fairnode.new_node import make_node
from fairnode.node import open_node


@pytest.fixture
def node(tmp_path):
    make_node(
        Config(
            tmp_path / "node",
            "a",
            "http://a.example",
            "127.0.0.1",
            1,
            Organisation("A", "police"),
            Settings(),
        )
    )
    made = open_node(tmp_path / "node")
    yield made
    made.store.close()
