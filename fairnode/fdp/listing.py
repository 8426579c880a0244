"""Paging, search, and the other reading routes of the FDP reference implementation."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, request

from fairnode import errors
from fairnode.door.answer import answer, json_answer
from fairnode.door.asking import json_body, number
from fairnode.fdp.represent import FdpDoor, document_at, wanted_form
from fairnode.metadata.find import search
from fairnode.metadata.making import Document, etag
from fairnode.metadata.names import DCT
from fairnode.metadata.rdf import Form, new_graph, write
from fairnode.metadata.record import in_english

LARGEST_PAGE = 100
_CHILDREN = {
    "fdp": ("catalogue", "catalog"),
    "catalogue": ("dataset", "algorithm", "resource"),
    "dataset": ("distribution",),
}


def page(door: FdpDoor, child: str, path: str = "/", **_: str) -> Response:
    """One page of a record's children, by title, with Link headers to the other pages (RFC 8288)."""
    parent = document_at(door, path)
    if child not in _CHILDREN.get(parent.kind, ()):
        raise errors.NotFound("This record has no children of that kind.")
    at, size = number("page", 0, 0, 10**6), number("size", 10, 1, LARGEST_PAGE)
    here = parent.members[at * size : (at + 1) * size]
    graph = new_graph()
    for member in here:
        found = door.shelf.get(member.iri.removeprefix(door.node.iri))
        if found is not None:
            graph.parse(data=found.bodies[Form.N_TRIPLES], format="nt")
    form = wanted_form(html=False)
    body = write(graph, Form(form))
    response = answer(body, form, etag(form, body), parent.modified)
    response.headers["Link"] = _page_links(door, request.path, (at, size, len(parent.members)))
    return response


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
    return json_answer([_hit(door, document) for document in search(door.shelf, query)])


def _hit(door: FdpDoor, document: Document) -> dict[str, Any]:
    """One search result as the reference implementation tells it."""
    told = document.described
    return {
        "uri": document.iri,
        "types": ["http://www.w3.org/ns/dcat#Dataset"],
        "title": document.title,
        "description": in_english(told.record.descriptions) if told else "",
        "relations": [{"predicate": str(DCT.isPartOf), "object": f"{door.node.iri}/catalogue/data"}],
    }


def facets(door: FdpDoor, **_: str) -> Response:
    """GET /search/filters: what can be searched by, with the values that occur here."""
    counts: dict[str, dict[str, int]] = {"keyword": {}, "variable": {}}
    for row in door.shelf.published():
        found = door.shelf.get(f"/dataset/{row.id}")
        if found is None or found.described is None:
            continue
        record = found.described.record
        for name, values in (
            ("keyword", record.keywords),
            ("variable", [v.name for v in record.public_variables]),
        ):
            for value in values:
                counts[name][value] = counts[name].get(value, 0) + 1
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
    document = document_at(door, path)
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
    document = document_at(door, path)
    graph = new_graph()
    for iri in (document.iri, *document.parents):
        part = door.shelf.get(iri.removeprefix(door.node.iri) or "/")
        if part is not None:
            graph.parse(data=part.bodies[Form.N_TRIPLES], format="nt")
    form = wanted_form(html=False)
    body = write(graph, Form(form))
    return answer(body, form, etag(form, body), document.modified)


def linkset_json(content: object) -> Response:
    """A link set as its own media type."""
    response = Response(json.dumps(content, ensure_ascii=False))
    response.headers["Content-Type"] = "application/linkset+json"
    return response
