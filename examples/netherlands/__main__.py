"""`python -m examples.netherlands FOLDER [SEED]`: write the six case files."""

from __future__ import annotations

import sys
from pathlib import Path

from .case_files import SEED, expand


def main(arguments: list[str]) -> int:
    """Write the files and say what was written."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("usage: python -m examples.netherlands FOLDER [SEED]\n")
        return 2
    seed = int(arguments[1]) if len(arguments) == 2 else SEED
    for key, rows in expand(Path(arguments[0]), seed).items():
        sys.stdout.write(f"{key:14}{rows:6} registrations\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
