"""Types and labels of the controlled terms that a document points to: it can be read without a network.

DCAT-AP 3 wants every linked term to have its type; harvesters and people want its label.
"""

from __future__ import annotations

from rdflib import RDF, Graph, Literal, URIRef

from fairnode import errors, vocabulary
from fairnode.metadata.names import DCAT, DCATAP, DCT, EU, FN, FOAF, LICENCE, SKOS

_CLASSES = {
    "language": DCT.LinguisticSystem,
    "country": DCT.Location,
    "access-right": DCT.RightsStatement,
    "frequency": DCT.Frequency,
    "file-type": DCT.MediaTypeOrExtent,
    "data-theme": None,
    "planned-availability": None,
}
EU_LABELS = {
    "language/ENG": "English",
    "language/NLD": "Dutch",
    "language/FRA": "French",
    "language/DEU": "German",
    "country/NLD": "Netherlands",
    "country/BEL": "Belgium",
    "country/DEU": "Germany",
    "country/GBR": "United Kingdom",
    "access-right/PUBLIC": "public",
    "access-right/RESTRICTED": "restricted",
    "access-right/NON_PUBLIC": "non-public",
    "frequency/UNKNOWN": "unknown",
    "frequency/ANNUAL": "annual",
    "frequency/QUARTERLY": "quarterly",
    "file-type/CSV": "CSV",
    "file-type/PARQUET": "Parquet",
    "data-theme/JUST": "Justice, legal system and public safety",
    "data-theme/SOCI": "Population and society",
    "planned-availability/AVAILABLE": "available",
    "planned-availability/STABLE": "stable",
}
_RANGES = {
    DCT.license: DCT.LicenseDocument,
    DCT.conformsTo: DCT.Standard,
    DCAT.mediaType: DCT.MediaType,
    DCAT.themeTaxonomy: SKOS.ConceptScheme,
    DCAT.landingPage: FOAF.Document,
    FOAF.homepage: FOAF.Document,
    DCATAP.applicableLegislation: URIRef("http://data.europa.eu/eli/ontology#LegalResource"),
}
_ADMS = "http://purl.org/adms/"
_TITLES = {
    (DCAT.themeTaxonomy, EU["data-theme"]): (DCT.title, Literal("Data theme", "en")),
    (DCT.license, LICENCE): (DCT.type, URIRef("http://purl.org/adms/licencetype/Attribution")),
}
_OURS = (FN.unit, FN.regime, FN.reportingOrganisationType)


def label_terms(graph: Graph) -> Graph:
    """Add type and label of each controlled term in the graph, where we know them."""
    for predicate, kind in _RANGES.items():
        for value in set(graph.objects(None, predicate)):
            if isinstance(value, URIRef):
                graph.add((value, RDF.type, kind))
    for (predicate, value), (said, what) in _TITLES.items():
        if (None, predicate, value) in graph:
            graph.add((value, said, what))
    for term in {term for term in graph.objects() if isinstance(term, URIRef)}:
        _label(graph, term)
    return graph


def _label(graph: Graph, term: URIRef) -> None:
    """One term, if it is from a list that we know."""
    if term.startswith(str(EU)):
        _label_eu(graph, term)
    elif term.startswith(_ADMS):
        _label_adms(graph, term)
    elif any((None, predicate, term) in graph for predicate in _OURS):
        _label_ours(graph, term)


def _label_eu(graph: Graph, term: URIRef) -> None:
    """A term of an EU authority list: its class, list and label."""
    name = term.removeprefix(str(EU))
    scheme, _, code = name.partition("/")
    if not code or scheme not in _CLASSES:
        return
    graph.add((term, RDF.type, SKOS.Concept))
    graph.add((term, SKOS.inScheme, EU[scheme]))
    graph.add((term, SKOS.prefLabel, Literal(EU_LABELS.get(name, code), "en")))
    kind = _CLASSES[scheme]
    if kind is not None:
        graph.add((term, RDF.type, kind))


def _label_adms(graph: Graph, term: URIRef) -> None:
    """A type of licence or publisher of ADMS 1.0."""
    scheme, _, code = term.removeprefix(_ADMS).partition("/")
    graph.add((term, RDF.type, SKOS.Concept))
    graph.add((term, SKOS.inScheme, URIRef(f"{_ADMS}{scheme}/1.0")))
    graph.add((URIRef(f"{_ADMS}{scheme}/1.0"), RDF.type, SKOS.ConceptScheme))
    graph.add((URIRef(f"{_ADMS}{scheme}/1.0"), DCT.title, Literal(f"ADMS {scheme}", "en")))
    graph.add((term, SKOS.prefLabel, Literal(code, "en")))


def _label_ours(graph: Graph, term: object) -> None:
    """A term of our ontology: its label in both languages."""
    iri = str(term)
    try:
        words = vocabulary.term(iri) if "/code/" not in iri else vocabulary.concept(iri)
    except errors.NotFound:
        return
    for text, language in ((words.label_en, "en"), (words.label_nl, "nl")):
        graph.add((URIRef(iri), SKOS.prefLabel, Literal(text, language)))
