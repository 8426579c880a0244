"""A released regression: as a table, a data cube and a picture, and in plain words.

Everything is made from the figures that were opened, three digits each; intervals and ratios too.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from fairnode.mpc.regression.design import LOGISTIC
from fairnode.records.rows import Release
from fairnode.release.cube import head, iri, literal
from fairnode.release.words import Labels, Provenance
from fairnode.studies.regression import INTERCEPT, Question

SHOWN, HIDDEN, SEPARABLE = "shown", "hidden", "separable"
_WIDTH, _LEFT, _RIGHT, _ROW = 720.0, 250.0, 190.0, 30.0
_INK = "#1f5f8b"


@dataclass(frozen=True)
class Coefficient:
    """The coefficient of one code against the reference of its covariate; of the intercept both are empty."""

    variable: str
    code: str
    reference: str
    value: float
    error: float

    @property
    def ratio(self) -> tuple[float, float, float]:
        """Odds or rate ratio, and the ends of its 95 % interval, three digits each."""
        low, high = self.value - 1.96 * self.error, self.value + 1.96 * self.error
        return _three(math.exp(self.value)), _three(math.exp(low)), _three(math.exp(high))


@dataclass(frozen=True)
class Regression:
    """`state`: shown, hidden (a rule does not hold) or separable (there is no finite fit)."""

    family: str
    outcome: str
    yes: tuple[str, ...]
    state: str
    coefficients: tuple[Coefficient, ...] = ()

    @property
    def ratio(self) -> str:
        """What the exponential of a coefficient is."""
        return "odds ratio" if self.family == LOGISTIC else "rate ratio"

    @property
    def compared(self) -> tuple[Coefficient, ...]:
        """All coefficients but the intercept."""
        return tuple(c for c in self.coefficients if (c.variable, c.code) != INTERCEPT)


def _three(value: float) -> float:
    return float(f"{value:.3g}")


def regression_of(release: Release) -> Regression | None:
    """The regression of a release, or None where it holds something else."""
    found = json.loads(release.table).get("regression")
    if found is None:
        return None
    asked, told = found["question"], found["told"]
    question = Question.of(asked, asked["dimensions"])
    yes = tuple(sorted(code for code, value in question.values.items() if value))
    bare = Regression(question.family, question.outcome, yes, str(told["state"]))
    if bare.state != SHOWN:
        return bare
    made = zip(question.terms, told["coefficients"], told["standardErrors"], strict=True)
    reference = {name: codes[0] for name, codes in question.levels.items()} | {"": ""}
    coefficients = tuple(Coefficient(n, code, reference[n], b, se) for (n, code), b, se in made)
    return Regression(bare.family, bare.outcome, bare.yes, bare.state, coefficients)


def title(told: Regression, labels: Labels) -> str:
    """A heading: what of which outcome, by which covariates."""
    names = dict.fromkeys(labels.variable(c.variable) for c in told.compared)
    by = f" by {' and '.join(names)}" if names else ""
    return f"{told.family.capitalize()} regression of {labels.variable(told.outcome)}{by}"


def to_csv(told: Regression) -> str:
    """One line a coefficient; where there are none, a line that says why."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    ratio = told.ratio.replace(" ", "_")
    head = ["variable", "code", "reference", "coefficient", "standard_error", ratio, "low", "high"]
    writer.writerow(head)
    for c in told.coefficients:
        writer.writerow([c.variable or "intercept", c.code, c.reference, c.value, c.error, *c.ratio])
    if told.state != SHOWN:
        writer.writerow([told.state, *[""] * (len(head) - 1)])
    return out.getvalue()


def to_cube(told: Regression, provenance: Provenance, labels: Labels) -> str:
    """The coefficients as an RDF Data Cube, one observation each."""
    base = f"{provenance.release}#regression"
    measures = ("fn:coefficient", "fn:coefficientError")
    lines = [*head(base, provenance, "fn:term", measures), *_observations(told, base, labels)]
    return "\n".join(lines) + "\n"


def _observations(told: Regression, base: str, labels: Labels) -> Iterator[str]:
    for number, c in enumerate(told.coefficients):
        yield (
            f"{iri(f'{base}-{number}')} a qb:Observation ; qb:dataSet {iri(base)} ; "
            f"fn:term {literal(words(c, labels))} ; "
            f'fn:coefficient "{c.value!r}"^^xsd:double ; fn:coefficientError "{c.error!r}"^^xsd:double ; '
            "sdmx-attribute:obsStatus sdmx-code:obsStatus-E ; "
            "sdmx-attribute:confStatus sdmx-code:confStatus-F ."
        )


def words(coefficient: Coefficient, labels: Labels) -> str:
    """What a coefficient compares."""
    if not coefficient.variable:
        return "intercept"
    name, code = coefficient.variable, labels.code(coefficient.variable, coefficient.code)
    return f"{labels.variable(name)}: {code} against {labels.code(name, coefficient.reference)}"


def to_svg(told: Regression, labels: Labels, *, id_prefix: str = "chart") -> str:
    """Each ratio with its 95 % interval on a logarithmic scale, and a line at 1; "" where nothing was shown."""
    rows = told.compared
    if not rows:
        return ""
    ends = [abs(math.log(end)) for c in rows for end in c.ratio[1:] if end > 0]
    reach = min(max([*ends, math.log(2)]), 8.0)
    middle, scale = (_LEFT + _WIDTH - _RIGHT) / 2, (_WIDTH - _RIGHT - _LEFT) / 2 / reach
    height = _ROW * len(rows) + 34
    marks = [
        f'<path d="M{middle:g} 0V{height - 28:g}" stroke="currentColor" stroke-dasharray="4 3"/>',
        f'<text x="{middle:g}" y="{height - 10:g}" text-anchor="middle">{told.ratio} 1: no difference</text>',
    ]
    for place, c in enumerate(rows):
        marks += _bar(c, place * _ROW + 18, (middle, scale, reach), labels)
    about = f"{title(told, labels)}: {told.ratio} and 95 % interval of {len(rows)} comparisons."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id_prefix}-t" '
        f'viewBox="0 0 {_WIDTH:g} {height:g}" width="{_WIDTH:g}" height="{height:g}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="currentColor">'
        f'<title id="{id_prefix}-t">{escape(about)}</title>{"".join(marks)}</svg>\n'
    )


def _bar(c: Coefficient, y: float, axis: tuple[float, float, float], labels: Labels) -> Iterator[str]:
    """One comparison: its name, the interval, the point, and the figures at the end."""
    middle, scale, reach = axis

    def x(log: float) -> float:
        return middle + scale * max(-reach, min(reach, log))

    name = f"{labels.code(c.variable, c.code)} against {labels.code(c.variable, c.reference)}"
    short = name if len(name) <= 36 else name[:35] + "…"
    ratio, low, high = c.ratio
    left, right = x(c.value - 1.96 * c.error), x(c.value + 1.96 * c.error)
    yield f'<text x="{_LEFT - 12:g}" y="{y + 4:g}" text-anchor="end"><title>{escape(words(c, labels))}</title>'
    yield f"{escape(short)}</text>"
    yield f'<path d="M{left:g} {y:g}H{right:g}" stroke="{_INK}" stroke-width="3" stroke-opacity="0.5"/>'
    yield f'<circle cx="{x(c.value):g}" cy="{y:g}" r="5" fill="{_INK}"><title>{ratio:g}</title></circle>'
    yield f'<text x="{_WIDTH - _RIGHT + 12:g}" y="{y + 4:g}">{ratio:g} ({low:g} to {high:g})</text>'
