"""What can be read from a released table of bands: the share still waiting.

Made from shown, rounded counts alone, so that it tells no more than they do.
Source: Kaplan, E. L. and Meier, P. (1958), Nonparametric estimation from incomplete observations, J. Am.
Statist. Ass. 53:457-481; with times grouped in bands, those censored in a band count as there for half of it
(the actuarial estimate, Cutler and Ederer 1958).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairnode.disclosure.merging import band
from fairnode.records.result import Kind, PublicTable

HAPPENED, NOT_YET = "happened", "not-yet"


@dataclass(frozen=True)
class Curve:
    """The share for whom it has not happened yet: (end of band in days, share). The last band may be open."""

    group: tuple[str, ...]
    points: tuple[tuple[int, float], ...]


def is_life_table(table: PublicTable) -> bool:
    """Whether a table counts bands of time by what became of it."""
    axes = table.spec.dimensions
    return table.spec.kind is Kind.COUNT and len(axes) > 1 and axes[1].codes == (HAPPENED, NOT_YET)


def survival(table: PublicTable) -> tuple[Curve, ...]:
    """A curve for each group of a life table; none for a group of which a cell is hidden."""
    if not is_life_table(table):
        return ()
    counts = {cell.key: cell.n for cell in table.cells}
    bands = [code for code in table.spec.dimensions[0].codes if band(code) is not None]
    groups = sorted({cell.key[2:] for cell in table.cells})
    curves = []
    for group in groups:
        lines = [(code, counts[code, HAPPENED, *group], counts[code, NOT_YET, *group]) for code in bands]
        known = [(c, events, left) for c, events, left in lines if events is not None and left is not None]
        if known and len(known) == len(lines):
            curves.append(Curve(group, tuple(_points(known))))
    return tuple(curves)


def _points(lines: Sequence[tuple[str, int, int]]) -> list[tuple[int, float]]:
    """The share still waiting at the end of each closed band."""
    at_risk = float(sum(events + left for _, events, left in lines))
    share, points = 1.0, [(0, 1.0)]
    for code, events, left in lines:
        edges = band(code)
        there = at_risk - left / 2
        share *= 1 - events / there if there > 0 else 1.0
        at_risk -= events + left
        if edges is not None and edges[1] is not None:
            points.append((edges[1] + 1, max(share, 0.0)))
    return points
