"""Turns the tables of codes into SKOS concept schemes, one Turtle file each."""

from __future__ import annotations

from pathlib import Path

from rdflib import DCTERMS, OWL, RDF, RDFS, SKOS, XSD, Graph, Literal, URIRef

from ontology.generate import tables
from ontology.generate.turtle import VERSION, code, ht, in_two_languages, new_graph, write

MATCH = {
    "exact": SKOS.exactMatch,
    "close": SKOS.closeMatch,
    "broad": SKOS.broadMatch,
    "narrow": SKOS.narrowMatch,
}


def write_all(root: Path) -> None:
    """Write `codes/<scheme>.ttl` for every code list and remove the files of lists that are gone."""
    sources = tables.sources()
    codes = tables.codes()
    wanted = set()
    for scheme in tables.schemes():
        members = [each for each in codes if each.scheme == scheme.name]
        path = root / "codes" / f"{scheme.name}.ttl"
        write(scheme_graph(scheme, members, sources), path, "codes.csv and its companions")
        wanted.add(path)
    for path in (root / "codes").glob("*.ttl"):
        if path not in wanted:
            path.unlink()


def scheme_graph(
    scheme: tables.Scheme, members: list[tables.Code], sources: dict[str, tables.Source]
) -> Graph:
    """One code list with its concepts, in their order."""
    graph = new_graph()
    subject = code[scheme.name]
    graph.add((subject, RDF.type, SKOS.ConceptScheme))
    graph.add((subject, OWL.versionInfo, Literal(VERSION)))
    graph.add((subject, RDFS.isDefinedBy, URIRef(str(ht).rstrip("#"))))
    in_two_languages(graph, subject, SKOS.prefLabel, scheme.words.en, scheme.words.nl)
    in_two_languages(graph, subject, SKOS.definition, scheme.words.definition_en, scheme.words.definition_nl)
    for key in scheme.words.source:
        graph.add((subject, DCTERMS.source, URIRef(sources[key].iri)))
    for position, member in enumerate(members, start=1):
        _add_concept(graph, member, position, sources)
    return graph


def _add_concept(graph: Graph, member: tables.Code, position: int, sources: dict[str, tables.Source]) -> None:
    scheme, subject = code[member.scheme], code[f"{member.scheme}/{member.local}"]
    graph.add((subject, RDF.type, SKOS.Concept))
    graph.add((subject, SKOS.inScheme, scheme))
    graph.add((subject, SKOS.notation, Literal(member.notation)))
    graph.add((subject, ht.position, Literal(position, datatype=XSD.integer)))
    in_two_languages(graph, subject, SKOS.prefLabel, member.words.en, member.words.nl)
    in_two_languages(graph, subject, SKOS.definition, member.words.definition_en, member.words.definition_nl)
    for key in member.words.source:
        graph.add((subject, DCTERMS.source, URIRef(sources[key].iri)))
    for word in member.also:
        graph.add((subject, SKOS.hiddenLabel, Literal(word)))
    for kind, match in member.matches:
        graph.add((subject, MATCH[kind], code[match]))
    _add_place(graph, member, subject)


def _add_place(graph: Graph, member: tables.Code, subject: URIRef) -> None:
    """Where the concept stands in its list: under wider ones, or at the top."""
    for wide in member.broader:
        above = code[f"{member.scheme}/{wide}"]
        graph.add((subject, SKOS.broader, above))
        graph.add((above, SKOS.narrower, subject))
    if not member.broader:
        graph.add((code[member.scheme], SKOS.hasTopConcept, subject))
        graph.add((subject, SKOS.topConceptOf, code[member.scheme]))
