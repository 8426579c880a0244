"""Turns the table of variables into `variables.ttl`."""

from __future__ import annotations

from pathlib import Path

from rdflib import DCTERMS, OWL, RDF, RDFS, SKOS, XSD, Graph, Literal, Namespace, URIRef

from fairnode.vocabulary import PREFIXES
from ontology.generate import tables
from ontology.generate.turtle import code, ht, in_two_languages, new_graph, write

QB = Namespace(PREFIXES["qb"])
RANGES = {
    "coded": SKOS.Concept,
    "integer": XSD.integer,
    "year": XSD.gYear,
    "date": XSD.date,
    "key": XSD.string,
    "identifier": XSD.string,
}


def write_all(root: Path) -> None:
    """Write `variables.ttl`."""
    graph, sources = new_graph(), tables.sources()
    for variable in tables.variables():
        _add_variable(graph, variable, sources)
    write(graph, root / "variables.ttl", "variables.csv")


def _add_variable(graph: Graph, variable: tables.Variable, sources: dict[str, tables.Source]) -> None:
    subject, words = ht[variable.name], variable.words
    for kind in _types(variable):
        graph.add((subject, RDF.type, kind))
    in_two_languages(graph, subject, RDFS.label, words.en, words.nl)
    in_two_languages(graph, subject, SKOS.definition, words.definition_en, words.definition_nl)
    graph.add((subject, ht.kind, Literal(variable.kind)))
    graph.add((subject, ht.sensitive, Literal(variable.sensitive)))
    graph.add((subject, ht.multiple, Literal(variable.multiple)))
    graph.add((subject, ht.describes, ht[variable.of]))
    graph.add((subject, RDFS.range, RANGES[variable.kind]))
    graph.add((subject, RDFS.isDefinedBy, URIRef(str(ht).rstrip("#"))))
    for key in words.source:
        graph.add((subject, DCTERMS.source, URIRef(sources[key].iri)))
    _add_values(graph, variable, subject)


def _types(variable: tables.Variable) -> list[URIRef]:
    """A variable that may be a dimension of a table is a `qb:DimensionProperty`; keys and names never are."""
    if variable.kind == "coded":
        return [ht.Variable, OWL.ObjectProperty, QB.DimensionProperty, QB.CodedProperty]
    if variable.kind in ("key", "identifier"):
        return [ht.Variable, OWL.DatatypeProperty]
    return [ht.Variable, OWL.DatatypeProperty, QB.DimensionProperty]


def _add_values(graph: Graph, variable: tables.Variable, subject: URIRef) -> None:
    if variable.scheme:
        graph.add((subject, QB.codeList, code[variable.scheme]))
    for predicate, bound in ((ht.minimum, variable.minimum), (ht.maximum, variable.maximum)):
        if bound:
            graph.add((subject, predicate, Literal(int(bound))))
    for predicate, names in ((ht.htcdsField, variable.htcds), (ht.ctdcVariable, variable.ctdc)):
        for name in names:
            graph.add((subject, predicate, Literal(name)))
