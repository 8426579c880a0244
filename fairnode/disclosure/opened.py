"""Combined tables beside each other: which cells of a new one are kept back for what it tells with earlier ones.

Of a combined table only the cells that the opening rule allows are opened, and no true margin (P5). But two tables
of the same persons have the same total, and the same counts of what they share: where all cells of one are shown,
a lone hidden cell of the other is what is left. Compute parties see one table only, so this is judged where
all are known: at the node that they are opened to, before anybody there sees the new one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from fairnode.disclosure.audit import Audit, Question, needs_search
from fairnode.disclosure.history import EarlierCell, EarlierRelease, EarlierTable, Finer, History
from fairnode.disclosure.links import Links
from fairnode.disclosure.told import Owner, tell
from fairnode.records.result import (
    Condition,
    Key,
    PublicTable,
    Recount,
    RecountedCell,
    RecountedTable,
    TrueMargin,
)

_RULE = "threshold"  # nobody at this node knows which rule hid a cell; none may be found out


@dataclass(frozen=True)
class Opened:
    """The tables of a combined release, and the filter of its study."""

    tables: tuple[PublicTable, ...]
    filter: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Limit:
    """No hidden count may be bounded narrower than `least` persons; `seconds` of computing to see to it."""

    least: int
    seconds: float


def kept_back(
    now: Opened, earlier: Sequence[Opened], limit: Limit, finer: Finer, audit: Audit
) -> frozenset[Owner]:
    """The shown cells of `now` that have to be hidden because of `earlier` tables over the same data.

    Rounded totals are taken for true ones, and every variable for recorded of everybody: whoever reads the tables
    may well do so. Where that contradicts itself the nearest true totals are taken. If the search takes too long,
    all cells that could tell anything are named.
    """
    recount = Recount(tuple(_counted(table) for table in now.tables), 0, now.filter)
    hidden = {(t.spec.id, c.key): _RULE for t in now.tables for c in t.cells if c.n is None}
    releases = tuple(_release(number, opened) for number, opened in enumerate(earlier))
    joints = tell(recount, hidden, History(releases, finer=finer), limit.least)
    question = Question(Links((), ()), limit.least, limit.seconds, joints)
    return frozenset(audit(question).hide if needs_search(question) else ())


def _release(number: int, opened: Opened) -> EarlierRelease:
    tables = tuple(
        EarlierTable(
            table.spec,
            tuple(EarlierCell(cell.key, cell.n or 0, cell.n is not None) for cell in table.cells),
            tuple(_margins(table)),
        )
        for table in opened.tables
    )
    return EarlierRelease(f"{number:06}", "", frozenset({""}), date.min, "", opened.filter, tables)


def _counted(table: PublicTable) -> RecountedTable:
    cells = tuple(RecountedCell(cell.key, cell.n or 0, cell.n or 0, None) for cell in table.cells)
    return RecountedTable(table.spec, cells, tuple(_margins(table)))


def _margins(table: PublicTable) -> Iterator[TrueMargin]:
    """Sums of cells without each dimension, as they are if every code is named and recorded of everybody."""
    axes = range(len(table.spec.dimensions))
    for place in axes:
        sums: defaultdict[Key, int] = defaultdict(int)
        for cell in table.cells:
            sums[cell.key[:place] + cell.key[place + 1 :]] += cell.n or 0
        others = tuple(axis for axis in axes if axis != place)
        yield from (TrueMargin(others, key, n) for key, n in sums.items())
