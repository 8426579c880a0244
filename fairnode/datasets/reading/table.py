"""What every reader gives: the columns that were asked for and an iterator over rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from fairnode.errors import Finding, NotValid, Unavailable

Row = Sequence[object]

Wanted = Sequence[str] | None
"""The columns that are asked for; None is all."""


@dataclass(frozen=True)
class Table:
    """Names of columns and the rows, each as long as `columns`; `sha256` of the file where it is one."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
    sha256: str = ""


def places(header: Sequence[str], wanted: Wanted) -> tuple[int, ...]:
    """Where in a row of the source the wanted columns stand.

    Raises `NotValid` with a finding for each column that is missing or there twice.
    """
    if wanted is None:
        return tuple(range(len(header)))
    findings = [
        Finding(f"column '{name}'", "is missing" if name not in header else "occurs more than once")
        for name in wanted
        if header.count(name) != 1
    ]
    if findings:
        raise NotValid(
            "The data do not have the columns that the bindings name.",
            to_do="Correct fn:column in the record, or the data; column names count with their capitals.",
            findings=tuple(findings),
            internal=f"columns found: {list(header)}",
        )
    return tuple(list(header).index(name) for name in wanted)


def project(rows: Iterable[Row], at: tuple[int, ...]) -> Iterator[Row]:
    """Of each row the cells at these places."""
    if not at:
        return iter(() for _ in rows)
    if len(at) == 1:
        return ((row[at[0]],) for row in rows)
    return map(itemgetter(*at), rows)


def columns_of(header: Sequence[str], wanted: Wanted) -> tuple[str, ...]:
    """The columns to select. Raises `NotValid` when the table or one of them is not there."""
    if not header:
        raise no_table()
    places(header, wanted)
    return tuple(header) if wanted is None else tuple(wanted)


def no_table() -> NotValid:
    """The error for a table that is not there."""
    return NotValid(
        "The database does not have the table that the source names.",
        to_do="Correct `table` in the description of the source; the node's user must be allowed to read it.",
    )


def no_answer(what: str, internal: str) -> Unavailable:
    """The error for a source that cannot be reached."""
    return Unavailable(
        what,
        to_do="The operator checks the source, and that the node may reach and read it.",
        internal=internal,
    )
