"""Reading and checking a table of capture histories."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import TableError
from .patterns import Ints, masks_of_order, sizes, superset_sums

MAX_PERSONS = 10**11
MAX_COLUMNS = 60
MAX_BYTES = 20_000_000
WHOLE = re.compile(r"\+?[0-9]{1,15}(\.0*)?")


@dataclass(frozen=True, eq=False)
class Table:
    """Persons by pattern of lists: `counts` has shape (2^t,), index = mask, counts[0] = 0 (unseen)."""

    lists: tuple[str, ...]
    counts: Ints

    @property
    def persons(self) -> int:
        """Number of persons on at least one list (n)."""
        return int(self.counts.sum())

    @property
    def by_lists(self) -> tuple[int, ...]:
        """f_1 .. f_t: persons on exactly k lists."""
        width = sizes(len(self.lists))
        return tuple(int(self.counts[width == k].sum()) for k in range(1, len(self.lists) + 1))

    @property
    def list_sizes(self) -> tuple[int, ...]:
        """Persons on each list."""
        on = superset_sums(self.counts)
        return tuple(int(on[1 << i]) for i in range(len(self.lists)))

    @property
    def overlaps(self) -> dict[tuple[str, str], int]:
        """Persons on both lists, for every pair of lists."""
        on = superset_sums(self.counts)
        pairs = masks_of_order(len(self.lists), 2)
        names = [tuple(self.lists[i] for i in range(len(self.lists)) if m >> i & 1) for m in pairs]
        return {(a, b): int(on[m]) for (a, b), m in zip(names, pairs, strict=True)}


def read_table(path: Path) -> Table:
    """Read a CSV file: one column a list (0/1), last column `count`; absent patterns count 0.

    Raises TableError with the line and what to do.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TableError(
                f"{path.name} is larger than {MAX_BYTES // 10**6} MB; a table of patterns is not."
            )
        raw = path.read_bytes()
    except OSError as problem:
        raise TableError(f"Cannot read {path.name}: {problem.strerror or problem}.") from problem
    return parse_table(_decode(raw, path.name))


def _decode(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as problem:
        raise TableError(
            f"{name} is not UTF-8 text (byte {problem.start}); save it as CSV UTF-8."
        ) from problem


def parse_table(text: str) -> Table:
    """The same from text already read. Separators `,` `;` and tab are recognised from the header."""
    if "\0" in text:
        raise TableError("The file contains NUL bytes: it is not a CSV text file.")
    rows = _rows(text)
    if not rows:
        raise TableError("The table is empty: a header line (list names, then `count`) is needed.")
    lists = _header(rows[0][1])
    counts = _fill(lists, rows[1:])
    if counts.sum() == 0:
        raise TableError("The table counts nobody: all counts are 0 or there are no rows.")
    if counts.sum() > MAX_PERSONS:
        raise TableError(f"The table counts more than {MAX_PERSONS:,} persons; check the count column.")
    return Table(lists, counts)


def _rows(text: str) -> list[tuple[int, list[str]]]:
    lines = text.splitlines()
    header = next((line for line in lines if line.strip()), "")
    separator = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True, strict=True)
    try:
        found = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as problem:
        raise TableError(f"Line {reader.line_num}: {problem}.") from problem
    return [(number, row) for number, row in found if any(row)]


def _header(cells: list[str]) -> tuple[str, ...]:
    if cells[-1].lower() != "count":
        raise TableError(f"The last column must be named `count`; it is named {cells[-1]!r}.")
    lists = tuple(cells[:-1])
    if not lists:
        raise TableError("The table has no list: columns before `count` are the lists (0/1).")
    if len(lists) > MAX_COLUMNS:
        raise TableError(f"The table has {len(lists)} lists; more than {MAX_COLUMNS} are not read.")
    _check_names(lists)
    return lists


def _check_names(lists: tuple[str, ...]) -> None:
    if "" in lists:
        raise TableError(f"Column {lists.index('') + 1} has no name in the header.")
    twice = sorted({name for name in lists if lists.count(name) > 1})
    if twice:
        raise TableError(f"The header names the list {twice[0]!r} more than once.")
    if all(re.fullmatch(r"[0-9.]+", name) for name in lists):
        raise TableError("The first line looks like data, not list names: add a header line.")


def _fill(lists: tuple[str, ...], rows: list[tuple[int, list[str]]]) -> Ints:
    found: dict[int, tuple[int, int]] = {}
    for line, row in rows:
        mask, count = _row(lists, line, row)
        if mask in found:
            raise TableError(
                f"Line {line} repeats the pattern of line {found[mask][0]}; "
                "each pattern may stand once: add the two counts or correct one pattern."
            )
        found[mask] = (line, count)
    if len(lists) > 16:
        return _fold(found)
    counts = np.zeros(2 ** len(lists), dtype=np.int64)
    for mask, (_, count) in found.items():
        counts[mask] = count
    return counts


def _fold(found: dict[int, tuple[int, int]]) -> Ints:
    """A table too wide to lay out in full is refused by the caller; only the total is kept."""
    counts = np.zeros(2, dtype=np.int64)
    counts[1] = min(sum(count for _, count in found.values()), 2**62)
    return counts


def _row(lists: tuple[str, ...], line: int, row: list[str]) -> tuple[int, int]:
    if len(row) != len(lists) + 1:
        raise TableError(f"Line {line} has {len(row)} columns; the header has {len(lists) + 1}.")
    mask = 0
    for i, cell in enumerate(row[:-1]):
        if cell not in ("0", "1", "0.0", "1.0"):
            raise TableError(f"Line {line}, list {lists[i]!r}: {cell!r} is neither 0 nor 1.")
        mask |= (cell[0] == "1") << i
    if mask == 0:
        raise TableError(
            f"Line {line} counts persons on no list; nobody can have counted them. Remove the row."
        )
    return mask, _count(line, row[-1])


def _count(line: int, cell: str) -> int:
    if WHOLE.fullmatch(cell):
        return int(cell.split(".")[0])
    if cell == "":
        problem = "is missing (write 0 if nobody was counted)"
    elif re.fullmatch(r"-[0-9.]+", cell):
        problem = f"is negative ({cell})"
    elif re.fullmatch(r"[0-9]*\.[0-9]+", cell):
        problem = f"is a fraction ({cell}); suppressed, weighted or averaged counts cannot be used"
    else:
        problem = f"is {cell[:40]!r}, not a whole number of at most 15 digits"
    raise TableError(f"Line {line}: the count {problem}.")
