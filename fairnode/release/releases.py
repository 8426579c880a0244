"""What was released of a study, and how it looks as a table, a data cube and a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fairnode import errors, vocabulary
from fairnode.node import Node
from fairnode.records.result import PublicTable
from fairnode.records.result_json import tables_from_json
from fairnode.records.rows import Release
from fairnode.release import estimates, regression, summary
from fairnode.release.chart import to_svg
from fairnode.release.cube import to_cube
from fairnode.release.estimates import Estimates, estimates_of
from fairnode.release.regression import Regression, regression_of
from fairnode.release.summary import Summarised, summary_of
from fairnode.release.tables import to_csv
from fairnode.release.words import Labels, Part, Provenance
from fairnode.studies.send import home_of

FORMS = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "turtle": "text/turtle",
    "svg": "image/svg+xml",
}
ENDINGS = {"csv": "csv", "json": "json", "turtle": "ttl", "svg": "svg"}


def releases_of(node: Node, study: str) -> list[Release]:
    """What was released of a study, oldest first."""
    with node.store.read() as reader:
        return reader.find(Release, {"study": study}, order="created")


def tables_of(release: Release) -> tuple[PublicTable, ...]:
    """The tables of a release."""
    return tables_from_json(json.loads(release.table))


def render(release: Release, form: str) -> bytes:
    """A release as csv, json, turtle (RDF Data Cube) or svg. Raises `NotFound` for another form."""
    if form == "json":
        return release.table
    told = estimates_of(release)
    if told is not None and form in FORMS:
        return _render_estimates(told, release, form).encode()
    model = regression_of(release)
    if model is not None and form in FORMS:
        return _render_regression(model, release, form).encode()
    figures = summary_of(release)
    if figures is not None and form in FORMS:
        return _render_summary(figures, release, form).encode()
    tables = tables_of(release)
    if form == "csv":
        return "\n".join(to_csv(table) for table in tables).encode()
    if form == "turtle":
        return to_cube(tables, labels(), provenance(release)).encode()
    if form == "svg":
        return "\n".join(to_svg(table, labels(), title(release)) for table in tables).encode()
    raise errors.NotFound(f"A release has no form '{form}'.", to_do=f"Its forms are {', '.join(FORMS)}.")


def _render_estimates(told: Estimates, release: Release, form: str) -> str:
    """Released estimates in one of the forms."""
    if form == "turtle":
        return estimates.to_cube(told, provenance(release))
    return estimates.to_csv(told) if form == "csv" else estimates.to_svg(told)


def _render_regression(told: Regression, release: Release, form: str) -> str:
    """A released regression in one of the forms."""
    if form == "turtle":
        return regression.to_cube(told, provenance(release), labels())
    return regression.to_csv(told) if form == "csv" else regression.to_svg(told, labels())


def _render_summary(told: Summarised, release: Release, form: str) -> str:
    """A released mean or quantile in one of the forms."""
    if form == "turtle":
        return summary.to_cube(told, provenance(release), labels())
    return summary.to_csv(told) if form == "csv" else summary.to_svg(told, labels())


def title(release: Release) -> str:
    """A heading for a release's tables."""
    model = regression_of(release)
    if model is not None:
        return regression.title(model, labels())
    figures = summary_of(release)
    if figures is not None:
        return summary.title(figures, labels())
    if estimates_of(release) is not None:
        return estimates.TITLE
    names = [d.variable for table in tables_of(release) for d in table.spec.dimensions]
    spoken = [labels().variable(name) for name in dict.fromkeys(names)]
    unit = tables_of(release)[0].spec.unit.value.capitalize() + "s"
    return f"{unit} by {' and '.join(spoken)}" if spoken else unit


@dataclass(frozen=True)
class Combined:
    """How a combined release came about, for people; `clip` and `noise` of what containers computed."""

    contributors: tuple[str, ...]
    parties: tuple[str, ...]
    bound: int
    disjoint: bool
    program: str = ""
    digest: str = ""
    measured: tuple[Mapping[str, int | float | str], ...] = ()
    clip: float = 0
    noise: int = 0


def combined_of(release: Release) -> Combined | None:
    """How a release was combined, or None for one of a single organisation."""
    told = json.loads(release.table).get("combined")
    if not told:
        return None
    return Combined(
        tuple(told["contributors"]),
        tuple(told["computeParties"]),
        int(told.get("bound", 0)),
        told.get("lists") == "disjoint",
        told["program"],
        told["programDigest"],
        tuple(told.get("measured", ())),
        float(told.get("clip", 0)),
        int(told.get("noise", 0)),
    )


def provenance(release: Release) -> Provenance:
    """Where a release comes from, in IRIs."""
    home = home_of(release.dataset)
    return Provenance(
        release=f"{home}/release/{release.id}",
        title=title(release),
        issued=release.created[:10],
        visit=f"{home}/visit/{release.id}",
        study=f"urn:sha256:{release.study}",
        datasets=tuple(release.facts.get("datasets", [release.dataset])),
        publisher=f"{home}/organisation",
        rules=json.loads(release.table)["rules"],
        facts=facts_of(release),
        parts=parts_of(release),
    )


def parts_of(release: Release) -> tuple[Part, ...]:
    """How each organisation's part of a combined release was made, as its node says; none of a local one."""
    told = json.loads(release.table).get("combined", {}).get("made", [])
    return tuple(
        Part(m["dataset"], f"{m['node']}/organisation", m["rules"], m["signature"], tuple(_made({"made": m})))
        for m in told
    )


def facts_of(release: Release) -> tuple[tuple[str, str], ...]:
    """How a local release, or a combination itself, was made: terms of the node's vocabulary, each with a text."""
    return tuple(_made(json.loads(release.table)))


def _made(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How it was made, as terms of the node's vocabulary: of a visit, or of a combination."""
    made, combined = told.get("made", {}), told.get("combined", {})
    if made:
        yield "madeWith", made["software"]
        yield "algorithmVersion", f"{made['algorithm']['name']} {made['algorithm']['version']}"
        yield "imageIdentity", made["algorithm"]["identity"]
        yield "inputCommitment", made["input"]
        yield from (("approval", " ".join(said)) for said in approvals(made))
    if combined:
        yield "programVersion", f"{combined['program']} {combined['programDigest']}"
        yield from (("computedBy", party) for party in combined["computeParties"])
        yield from (("contributor", contributor) for contributor in combined["contributors"])


def approvals(made: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Each approval of a visit: role, hash of what was signed, and the day."""
    for told in made["approvals"]:
        yield told["role"], told["content"], told["day"]


@cache
def labels() -> Labels:
    """The ontology's English words for variables and codes."""
    known = vocabulary.variables()
    return Labels(
        variables={name: v.label_en for name, v in known.items()},
        codes={(name, c.notation): c.label_en for name, v in known.items() for c in v.codes},
        concepts={(name, c.notation): c.iri for name, v in known.items() for c in v.codes},
        datatypes={name: "gYear" for name, v in known.items() if v.kind == "year"},
    )
