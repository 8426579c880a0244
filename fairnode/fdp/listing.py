"""Paging, search, and the other reading routes of the FDP reference implementation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from flask import Response, request

from fairnode import errors
from fairnode.door.answer import answer, json_answer
from fairnode.door.asking import json_body, number
from fairnode.fdp.represent import FdpDoor, present, wanted_form
from fairnode.keys import digest
from fairnode.metadata.find import search
from fairnode.metadata.making import Document, etag
from fairnode.metadata.names import DCT
from fairnode.metadata.rdf import Form, new_graph, write
from fairnode.metadata.record import Record
from fairnode.metadata.shelf import Shelf

LARGEST_PAGE = 100
_CHILDREN = {
    "fdp": ("catalogue", "catalog"),
    "catalogue": ("dataset", "algorithm", "resource"),
    "dataset": ("distribution",),
}


def page(door: FdpDoor, child: str, path: str = "/", **_: str) -> Response:
    """One page of a record's children, by title, with Link headers to the other pages (RFC 8288)."""
    parent = present(door, path)
    if child not in _CHILDREN.get(parent.kind, ()):
        raise errors.NotFound("This record has no children of that kind.")
    at, size = number("page", 0, 0, 10**6), number("size", 10, 1, LARGEST_PAGE)
    here = parent.members[at * size : (at + 1) * size]
    form = wanted_form(html=False)
    body = _together(door, [member.iri for member in here], form)
    response = answer(body, form, etag(form, body), parent.modified)
    response.headers["Link"] = _page_links(door, request.path, (at, size, len(parent.members)))
    return response


def _together(door: FdpDoor, iris: Sequence[str], form: str) -> bytes:
    """Several documents of this node in one, written once for each state of them."""
    found = [door.shelf.get(iri.removeprefix(door.node.iri) or "/") for iri in iris]
    parts = tuple((part.path, part.etags[Form.N_TRIPLES]) for part in found if part is not None)
    return _written(door.shelf, parts, Form(form))


@lru_cache(maxsize=32)
def _written(shelf: Shelf, parts: tuple[tuple[str, str], ...], form: Form) -> bytes:
    """The documents at these paths, with these validators, in one graph."""
    graph = new_graph()
    for path, _ in parts:
        part = shelf.get(path)
        if part is not None:
            graph.parse(data=part.bodies[Form.N_TRIPLES], format="nt")
    return write(graph, form)


def _page_links(door: FdpDoor, path: str, place: tuple[int, int, int]) -> str:
    """first, last, next and prev; a page beyond the end is empty and leads back."""
    at, size, total = place
    last = max((total - 1) // size, 0)
    pages = {"first": 0, "last": last}
    if at < last:
        pages["next"] = at + 1
    if at > 0:
        pages["prev"] = min(at - 1, last)
    base = f"{door.node.iri}{path}"
    return ", ".join(f'<{base}?page={number}&size={size}>; rel="{rel}"' for rel, number in pages.items())


def find(door: FdpDoor, **_: str) -> Response:
    """POST /search: the records whose words hold the query."""
    told = json_body()
    query = told.get("query") if isinstance(told, dict) else None
    if not isinstance(query, str) or not 0 < len(query.strip()) <= 200:
        raise errors.FairnodeError(
            "A search is an object with 'query', of 1 to 200 characters.", to_do='Send {"query": "shelter"}.'
        )
    return json_answer([_hit(door, record) for record in search(door.shelf, query)])


def _hit(door: FdpDoor, record: Record) -> dict[str, Any]:
    """One search result as the reference implementation tells it."""
    return {
        "uri": record.iri,
        "types": ["http://www.w3.org/ns/dcat#Dataset"],
        "title": record.title,
        "description": record.description,
        "relations": [{"predicate": str(DCT.isPartOf), "object": f"{door.node.iri}/catalogue/data"}],
    }


def facets(door: FdpDoor, **_: str) -> Response:
    """GET /search/filters: what can be searched by, with the values that occur here."""
    records = door.shelf.records()
    counts = {
        "keyword": Counter(word for record in records for word in record.keywords),
        "variable": Counter(v.name for record in records for v in record.public_variables),
    }
    return json_answer(
        [
            {
                "type": "LITERAL",
                "label": name.capitalize(),
                "predicate": name,
                "values": [{"value": v, "label": v, "count": c} for v, c in sorted(values.items())],
            }
            for name, values in counts.items()
        ]
    )


def meta(door: FdpDoor, path: str = "/", **_: str) -> Response:
    """GET {record}/meta: its state and the records above it."""
    document = present(door, path)
    parents = {iri: {"parent": parent} for iri, parent in _chain(document)}
    return json_answer(
        {
            "member": {},
            "state": {"current": "PUBLISHED", "children": {m.iri: "PUBLISHED" for m in document.members}},
            "path": {document.iri: {"title": document.title, "parent": next(iter(document.parents), None)}}
            | parents,
        }
    )


def _chain(document: Document) -> list[tuple[str, str | None]]:
    """The records above a document, each with the one above it."""
    above: list[str | None] = [*document.parents[1:], None]
    return list(zip(document.parents, above, strict=True)) if document.parents else []


def expanded(door: FdpDoor, path: str = "/", **_: str) -> Response:
    """GET {record}/expanded: the record and all above it in one graph."""
    document = present(door, path)
    form = wanted_form(html=False)
    body = _together(door, [document.iri, *document.parents], form)
    return answer(body, form, etag(form, body), document.modified)


def linkset_json(content: object, modified: str) -> Response:
    """A link set as its own media type."""
    body = json.dumps(content, ensure_ascii=False).encode()
    return answer(body, "application/linkset+json", digest(body)[:32], modified)
