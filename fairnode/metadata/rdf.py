"""Reading Turtle that others wrote, and writing RDF in the five forms that are served.

What is read is bounded (bytes, triples, blank nodes, nesting), keeps literals as they were written, and
never turns a relative IRI into a path of this machine. Blank nodes are named in the order in which they
appear, so the same Turtle always gives the same bytes in every form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, Self

import rdflib
from rdflib import RDF, XSD, BNode, Graph, Literal, URIRef
from rdflib.exceptions import ParserError
from rdflib.plugins.parsers.notation3 import BadSyntax

from fairnode import errors
from fairnode.metadata.names import BOUND

rdflib.NORMALIZE_LITERALS = False  # "007" stays "007": what is served is what was received

LARGEST_RECORD = 1024 * 1024
MOST_TRIPLES = 20_000
MOST_BLANK_NODES = 2_000
RELATIVE = "https://relative.invalid/"

Term = URIRef | BNode | Literal


class Form(StrEnum):
    """The forms in which RDF is served."""

    TURTLE = "text/turtle"
    JSON_LD = "application/ld+json"
    N_TRIPLES = "application/n-triples"
    RDF_XML = "application/rdf+xml"


_WRITERS = {Form.TURTLE: "turtle", Form.N_TRIPLES: "nt", Form.RDF_XML: "xml"}


def new_graph() -> Graph:
    """An empty graph with the prefixes of the house."""
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in BOUND.items():
        graph.bind(prefix, namespace)
    return graph


def read_turtle(content: bytes) -> Graph:
    """The graph in Turtle of others. Relative IRIs come out below `RELATIVE`, for the checks to find.

    Raises `NotValid` when it is too large, not UTF-8, or not Turtle.
    """
    if len(content) > LARGEST_RECORD:
        raise errors.NotValid(
            f"The record is larger than {LARGEST_RECORD // 1024} KiB.",
            to_do="A record describes the data; the data themselves stay where they are.",
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise errors.NotValid(
            "The record is not text in UTF-8.",
            findings=(errors.Finding(f"byte {error.start}", "is not UTF-8"),),
        ) from error
    graph = _InOrder(bind_namespaces="none")
    rdflib.NORMALIZE_LITERALS = False  # once more: pySHACL, where it was loaded too, sets it back
    try:
        graph.parse(data=text, format="turtle", publicID=RELATIVE)
    except BadSyntax as error:
        raise errors.NotValid("The record is not Turtle.", findings=(_place(error),)) from error
    except RecursionError as error:
        raise errors.NotValid("The record nests blank nodes or lists too deeply.") from error
    except (ParserError, ValueError, AttributeError, IndexError) as error:  # what rdflib's parser lets out
        raise errors.NotValid("The record is not Turtle.") from error
    return _named(graph)


def _place(error: BadSyntax) -> errors.Finding:
    """The line and the reason of a syntax error, without rdflib's long quotation."""
    reason = re.sub(r"\s+", " ", str(error._why))[:200]
    return errors.Finding(f"line {error.lines + 1}", reason)


class _InOrder(Graph):
    """A graph that remembers the order of its statements, and stops when there are too many."""

    def __init__(self, **options: str) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.order: list[tuple[rdflib.term.Node, rdflib.term.Node, rdflib.term.Node]] = []

    def add(self, triple: tuple[rdflib.term.Node, rdflib.term.Node, rdflib.term.Node]) -> Self:
        """Add a statement. Raises `NotValid` beyond `MOST_TRIPLES`."""
        self.order.append(triple)
        if len(self.order) > MOST_TRIPLES:
            raise errors.NotValid(f"The record makes more than {MOST_TRIPLES} statements.")
        super().add(triple)
        return self


def _named(graph: _InOrder) -> Graph:
    """The same graph with blank nodes named b0, b1, ... in the order of the text."""
    names: dict[BNode, BNode] = {}
    named = new_graph()
    for subject, predicate, value in graph.order:
        named.add((_renamed(subject, names), predicate, _renamed(value, names)))
    if len(names) > MOST_BLANK_NODES:
        raise errors.NotValid(f"The record has more than {MOST_BLANK_NODES} nodes without a name.")
    return named


def _renamed(term: rdflib.term.Node, names: dict[BNode, BNode]) -> rdflib.term.Node:
    """The term, or the new name of a blank node."""
    if not isinstance(term, BNode):
        return term
    return names.setdefault(term, BNode(f"b{len(names)}"))


def write(graph: Graph, form: Form) -> bytes:
    """The graph in `form`; the same graph gives the same bytes."""
    if form is Form.JSON_LD:
        return _json_ld(graph)
    text = graph.serialize(format=_WRITERS[form])
    if form is Form.N_TRIPLES:
        text = "\n".join(sorted(line for line in text.splitlines() if line)) + "\n"
    return text.encode()


def _json_ld(graph: Graph) -> bytes:
    """Flattened JSON-LD 1.1 with its context inside (rdflib's writer loses empty strings)."""
    used: dict[str, str] = {}

    def short(iri: str) -> str:
        for prefix, namespace in BOUND.items():
            local = iri.removeprefix(namespace)
            if local != iri and re.fullmatch(r"[A-Za-z0-9_-]+", local):
                used[prefix] = namespace
                return f"{prefix}:{local}"
        return iri

    nodes: dict[str, dict[str, Any]] = {}
    for subject, predicate, value in sorted(graph):
        node = nodes.setdefault(subject.n3(), {"@id": _id(subject)})
        if predicate == RDF.type:
            node.setdefault("@type", []).append(short(str(value)))
        else:
            node.setdefault(short(str(predicate)), []).append(_json_value(value, short))
    content = {"@context": dict(sorted(used.items())), "@graph": list(nodes.values())}
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _id(term: rdflib.term.Node) -> str:
    """How JSON-LD names a node."""
    return f"_:{term}" if isinstance(term, BNode) else str(term)


def _json_value(value: rdflib.term.Node, short: Callable[[str], str]) -> dict[str, str]:
    """An object as JSON-LD writes it."""
    if not isinstance(value, Literal):
        return {"@id": _id(value)}
    if value.language:
        return {"@value": str(value), "@language": value.language}
    if value.datatype and value.datatype != XSD.string:
        return {"@value": str(value), "@type": short(str(value.datatype))}
    return {"@value": str(value)}


def extend(graph: Graph, triples: Iterable[tuple[Term, URIRef, Term]]) -> Graph:
    """The graph with these statements added; for reading in one breath."""
    for triple in triples:
        graph.add(triple)
    return graph
