"""The reviewers' pages: what a container put out that the node cannot recount, and one person's opinion of it."""

from __future__ import annotations

import json

from flask import request

from fairnode import errors
from fairnode.gate.reviewing import Matter, Saying, check_may_review, matter, review, roles_for, told
from fairnode.gate.reviewing import under_review as waiting
from fairnode.gate.reviews import Opinion
from fairnode.pages.desk import Desk, Page, check_form, field, go, person_there, show
from fairnode.people import signer_with_password
from fairnode.records.rows import Person, Role
from fairnode.records.states import VisitState

REVIEWERS = (Role.CUSTODIAN, Role.COUNSEL)


def results(desk: Desk) -> Page:
    """The results that wait for reviews, longest waiting first."""
    person_there(desk, *REVIEWERS)
    return show(desk, "results.html", found=[matter(desk.node, visit.id) for visit in waiting(desk.node)])


def result(desk: Desk, key: str) -> Page:
    """One result: what would leave, what is known of it, and the form for one's own review."""
    return _shown(desk, key)


def _shown(desk: Desk, key: str, error: errors.FairnodeError | None = None) -> Page:
    """The page of one result, with what went wrong with the last form."""
    person = person_there(desk, *REVIEWERS).person
    seen, found = told(desk.node, person, key), matter(desk.node, key)
    return show(
        desk,
        "result.html",
        error.http_status if error else 200,
        seen=seen,
        needed=desk.node.rules.count("class-b.reviews"),
        reasons={(line["table"], "|".join(line["cell"])): line["sentence"] for line in seen["hidden"]},
        small={(line["table"], "|".join(line["cell"])) for line in seen["small"]["cells"]},
        roles=roles_for(person, found),
        reason=_reason(person, found),
        whole=json.dumps(seen["tables"], indent=1, ensure_ascii=False),
        error=error,
    )


def _reason(person: Person, found: Matter) -> str:
    """Why this person may not review it; empty when they may, or when it waits no more."""
    if found.visit.state is not VisitState.REVIEWING or roles_for(person, found):
        return ""
    try:
        check_may_review(person, found, next(role for role in REVIEWERS if role in person.roles))
    except errors.FairnodeError as error:
        return error.what
    return ""


def take_review(desk: Desk, key: str) -> Page:
    """A review was sent: signed with the password typed for it, over the tables that were shown."""
    check_form(desk)
    person = person_there(desk, *REVIEWERS).person
    try:
        signer = signer_with_password(desk.node, person, request.form.get("password", ""))
        review(desk.node, signer, key, _saying())
    except (errors.NotKnown, errors.NotValid, errors.Conflict) as error:
        return _shown(desk, key, error)
    return go("result", key=key)


def _saying() -> Saying:
    """What the form says. Raises `NotValid` when it does not say what the opinion is."""
    opinions = {"approve": Opinion.APPROVED, "refuse": Opinion.CHANGES_REQUESTED}
    opinion = opinions.get(field("step", 20))
    if opinion is None:
        raise errors.NotValid("This form does not say what to do.")
    return Saying(field("role", 20), field("result", 64), opinion, field("sentence", 1000))
