"""The documents of a FAIR Data Point (FDP 1.2, DCAT-AP 3), made from the settings and the records.

A dataset's document is its record as received plus what the place it is served from adds: where it belongs,
how it is visited, who publishes it. Nothing that the record says is replaced; only what it leaves open is
filled in. Every node that a document links to and that is ours is described in it (requirement 24).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rdflib import RDF, RDFS, XSD, Graph, Literal, URIRef

from fairnode import __version__
from fairnode.config import Config
from fairnode.metadata import names as n
from fairnode.metadata.keep import Described
from fairnode.metadata.rdf import Term, extend, new_graph


@dataclass(frozen=True)
class Site:
    """What the fixed documents need to know. `made` and `changed` are the first and last moment (UTC, Z)."""

    config: Config
    made: str
    changed: str

    def iri(self, path: str = "") -> URIRef:
        """The IRI of a path of this node."""
        return URIRef(self.config.iri + path)

    @property
    def organisation(self) -> URIRef:
        """The IRI of the organisation."""
        return self.iri("/organisation")


@dataclass(frozen=True)
class Member:
    """A child in a container: its IRI and title, and when it was made and last changed."""

    iri: str
    title: str
    created: str
    changed: str


def root(site: Site, catalogues: Sequence[Member]) -> Graph:
    """The service itself (requirements 1 to 8)."""
    me, name = site.iri(), site.config.organisation.name
    graph = new_graph()
    extend(graph, ((me, RDF.type, kind) for kind in (n.FDP.FAIRDataPoint, n.FDP.MetadataService)))
    extend(graph, ((me, RDF.type, kind) for kind in (n.DCAT.DataService, n.DCAT.Resource)))
    about = (
        f"Descriptions of the data on human trafficking that {name} holds, and how a study can visit them."
    )
    _general(graph, site, me, f"FAIR Data Point of {name}", about, "fdp")
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
    _metadata(graph, me, site.made, site.changed)
    return _container(graph, site, "/catalogue/", me, n.FDP.metadataCatalog, catalogues)


def catalogue(site: Site, datasets: Sequence[Member]) -> Graph:
    """The catalogue of datasets (never typed dcat:Dataset: requirement 14)."""
    me, name = site.iri("/catalogue/data"), site.config.organisation.name
    graph = _catalogue(site, me, f"Datasets of {name}", f"The datasets of {name} that studies can visit.")
    extend(graph, ((me, n.DCAT.dataset, URIRef(d.iri)) for d in datasets))
    return _container(graph, site, "/catalogue/data/dataset/", me, n.DCAT.dataset, datasets)


def algorithms(site: Site, members: Sequence[Member]) -> Graph:
    """The catalogue of algorithms that may be asked to visit."""
    me = site.iri("/catalogue/algorithms")
    graph = _catalogue(
        site, me, "Algorithms", "The algorithms known at this node: what they compute, need and put out."
    )
    extend(graph, ((me, n.DCAT.resource, URIRef(a.iri)) for a in members))
    return _container(graph, site, "/catalogue/algorithms/algorithm/", me, n.DCAT.resource, members)


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
    _general(graph, site, me, title, about, "catalogue")
    _metadata(graph, me, site.made, site.changed)
    return extend(
        graph,
        [
            (me, n.DCT.issued, _moment(site.made)),
            (me, n.DCT.modified, _moment(site.changed)),
            (site.iri(), RDF.type, n.DCAT.DataService),
        ],
    )


def dataset_additions(site: Site, told: Described) -> Graph:
    """What the node adds to a dataset's record; a property that the record has is left alone."""
    me, row = URIRef(told.record.iri), told.dataset
    distribution = site.iri(f"/distribution/{row.id}")
    graph = new_graph()

    def fill(predicate: URIRef, *values: Term) -> None:
        if (me, predicate, None) not in told.graph:
            extend(graph, ((me, predicate, value) for value in values))

    graph.add((me, RDF.type, n.DCAT.Resource))
    graph.add((me, n.DCT.isPartOf, site.iri("/catalogue/data")))
    graph.add((me, n.DCT.conformsTo, site.iri("/profile/dataset")))
    graph.add((me, n.DCAT.distribution, distribution))
    fill(n.DCT.identifier, Literal(row.iri))
    fill(n.DCT.publisher, site.organisation)
    fill(n.DCT.creator, site.organisation)
    fill(n.DCAT.contactPoint, site.iri("/organisation#contact"))
    fill(n.DCAT.version, Literal(f"{row.version}.0.0"))
    fill(n.DCT.license, n.LICENCE)
    fill(n.DCT.issued, _moment(row.created))
    fill(n.DCT.modified, _moment(row.changed))
    fill(n.DCT.language, n.ENGLISH)
    fill(n.DCT.accrualPeriodicity, n.EU["frequency/UNKNOWN"])
    fill(n.DCAT.landingPage, me)
    fill(n.DPV.hasTechnicalOrganisationalMeasure, *_measures())
    _history(graph, site, told)
    _metadata(graph, me, row.created, row.changed)
    _organisation(graph, site)
    distribution_triples(graph, site, told)
    return _container(
        graph,
        site,
        f"/dataset/{row.id}/distribution/",
        me,
        n.DCAT.distribution,
        [Member(str(distribution), _distribution_title(told), row.created, row.changed)],
    )


def _measures() -> tuple[URIRef, ...]:
    """What this software does to protect people in the data."""
    return (n.DPV.SecureProcessingEnvironment, n.DPV.StatisticallyConfidentialData)


def _history(graph: Graph, site: Site, told: Described) -> None:
    """Where the record comes from: provenance, its hash, and its earlier version."""
    me, row = URIRef(told.record.iri), told.dataset
    if (me, n.PROV.wasGeneratedBy, None) not in told.graph:
        made = URIRef(f"{row.iri}#registration")
        words = f"Registration by {site.config.organisation.name} in the course of its work"
        graph.add((me, n.PROV.wasGeneratedBy, made))
        extend(graph, [(made, RDF.type, n.PROV.Activity), (made, RDFS.label, Literal(words, "en"))])
    if (me, n.DCT.provenance, None) not in told.graph:
        statement = URIRef(f"{row.iri}#provenance")
        words = (
            "Described by the organisation that holds the data; the data stay with it and are visited there."
        )
        graph.add((me, n.DCT.provenance, statement))
        extend(
            graph,
            [(statement, RDF.type, n.DCT.ProvenanceStatement), (statement, RDFS.label, Literal(words, "en"))],
        )
    record = URIRef(f"{row.iri}/record/{row.version}")
    checksum = URIRef(f"{row.iri}#checksum")
    extend(
        graph,
        [
            (URIRef(f"{row.iri}#metadata"), n.PROV.wasDerivedFrom, record),
            (record, n.SPDX.checksum, checksum),
            (checksum, n.SPDX.algorithm, n.SPDX.checksumAlgorithm_sha256),
            (checksum, n.SPDX.checksumValue, Literal(row.sha256, datatype=XSD.hexBinary)),
        ],
    )


def distribution(site: Site, told: Described) -> Graph:
    """The document of the one distribution: by visit."""
    graph = new_graph()
    me = distribution_triples(graph, site, told)
    _metadata(graph, me, told.dataset.created, told.dataset.changed)
    return _organisation(graph, site)


def distribution_triples(graph: Graph, site: Site, told: Described) -> URIRef:
    """The distribution and the service that it is visited through; the distribution's IRI."""
    row = told.dataset
    me, dataset, service = site.iri(f"/distribution/{row.id}"), URIRef(row.iri), site.iri("/service/visit")
    licence = URIRef(told.record.licence) if told.record.licence else n.LICENCE
    about = "Send an approved study; its container visits the data here, and only tables that pass leave."
    extend(
        graph,
        [
            (me, RDF.type, n.DCAT.Distribution),
            (me, n.DCT.title, Literal(_distribution_title(told), "en")),
            (me, n.DCT.description, Literal(about, "en")),
            (me, n.DCT.isPartOf, dataset),
            (me, n.DCT.conformsTo, site.iri("/profile/distribution")),
            (me, n.DCT.license, licence),
            (me, n.DCT.issued, _moment(row.created)),
            (me, n.DCT.modified, _moment(row.changed)),
            (me, n.DCAT.accessURL, dataset),
            (me, n.DCAT.accessService, service),
            (me, n.DCT["format"], n.EU["file-type/PARQUET"]),
            (me, n.DCAT.mediaType, URIRef("https://www.iana.org/assignments/media-types/text/csv")),
            (me, n.DCATAP.availability, n.EU["planned-availability/AVAILABLE"]),
        ],
    )
    service_triples(graph, site, [row.iri])
    return me


def _distribution_title(told: Described) -> str:
    """What the distribution is called."""
    return f"{told.record.title} (by visit)"


def service(site: Site, datasets: Sequence[Member]) -> Graph:
    """The document of the service through which studies visit."""
    graph = new_graph()
    service_triples(graph, site, [d.iri for d in datasets])
    _metadata(graph, site.iri("/service/visit"), site.made, site.changed)
    return _organisation(graph, site)


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
            (me, n.DCAT.endpointURL, site.iri("/api/v1")),
            (me, n.DCAT.endpointDescription, description),
            (me, n.DCT.conformsTo, description),
        ],
    )
    return extend(graph, ((me, n.DCAT.servesDataset, URIRef(iri)) for iri in datasets))


def organisation(site: Site) -> Graph:
    """The document of the organisation that hosts the node."""
    return _organisation(new_graph(), site)


def tombstone(site: Site, row_iri: str, title: str, gone: str) -> Graph:
    """What stays at the IRI of a withdrawn dataset."""
    me = URIRef(row_iri)
    return extend(
        new_graph(),
        [
            (me, n.DCT.title, Literal(title)),
            (me, n.ADMS.status, n.WITHDRAWN),
            (me, n.PROV.invalidatedAtTime, _moment(gone)),
            (me, n.DCT.isPartOf, site.iri("/catalogue/data")),
        ],
    )


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
    graph = _container(new_graph(), site, path, URIRef(parent), relation, members)
    for member in members:
        graph.add((URIRef(parent), relation, URIRef(member.iri)))
        graph.add((URIRef(member.iri), n.DCT.title, Literal(member.title)))
    return graph


def _container(
    graph: Graph, site: Site, path: str, parent: URIRef, relation: URIRef, members: Sequence[Member]
) -> Graph:
    """One LDP direct container a parent (requirements 9 to 12)."""
    me = site.iri(path)
    title = {"/catalogue/": "Catalogues"}.get(path, path.rstrip("/").rsplit("/", 1)[-1].capitalize() + "s")
    extend(
        graph,
        [
            (me, RDF.type, n.LDP.DirectContainer),
            (me, RDF.type, n.LDP.Container),
            (me, n.DCT.title, Literal(title, "en")),
            (me, n.LDP.membershipResource, parent),
            (me, n.LDP.hasMemberRelation, relation),
        ],
    )
    return extend(graph, ((me, n.LDP.contains, URIRef(member.iri)) for member in members))


def _general(graph: Graph, site: Site, me: URIRef, title: str, about: str, kind: str) -> None:
    """Title, description, who publishes, licence, language, version, profile."""
    extend(
        graph,
        [
            (me, n.DCT.title, Literal(title, "en")),
            (me, n.DCT.description, Literal(about, "en")),
            (me, n.DCT.publisher, site.organisation),
            (me, n.DCT.creator, site.organisation),
            (me, n.DCT.identifier, Literal(str(me))),
            (me, n.DCT.license, n.LICENCE),
            (me, n.DCT.language, n.ENGLISH),
            (me, n.DCT.accessRights, n.PUBLIC),
            (me, n.DCAT.version, Literal("1.0.0")),
            (me, n.DCAT.keyword, Literal("human trafficking", "en")),
            (me, n.DCAT.contactPoint, site.iri("/organisation#contact")),
            (me, n.DCT.conformsTo, site.iri(f"/profile/{kind}")),
        ],
    )
    _organisation(graph, site)


def _organisation(graph: Graph, site: Site) -> Graph:
    """The organisation and its desk, described in each document that names them."""
    me, desk, told = site.organisation, site.iri("/organisation#contact"), site.config.organisation
    page = URIRef(told.homepage) if told.homepage else site.iri()
    return extend(
        graph,
        [
            (me, RDF.type, n.FOAF.Organization),
            (me, RDF.type, n.FOAF.Agent),
            (me, n.FOAF.name, Literal(told.name)),
            (me, n.FOAF.homepage, page),
            (me, n.DCT.identifier, Literal(str(me))),
            (desk, RDF.type, n.VCARD.Organization),
            (desk, RDF.type, n.VCARD.Kind),
            (desk, n.VCARD.fn, Literal(f"{told.name}, data desk")),
            (desk, n.VCARD.hasURL, page),
        ],
    )


def _metadata(graph: Graph, me: URIRef, issued: str, modified: str) -> None:
    """The FDP's dates of the record itself, with an identifier apart from that of the thing (55)."""
    about = URIRef(f"{me}#metadata")
    extend(
        graph,
        [
            (me, n.FDP.metadataIdentifier, about),
            (me, n.FDP.metadataIssued, _moment(issued)),
            (me, n.FDP.metadataModified, _moment(modified)),
        ],
    )


def _moment(at: str) -> Literal:
    """A moment as RDF writes it."""
    return Literal(at, datatype=XSD.dateTime)
