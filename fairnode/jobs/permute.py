"""Child job: the rows of a view in another order, drawn anew, for the second run of a visit of class B.

Job: {"view": path, "output": path}
Result: {"rows": n}
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from fairnode.jobs.process import main

_WRITE = 50_000  # rows a group, as `fairnode.jobs.view` writes them


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Write the permuted view; the file appears whole or not at all."""
    table = pq.read_table(job["view"])
    order = np.random.default_rng().permutation(table.num_rows)
    output = Path(job["output"])
    part = output.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        pq.write_table(table.take(order), file, row_group_size=_WRITE, compression="zstd")
    part.replace(output)
    return {"rows": table.num_rows}


if __name__ == "__main__":
    main(run)
