"""Reads a record as a graph, and refuses what is broken or too large before it fills the memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyoxigraph
from rdflib import RDF, XSD, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from fairnode import vocabulary
from fairnode.errors import Finding, NotValid

LARGEST = 5_000_000
"""Bytes in a record; a dataset of two hundred columns with all their codes stays below one million."""

MOST_TRIPLES = 20_000
"""Statements in a record: twenty columns coded by country come to fifteen thousand."""

DEEPEST = 32

RELATIVE = "relative:"
"""Stands before an address that is not complete, where the caller named no base."""

CONTEXTS = "https://w3id.org/fairnode/context/"

SMALLER = "Describe one thing in a record, and leave data out of it."


class LimitedGraph(Graph):
    """A graph that refuses more statements than a record can have."""

    def add(self, triple: tuple[Node, Node, Node]) -> LimitedGraph:
        """Add a statement. Raises `NotValid` when there are too many."""
        if len(self) >= MOST_TRIPLES:
            raise NotValid(f"The record makes more than {MOST_TRIPLES:,} statements.", to_do=SMALLER)
        super().add(triple)
        return self


def read_turtle(text: str, base: str) -> Graph:
    """The record as a graph. Raises `NotValid` with the line where the Turtle breaks."""
    _check_size(text)
    try:
        return _collect(text, pyoxigraph.RdfFormat.TURTLE, base)
    except SyntaxError as wrong:
        raise NotValid(
            f"The record is not well-formed Turtle: line {wrong.lineno} cannot be read.",
            to_do="Often a full stop, a quote or a prefix is missing on that line or the one before.",
            findings=(Finding(f"line {wrong.lineno}", _reason(wrong)),),
        ) from None


def read_json(text: str) -> Graph:
    """A document in JSON-LD as a graph; nothing is fetched, for its context must be one of the ontology's.

    Raises `NotValid` also for a field that the context does not know, which JSON-LD alone would drop.
    """
    _check_size(text)
    document = _document(text)
    context = _context(document.get("@context"))
    unknown = tuple(_unknown(document, context))
    if unknown:
        raise NotValid("The document has fields that nobody would read.", findings=unknown)
    try:
        complete = json.dumps({**document, "@context": context})
        return _collect(complete, pyoxigraph.RdfFormat.JSON_LD, "")
    except SyntaxError as wrong:
        raise NotValid(
            "The document is not well-formed JSON-LD.", findings=(Finding("document", _reason(wrong)),)
        ) from None


def _collect(text: str, kind: pyoxigraph.RdfFormat, base: str) -> Graph:
    """What the text states. pyoxigraph reads it, which is strict, does not recurse, and knows the line."""
    graph = LimitedGraph()
    encoded = text.encode("utf-8", errors="replace")
    for quad in pyoxigraph.parse(encoded, kind, base_iri=base or RELATIVE, rename_blank_nodes=True):
        graph.add((_node(quad.subject), _node(quad.predicate), _node(quad.object)))
    _check_depth(graph)
    return graph


def _check_depth(graph: Graph) -> None:
    """Refuse parts within parts beyond any record: telling of them costs the square of their depth."""
    inside: dict[Node, set[Node]] = {}
    for subject, predicate, part in graph:
        if isinstance(subject, BNode) and isinstance(part, BNode) and predicate != RDF.rest:
            inside.setdefault(subject, set()).add(part)
    level = set(inside)
    for _ in range(DEEPEST):
        level = {part for whole in level for part in inside.get(whole, ())}
    if level:
        raise NotValid(f"The record has parts within parts, more than {DEEPEST} deep.", to_do=SMALLER)


def _reason(wrong: SyntaxError) -> str:
    """The parser's words without the place, which is told apart."""
    return wrong.msg.partition(": ")[2] or wrong.msg


def _node(term: object) -> Node:
    """What pyoxigraph read, as rdflib writes it; literals keep the form in which they were written."""
    if isinstance(term, pyoxigraph.NamedNode):
        return URIRef(term.value)
    if isinstance(term, pyoxigraph.BlankNode):
        return BNode(term.value)
    if not isinstance(term, pyoxigraph.Literal):
        raise NotValid("The record makes statements about statements, which no record does.")
    if term.language:
        return Literal(term.value, lang=term.language)
    datatype = term.datatype.value
    return Literal(
        term.value, datatype=None if datatype == str(XSD.string) else URIRef(datatype), normalize=False
    )


def _check_size(text: str) -> None:
    if len(text.encode("utf-8", errors="replace")) > LARGEST:
        raise NotValid(f"The record is larger than {LARGEST:,} bytes.", to_do=SMALLER)


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as wrong:
        raise NotValid(
            f"The document is not well-formed JSON: line {wrong.lineno} cannot be read.",
            findings=(Finding(f"line {wrong.lineno}", wrong.msg),),
        ) from None
    except RecursionError:
        raise NotValid("The parts of the document are nested too deeply.") from None
    if not isinstance(document, dict):
        raise NotValid("The document must be one JSON object.")
    return document


def _unknown(value: object, context: Mapping[str, Any], where: str = "") -> Iterator[Finding]:
    """Keys that the context does not name: JSON-LD would drop them without a word.

    Keywords (`@graph`, `@reverse`, another `@context`) count as unknown but for the document's own three.
    """
    for part in value if isinstance(value, list) else [value]:
        for key, inner in part.items() if isinstance(part, dict) else ():
            place = f"{where}{key}"
            if key in ("@context", "@type", "@id") and not where:
                continue
            meaning = context.get(key)
            if meaning is None or key.startswith("@"):
                yield Finding(place, "is not a field of this document")
            elif isinstance(meaning, dict) and meaning.get("@type") != "@json":
                yield from _unknown(inner, meaning.get("@context", {}), f"{place}.")
            elif isinstance(meaning, str):
                yield from _unknown(inner, {}, f"{place}.")


def _context(name: object) -> dict[str, Any]:
    """The published context of that name, from the ontology's own folder. Raises `NotValid` for any other."""
    if isinstance(name, str) and re.fullmatch(re.escape(CONTEXTS) + "[a-z]+/[0-9]+", name):
        file = name.removeprefix(CONTEXTS).replace("/", "-")
        path = vocabulary.folder() / "context" / f"{file}.jsonld"
        if path.exists():
            return dict(json.loads(path.read_text(encoding="utf-8"))["@context"])
    raise NotValid(
        "The document must name one of the ontology's contexts.",
        to_do=f'A study begins with "@context": "{CONTEXTS}study/1".',
    )
