"""Turns the tables of terms into `core.ttl`, `node.ttl` and `policy.ttl`."""

from __future__ import annotations

from pathlib import Path

from rdflib import DCTERMS, ODRL2, OWL, RDF, RDFS, SKOS, Graph, Literal, Namespace, URIRef

from fairnode.vocabulary import FN, HT, HTPOL, PREFIXES
from ontology.generate import tables
from ontology.generate.turtle import VERSION, in_two_languages, new_graph, write

QB = Namespace(PREFIXES["qb"])
TYPES = {
    "class": (OWL.Class,),
    "object": (OWL.ObjectProperty,),
    "data": (OWL.DatatypeProperty,),
    "annotation": (OWL.AnnotationProperty,),
    "measure": (OWL.DatatypeProperty, QB.MeasureProperty),
    "attribute": (OWL.ObjectProperty, QB.AttributeProperty),
}
MATCHES = {
    "exact": SKOS.exactMatch,
    "close": SKOS.closeMatch,
    "broader": SKOS.broader,
    "within": ODRL2.includedIn,
}
FILES = {
    "core": (HT, "fairnode ontology", "fairnode-ontologie", "Trafficking in persons: what data describe.",
             "Mensenhandel: wat gegevens beschrijven."),
    "node": (FN, "fairnode record model", "fairnode-recordmodel", "Records that nodes take and make.",
             "Records die nodes aannemen en maken."),
    "policy": (HTPOL, "fairnode policy terms", "fairnode-beleidstermen",
               "An ODRL 2.2 and DPV 2.3 profile for visits to data on trafficking.",
               "Een ODRL 2.2- en DPV 2.3-profiel voor bezoek aan gegevens over mensenhandel."),
}  # fmt: skip
LICENCE = URIRef("https://creativecommons.org/licenses/by/4.0/")


def write_all(root: Path) -> None:
    """Write `core.ttl`, `node.ttl` and `policy.ttl`."""
    sources = tables.sources()
    for name in FILES:
        graph = new_graph()
        _add_heading(graph, name)
        for term in tables.terms(name):
            _add_term(graph, term, sources)
        if name == "core":
            _add_sources(graph, sources)
        write(graph, root / f"{name}.ttl", f"terms_{name}.csv")


def iri(curie: str) -> URIRef:
    """The IRI of `prefix:name`. Raises `KeyError` for a prefix that is not the house's."""
    prefix, _, name = curie.partition(":")
    return URIRef(PREFIXES[prefix] + name)


def _add_heading(graph: Graph, name: str) -> None:
    namespace, en, nl, purpose_en, purpose_nl = FILES[name]
    subject = URIRef(namespace.rstrip("#"))
    graph.add((subject, RDF.type, OWL.Ontology))
    graph.add((subject, OWL.versionIRI, URIRef(f"{subject}/{VERSION}")))
    graph.add((subject, OWL.versionInfo, Literal(VERSION)))
    graph.add((subject, DCTERMS.license, LICENCE))
    graph.add((subject, URIRef(PREFIXES["vann"] + "preferredNamespaceUri"), Literal(namespace)))
    in_two_languages(graph, subject, DCTERMS.title, en, nl)
    in_two_languages(graph, subject, RDFS.label, en, nl)
    in_two_languages(graph, subject, DCTERMS.description, purpose_en, purpose_nl)


def _add_term(graph: Graph, term: tables.Term, sources: dict[str, tables.Source]) -> None:
    subject, words = iri(term.curie), term.words
    for kind in _types(term):
        graph.add((subject, RDF.type, kind))
    in_two_languages(graph, subject, RDFS.label, words.en, words.nl)
    in_two_languages(graph, subject, SKOS.definition, words.definition_en, words.definition_nl)
    parent = RDFS.subClassOf if term.kind == "class" else RDFS.subPropertyOf
    for wide in term.parents:
        graph.add((subject, parent, iri(wide)))
    for predicate, target in ((RDFS.domain, term.domain), (RDFS.range, term.range)):
        if target:
            graph.add((subject, predicate, iri(target)))
    for kind, other in term.matches:
        graph.add((subject, MATCHES[kind], iri(other)))
    for key in words.source:
        graph.add((subject, DCTERMS.source, URIRef(sources[key].iri)))
    graph.add((subject, RDFS.isDefinedBy, URIRef(str(subject).partition("#")[0])))


def _types(term: tables.Term) -> tuple[URIRef, ...]:
    """Legal bases and purposes are concepts as well, for DPV orders them by `skos:broader`."""
    kind, _, of = term.kind.partition(":")
    if kind != "individual":
        return TYPES[kind]
    concept = (SKOS.Concept,) if of.startswith(("dpv:", "htpol:", "odrl:")) else ()
    return (OWL.NamedIndividual, iri(of), *concept)


def _add_sources(graph: Graph, sources: dict[str, tables.Source]) -> None:
    """What the ontology draws on, each with the terms under which it may be used."""
    for source in sources.values():
        subject = URIRef(source.iri)
        if source.key == "own":
            continue
        graph.add((subject, RDF.type, DCTERMS.BibliographicResource))
        graph.add((subject, DCTERMS.title, Literal(source.title, lang="en")))
        graph.add((subject, iri("ht:licence"), Literal(source.licence)))
