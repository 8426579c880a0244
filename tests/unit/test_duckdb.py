"""DuckDB as the node and the kit open it: nothing of its own on a terminal, no setting that can be undone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

KIT = Path(__file__).parents[2] / "algorithms/kit"
OPENED = {
    "node": "from fairnode.jobs.database import open_database; d = open_database(1)",
    "kit": f"import sys; sys.path.insert(0, {str(KIT)!r}); from fairnode_kit import connect; d = connect()",
}


@pytest.mark.parametrize("by", OPENED)
def test_no_progress_bar_is_drawn_where_a_person_seems_to_sit(by):
    """A program without a file is one to DuckDB, as a notebook is."""
    asked = "print(d.execute(\"SELECT current_setting('enable_progress_bar')\").fetchone())"
    done = subprocess.run(
        [sys.executable, "-c", f"{OPENED[by]}\n{asked}"], check=True, capture_output=True, text=True
    )
    assert done.stdout == "(False,)\n"
