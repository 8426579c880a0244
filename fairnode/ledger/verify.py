"""Checking the ledger: every line, every head, every row against the last line about it, every peer head."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fairnode.keys import verify
from fairnode.ledger import merkle
from fairnode.ledger.commit import Desk, head_bytes, row_commitment
from fairnode.records.rows import Head, LedgerLine, PeerHead
from fairnode.store.database import Reader
from fairnode.store.tables import TABLES, UNGUARDED


@dataclass(frozen=True)
class Report:
    """What a check of the ledger found; `problems` is empty when nothing was touched."""

    lines: int
    root: str
    rows: int
    peer_heads: int
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify_ledger(desk: Desk) -> Report:
    """Read everything and check it: the file, lines, tree, heads and their signatures, and the rows."""
    problems = [f"database file: {line}" for line in desk.store.check_file()]
    if problems:
        return Report(0, "", 0, 0, tuple(problems))
    with desk.store.read() as reader:
        try:
            lines, heads = reader.find(LedgerLine), reader.find(Head)
        except (ValueError, TypeError) as error:
            return Report(0, "", 0, 0, (f"ledger: it cannot be read any more ({type(error).__name__})",))
        problems += _check_lines(lines)
        problems += _check_heads(lines, heads, desk.keys.public)
        told = _last_commitments(lines)
        rows, wrong = _check_rows(reader, told, desk.keys.secret)
        peers = reader.count(PeerHead)
    top = heads[-1].root if heads else ""
    return Report(len(lines), top, rows, peers, tuple(problems + wrong))


def _check_lines(lines: list[LedgerLine]) -> Iterator[str]:
    """Numbers without a gap, and columns that say what the signed body says."""
    for expected, line in enumerate(lines, 1):
        try:
            body = dict(json.loads(line.body))
        except (ValueError, TypeError):
            yield f"line {line.id}: its text cannot be read any more"
            continue
        columns = {"number": line.id, "kind": line.kind, "subject": line.subject, "study": line.study}
        if line.id != expected or any(body.get(name) != value for name, value in columns.items()):
            yield f"line {line.id}: it is not the line that was written"
        if merkle.leaf_hash(_bytes(line)).hex() != line.leaf:
            yield f"line {line.id}: its text was changed"


def _bytes(line: LedgerLine) -> bytes:
    """The text of a line; who changed it by hand may have left something else than bytes."""
    return line.body if isinstance(line.body, bytes) else b"not bytes"


def _check_heads(lines: list[LedgerLine], heads: list[Head], public: str) -> Iterator[str]:
    """After each line a signed head, whose root is the tree's."""
    if len(heads) != len(lines):
        yield f"there are {len(lines)} lines but {len(heads)} signed heads"
    peaks: list[bytes] = []
    for size, (line, head) in enumerate(zip(lines, heads, strict=False), 1):
        peaks = merkle.add_peak(peaks, size - 1, merkle.leaf_hash(_bytes(line)))
        if head.id != size or merkle.root_of_peaks(peaks).hex() != head.root:
            yield f"head {head.id}: its root is not that of the lines below it"
        if [p.hex() for p in peaks] != head.peaks:
            yield f"head {head.id}: its peaks are not those of the lines below it"
        try:
            signature = bytes.fromhex(head.signature)
        except (ValueError, TypeError):
            signature = b""
        if not verify(public, signature, head_bytes(head.id, head.root, head.at)):
            yield f"head {head.id}: its signature is not this node's"


def _last_commitments(lines: list[LedgerLine]) -> dict[str, str]:
    """For each row ever written, what the last line about it committed to."""
    told: dict[str, str] = {}
    for line in lines:
        try:
            told.update(json.loads(line.body)["rows"])
        except (ValueError, KeyError, TypeError):
            continue  # reported by _check_lines
    return told


def _check_rows(reader: Reader, told: dict[str, str], secret: bytes) -> tuple[int, list[str]]:
    """Every guarded row is as its last line says; none is missing, none came in another way."""
    wrong, seen = [], set()
    for kind, table in TABLES.items():
        if kind in UNGUARDED:
            continue
        try:
            found: list[Any] = reader.find(kind)
        except (ValueError, TypeError) as error:
            wrong.append(f"{table.name}: a row cannot be read any more ({type(error).__name__})")
            continue
        for row in found:
            name = f"{table.name}/{row.id}"
            seen.add(name)
            if told.get(name) != row_commitment(row, secret):
                wrong.append(f"{name}: it is not what the ledger says was written")
    missing = [name for name, what in told.items() if what != "gone" and name not in seen]
    return len(seen), [*wrong, *(f"{name}: it was taken away" for name in missing)]
