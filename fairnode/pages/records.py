"""The pages at the records' own IRIs; `render` is what the RDF door is given."""

from __future__ import annotations

from flask import render_template

from fairnode.metadata import schema_org
from fairnode.metadata.making import Document
from fairnode.metadata.plain import in_words
from fairnode.metadata.profiled import read_profile
from fairnode.metadata.rdf import Form
from fairnode.metadata.shelf import Shelf

_FORMS = (
    ("Turtle", "ttl", Form.TURTLE),
    ("JSON-LD", "jsonld", Form.JSON_LD),
    ("N-Triples", "nt", Form.N_TRIPLES),
    ("RDF/XML", "rdf", Form.RDF_XML),
)
_TEMPLATES = {
    "fdp": "record/root.html",
    "catalogue": "record/catalogue.html",
    "dataset": "record/dataset.html",
}


def render(shelf: Shelf, document: Document) -> str:
    """The page of a document: the same for everybody, so that it may be cached."""
    site = shelf.site()
    about = None
    if document.described:
        about = schema_org.dataset(site, document.described)
    elif document.kind in ("catalogue", "fdp"):
        pairs = [{"iri": row.iri, "title": row.title} for row in shelf.published()]
        about = schema_org.catalogue(site, document.iri, document.title, pairs)
    template = "record/gone.html" if document.gone else _TEMPLATES.get(document.kind, "record/other.html")
    told = document.described
    return render_template(
        template,
        policy=in_words(told.graph, told.record.iri) if told else None,
        document=document,
        record=told.record if told else None,
        profile=read_profile(told.graph, told.record.iri) if told else None,
        twin=shelf.twin(told.dataset.id) if told else None,
        organisation=site.config.organisation,
        datasets=shelf.published(),
        forms=[(name, f"{document.iri}?format={short}", kind.value) for name, short, kind in _FORMS],
        schema_org=about,
    )
