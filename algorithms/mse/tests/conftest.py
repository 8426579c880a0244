"""Makes the package importable and hands out the published tables."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from mse.table import Table, read_table  # noqa: E402 - after the path is set


@pytest.fixture(scope="session")
def tables() -> dict[str, Table]:
    """Every published table by name."""
    return {
        path.stem: read_table(path) for path in (HERE / "tables").glob("*.csv") if "scenario" not in path.stem
    }
