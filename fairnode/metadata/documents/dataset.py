"""The documents of one dataset.

Its document is the record as received plus what the place it is served from adds: where it belongs, how it is
visited, who publishes it. Nothing that the record says is replaced; only what it leaves open is filled in.
"""

from __future__ import annotations

from collections.abc import Callable

from rdflib import RDF, RDFS, XSD, Graph, Literal, URIRef

from fairnode.metadata import names as n
from fairnode.metadata.documents.catalogue import service_triples
from fairnode.metadata.documents.site import (
    Member,
    Site,
    add_container,
    add_metadata,
    add_organisation,
    moment,
)
from fairnode.metadata.keep import Described
from fairnode.metadata.plain import policy_of
from fairnode.metadata.rdf import Term, extend, new_graph
from fairnode.metadata.variables import sample_csv, sample_triples, twin_triples, variable_triples
from fairnode.policy.decide import Effect, Operator, Subject
from fairnode.records.profile_rows import Twin

_GDPR, _LED = "http://data.europa.eu/eli/reg/2016/679/oj", "http://data.europa.eu/eli/dir/2016/680/oj"
_LAWS = {
    str(n.HTPOL.GDPR): (_GDPR,),
    str(n.HTPOL.LED): (_LED,),
    str(n.HTPOL.WPG): (_LED,),
    str(n.HTPOL.Mixed): (_GDPR, _LED),
}
_PERSONAL = {
    "ageGroup": n.PD.AgeRange,
    "ageGroupNL": n.PD.AgeRange,
    "ageBroad": n.PD.AgeRange,
    "citizenship": n.PD.Nationality,
    "sex": n.PD.Gender,
    "region": n.PD.Location,
}


def additions(site: Site, told: Described, twin: Twin | None = None) -> Graph:
    """What the node adds to a dataset's record; a property that the record has is left alone."""
    me, row = URIRef(told.record.iri), told.dataset
    distribution = site.iri(f"/distribution/{row.id}")
    graph = new_graph()

    def fill(predicate: URIRef, *values: Term) -> None:
        if (me, predicate, None) not in told.graph:
            extend(graph, ((me, predicate, value) for value in values))

    graph.add((me, RDF.type, n.DCAT.Resource))
    graph.add((me, n.DCT.isPartOf, site.iri("/catalogue/data")))
    graph.add((me, n.DCT.conformsTo, site.iri(f"/profile/{told.profile}")))
    graph.add((me, n.DCAT.distribution, distribution))
    fill(n.DCT.identifier, Literal(row.iri))
    fill(n.DCT.publisher, site.organisation)
    fill(n.DCT.creator, site.organisation)
    fill(n.DCAT.contactPoint, site.iri("/organisation#contact"))
    fill(n.DCAT.version, Literal(f"{row.version}.0.0"))
    fill(n.DCT.license, n.LICENCE)
    fill(n.DCT.issued, moment(row.created))
    fill(n.DCT.modified, moment(row.changed))
    fill(n.DCT.language, n.ENGLISH)
    fill(n.DCAT.keyword, Literal(n.SUBJECT, "en"))
    fill(n.DCAT.theme, n.EU["data-theme/JUST"])
    fill(n.DCT.accrualPeriodicity, n.EU["frequency/UNKNOWN"])
    fill(n.DCAT.landingPage, me)
    _protection(told, fill)
    _history(graph, site, told)
    if told.record.public_variables:
        variable_triples(graph, told.record)
        if twin is not None:
            twin_triples(graph, told.record, twin, site.iri(f"/sample/{row.id}"))
        else:
            sample = sample_csv(told.record)
            sample_triples(graph, told.record, site.iri(f"/sample/{row.id}.csv"), len(sample))
    add_metadata(graph, me, row.created, row.changed)
    add_organisation(graph, site)
    distribution_triples(graph, site, told)
    return add_container(
        graph,
        site,
        f"/dataset/{row.id}/distribution/",
        me,
        n.DCAT.distribution,
        [Member(str(distribution), _distribution_title(told), row.created, row.changed)],
    )


def _protection(told: Described, fill: Callable[..., None]) -> None:
    """Under which law, for which purposes and with which safeguards (DPV), as far as the record tells."""
    fill(
        n.DPV.hasTechnicalOrganisationalMeasure,
        n.DPV.SecureProcessingEnvironment,
        n.DPV.StatisticallyConfidentialData,
    )
    fill(n.DPV.hasDataSubject, n.DPV.VulnerableDataSubject)
    fill(
        n.DPV.hasPersonalData,
        *(_PERSONAL[v.name] for v in told.record.public_variables if v.name in _PERSONAL),
    )
    fill(n.DCATAP.applicableLegislation, *(URIRef(law) for law in _LAWS.get(told.record.regime, ())))
    policy = policy_of(told.graph, told.record.iri)
    named = (
        [c for rule in policy.rules if rule.effect != Effect.REFUSE for c in rule.constraints]
        if policy
        else []
    )
    for predicate, subject in (
        (n.DPV.hasPurpose, Subject.PURPOSE),
        (n.DPV.hasLegalBasis, Subject.LEGAL_BASIS),
    ):
        values = {
            v for c in named if c.subject is subject and c.operator is Operator.ANY_OF for v in c.values
        }
        fill(predicate, *(URIRef(value) for value in sorted(values) if value.startswith("http")))


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
    add_metadata(graph, me, told.dataset.created, told.dataset.changed)
    return add_organisation(graph, site)


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
            (me, n.DCT.issued, moment(row.created)),
            (me, n.DCT.modified, moment(row.changed)),
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


def tombstone(site: Site, row_iri: str, title: str, gone: str) -> Graph:
    """What stays at the IRI of a withdrawn dataset."""
    me = URIRef(row_iri)
    return extend(
        new_graph(),
        [
            (me, n.DCT.title, Literal(title)),
            (me, n.ADMS.status, n.WITHDRAWN),
            (me, n.PROV.invalidatedAtTime, moment(gone)),
            (me, n.DCT.isPartOf, site.iri("/catalogue/data")),
        ],
    )
