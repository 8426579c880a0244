"""An algorithm that does wrong in the way that its parameter says; otherwise it counts."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from counts import counts
from fairnode_kit import Run, main

RESULT = Path("/fairnode/out/result")


def misbehave(run: Run) -> dict[str, dict[tuple[str, ...], int]]:
    """The right counts, but for what was asked."""
    how = run.parameters["how"]
    if how == "exits with 1":
        sys.exit(1)
    if how == "runs past its time":
        time.sleep(600)
    if how in ("writes nothing", "writes nonsense"):
        RESULT.write_bytes(b"" if how == "writes nothing" else b"\x00{nonsense")
        sys.exit(0)
    tables = counts(run)
    if how == "lies about a count":
        table = next(iter(tables.values()))
        table[max(table, key=lambda key: table[key])] += 1
    return tables


if __name__ == "__main__":
    main(misbehave)
