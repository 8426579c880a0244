"""A gated table as CSV."""

from __future__ import annotations

import csv
import io

from fairnode.records.result import Kind, PublicTable


def to_csv(table: PublicTable) -> str:
    """One line a cell: its codes, its status, the rounded count and, if the table has one, the value."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    valued = table.spec.kind not in {Kind.COUNT, Kind.PAIR}
    writer.writerow(
        [*(axis.variable for axis in table.spec.dimensions), "status", "n", *(["v"] if valued else [])]
    )
    for cell in table.cells:
        n, v = _blank(cell.n), _blank(cell.v)
        writer.writerow([*cell.key, cell.status.value, n, *([v] if valued else [])])
    return out.getvalue()


def _blank(value: float | None) -> str:
    return "" if value is None else repr(value)
