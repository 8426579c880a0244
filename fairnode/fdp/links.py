"""Link headers: LDP types and Signposting (https://signposting.org/FAIR/), levels 1 and 2."""

from __future__ import annotations

from typing import Any

from fairnode.metadata.making import Document
from fairnode.metadata.names import LICENCE, known_licence
from fairnode.metadata.rdf import Form
from fairnode.metadata.shapes import PROFILES

SHORT = {Form.TURTLE: "ttl", Form.JSON_LD: "jsonld", Form.N_TRIPLES: "nt", Form.RDF_XML: "rdf"}

_SCHEMA = {
    "dataset": "https://schema.org/Dataset",
    "catalogue": "https://schema.org/DataCatalog",
    "fdp": "https://schema.org/DataCatalog",
    "algorithm": "https://schema.org/SoftwareSourceCode",
    "organisation": "https://schema.org/Organization",
}
_LDP = "http://www.w3.org/ns/ldp#"


def ldp_links(document: Document) -> list[str]:
    """What LDP wants to be said of every resource."""
    kinds = ["Resource"] + (["DirectContainer", "Container"] if document.kind == "container" else [])
    return [f'<{_LDP}{kind}>; rel="type"' for kind in kinds]


def metadata_links(document: Document, base: str) -> list[str]:
    """The links of an RDF form: LDP's, back to what it describes, and to the profile that it keeps to."""
    told = [*ldp_links(document), f'<{document.iri}>; rel="describes"']
    kind = document.described.profile if document.described else document.kind
    if kind in PROFILES and not document.gone:
        told.append(f'<{base}/profile/{kind}>; rel="profile"')
    return told


def constraints(base: str) -> str:
    """Where it says what a record must have to be taken (LDP 4.2.1.6)."""
    return f'<{base}/profile/dataset>; rel="{_LDP}constrainedBy"'


def page_links(document: Document, publisher: str) -> list[str]:
    """The links of the page at a record's IRI (level 1), and to the link set (level 2)."""
    told = [*ldp_links(document)]
    for relation, target, kind in signposts(document, publisher):
        told.append(f'<{target}>; rel="{relation}"' + (f'; type="{kind}"' if kind else ""))
    told.append(f'<{linkset_iri(document)}>; rel="linkset"; type="application/linkset+json"')
    return told


def signposts(document: Document, publisher: str) -> list[tuple[str, str, str]]:
    """(relation, target, media type or nothing) for a record."""
    record = document.described.record if document.described else None
    told = [
        ("cite-as", document.iri, ""),
        ("type", "https://schema.org/AboutPage", ""),
        ("type", _SCHEMA.get(document.kind, "https://schema.org/CreativeWork"), ""),
        ("license", known_licence((record.licence if record else "") or str(LICENCE)), ""),
        ("author", publisher, ""),
    ]
    return told + [("describedby", form_iri(document, form), form.value) for form in Form]


def form_iri(document: Document, form: Form) -> str:
    """Where one form of a document can be linked to."""
    return f"{document.iri}?format={SHORT[form]}"


def linkset_iri(document: Document) -> str:
    """Where the link set of a document is."""
    return f"{document.iri.rstrip('/')}/linkset"


def linkset(document: Document, publisher: str) -> dict[str, Any]:
    """The link set (RFC 9264) with the page and each metadata form as anchors."""
    page: dict[str, Any] = {"anchor": document.iri}
    for relation, target, kind in signposts(document, publisher):
        page.setdefault(relation, []).append({"href": target} | ({"type": kind} if kind else {}))
    forms = [
        {"anchor": form_iri(document, form), "describes": [{"href": document.iri, "type": "text/html"}]}
        for form in Form
    ]
    return {"linkset": [page, *forms]}
