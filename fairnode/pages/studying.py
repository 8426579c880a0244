"""A researcher's pages: studies, a new one, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from fairnode import errors, vocabulary
from fairnode.algorithms.known import listed
from fairnode.discovery.search import Wanted, found_at, search
from fairnode.keys import canonical
from fairnode.linkage import program as linkage
from fairnode.linkage.keys import RULES
from fairnode.mpc.limits import limits
from fairnode.mpc.programs import program
from fairnode.mpc.programs.statement import parts_of
from fairnode.network.joined import current
from fairnode.pages.desk import Desk, Page, check_form, field, go, person_there, show
from fairnode.records.rows import Release, Role, Study
from fairnode.records.states import ended
from fairnode.release import estimates, regression, summary
from fairnode.release.chart import to_svg
from fairnode.release.crate import MEDIA, crate
from fairnode.release.estimates import Estimates, estimates_of
from fairnode.release.regression import Regression, regression_of
from fairnode.release.releases import (
    ENDINGS,
    FORMS,
    Combined,
    combined_of,
    facts_of,
    labels,
    releases_of,
    render,
    tables_of,
    title,
)
from fairnode.release.releases import (
    parts_of as made_parts_of,
)
from fairnode.release.summary import Summarised, summary_of
from fairnode.release.words import Part
from fairnode.studies import asking
from fairnode.studies.asking import regression_over_nodes
from fairnode.studies.combination import program_name
from fairnode.studies.document import StudyPlan, read_study_bytes
from fairnode.studies.follow import document, follow, studies_of
from fairnode.studies.hidden import hidden_population
from fairnode.studies.send import cancel, check, draft, own_study, send
from fairnode.studies.summary import MEAN, SUMMARIES

_POLICY = vocabulary.HTPOL
PURPOSES = (
    f"{_POLICY}TraffickingStatistics",
    f"{_POLICY}PrevalenceEstimation",
    f"{_POLICY}ModusOperandiAnalysis",
    f"{_POLICY}CareCoordination",
    "https://w3id.org/dpv#AcademicResearch",
)
BASES = (
    ("https://w3id.org/dpv/legal/eu/gdpr#A6-1-e", "GDPR art. 6(1)(e) public task"),
    ("https://w3id.org/dpv/legal/eu/gdpr#A6-1-f", "GDPR art. 6(1)(f) legitimate interest"),
    ("https://w3id.org/dpv/legal/eu/gdpr#A9-2-j", "GDPR art. 9(2)(j) research and statistics"),
    (f"{_POLICY}UAVG-A24", ""),
    (f"{_POLICY}Wpg-A22", ""),
    (f"{_POLICY}LED-A4-3", ""),
)
OPENED = (
    ("sum", "a table of counts"),
    ("noisy-sum", "what containers computed"),
    ("mean-variance", "a mean and its spread"),
    ("quantile", "a quantile"),
    ("regression", "a regression"),
    ("overlap-estimate", "how many victims nobody sees"),
)
"""What can be made of all nodes together: by program, and in words."""
FILTERS = 2
_FORMS = {ending: form for form, ending in ENDINGS.items()} | {"zip": "crate"}


def studies(desk: Desk) -> Page:
    """The studies that this person may see."""
    person = person_there(desk, Role.RESEARCHER, Role.AUDITOR).person
    return show(desk, "studies.html", studies=studies_of(desk.node, person))


def new_study(desk: Desk) -> Page:
    """The form of a new study."""
    person_there(desk, Role.RESEARCHER)
    chosen = request.args.getlist("dataset")
    return _form(
        desk,
        {
            "datasets": chosen,
            "purpose": PURPOSES[0],
            "legalBasis": [BASES[0][0]],
            "days": "30",
            "clip": "1",
            "noise": "40",
            "order": "50",
        },
    )


def take_study(desk: Desk) -> Page:
    """A study was written: check it, and send it when that is asked for and nothing is wrong."""
    check_form(desk)
    person = person_there(desk, Role.RESEARCHER).person
    told = _told()
    try:
        wanted = _wanted(desk)
    except errors.NotValid as error:
        return _form(desk, told, (errors.Finding("study", f"{error.what} {error.to_do}"),))
    days = told["days"]
    made = draft(desk.node, person, wanted, int(days) if days.isdigit() and 0 < int(days) < 366 else 30)
    findings = check(desk.node, made)
    if findings or field("step") != "send":
        return _form(desk, told, findings, None if findings else made)
    study = send(desk.node, person, made)
    return go("study", key=study.id)


def _told() -> dict[str, Any]:
    """The form as it was filled in, to show it again."""
    names: tuple[str, ...] = (
        "title",
        "question",
        "purpose",
        "algorithm",
        "days",
        "elsewhere",
        "key",
        "bound",
    )
    names += ("dpia", "dpiaVersion")
    filters = [(field(f"filter-{n}", 60), field(f"codes-{n}", 2000)) for n in range(FILTERS)]
    return {
        **{name: field(name) for name in names},
        "legalBasis": request.form.getlist("legalBasis"),
        "datasets": request.form.getlist("datasets"),
        "dimensions": request.form.getlist("dimensions"),
        "filters": filters,
        **{name: field(name, 2000) for name in ("models", "values", "levels", "groups", "others")},
        **{name: field(name, 60) for name in ("combine", "clip", "noise", "family", "outcome")},
        **{name: field(name, 60) for name in ("figure", "measured", "order")},
        "numbers": field("numbers", 2000),
    }


def _wanted(desk: Desk) -> dict[str, Any]:
    """The core fields of a study document from the form."""
    told = _told()
    named = [row for row in listed(desk.node) if row.id == told["algorithm"] and row.state == "known"]
    algorithm = (
        {"name": named[0].name, "version": named[0].version, "identity": named[0].image} if named else {}
    )
    filters = [
        {"variable": variable, "in": [code.strip() for code in codes.split(",") if code.strip()]}
        for variable, codes in told["filters"]
        if variable
    ]
    core = {
        "title": told["title"],
        "question": told["question"],
        "purpose": told["purpose"],
        "legalBasis": told["legalBasis"],
        **{name: told[name] for name in ("dpia", "dpiaVersion") if told[name]},
        "algorithm": algorithm,
        "datasets": list(dict.fromkeys([*told["datasets"], *told["elsewhere"].split()])),
    }
    if algorithm.get("name") == asking.ALGORITHM:
        lines = [told[name].splitlines() for name in ("values", "levels")]
        return core | regression_over_nodes(told["family"], told["outcome"], *lines) | {"filter": filters}
    if algorithm.get("name") == asking.SUMMARY:
        lines = [told[name].splitlines() for name in ("numbers", "groups")]
        return core | _summary(told, *lines) | {"filter": filters}
    if algorithm.get("name") == linkage.NAME:
        bound = int(told["bound"]) if told["bound"].isdecimal() else 0
        models = [line for line in told["models"].splitlines() if line.strip()]
        return core | hidden_population(told["key"], bound, models) | {"filter": filters}
    return core | {
        "dimensions": told["dimensions"],
        "parameters": {"dimensions": told["dimensions"]} | _others(told["others"]),
        "filter": filters,
        **_combined(told),
    }


def _summary(told: Mapping[str, Any], numbers: Sequence[str], groups: Sequence[str]) -> dict[str, Any]:
    """A mean or a quantile over nodes, as the form says it."""
    order = int(told["order"]) if told["order"].isdecimal() else 0
    figure = told["figure"] if told["figure"] in SUMMARIES else MEAN
    return asking.summary_over_nodes(figure, told["measured"], numbers, groups, order)


def _combined(told: Mapping[str, Any]) -> dict[str, Any]:
    """How what the nodes have is put together, as the form says it. Raises `NotValid` for a clip that is none."""
    if told["combine"] != asking.NOISY:
        return asking.combined(asking.SUM if told["combine"] else "")
    noise = int(told["noise"]) if told["noise"].isdecimal() else 0
    try:
        return asking.combined(asking.NOISY, {"clip": float(told["clip"]), "noise": noise})
    except ValueError:
        raise errors.NotValid("The longest vector is a number, such as 1.") from None


def _others(text: str) -> dict[str, Any]:
    """Other parameters of the algorithm, from JSON. Raises `NotValid`."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise errors.NotValid(
            "The other parameters are not a JSON object.", to_do='Write them as {"name": value}.'
        )
    return found


def _form(
    desk: Desk,
    told: dict[str, Any],
    findings: tuple[errors.Finding, ...] = (),
    made: dict[str, Any] | None = None,
) -> Response:
    """The form, filled in as `told`, with what is wrong, or with the checked document."""
    return show(
        desk,
        "study_new.html",
        422 if findings else 200,
        told={"filters": [("", "")] * FILTERS, **told},
        findings=findings,
        made=made,
        datasets=search(desk.node, Wanted()),
        algorithms=[row for row in listed(desk.node) if row.state == "known"],
        variables=_variables(desk),
        purposes=PURPOSES,
        keys=RULES.values(),
        bases=BASES,
        opened=[(words, dict(parts_of(program(name)))["What is opened"]) for name, words in OPENED],
    )


def _variables(desk: Desk) -> list[vocabulary.Variable]:
    """The variables that the datasets here can be counted by, by their label."""
    records = desk.shelf.records()
    found = {v.name: v for record in records for v in record.public_variables if v.kind != "date"}
    return sorted(found.values(), key=lambda v: v.label_en)


@dataclass(frozen=True)
class _Shown:
    """A release as the page shows it."""

    id: str
    dataset: str
    title: str
    created: str
    picture: str
    tables: tuple[Any, ...]
    combined: Combined | None
    estimates: Estimates | None
    regression: Regression | None
    summary: Summarised | None
    made: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]


def study(desk: Desk, key: str) -> Page:
    """One study: a line for each visit, and what was released."""
    found = _visible(desk, key)
    released = [_shown(r, number) for number, r in enumerate(releases_of(desk.node, found.id))]
    lines = follow(desk.node, found.id)
    return show(
        desk,
        "study.html",
        study=found,
        document=document(found),
        lines=lines,
        names=_names(desk, [line.dataset for line in lines]),
        limits=limits,
        released=released,
        computation=_computation(desk, read_study_bytes(found.document)),
        may_cancel=not ended("study", found.state) and found.requester == person_there(desk).person.id,
    )


def _computation(desk: Desk, plan: StudyPlan) -> Computed | None:
    """What the program of a combined study states of itself; None where nothing is combined."""
    name = program_name(plan)
    agreement = current(desk.node)
    if not name or agreement is None:
        return None
    return Computed(name, parts_of(program(name)), limits(len(agreement.parties)))


@dataclass(frozen=True)
class Computed:
    """A program's own words, part by part (shape, ranges, what is opened, how), and what none of them can do."""

    program: str
    parts: tuple[tuple[str, str], ...]
    limits: tuple[str, ...]


def _shown(release: Release, number: int) -> _Shown:
    """A release as the page shows it; `number` is its place on the page."""
    return _Shown(
        release.id,
        release.dataset,
        title(release),
        release.created,
        _pictures(release, number),
        tables_of(release),
        combined_of(release),
        estimates_of(release),
        regression_of(release),
        summary_of(release),
        facts_of(release),
        made_parts_of(release),
    )


def _pictures(release: Release, number: int) -> str:
    """The pictures of a release's tables; ids differ, for there may be several on the page."""
    told = estimates_of(release)
    if told is not None:
        return estimates.to_svg(told, id_prefix=f"chart-{number}") if told.models else ""
    model = regression_of(release)
    if model is not None:
        return regression.to_svg(model, labels(), id_prefix=f"chart-{number}")
    figures = summary_of(release)
    if figures is not None:
        return summary.to_svg(figures, labels(), id_prefix=f"chart-{number}")
    tables = tables_of(release)
    return "\n".join(
        to_svg(table, labels(), title(release), id_prefix=f"chart-{number}-{place}")
        for place, table in enumerate(tables)
    )


def _names(desk: Desk, datasets: Iterable[str]) -> dict[str, str]:
    """The titles of datasets, as far as they were harvested; else their addresses."""
    known = {iri: found_at(desk.node, iri) for iri in datasets}
    return {iri: found.title if found else iri for iri, found in known.items()}


def study_document(desk: Desk, key: str) -> Page:
    """The study document: exactly the bytes whose hash names it."""
    found = _visible(desk, key)
    response = Response(canonical(document(found)), mimetype="application/ld+json")
    response.headers["Cache-Control"] = "no-store"
    return response


def download(desk: Desk, key: str, release: str, ending: str) -> Page:
    """One release as a file."""
    found = _visible(desk, key)
    form = _FORMS.get(ending)
    for row in releases_of(desk.node, found.id):
        if row.id == release and form is not None:
            content = crate(desk.node, row) if form == "crate" else render(row, form)
            response = Response(content, content_type=FORMS.get(form, MEDIA))
            response.headers["Content-Disposition"] = f'attachment; filename="{row.id[:12]}.{ending}"'
            response.headers["Cache-Control"] = "no-store"
            return response
    raise errors.NotFound("Of this study there is no such release.")


def take_cancel(desk: Desk, key: str) -> Page:
    """The researcher takes the study back."""
    check_form(desk)
    found = _visible(desk, key)
    sentence = field("sentence", 1000) or "The researcher took the study back."
    cancel(desk.node, person_there(desk).person, found.id, sentence)
    return go("study", key=found.id)


def _visible(desk: Desk, key: str) -> Study:
    """The study, if this person may see it. Raises `NotFound` either way."""
    person = person_there(desk, Role.RESEARCHER, Role.AUDITOR).person
    found = own_study(desk.node, key)
    if found.id not in {seen.id for seen in studies_of(desk.node, person)}:
        raise errors.NotFound("There is no such study here.")
    return found
