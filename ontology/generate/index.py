"""Makes `index.json`, which `fairnode.vocabulary` reads, from the Turtle files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rdflib import OWL, RDF, RDFS, SKOS, Graph, Literal, Namespace, URIRef

from fairnode.vocabulary import CODE, FN, HT, HTPOL, PREFIXES
from ontology.generate.turtle import VERSION, ht

QB = Namespace(PREFIXES["qb"])
DEFINES = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty, OWL.NamedIndividual)


def whole_graph(root: Path) -> Graph:
    """Everything the ontology says: all Turtle files but shapes and examples."""
    graph = Graph()
    for path in (*sorted(root.glob("*.ttl")), *sorted((root / "codes").glob("*.ttl"))):
        graph.parse(path, format="turtle")
    return graph


def write_all(root: Path) -> None:
    """Write `index.json`."""
    (root / "index.json").write_text(text(whole_graph(root)), encoding="utf-8")


def text(graph: Graph) -> str:
    """The index as JSON with one line a code, so that a change is seen in a diff."""
    schemes = {_local(scheme): _codes(graph, scheme) for scheme in _subjects(graph, SKOS.ConceptScheme)}
    found = {_local(each): _variable(graph, each) for each in _subjects(graph, ht.Variable)}
    lines = [
        '{"version": ' + json.dumps(VERSION) + ",",
        '"variables": {' + _block(found) + "},",
        '"schemes": {'
        + ",\n".join(f"{json.dumps(name)}: [\n{_lines(rows)}\n]" for name, rows in sorted(schemes.items()))
        + "},",
        '"terms": {' + _block(_terms(graph)) + "}}",
    ]
    return "\n".join(lines) + "\n"


def _block(entries: dict[str, Any]) -> str:
    return ",\n".join(
        f"{json.dumps(name)}: {json.dumps(entry, ensure_ascii=False)}"
        for name, entry in sorted(entries.items())
    )


def _lines(rows: list[dict[str, Any]]) -> str:
    return ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def _subjects(graph: Graph, kind: URIRef) -> list[URIRef]:
    return sorted(each for each in graph.subjects(RDF.type, kind) if isinstance(each, URIRef))


def _local(iri: URIRef) -> str:
    return str(iri).removeprefix(CODE).removeprefix(HT)


def _words(graph: Graph, subject: URIRef, predicate: URIRef, language: str) -> str:
    texts = (each for each in graph.objects(subject, predicate) if isinstance(each, Literal))
    return min((str(each) for each in texts if each.language == language), default="")


def _codes(graph: Graph, scheme: URIRef) -> list[dict[str, Any]]:
    members = [each for each in graph.subjects(SKOS.inScheme, scheme) if isinstance(each, URIRef)]
    members.sort(key=lambda each: _python(graph, each, ht.position) or 0)
    return [_code(graph, each) for each in members]


def _code(graph: Graph, subject: URIRef) -> dict[str, Any]:
    matches = sorted(
        [kind, str(other)]
        for kind, predicate in (
            ("broad", SKOS.broadMatch),
            ("close", SKOS.closeMatch),
            ("exact", SKOS.exactMatch),
            ("narrow", SKOS.narrowMatch),
        )
        for other in graph.objects(subject, predicate)
    )
    entry = {
        "local": str(subject).rpartition("/")[2],
        "notation": str(graph.value(subject, SKOS.notation)),
        "en": _words(graph, subject, SKOS.prefLabel, "en"),
        "nl": _words(graph, subject, SKOS.prefLabel, "nl"),
        "broader": sorted(
            str(graph.value(wide, SKOS.notation)) for wide in graph.objects(subject, SKOS.broader)
        ),
        "also": sorted(str(word) for word in graph.objects(subject, SKOS.hiddenLabel)),
        "matches": matches,
    }
    return {key: value for key, value in entry.items() if value}


def _variable(graph: Graph, subject: URIRef) -> dict[str, Any]:
    scheme = graph.value(subject, QB.codeList)
    return {
        "kind": str(graph.value(subject, ht.kind)),
        "scheme": _local(scheme) if isinstance(scheme, URIRef) else "",
        "multiple": _python(graph, subject, ht.multiple),
        "sensitive": _python(graph, subject, ht.sensitive),
        "minimum": _python(graph, subject, ht.minimum),
        "maximum": _python(graph, subject, ht.maximum),
        "en": _words(graph, subject, RDFS.label, "en"),
        "nl": _words(graph, subject, RDFS.label, "nl"),
        "definition_en": _words(graph, subject, SKOS.definition, "en"),
        "definition_nl": _words(graph, subject, SKOS.definition, "nl"),
    }


def _python(graph: Graph, subject: URIRef, predicate: URIRef) -> bool | int | None:
    value = graph.value(subject, predicate)
    return value.toPython() if isinstance(value, Literal) else None


def _terms(graph: Graph) -> dict[str, list[str]]:
    """Label and definition of every class, property and individual in our own namespaces."""
    own = {
        each
        for kind in DEFINES
        for each in graph.subjects(RDF.type, kind)
        if isinstance(each, URIRef) and str(each).startswith((HT, FN, HTPOL))
    }
    return {
        str(each): [
            _words(graph, each, predicate, language)
            for predicate in (RDFS.label, SKOS.definition)
            for language in ("en", "nl")
        ]
        for each in own
    }
