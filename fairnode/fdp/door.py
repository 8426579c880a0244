"""The routes of the FAIR Data Point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flask import Blueprint, Response, redirect, request

from fairnode import errors
from fairnode.door.answer import answer, json_answer
from fairnode.door.negotiate import NotOffered, choose
from fairnode.fdp import links
from fairnode.metadata.rdf import Form
from fairnode.metadata.shelf import Document, Shelf
from fairnode.node import Node

HTML = "text/html"
OFFERS = (*(form.value for form in Form), HTML)
_FORMATS = {**{short: form.value for form, short in links.SHORT.items()}, "html": HTML}


@dataclass(frozen=True)
class FdpDoor:
    """What the routes need; `render` makes the page of a document for people."""

    node: Node
    shelf: Shelf
    render: Callable[[Document], str]

    @property
    def publisher(self) -> str:
        """The IRI of the organisation."""
        return f"{self.node.iri}/organisation"


RECORDS = (
    "/",
    "/catalogue/",
    "/catalogue/<key>",
    "/catalogue/<key>/<child>/",
    "/dataset/<key>",
    "/dataset/<key>/distribution/",
    "/distribution/<key>",
    "/algorithm/<key>",
    "/service/visit",
    "/organisation",
    "/profile/<key>",
)


def make_blueprint(door: FdpDoor) -> Blueprint:
    """The routes below the node's root."""
    routes = Blueprint("fdp", __name__)
    for rule in RECORDS:
        routes.add_url_rule(rule, f"record {rule}", partial(_record, door), strict_slashes=False)
        under = rule.rstrip("/")
        routes.add_url_rule(f"{under}/linkset", f"linkset {rule}", partial(_linkset, door))
    return routes


def document_at(door: FdpDoor, path: str) -> Document:
    """The public document at this path. Raises `NotFound`."""
    found = door.shelf.get(path)
    if found is None:
        raise errors.NotFound("There is nothing at this address.", to_do="Start at the catalogue.")
    return found


def _record(door: FdpDoor, **_: str) -> Response:
    """One record, in the form that the asker likes best."""
    path = request.path
    other = path.rstrip("/") if path != "/" and path.endswith("/") else f"{path}/"
    if door.shelf.get(path) is None and door.shelf.get(other) is not None:
        return redirect(door.node.iri + other, 308)  # type: ignore[return-value]
    return represent(door, document_at(door, path))


def represent(door: FdpDoor, document: Document) -> Response:
    """The document in the negotiated form."""
    form = _wanted()
    if form == HTML:
        page = door.render(document)
        response = answer(page, HTML, document.etag(HTML, page.encode()), document.modified)
        told = links.page_links(document, door.publisher)
    else:
        body = document.bodies[Form(form)]
        response = answer(body, form, document.etag(form), document.modified)
        told = links.metadata_links(document)
    response.headers["Link"] = ", ".join(told)
    if document.gone and response.status_code == 200:
        response.status_code = 410
    return response


def _wanted() -> str:
    """The form that `?format=` or Accept asks for. Raises `NotOffered`."""
    told = request.args.get("format")
    if told is None:
        return choose(request.headers.get("Accept"), OFFERS)
    if told not in _FORMATS:
        raise NotOffered("There is no such format.", to_do=f"There are: {', '.join(_FORMATS)}.")
    return _FORMATS[told]


def _linkset(door: FdpDoor, **_: str) -> Response:
    """The link set of a record."""
    path = request.path.removesuffix("/linkset") or "/"
    document = door.shelf.get(path) or document_at(door, f"{path}/")
    response = json_answer(links.linkset(document, door.publisher))
    response.headers["Content-Type"] = "application/linkset+json"
    return response
