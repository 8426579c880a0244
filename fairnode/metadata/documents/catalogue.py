"""Documents that are not about one dataset: root, catalogues, service, organisation, profiles, containers."""

from __future__ import annotations

from collections.abc import Sequence

from rdflib import RDF, RDFS, Graph, Literal, URIRef

from fairnode import __version__
from fairnode.metadata import names as n
from fairnode.metadata.documents.site import (
    Member,
    Site,
    add_container,
    add_general,
    add_metadata,
    add_organisation,
    moment,
)
from fairnode.metadata.rdf import extend, new_graph


def root(site: Site, catalogues: Sequence[Member]) -> Graph:
    """The service itself (requirements 1 to 8)."""
    me, name = site.iri(), site.config.organisation.name
    graph = new_graph()
    extend(graph, ((me, RDF.type, kind) for kind in (n.FDP.FAIRDataPoint, n.FDP.MetadataService)))
    extend(graph, ((me, RDF.type, kind) for kind in (n.DCAT.DataService, n.DCAT.Resource)))
    about = (
        f"Descriptions of the data on human trafficking that {name} holds, and how a study can visit them."
    )
    add_general(graph, site, me, f"FAIR Data Point of {name}", about, "fdp")
    extend(
        graph,
        [
            (me, n.DCAT.endpointURL, me),
            (me, n.DCAT.endpointDescription, site.iri("/openapi.json")),
            (me, n.FDP.fdpSoftwareVersion, Literal(f"fairnode:{__version__}")),
            (me, n.FDP.conformsToFdpSpec, n.FDP_SPECIFICATION),
            (me, n.DOC.persistencePolicy, site.iri("/persistence")),
        ],
    )
    extend(graph, ((me, n.FDP.metadataCatalog, URIRef(c.iri)) for c in catalogues))
    add_metadata(graph, me, site.made, site.changed)
    return add_container(graph, site, "/catalogue/", me, n.FDP.metadataCatalog, catalogues)


def catalogue(site: Site, datasets: Sequence[Member]) -> Graph:
    """The catalogue of datasets (never typed dcat:Dataset: requirement 14)."""
    me, name = site.iri("/catalogue/data"), site.config.organisation.name
    graph = _catalogue(site, me, f"Datasets of {name}", f"The datasets of {name} that studies can visit.")
    extend(graph, ((me, n.DCAT.dataset, URIRef(d.iri)) for d in datasets))
    return add_container(graph, site, "/catalogue/data/dataset/", me, n.DCAT.dataset, datasets)


def algorithms(site: Site, members: Sequence[Member]) -> Graph:
    """The catalogue of algorithms that may be asked to visit."""
    me = site.iri("/catalogue/algorithms")
    graph = _catalogue(
        site, me, "Algorithms", "The algorithms known at this node: what they compute, need and put out."
    )
    extend(graph, ((me, n.DCAT.resource, URIRef(a.iri)) for a in members))
    return add_container(graph, site, "/catalogue/algorithms/algorithm/", me, n.DCAT.resource, members)


def _catalogue(site: Site, me: URIRef, title: str, about: str) -> Graph:
    """What both catalogues have in common."""
    graph = extend(
        new_graph(),
        [
            (me, RDF.type, n.DCAT.Catalog),
            (me, RDF.type, n.DCAT.Resource),
            (me, n.DCT.isPartOf, site.iri()),
            (me, n.FOAF.homepage, me),
            (me, n.DCAT.themeTaxonomy, n.EU["data-theme"]),
        ],
    )
    add_general(graph, site, me, title, about, "catalogue")
    add_metadata(graph, me, site.made, site.changed)
    return extend(
        graph,
        [
            (me, n.DCT.issued, moment(site.made)),
            (me, n.DCT.modified, moment(site.changed)),
            (site.iri(), RDF.type, n.DCAT.DataService),
        ],
    )


def service(site: Site, datasets: Sequence[Member]) -> Graph:
    """The document of the service through which studies visit."""
    graph = new_graph()
    service_triples(graph, site, [d.iri for d in datasets])
    add_metadata(graph, site.iri("/service/visit"), site.made, site.changed)
    return add_organisation(graph, site)


def service_triples(graph: Graph, site: Site, datasets: Sequence[str]) -> Graph:
    """How to visit: the programs' door and its description."""
    me, description = site.iri("/service/visit"), site.iri("/openapi.json")
    extend(
        graph,
        [
            (me, RDF.type, n.DCAT.DataService),
            (me, n.DCT.title, Literal("Visits of studies", "en")),
            (me, n.DCT.publisher, site.organisation),
            (me, n.DCT.license, n.LICENCE),
            (me, n.DCAT.theme, n.EU["data-theme/JUST"]),
            (me, n.DCAT.keyword, Literal("data visiting", "en")),
            (me, n.DCAT.contactPoint, site.iri("/organisation#contact")),
            (me, n.DCAT.endpointURL, site.iri("/api/v1")),
            (me, n.DCAT.endpointDescription, description),
            (me, n.DCT.conformsTo, description),
        ],
    )
    return extend(graph, ((me, n.DCAT.servesDataset, URIRef(iri)) for iri in datasets))


def organisation(site: Site) -> Graph:
    """The document of the organisation that hosts the node."""
    return add_organisation(new_graph(), site)


def profile(site: Site, kind: str, base: str) -> Graph:
    """The profile of a kind of record, with its SHACL shapes (requirement 49)."""
    me, part = site.iri(f"/profile/{kind}"), site.iri(f"/profile/{kind}#shapes")
    return extend(
        new_graph(),
        [
            (me, RDF.type, n.PROF.Profile),
            (me, n.DCT.title, Literal(f"Profile of a {kind} record", "en")),
            (me, RDFS.label, Literal(f"Profile of a {kind} record", "en")),
            (me, n.PROF.isProfileOf, URIRef(base)),
            (me, n.PROF.hasResource, part),
            (part, RDF.type, n.PROF.ResourceDescriptor),
            (part, n.PROF.hasRole, n.ROLE.validation),
            (part, n.DCT.conformsTo, URIRef("http://www.w3.org/ns/shacl#")),
            (part, n.DCT["format"], URIRef("https://w3id.org/mediatype/text/turtle")),
            (part, n.PROF.hasArtifact, site.iri(f"/shapes/{kind}")),
        ],
    )


def container(site: Site, path: str, parent: str, relation: URIRef, members: Sequence[Member]) -> Graph:
    """The document of one LDP container."""
    graph = add_container(new_graph(), site, path, URIRef(parent), relation, members)
    for member in members:
        graph.add((URIRef(parent), relation, URIRef(member.iri)))
        graph.add((URIRef(member.iri), n.DCT.title, Literal(member.title)))
    return graph
