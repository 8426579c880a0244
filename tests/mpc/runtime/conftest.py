import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from mpc_network import Network, warm_parties

from fairnode.mpc.party.start import WarmParties


@pytest.fixture(scope="session", autouse=True)
def warm(tmp_path_factory):
    with WarmParties(tmp_path_factory.mktemp("warm")) as server:
        warm_parties.append(server)
        yield
        warm_parties.clear()


@pytest.fixture
def three(tmp_path):
    with Network(tmp_path / "network") as network:
        yield network
