"""Child job: a view cut into disjoint parts by person, each in one part, by chance and anew each time.

Job: {"view": path, "companion": path, "outputs": [paths]}
Result: {"rows": [n in each]}
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fairnode.jobs.process import main


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Write the parts. View and companion have the same rows in the same order (`fairnode.jobs.view`)."""
    view = pq.read_table(job["view"])
    persons = pq.read_table(job["companion"], columns=["person"])["person"].to_numpy()
    _, person = np.unique(persons, return_inverse=True)
    outputs = job["outputs"]
    # each person by themselves, so that one more or less changes one part and nothing else
    part_of = np.random.default_rng().integers(len(outputs), size=len(persons))[person]
    return {
        "rows": [_write(view.filter(pa.array(part_of == n)), Path(path)) for n, path in enumerate(outputs)]
    }


def _write(part: pa.Table, output: Path) -> int:
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        pq.write_table(part, file, compression="zstd")
    return int(part.num_rows)


if __name__ == "__main__":
    main(run)
