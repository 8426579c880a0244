"""What every reader gives: the columns that were asked for and an iterator over rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from fairnode.errors import Finding, NotValid

Row = Sequence[object]


@dataclass(frozen=True)
class Table:
    """Names of columns and the rows, each as long as `columns`; `sha256` of the file where it is one."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
    sha256: str = ""


def places(header: Sequence[str], wanted: Sequence[str] | None) -> tuple[int, ...]:
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
