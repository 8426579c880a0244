"""Released estimates of a hidden population: as a table, a data cube and a picture, and in plain words."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from fairnode.linkage.keys import RULES
from fairnode.records.rows import Release
from fairnode.release.cube import head, iri, literal
from fairnode.release.words import Provenance

TITLE = "How many nobody sees"
_WIDTH, _LEFT, _ROW = 720.0, 210.0, 34.0
_INK = "#1f5f8b"


@dataclass(frozen=True)
class ModelEstimate:
    """One registered model: the pairs of lists (from 1) taken for dependent, and its figures, two digits each.

    `hidden` is None where there is no finite value; `low` and `high` are the 95 % interval of all persons.
    """

    terms: tuple[tuple[int, ...], ...]
    hidden: int | None
    standard_error: int | None
    low: int | None
    high: int | None

    @property
    def name(self) -> str:
        """What the model takes for dependent."""
        together = [" and ".join(map(str, term)) for term in self.terms if len(term) > 1]
        return "; ".join(f"lists {pair}" for pair in together) or "all lists independent"


@dataclass(frozen=True)
class Estimates:
    """The estimates of a release. `lists` are IRIs of datasets in the order of the models' numbers, `key` is
    the name of the rule by which persons were matched. `overlap` has the cells that were opened, None for hidden;
    `bound` is the k of the rule, 0 where a test opened all of them.
    """

    lists: tuple[str, ...]
    key: str
    estimable: bool
    observed: int | None = None
    models: tuple[ModelEstimate, ...] = ()
    overlap: tuple[tuple[tuple[int, ...], int | None], ...] = ()
    bound: int = 0

    @property
    def matched_by(self) -> str:
        """How persons were matched, in words."""
        return RULES[self.key].about if self.key in RULES else self.key


def estimates_of(release: Release) -> Estimates | None:
    """The estimates of a release, or None where it holds tables."""
    told = json.loads(release.table).get("estimate")
    if told is None:
        return None
    found, key = told["told"], str((told["key"] or {}).get("rule", ""))
    lists = tuple(told["lists"])
    overlap = tuple((tuple(i + 1 for i in pattern), n) for pattern, n in found.get("overlap", ()))
    if not found.get("estimable", bool(overlap)):
        return Estimates(lists, key, estimable=False)
    models = zip(told["models"], found.get("models", ()), strict=True)
    return Estimates(
        lists,
        key,
        estimable=True,
        observed=found.get("observed"),
        models=tuple(_model(terms, made) for terms, made in models),
        overlap=overlap,
        bound=int(found.get("bound", 0)),
    )


def _model(terms: list[list[int]], made: dict[str, Any]) -> ModelEstimate:
    low, high = made["interval"] or (None, None)
    named = tuple(tuple(place + 1 for place in term) for term in terms)
    return ModelEstimate(named, made["hidden"], made["standardError"], low, high)


def to_csv(told: Estimates) -> str:
    """One line a model; for the test that opens the table, one line a cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if told.overlap:
        writer.writerow(["lists", "persons"])
        writer.writerows([" ".join(map(str, p)), "hidden" if n is None else n] for p, n in told.overlap)
        return out.getvalue()
    writer.writerow(["model", "observed", "hidden", "standard_error", "all_low", "all_high"])
    for m in told.models:
        writer.writerow(
            [m.name, told.observed, _or(m.hidden), _or(m.standard_error), _or(m.low), _or(m.high)]
        )
    if not told.estimable:
        writer.writerow(["not estimable", "", "", "", "", ""])
    return out.getvalue()


def _or(value: int | None) -> str:
    return "" if value is None else str(value)


def to_cube(told: Estimates, provenance: Provenance) -> str:
    """The estimates as an RDF Data Cube, one observation a model."""
    base = f"{provenance.release}#estimates"
    measures = ("fn:observed", "fn:hidden", "fn:standardError", "fn:lowerBound", "fn:upperBound")
    # two figures, not a multiple of anything
    facts = ("sdmx-attribute:unitMeasure ht:Victim", "fn:roundedTo 0")
    lines = [
        *head(base, provenance, "fn:model", measures, *facts),
        *_observations(told, base),
    ]
    return "\n".join(lines) + "\n"


def _observations(told: Estimates, base: str) -> Iterator[str]:
    yield from _cells(told, base)
    for number, m in enumerate(told.models):
        figures = {
            "fn:observed": told.observed,
            "fn:hidden": m.hidden,
            "fn:standardError": m.standard_error,
            "fn:lowerBound": m.low,
            "fn:upperBound": m.high,
        }
        known = [f"{name} {value}" for name, value in figures.items() if value is not None]
        status = (
            "sdmx-attribute:obsStatus sdmx-code:obsStatus-E ; "  # an estimate
            "sdmx-attribute:confStatus sdmx-code:confStatus-F"
        )
        parts = [f"fn:model {literal(m.name)}", *known, status]
        yield f"{iri(f'{base}-{number}')} a qb:Observation ; qb:dataSet {iri(base)} ; {' ; '.join(parts)} ."


def _cells(told: Estimates, base: str) -> Iterator[str]:
    """The opened cells: persons on exactly these lists; a hidden one has no measure (P5)."""
    for number, (pattern, n) in enumerate(told.overlap):
        status = f"fn:observed {n} ; sdmx-attribute:confStatus sdmx-code:confStatus-F"
        if n is None:
            status = "sdmx-attribute:obsStatus sdmx-code:obsStatus-M ; "
            status += "sdmx-attribute:confStatus sdmx-code:confStatus-N"
        name = literal(f"on lists {' and '.join(map(str, pattern))} and no others")
        about = f"a qb:Observation ; qb:dataSet {iri(base)} ; fn:model {name}"
        yield f"{iri(f'{base}-cell-{number}')} {about} ; {status} ."


def to_svg(told: Estimates, *, id_prefix: str = "chart") -> str:
    """The interval of all persons for each model, with the number that was seen as a line across."""
    rows = [m for m in told.models if m.hidden is not None]
    most = max(
        [told.observed or 0, *(m.high or (told.observed or 0) + (m.hidden or 0) for m in rows)], default=0
    )
    scale = (_WIDTH - _LEFT - 90) / (most or 1)
    height = _ROW * len(rows) + 46
    marks = [mark for place, m in enumerate(rows) for mark in _bar(m, told.observed or 0, place, scale)]
    seen = _LEFT + (told.observed or 0) * scale
    marks += [
        f'<path d="M{seen:g} 0V{height - 42:g}" stroke="currentColor" stroke-dasharray="4 3"/>',
        f'<text x="{seen:g}" y="{height - 26:g}" text-anchor="middle">seen: {told.observed}</text>',
    ]
    about = f"{TITLE}: the estimated number of all persons by {len(rows)} models, with 95 % intervals."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id_prefix}-t" '
        f'viewBox="0 0 {_WIDTH:g} {height:g}" width="{_WIDTH:g}" height="{height:g}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="currentColor">'
        f'<title id="{id_prefix}-t">{escape(about)}</title>{"".join(marks)}</svg>\n'
    )


def _bar(m: ModelEstimate, observed: int, place: int, scale: float) -> Iterator[str]:
    y = place * _ROW + 18
    total = int(float(f"{observed + (m.hidden or 0):.2g}"))
    yield f'<text x="{_LEFT - 10:g}" y="{y + 4:g}" text-anchor="end">{escape(_short(m.name))}</text>'
    if m.low is not None and m.high is not None:
        x, width = _LEFT + m.low * scale, (m.high - m.low) * scale
        said = f"{m.low} to {m.high}"
        yield (
            f'<rect x="{x:g}" y="{y - 6:g}" width="{width:g}" height="12" rx="3" fill="{_INK}" '
            f'fill-opacity="0.35"><title>{said}</title></rect>'
        )
    yield f'<circle cx="{_LEFT + total * scale:g}" cy="{y:g}" r="5" fill="{_INK}"><title>{total}</title></circle>'
    end = _LEFT + (m.high or total) * scale + 8
    yield f'<text x="{end:g}" y="{y + 4:g}">{total:,}</text>'.replace(",", "\u202f")


def _short(name: str) -> str:
    return name if len(name) <= 30 else name[:29] + "…"
