"""Writes Turtle with the house's prefixes, always the same bytes for the same statements."""

from __future__ import annotations

from pathlib import Path

from rdflib import Graph, Literal, Namespace, URIRef

from fairnode.vocabulary import CODE, HT, PREFIXES

VERSION = "1.0.0"
ROOT = Path(__file__).resolve().parents[1]
ht = Namespace(HT)
code = Namespace(CODE)


def new_graph() -> Graph:
    """An empty graph that knows the house's prefixes and no others."""
    graph = Graph(bind_namespaces="none")
    for prefix, iri in PREFIXES.items():
        graph.bind(prefix, iri)
    return graph


def in_two_languages(graph: Graph, subject: URIRef, predicate: URIRef, en: str, nl: str) -> None:
    """State a text in English and Dutch; an empty text is left out."""
    for text, language in ((en, "en"), (nl, "nl")):
        if text:
            graph.add((subject, predicate, Literal(text, lang=language)))


def write(graph: Graph, path: Path, origin: str) -> None:
    """Write the graph to `path` with a heading that says what it was made from."""
    heading = f"# Made by `python -m ontology.generate` from tables/{origin}; not to be edited here.\n"
    path.write_text(heading + graph.serialize(format="turtle"), encoding="utf-8")
