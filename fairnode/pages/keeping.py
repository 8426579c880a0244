"""The custodian's pages: the node's datasets, drafts included, and handing in a record."""

from __future__ import annotations

from typing import Any

from flask import request

from fairnode import errors
from fairnode.metadata import compose
from fairnode.metadata.keep import (
    add_dataset,
    change_dataset,
    dataset,
    datasets,
    versions,
    withdraw_dataset,
)
from fairnode.metadata.names import EU, HTPOL
from fairnode.metadata.plain import term_label
from fairnode.pages.desk import Desk, Page, check_form, field, go, person_there, show
from fairnode.records.rows import Role


def kept(desk: Desk) -> Page:
    """All datasets, and the form for another record."""
    person_there(desk, Role.CUSTODIAN)
    return show(desk, "kept.html", rows=datasets(desk.node))


def kept_one(desk: Desk, key: str) -> Page:
    """One dataset as its custodian sees it: the record as received, to be handed in changed."""
    person_there(desk, Role.CUSTODIAN)
    row = dataset(desk.node, key)
    return show(desk, "kept_one.html", row=row, turtle=row.record.decode(), versions=versions(desk.node, key))


def take_record(desk: Desk) -> Page:
    """A record was handed in, as a file or as text: new, or another version of one that is there."""
    check_form(desk)
    custodian = person_there(desk, Role.CUSTODIAN).person
    file = request.files.get("file")
    turtle = (file.read() if file and file.filename else b"") or request.form.get("turtle", "").encode()
    known = field("dataset", 64)
    try:
        if known:
            change_dataset(desk.node, known, custodian.id, turtle=turtle)
        else:
            add_dataset(desk.node, turtle, {}, custodian.id, publish=field("publish", 3) == "yes")
    except (errors.NotValid, errors.Conflict) as error:
        text = turtle.decode("utf-8", "replace")[:200_000]
        if known:
            told = {"row": dataset(desk.node, known), "versions": versions(desk.node, known)}
            return show(desk, "kept_one.html", error.http_status, error=error, turtle=text, **told)
        return show(desk, "kept.html", error.http_status, rows=datasets(desk.node), error=error, turtle=text)
    desk.shelf.forget()
    return go("kept")


def describe(desk: Desk) -> Page:
    """The form for the core fields of a record."""
    person_there(desk, Role.CUSTODIAN)
    return _describing(desk, {"language": "NLD", "country": "NLD", "regime": "GDPR", "purposes": []})


def take_description(desk: Desk) -> Page:
    """The core fields were filled in: a new record, as a draft until somebody publishes it."""
    check_form(desk)
    custodian = person_there(desk, Role.CUSTODIAN).person
    names = ("slug", "title", "title_nl", "description", "contact", "email", "start", "end")
    told: dict[str, Any] = {name: field(name) for name in names}
    told |= {name: field(name, 200) for name in ("country", "language", "regime", "licence")}
    keywords = tuple(word.strip() for word in field("keywords").split(",") if word.strip())
    purposes = tuple(request.form.getlist("purposes"))
    try:
        core = compose.Core(
            **told, keywords=keywords, purposes=purposes, synthetic=field("synthetic", 3) == "yes"
        )
        turtle = compose.compose(desk.node.iri, core)
        row = add_dataset(desk.node, turtle, {}, custodian.id, publish=False)
    except (errors.NotValid, errors.Conflict) as error:
        again = told | {"keywords": ", ".join(keywords), "purposes": purposes}
        return _describing(desk, again, error)
    return go("kept_one", key=row.id)


def _describing(desk: Desk, told: dict[str, Any], error: errors.FairnodeError | None = None) -> Page:
    """The form, filled in as `told`."""
    status = error.http_status if error else 200
    return show(
        desk,
        "describe.html",
        status,
        told=told,
        error=error,
        choices=compose,
        country_options=[(code, term_label(f"{EU}country/{code}")) for code in compose.COUNTRIES],
        language_options=[(code, term_label(f"{EU}language/{code}")) for code in compose.LANGUAGES],
        regime_options=[(name, term_label(HTPOL[name])) for name in compose.REGIMES],
        purpose_options=[(name, term_label(HTPOL[name])) for name in compose.PURPOSES],
    )


def take_state(desk: Desk, key: str) -> Page:
    """Publish, hide as a draft, or withdraw."""
    check_form(desk)
    custodian = person_there(desk, Role.CUSTODIAN).person
    step = field("step", 20)
    if step == "withdraw" and field("sure", 3) == "yes":
        withdraw_dataset(desk.node, key, custodian.id)
    elif step in ("publish", "draft"):
        change_dataset(desk.node, dataset(desk.node, key).id, custodian.id, publish=step == "publish")
    desk.shelf.forget()
    return go("kept")
