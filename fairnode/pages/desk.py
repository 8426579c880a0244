"""What every page for people needs: who is there, forms that are theirs, and templates."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, g, redirect, render_template, request, url_for
from werkzeug import Response as Redirect

from fairnode import errors
from fairnode.metadata.shelf import Shelf
from fairnode.node import Node
from fairnode.people import Visitor, check_csrf, check_role, who_session

Page = Response | Redirect


@dataclass(frozen=True)
class Desk:
    """What the pages of one node have in common."""

    node: Node
    shelf: Shelf

    @property
    def secure(self) -> bool:
        """Whether people reach the node by https, so that cookies may insist on it."""
        return self.node.iri.startswith("https:")

    @property
    def cookie(self) -> str:
        """The name of the session cookie."""
        return "__Secure-fairnode" if self.secure else "fairnode"


class LogInFirst(errors.FairnodeError):
    """The page is for people with an account; the log-in page comes first."""

    code = "log-in"
    title = "Log in first"
    http_status = 401


def visitor(desk: Desk) -> Visitor | None:
    """Who is there, or None; looked up once a request."""
    if "visitor" not in g:
        g.visitor = who_session(desk.node, request.cookies.get(desk.cookie, ""))
    found: Visitor | None = g.visitor
    return found


def person_there(desk: Desk, *roles: str) -> Visitor:
    """Who is there, with one of `roles` if any are named. Raises `LogInFirst`, `NotAllowed`."""
    found = visitor(desk)
    if found is None:
        raise LogInFirst("This page is for people with an account here.")
    if roles:
        check_role(found.person, *roles)
    return found


def check_form(desk: Desk) -> None:
    """Raise `NotAllowed` unless the form that came was shown to this person by this node."""
    check_same_site()
    check_csrf(person_there(desk), request.form.get("csrf", ""))


def check_same_site() -> None:
    """Raise `NotAllowed` for a form that another site sent (browsers say so)."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise errors.NotAllowed("This form came from another site.")


def field(name: str, longest: int = 4000) -> str:
    """A field of the form, without space around it. Raises `NotValid` when it is too long."""
    told = request.form.get(name, "").replace("\r\n", "\n").strip()
    if len(told) > longest:
        raise errors.NotValid(f"The field '{name}' is longer than {longest} characters.")
    return told


def show(desk: Desk, template: str, status: int = 200, **values: object) -> Response:
    """A page for the one who is there; nobody else may keep it."""
    page = render_template(template, visitor=visitor(desk), **values)
    response = Response(page, status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Cookie")
    return response


def go(endpoint: str, key: str = "") -> Redirect:
    """On to another page after a form was taken."""
    return redirect(url_for(f"pages.{endpoint}", key=key or None), 303)
