import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from mpc_network import Network


@pytest.fixture
def three(tmp_path):
    with Network(tmp_path / "network") as network:
        yield network
