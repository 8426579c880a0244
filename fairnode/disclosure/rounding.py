"""What of a shown number is shown: counts to a base, values to a few digits, totals from rounded cells."""

from __future__ import annotations

from math import copysign, isfinite

from fairnode.disclosure.rules import RuleSet
from fairnode.records.result import (
    Key,
    Kind,
    Margin,
    PublicCell,
    PublicTable,
    RecountedCell,
    RecountedTable,
    Status,
    TableSpec,
)


def round_count(n: int, base: int) -> int:
    """`n` to the nearest multiple of `base`, halves upwards."""
    return base * ((2 * n + base) // (2 * base))


def limit_digits(value: float, digits: int) -> float:
    """`value` with that many significant digits."""
    told = float(f"{value:.{digits - 1}e}") or 0.0  # minus zero says no more than zero
    return told if isfinite(told) else copysign(1e308, value)


def public_table(table: RecountedTable, hidden: set[Key], rules: RuleSet) -> PublicTable:
    """The table for everyone: shown cells rounded, the rest hidden, margins summed from what is shown."""
    base = rules.count("rounding.base")
    cells = tuple(
        PublicCell(cell.key, Status.HIDDEN)
        if cell.key in hidden
        else PublicCell(
            cell.key, Status.SHOWN, round_count(cell.n, base), _public_value(cell, table.spec, rules)
        )
        for cell in table.cells
    )
    return PublicTable(table.spec, cells, margins(table.spec, cells), base)


def _public_value(cell: RecountedCell, spec: TableSpec, rules: RuleSet) -> float | None:
    """The value beside n. A proportion comes from rounded counts, so that it tells no more than they do."""
    digits = rules.count("rounding.digits")
    if spec.kind is Kind.PROPORTION:
        base = rules.count("rounding.base")
        return limit_digits(round_count(cell.numerator[0], base) / round_count(cell.n, base), digits)
    return None if cell.v is None else limit_digits(cell.v, digits)


def margins(spec: TableSpec, cells: tuple[PublicCell, ...]) -> tuple[Margin, ...]:
    """The sum over each code of each dimension (where there are two or more), and over all.

    None where no cell under it is shown.
    """
    sums: dict[tuple[int, str], int] = {}
    shown = [(cell.key, cell.n) for cell in cells if cell.n is not None]
    positions = range(len(spec.dimensions)) if len(spec.dimensions) > 1 else ()
    for key, n in shown:
        for position in positions:
            place = (position, key[position])
            sums[place] = sums.get(place, 0) + n
    found = [
        Margin(spec.dimensions[position].variable, code, sums.get((position, code)))
        for position in positions
        for code in spec.dimensions[position].codes
    ]
    return (*found, Margin(None, None, sum(n for _, n in shown) if shown else None))
