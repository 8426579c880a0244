"""A document in the form that the asker likes best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, request

from fairnode import errors
from fairnode.door.answer import Gone, answer
from fairnode.door.negotiate import NotOffered, choose
from fairnode.fdp import links
from fairnode.metadata.making import Document, etag
from fairnode.metadata.rdf import Form
from fairnode.metadata.shelf import Shelf
from fairnode.node import Node

HTML = "text/html"
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


def document_at(door: FdpDoor, path: str) -> Document:
    """The public document at this path. Raises `NotFound`."""
    found = door.shelf.get(path)
    if found is None:
        raise errors.NotFound("There is nothing at this address.", to_do="Start at the catalogue.")
    return found


def wanted_form(*, html: bool) -> str:
    """The media type that `?format=` or Accept asks for. Raises `NotOffered`."""
    offers = [form.value for form in Form] + ([HTML] if html else [])
    told = request.args.get("format")
    if not told:
        return choose(request.headers.get("Accept"), offers)
    if _FORMATS.get(told) not in offers:
        raise NotOffered("There is no such format.", to_do=f"There are: {', '.join(_FORMATS)}.")
    return _FORMATS[told]


def present(door: FdpDoor, path: str) -> Document:
    """The public document at this path. Raises `NotFound`, and `Gone` where only its notice is left."""
    found = document_at(door, path)
    if found.gone:
        raise Gone("This dataset was withdrawn.", to_do=f"See the notice at {found.iri}.")
    return found


def represent(door: FdpDoor, document: Document) -> Response:
    """The document in the negotiated form, with validators and links."""
    form, status = wanted_form(html=True), 410 if document.gone else 200
    if form == HTML:
        page = document.page.get(HTML) or door.render(document).encode()
        document.page[HTML] = page
        response = answer(page, HTML, etag(HTML, page), document.modified, status=status)
        told = links.page_links(document, door.publisher)
    else:
        body, tag = document.bodies[Form(form)], document.etags[Form(form)]
        response = answer(body, form, tag, document.modified, status=status)
        told = links.metadata_links(document, door.node.iri)
    response.headers["Link"] = ", ".join(told)
    return response
