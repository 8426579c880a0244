"""A gated table as an inline SVG picture: bars for one dimension, heat maps for two or three.

A life table is drawn as the curve of those for whom it has not happened yet, below its counts.

Made from the public table only, so the picture cannot tell more than it. Works without JavaScript and
without styles; text is `currentColor`, so it follows the page into the dark. Every mark has a title, the
picture a description; hidden cells are hatched and say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from fairnode.records.result import Dimension, Key, Kind, PublicCell, PublicTable, Status
from fairnode.release.reading import Curve, survival
from fairnode.release.words import Labels

_INK = "#1f5f8b"
_FONT = 13
_GLYPH = 0.62  # width of an average character, in font sizes
_ROW = 26
_WIDTH = 720
_HIDDEN = {"en": "hidden", "nl": "verborgen"}
_WAITING = {"en": "Share for whom it has not happened yet", "nl": "Deel voor wie het nog niet gebeurd is"}
_ROUNDED = {"en": "Counts are rounded to {base}.", "nl": "Aantallen zijn afgerond op {base}."}
_HATCHED = {
    "en": "Hatched: hidden, below the threshold or to protect others.",
    "nl": "Gearceerd: verborgen, onder de drempel of ter bescherming van andere.",
}


_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id}-t {id}-d"
  viewBox="0 0 {width} {height}" width="{width}" height="{height}"
  font-family="system-ui, sans-serif" font-size="{size}" fill="currentColor">
<title id="{id}-t">{title}</title>
<desc id="{id}-d">{about}</desc>
<defs><pattern id="{hatch}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<line x1="0" y1="0" x2="0" y2="6" stroke="currentColor" stroke-opacity="0.35" stroke-width="2"/>
</pattern></defs>
{marks}
</svg>
"""


@dataclass(frozen=True)
class _Drawing:
    """Marks and the height they take, from `y` = 0 down."""

    marks: tuple[str, ...]
    width: float
    height: float


def to_svg(table: PublicTable, labels: Labels, title: str, *, id_prefix: str = "chart") -> str:
    """The picture of a table. `id_prefix` keeps ids apart where a page has several pictures."""
    hatch = f"{id_prefix}-hatch"
    dimensions = table.spec.dimensions
    pen = _Pen(table, labels, hatch)
    if len(dimensions) <= 1:
        drawing = pen.bars()
    elif len(dimensions) == 2:
        drawing = pen.heat(dimensions, (), 0.0)
    else:
        drawing = pen.panels()
    curves = survival(table)
    if curves:
        below = pen.curves(curves, drawing.height + 16)
        drawing = _Drawing((*drawing.marks, *below.marks), max(drawing.width, below.width), below.height)
    height = drawing.height + 34
    legend = _legend(table, labels.language)
    marks = [
        *drawing.marks,
        _text(0, drawing.height + 22, legend, extra=' fill-opacity="0.75" font-size="12"'),
    ]
    shown = sum(cell.status is Status.SHOWN for cell in table.cells)
    about = f"{title}. {shown} / {len(table.cells)}. {legend}"
    return _FRAME.format(
        id=id_prefix,
        hatch=hatch,
        width=f"{drawing.width:g}",
        height=f"{height:g}",
        size=_FONT,
        title=escape(title),
        about=escape(about),
        marks="\n".join(marks),
    )


@dataclass(frozen=True)
class _Pen:
    """What is drawn, in which words."""

    table: PublicTable
    labels: Labels
    hatch: str

    def bars(self) -> _Drawing:
        """One bar a cell from zero on, the whole range filling the width; to the left what is below zero."""
        names = [self._name(cell) for cell in self.table.cells]
        left = min(_wide(names) + 14, 260)
        room = _WIDTH - left - 70
        values = [self._value(cell) or 0 for cell in self.table.cells]
        low, high = min([*values, 0]), max([*values, 0])
        scale = room / ((high - low) or 1)
        zero = left - low * scale
        height = len(names) * _ROW
        marks: list[str] = [_rect((zero - 1, 0, 1, height), _INK, "0", 0.5)] if low < 0 else []
        for position, (cell, name) in enumerate(zip(self.table.cells, names, strict=True)):
            y = position * _ROW
            value = self._value(cell)
            length = 44.0 if value is None else max(scale * abs(value), 1)
            start = zero - length if value is not None and value < 0 else zero
            fill = f"url(#{self.hatch})" if value is None else _INK
            marks.append(_text(left - 8, y + 17, _short(name, left), anchor="end"))
            marks.append(_rect((start, y + 4, length, _ROW - 8), fill, f"{name}: {self._said(cell)}"))
            marks.append(_text(start + length + 6, y + 17, self._said(cell)))
        return _Drawing(tuple(marks), _WIDTH, height)

    def heat(self, axes: Sequence[Dimension], before: Key, top: float) -> _Drawing:
        """A heat map of the cells whose key begins with `before`: rows and columns by the two axes."""
        rows, columns = axes
        turned = _wide(self._codes(columns)) > _WIDTH / len(columns.codes) and len(columns.codes) > len(
            rows.codes
        )
        rows, columns = (columns, rows) if turned else (rows, columns)
        cells = {cell.key: cell for cell in self.table.cells}
        row_names, column_names = self._codes(rows), self._codes(columns)
        corner = self.labels.variable(rows.variable)
        left = min(_wide([*row_names, corner]) + 14, 240)
        step = max(50.0, min(96.0, (_WIDTH - left) / len(column_names)))
        slanted = _wide(column_names) > step - 4
        y = top + (min(_wide(column_names), 150) * 0.75 + 16 if slanted else 22.0)
        marks = [_text(left - 8, y - 6, corner, anchor="end", strong=True)]
        marks += self._heads(column_names, (left, y, step), slanted=slanted)
        for row, name in zip(rows.codes, row_names, strict=True):
            marks.append(_text(left - 8, y + 17, _short(name, left), anchor="end"))
            for c, column in enumerate(columns.codes):
                pair = (column, row) if turned else (row, column)
                marks += self._square(cells[(*before, *pair)], (left + c * step, y, step, _ROW))
            y += _ROW
        width = max(_WIDTH, left + step * len(column_names) + (70 if slanted else 0))
        return _Drawing(tuple(marks), width, y)

    def panels(self) -> _Drawing:
        """A heat map for each code of the first dimension, one below the other."""
        first, *axes = self.table.spec.dimensions
        marks: list[str] = []
        top, width = 0.0, float(_WIDTH)
        for code in first.codes:
            name = f"{self.labels.variable(first.variable)}: {self.labels.code(first.variable, code)}"
            marks.append(_text(0, top + 18, name, strong=True))
            drawing = self.heat(axes, (code,), top + 26)
            marks += drawing.marks
            top, width = drawing.height + 18, max(width, drawing.width)
        return _Drawing(tuple(marks), width, top)

    def curves(self, curves: Sequence[Curve], top: float) -> _Drawing:
        """The share still waiting by day, a step line for each group, with both ends written out."""
        left, room, height = 60.0, _WIDTH - 260.0, 200.0
        last = max(day for curve in curves for day, _ in curve.points) or 1
        time = self.table.spec.dimensions[0]
        marks = [_text(0, top + 14, _WAITING[self.labels.language], strong=True)]
        base = top + 30 + height
        for share in (0.0, 0.5, 1.0):
            y = base - share * height
            marks.append(_text(left - 8, y + 4, f"{share:.0%}", anchor="end"))
            marks.append(_line(((left, y), (left + room, y)), 0.25))
        free = top  # names below one another, where the lines end together
        for place, curve in enumerate(sorted(curves, key=lambda curve: -curve.points[-1][1])):
            points = [(left + room * day / last, base - height * share) for day, share in curve.points]
            end, share = points[-1], curve.points[-1][1]
            name = ", ".join(
                self.labels.code(axis.variable, code)
                for axis, code in zip(self.table.spec.dimensions[2:], curve.group, strict=True)
            )
            marks.append(_line(_steps(points), 1, dash=place))
            free = max(end[1] + 4, free + 15)
            marks.append(_text(end[0] + 6, free, f"{name} {share:.0%}".strip()))
        marks.append(_text(left, base + 18, f"0 \u2013 {last}: {self.labels.variable(time.variable)}"))
        return _Drawing(tuple(marks), _WIDTH, base + 24)

    def _heads(
        self, names: Sequence[str], place: tuple[float, float, float], *, slanted: bool
    ) -> Iterator[str]:
        left, y, step = place
        for c, name in enumerate(names):
            x = left + (c + 0.5) * step
            if slanted:
                turn = f' transform="rotate(-45 {x:g} {y - 6:g})"'
                yield _text(x, y - 6, _short(name, 190), extra=turn)
            else:
                yield _text(x, y - 6, name, anchor="middle")

    def _square(self, cell: PublicCell, box: tuple[float, float, float, float]) -> Iterator[str]:
        x, y, width, height = box
        inner = (x + 1, y + 1, width - 2, height - 2)
        value = self._value(cell)
        title = f"{self._name(cell)}: {self._said(cell)}"
        if value is None:
            yield _rect(inner, f"url(#{self.hatch})", title)
            return
        most = max(abs(self._value(other) or 0) for other in self.table.cells) or 1
        strength = 0.08 + 0.92 * abs(value) / most
        yield _rect(inner, _INK, title, strength)
        ink = ' fill="#fff"' if strength > 0.8 else ""
        yield _text(x + width / 2, y + 17, self._said(cell), anchor="middle", extra=ink)

    def _value(self, cell: PublicCell) -> float | None:
        return cell.n if self.table.spec.kind in {Kind.COUNT, Kind.PAIR} else cell.v

    def _said(self, cell: PublicCell) -> str:
        value = self._value(cell)
        return _HIDDEN[self.labels.language] if value is None else f"{value:,.10g}".replace(",", "\u202f")

    def _codes(self, axis: Dimension) -> list[str]:
        return [self.labels.code(axis.variable, code) for code in axis.codes]

    def _name(self, cell: PublicCell) -> str:
        pairs = zip(self.table.spec.dimensions, cell.key, strict=True)
        return ", ".join(self.labels.code(axis.variable, code) for axis, code in pairs)


def _legend(table: PublicTable, language: str) -> str:
    """How the numbers were made, and what hatching means where there is some."""
    parts = [_ROUNDED[language].format(base=table.base)] if table.spec.kind in {Kind.COUNT, Kind.PAIR} else []
    hidden = any(cell.status is Status.HIDDEN for cell in table.cells)
    return " ".join([*parts, _HATCHED[language]] if hidden else parts)


def _steps(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The corners of a line that falls at the end of each band."""
    corners = [points[0]]
    for (_, before), (x, y) in pairwise(points):
        corners += [(x, before), (x, y)]
    return corners


def _line(points: Sequence[tuple[float, float]], opacity: float, *, dash: int = -1) -> str:
    """A line without filling; each `dash` looks different, -1 is a thin one in the colour of the text."""
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    ink, width = ("currentColor", 1) if dash < 0 else (_INK, 2)
    dashes = f' stroke-dasharray="{2 + 3 * dash} 4"' if dash > 0 else ""
    return (
        f'<polyline points="{drawn}" fill="none" stroke="{ink}" stroke-width="{width}" '
        f'stroke-opacity="{opacity:g}"{dashes}/>'
    )


def _rect(box: tuple[float, float, float, float], fill: str, title: str, opacity: float = 1) -> str:
    x, y, width, height = box
    seen = "" if opacity == 1 else f' fill-opacity="{opacity:.2f}"'
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="2" fill="{fill}"{seen}>'
        f"<title>{escape(title)}</title></rect>"
    )


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", strong: bool = False, extra: str = ""
) -> str:
    weight = ' font-weight="600"' if strong else ""
    where = f'x="{x:g}" y="{y:g}"'
    turned = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f"<text {where}{turned}{weight}{extra}>{escape(text)}</text>"


def _wide(names: Sequence[str]) -> float:
    """About how many pixels the longest of these takes."""
    return max((len(name) for name in names), default=0) * _FONT * _GLYPH


def _short(name: str, room: float) -> str:
    """`name`, cut with an ellipsis if it does not fit."""
    fits = max(int((room - 12) / (_FONT * _GLYPH)), 3)
    return name if len(name) <= fits else name[: fits - 1] + "…"
