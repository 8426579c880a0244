"""What all documents have in common: the site, members of containers, and who publishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rdflib import RDF, XSD, Graph, Literal, URIRef

from fairnode.config import Config
from fairnode.metadata import names as n
from fairnode.metadata.rdf import extend

_PUBLISHERS = "http://purl.org/adms/publishertype/"
_KINDS = {"shelter": "NonProfitOrganisation", "regional-coordinator": "RegionalAuthority"}


@dataclass(frozen=True)
class Site:
    """What the fixed documents need to know. `made` and `changed` are the first and last moment (UTC, Z)."""

    config: Config
    made: str
    changed: str
    email: str = ""

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


def add_container(
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


def add_general(graph: Graph, site: Site, me: URIRef, title: str, about: str, kind: str) -> None:
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
            (me, n.DCAT.keyword, Literal(n.SUBJECT, "en")),
            (me, n.DCAT.theme, n.EU["data-theme/JUST"]),
            (me, n.DCAT.contactPoint, site.iri("/organisation#contact")),
            (me, n.DCT.conformsTo, site.iri(f"/profile/{kind}")),
        ],
    )
    add_organisation(graph, site)


def add_organisation(graph: Graph, site: Site) -> Graph:
    """The organisation and its desk, described in each document that names them."""
    me, desk, told = site.organisation, site.iri("/organisation#contact"), site.config.organisation
    page = URIRef(told.homepage) if told.homepage else site.iri()
    if site.email:
        graph.add((desk, n.VCARD.hasEmail, URIRef(f"mailto:{site.email}")))
        graph.add((me, n.FOAF.mbox, URIRef(f"mailto:{site.email}")))
    return extend(
        graph,
        [
            (me, RDF.type, n.FOAF.Organization),
            (me, RDF.type, n.FOAF.Agent),
            (me, n.FOAF.name, Literal(told.name)),
            (me, n.FOAF.homepage, page),
            (me, n.DCT.identifier, Literal(str(me))),
            (me, n.DCT.type, URIRef(_PUBLISHERS + _KINDS.get(told.kind, "NationalAuthority"))),
            (desk, RDF.type, n.VCARD.Organization),
            (desk, RDF.type, n.VCARD.Kind),
            (desk, n.VCARD.fn, Literal(f"{told.name}, data desk")),
            (desk, n.VCARD.hasURL, page),
        ],
    )


def add_metadata(graph: Graph, me: URIRef, issued: str, modified: str) -> None:
    """The FDP's dates of the record itself, with an identifier apart from that of the thing (55)."""
    about = URIRef(f"{me}#metadata")
    extend(
        graph,
        [
            (me, n.FDP.metadataIdentifier, about),
            (me, n.FDP.metadataIssued, moment(issued)),
            (me, n.FDP.metadataModified, moment(modified)),
        ],
    )


def moment(at: str) -> Literal:
    """A moment as RDF writes it."""
    return Literal(at, datatype=XSD.dateTime)
