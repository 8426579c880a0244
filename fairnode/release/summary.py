"""A released mean or quantile over nodes: as a table, a data cube and a picture, and in plain words."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from fairnode.records.rows import Release
from fairnode.release.cube import head, iri, literal
from fairnode.release.words import Labels, Provenance
from fairnode.studies.summary import PART, Summary

_WIDTH, _LEFT, _RIGHT, _ROW = 720.0, 250.0, 170.0, 30.0
_INK = "#1f5f8b"


@dataclass(frozen=True)
class Group:
    """Mean and standard deviation of one group (three figures), of `n` records (rounded); None where hidden."""

    codes: tuple[str, ...]
    n: int | None = None
    mean: float | None = None
    deviation: float | None = None


@dataclass(frozen=True)
class Summarised:
    """Of a mean its groups; of a quantile `order` (per cent) and its value, None where hidden."""

    asked: Summary
    groups: tuple[Group, ...] = ()
    value: int | None = None

    @property
    def order(self) -> int:
        """Which quantile, in per cent; 0 for a mean."""
        return self.asked.order

    @property
    def outcome(self) -> str:
        """The variable that was measured."""
        return self.asked.outcome

    @property
    def variables(self) -> tuple[str, ...]:
        """The group variables, in the order of a group's codes."""
        return tuple(self.asked.groups)

    @property
    def numbers(self) -> tuple[tuple[str, int], ...]:
        """What each code counted as."""
        return tuple(sorted(self.asked.values.items(), key=lambda each: (each[1], each[0])))


def summary_of(release: Release) -> Summarised | None:
    """The mean or quantile of a release, or None where it holds something else."""
    document = json.loads(release.table)
    found = document.get("summary")
    if found is None:
        return None
    question, told = found["question"], found["told"]
    asked = Summary.of(document["combined"]["program"], question, question["dimensions"])
    if asked.program == PART:
        return Summarised(asked, value=told["value"])
    groups = tuple(
        Group(codes) if cell is None else Group(codes, cell["n"], cell["mean"], cell["standard_deviation"])
        for codes, cell in zip(asked.cells, told["cells"], strict=True)
    )
    return Summarised(asked, groups)


def title(told: Summarised, labels: Labels) -> str:
    """What was measured, and by what."""
    name = labels.variable(told.outcome)
    if told.order:
        return f"{told.order} % quantile of {name}"
    by = " and ".join(labels.variable(v) for v in told.variables)
    return f"Mean of {name} by {by}" if by else f"Mean of {name}"


def to_csv(told: Summarised) -> str:
    """One line a group, or the quantile in one line; empty fields are hidden."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if told.order:
        writer.writerows([["quantile_percent", "value"], [told.order, told.value]])
        return out.getvalue()
    writer.writerow([*told.variables, "n", "mean", "standard_deviation"])
    writer.writerows([*g.codes, g.n, g.mean, g.deviation] for g in told.groups)
    return out.getvalue()


def to_cube(told: Summarised, provenance: Provenance, labels: Labels) -> str:
    """The figures as an RDF Data Cube, one observation each; hidden ones have no measure."""
    base = f"{provenance.release}#summary"
    measures = ("fn:value",) if told.order else ("fn:mean", "fn:spread")
    lines = head(base, provenance, "fn:term", measures)
    for number, (name, values) in enumerate(_figures(told, labels)):
        shown = None not in values
        figures = [
            f'{m} "{float(v)!r}"^^xsd:double ; '
            for m, v in zip(measures, values, strict=True)
            if v is not None
        ]
        lines.append(
            f"{iri(f'{base}-{number}')} a qb:Observation ; qb:dataSet {iri(base)} ; fn:term {literal(name)} ; "
            f"{''.join(figures)}sdmx-attribute:obsStatus sdmx-code:obsStatus-{'E' if shown else 'M'} ; "
            f"sdmx-attribute:confStatus sdmx-code:confStatus-{'F' if shown else 'N'} ."
        )
    return "\n".join(lines) + "\n"


def _figures(told: Summarised, labels: Labels) -> Iterator[tuple[str, tuple[float | None, ...]]]:
    """What each observation is of, and its measures."""
    if told.order:
        yield f"{told.order} % quantile", (told.value,)
    for group in told.groups:
        yield words(group, told, labels), (group.mean, group.deviation)


def words(group: Group, told: Summarised, labels: Labels) -> str:
    """The group in words."""
    named = [labels.code(v, code) for v, code in zip(told.variables, group.codes, strict=True)]
    return ", ".join(named) or "all"


def to_svg(told: Summarised, labels: Labels, *, id_prefix: str = "chart") -> str:
    """A bar for each group's mean, hidden ones said to be so; "" for a quantile, which is one number."""
    if told.order:
        return ""
    top = max([g.mean for g in told.groups if g.mean is not None], default=0.0) or 1.0
    marks = []
    for place, group in enumerate(told.groups):
        y, name = place * _ROW, words(group, told, labels)
        short = name if len(name) <= 36 else name[:35] + "…"
        length = (group.mean or 0.0) / top * (_WIDTH - _LEFT - _RIGHT)
        said = "hidden" if group.mean is None else f"{group.mean:g} (sd {group.deviation:g})"
        marks += [
            f'<text x="{_LEFT - 12:g}" y="{y + 20:g}" text-anchor="end">{escape(short)}</text>',
            f'<rect x="{_LEFT:g}" y="{y + 6:g}" width="{length:g}" height="{_ROW - 10:g}" fill="{_INK}"/>',
            f'<text x="{_LEFT + length + 8:g}" y="{y + 20:g}">{said}</text>',
        ]
    height = _ROW * len(told.groups) + 6
    about = f"{title(told, labels)}: means of {len(told.groups)} groups."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id_prefix}-t" '
        f'viewBox="0 0 {_WIDTH:g} {height:g}" width="{_WIDTH:g}" height="{height:g}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="currentColor">'
        f'<title id="{id_prefix}-t">{escape(about)}</title>{"".join(marks)}</svg>\n'
    )
