"""Runs a program in another language beside the records as CSV: `python3 -m fairnode_kit.with_files Rscript X`.

Each input lies in the scratch folder as `<name>.csv` with a heading; what is not recorded is an empty cell,
the codes of a list are joined by "|". The program finds everything else in /fairnode/run.json.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from fairnode_kit.run import Input, connect, read_run


def write_csv(records: Input, folder: Path) -> Path:
    """The records of an input as a CSV file in `folder`."""
    target = folder / f"{records.name}.csv"
    with connect() as database:
        view = database.read_parquet(str(records.path))
        types = zip(view.columns, map(str, view.types), strict=True)
        columns = ", ".join(
            f"array_to_string({_quoted(name)}, '|') AS {_quoted(name)}"
            if kind.endswith("[]")
            else _quoted(name)
            for name, kind in types
        )
        view.project(columns).write_csv(str(target), header=True)
    return target


def main(command: list[str]) -> int:
    """Write the files, run the command, and end as it ends."""
    folder = Path(tempfile.gettempdir())
    for records in read_run().inputs.values():
        write_csv(records, folder)
    done = subprocess.run(command, env={**os.environ, "FAIRNODE_FILES": str(folder)}, check=False)
    return done.returncode


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
