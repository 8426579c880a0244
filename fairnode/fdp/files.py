"""Documents beside the records: shapes, earlier versions, columns, samples, site map, persistence."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

from flask import Response, request

from fairnode import __version__, errors
from fairnode.disclosure.rules import rules_to_toml
from fairnode.door.answer import answer, json_answer
from fairnode.fdp.represent import FdpDoor, present
from fairnode.keys import digest
from fairnode.metadata import shapes as shape_files
from fairnode.metadata import variables
from fairnode.metadata.documents.rules import rules_graph
from fairnode.metadata.keep import dataset, versions
from fairnode.metadata.plain import known_label
from fairnode.metadata.record import Record
from fairnode.metadata.twin_files import twin_file
from fairnode.records.profile_rows import Twin

PERSISTENCE = (
    "Identifiers below {iri} are made from the configured address and never given to another thing. "
    "A record that changes keeps its identifier and its earlier versions; one that is withdrawn leaves a "
    "notice at its address (410).\n"
)


def rules_page(door: FdpDoor, **_: str) -> Response:
    """The disclosure rules of this node, in RDF."""
    rules = door.node.rules
    body = rules_graph(rules, f"{door.node.iri}/rules").serialize(format="turtle")
    return answer(body, "text/turtle", rules.hash[:32])


def rules_file(door: FdpDoor, **_: str) -> Response:
    """The same as TOML: what another node, or a person, can take over."""
    return answer(rules_to_toml(door.node.rules), "application/toml", door.node.rules.hash[:32])


def shapes(door: FdpDoor, key: str, **_: str) -> Response:
    """The SHACL shapes of one kind of record."""
    found = shape_files.shapes(key)
    if found is None:
        raise errors.NotFound(
            "There are no shapes of that kind.", to_do=f"There are: {', '.join(shape_files.PROFILES)}."
        )
    return answer(found, "text/turtle", digest(found)[:32], door.shelf.site().made)


def all_shapes(door: FdpDoor, **_: str) -> Response:
    """The shapes of all kinds in one document."""
    found = shape_files.all_shapes()
    return answer(found, "text/turtle", digest(found)[:32], door.shelf.site().made)


def version(door: FdpDoor, key: str, number: int, **_: str) -> Response:
    """One version of a record, byte for byte as it was received."""
    present(door, f"/dataset/{key}")
    for kept in versions(door.node, key):
        if kept.version == number:
            return answer(kept.record, "text/turtle", kept.sha256[:32], kept.created, seconds=86400)
    raise errors.NotFound("The record has no such version.")


def version_list(door: FdpDoor, key: str, **_: str) -> Response:
    """The versions of a record: number, moment, hash and address."""
    document = present(door, f"/dataset/{key}")
    return json_answer(
        [
            {
                "version": kept.version,
                "created": kept.created,
                "sha256": kept.sha256,
                "url": f"{document.iri}/record/{kept.version}",
            }
            for kept in versions(door.node, key)
        ]
    )


def columns(door: FdpDoor, key: str, **_: str) -> Response:
    """The columns of a visit's view as CSVW metadata."""
    record = _record(door, key)
    content = variables.csvw_json(record, f"{door.node.iri}/sample/{key}.csv")
    body = json.dumps(content, ensure_ascii=False, indent=1).encode()
    return answer(body, "application/csvm+json", digest(body)[:32])


def sample(door: FdpDoor, key: str, **_: str) -> Response:
    """Invented rows with the columns of a visit's view: the twin, or a few lines where none was drawn."""
    record = _record(door, key)
    body = _twin(door, key, "csv") or variables.sample_csv(record)
    return answer(body, "text/csv", digest(body)[:32])


def sample_parquet(door: FdpDoor, key: str, **_: str) -> Response:
    """The synthetic twin as Parquet, with exactly the types of a visit's view."""
    _record(door, key)
    body = _twin(door, key, "parquet")
    if not body:
        raise errors.NotFound("This dataset has no twin as Parquet.", to_do="Take the sample as CSV.")
    return answer(body, "application/vnd.apache.parquet", digest(body)[:32])


def _twin(door: FdpDoor, key: str, form: str) -> bytes:
    """The bytes of a dataset's twin; none where it was not drawn."""
    with door.node.store.read() as reader:
        twin = reader.get(Twin, dataset(door.node, key).id)
    path = twin_file(door.node, twin, form) if twin else None
    return path.read_bytes() if path is not None and path.exists() else b""


def _record(door: FdpDoor, key: str) -> Record:
    """What the record of a published dataset says."""
    found = present(door, f"/dataset/{key}").described
    if found is None:
        raise errors.NotFound("This node has no such dataset.")
    return found.record


def site_map(door: FdpDoor, **_: str) -> Response:
    """The pages that search engines may read."""
    pages = [door.node.iri + "/", f"{door.node.iri}/catalogue/data"]
    pages += [row.iri for row in door.shelf.published()]
    lines = "".join(f"<url><loc>{escape(page)}</loc></url>" for page in pages)
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{_SITEMAP}">{lines}</urlset>'
    return answer(body, "application/xml", digest(body.encode())[:32])


_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


def robots(door: FdpDoor, **_: str) -> Response:
    """What robots may read: records, not people's own pages."""
    body = f"User-agent: *\nDisallow: /home\nDisallow: /login\nSitemap: {door.node.iri}/sitemap.xml\n"
    return answer(body, "text/plain", digest(body.encode())[:32])


def persistence(door: FdpDoor, **_: str) -> Response:
    """What this node promises about its identifiers."""
    body = PERSISTENCE.format(iri=door.node.iri)
    return answer(body, "text/plain", digest(body.encode())[:32])


def info(door: FdpDoor, **_: str) -> Response:
    """GET /actuator/info: which software this is."""
    del door
    return json_answer({"name": "fairnode", "version": __version__})


def label(door: FdpDoor, **_: str) -> Response:
    """GET /label?iri=: what a term is called, from what this node has; nothing is fetched for it.

    Raises `NotFound` for a term that it does not know.
    """
    del door
    iri = request.args.get("iri", "")
    found = known_label(iri) if iri else ""
    if not found:
        raise errors.NotFound(
            "This node has no label for that.", to_do="Ask with ?iri= and an IRI of the ontology."
        )
    return json_answer({"label": found, "lang": "en"})


def health(door: FdpDoor, **_: str) -> Response:
    """Whether the node can read its records."""
    door.shelf.published()
    return json_answer({"status": "UP"})
