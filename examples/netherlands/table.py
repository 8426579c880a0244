"""The published overlap table: who reported the same person, summed over 2010-2015.

Source: Silverman (2020), JRSS A 183:691, table 2 (arXiv:1902.06078), from van Dijk, Cruyff, van der Heijden
and Kragten-Heerdink (2017), UNODC Research Brief on target 16.2. The letters are theirs.
"""

from __future__ import annotations

import csv
from pathlib import Path

LISTS = {
    "P": "police",
    "K": "kmar",
    "I": "labour",
    "R": "coordinators",
    "O": "shelters",
    "Z": "others",
}
"""Letter of the publication -> key of the organisation in this example."""

Pattern = tuple[str, ...]


def published() -> dict[Pattern, int]:
    """Persons by the set of lists they are on: letters in alphabetical order -> count (24 patterns > 0)."""
    with Path(__file__).with_name("overlap.csv").open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        tuple(letter for letter in sorted(LISTS) if row[letter] == "1"): int(row["count"]) for row in rows
    }
