"""Logging in and out, a person's start page, and their account."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request, url_for

from fairnode import approvals, errors
from fairnode.gate.reviewing import under_review
from fairnode.pages.desk import (
    Desk,
    Page,
    check_form,
    check_same_site,
    field,
    go,
    person_there,
    show,
    visitor,
)
from fairnode.people import (
    change_password,
    has_role,
    log_in,
    log_out,
    make_token,
    revoke_token,
    tokens_of,
)
from fairnode.records.rows import Role
from fairnode.studies.follow import studies_of


def login(desk: Desk) -> Page:
    """The log-in form."""
    if visitor(desk):
        return go("home")
    return show(desk, "login.html", after=_own_path(request.args.get("after", "")))


def take_login(desk: Desk) -> Page:
    """A log-in was sent."""
    check_same_site()
    after = _own_path(field("after"))
    try:
        cookie = log_in(desk.node, field("username", 64), request.form.get("password", ""), _address())
    except errors.FairnodeError as error:
        page = show(desk, "login.html", error.http_status, error=error, after=after)
        if error.http_status == 429:
            page.headers["Retry-After"] = str(getattr(error, "wait", 60))
        return page
    response = go("home")
    if after:
        response.location = request.script_root + after
    _set_cookie(desk, response, cookie)
    return response


def _own_path(told: str) -> str:
    """A path of this node to go to after log-in; empty for anything that could lead elsewhere."""
    parts = urlsplit(told)
    own = told.startswith("/") and not told.startswith(("//", "/\\")) and not parts.netloc
    return told if own and told.isprintable() and len(told) < 500 else ""


def _address() -> str:
    """Where the request came from."""
    return request.remote_addr or ""


def _set_cookie(desk: Desk, response: Page, value: str) -> None:
    """The session cookie: out of reach of scripts and of other sites' forms."""
    path = urlsplit(desk.node.iri).path or "/"
    response.set_cookie(
        desk.cookie, value, path=path, httponly=True, samesite="Lax", secure=desk.secure, max_age=12 * 3600
    )


def take_logout(desk: Desk) -> Page:
    """End the log-in."""
    check_form(desk)
    log_out(desk.node, request.cookies.get(desk.cookie, ""))
    response = go("login")
    response.delete_cookie(desk.cookie, path=urlsplit(desk.node.iri).path or "/")
    return response


def home(desk: Desk) -> Page:
    """What is there for this person to do."""
    person = person_there(desk).person
    decides = has_role(person, Role.CUSTODIAN, Role.COUNSEL)
    waiting = approvals.inbox(desk.node) if decides else []
    results = under_review(desk.node) if decides else []
    studies = studies_of(desk.node, person) if has_role(person, Role.RESEARCHER, Role.AUDITOR) else []
    return show(desk, "home.html", waiting=len(waiting), under_review=len(results), studies=studies[:5])


def account(desk: Desk) -> Page:
    """The person's own account: tokens and password."""
    person = person_there(desk).person
    return show(desk, "account.html", tokens=tokens_of(desk.node, person))


def take_token(desk: Desk) -> Page:
    """A new token, shown once."""
    check_form(desk)
    person = person_there(desk).person
    days = field("days", 4)
    made, error = "", None
    try:
        made = make_token(
            desk.node,
            person,
            request.form.get("password", ""),
            field("label", 100),
            int(days) if days.isdigit() else 0,
        )
    except errors.FairnodeError as wrong:
        error = wrong
    status = error.http_status if error else 200
    return show(desk, "account.html", status, tokens=tokens_of(desk.node, person), made=made, error=error)


def take_revocation(desk: Desk, token: str) -> Page:
    """A token is taken back."""
    check_form(desk)
    revoke_token(desk.node, person_there(desk).person, token)
    return go("account")


def take_password(desk: Desk) -> Page:
    """Another password."""
    check_form(desk)
    person = person_there(desk).person
    old, new = request.form.get("old", ""), request.form.get("new", "")
    try:
        change_password(desk.node, person, old, new)
    except errors.FairnodeError as error:
        tokens = tokens_of(desk.node, person)
        return show(desk, "account.html", error.http_status, tokens=tokens, error=error)
    response = go("login")
    response.location = url_for("pages.login")
    return response
