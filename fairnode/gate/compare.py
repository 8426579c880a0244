"""The container's numbers against the node's own count: equal, or nothing leaves (P2).

One bit, all or nothing: which cell differed and by how much would itself tell the author something.
"""

from __future__ import annotations

from fairnode.gate.refusals import Refusal, Refused
from fairnode.records.result import Cell, Kind, Recount, RecountedCell, RecountedTable, Result

RELATIVE = 1e-6


def check_equal(result: Result, recount: Recount) -> None:
    """Refuse (`Refused`) unless every count is equal and every value within 1e-6 of the node's.

    Sums are compared relative to the sum of absolute contributions, so that the order in which two
    programs add cannot matter where positive and negative parts cancel.
    """
    mine = {table.spec.id: table for table in recount.tables}
    same = {table.id for table in result.tables} == set(mine) and all(
        _equal_cells(table.cells, mine[table.id]) for table in result.tables
    )
    if not same:
        raise Refused(Refusal.MISMATCH)


def _equal_cells(claimed: tuple[Cell, ...], table: RecountedTable) -> bool:
    """Whether a table's cells are the counted ones, in whatever order."""
    counted = {cell.key: cell for cell in table.cells}
    kind = table.spec.kind
    return len(claimed) == len(counted) and all(
        (mine := counted.get(cell.key)) is not None and _equal(cell, mine, kind) for cell in claimed
    )


def _equal(claimed: Cell, counted: RecountedCell, kind: Kind) -> bool:
    """Whether a claimed cell is the counted one. Values of empty cells are not looked at: there are none."""
    if claimed.n != counted.n:
        return False
    if kind in {Kind.COUNT, Kind.PAIR} or counted.n == 0:
        return True
    if claimed.v is None or counted.v is None:
        return False
    scale = max(abs(claimed.v), abs(counted.v))
    if kind is Kind.SPREAD:
        # squares cancel worse than sums; a spread of nothing but rounding is nothing
        return abs(claimed.v - counted.v) <= max(RELATIVE * scale, RELATIVE)
    if kind is not Kind.PROPORTION:
        scale = max(scale, counted.magnitude / (counted.n if kind is Kind.MEAN else 1))
    return abs(claimed.v - counted.v) <= RELATIVE * scale
