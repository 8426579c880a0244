"""The agreement: who is a member, with which keys, who computes, for which purposes, from which k.

An RDF document (Turtle), kept and hashed as received; each member signs that hash. It is valid at a node
when every member has signed it and it has not expired.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import astuple, dataclass
from typing import Any
from urllib.parse import urlsplit

from rdflib import DCAT, DCTERMS, FOAF, RDF, XSD, BNode, Graph, Literal, Namespace, URIRef
from rdflib.term import Node as Term

from fairnode import clock, errors
from fairnode.keys import canonical, digest

FN = Namespace("https://w3id.org/fairnode/node#")
DPV = Namespace("https://w3id.org/dpv#")
ROLES = "https://w3id.org/fairnode/code/processingRole/"
PROCESSOR, JOINT_CONTROLLER = "Processor", "JointController"
PROTOCOL = 1


@dataclass(frozen=True)
class Member:
    """One node of the network.

    `node` is its IRI, `endpoint` where its mailbox door listens (empty: it has no inbound port), `host` the
    IRI of the member that keeps its mailbox and metadata then. Keys are hex; `certificate` is the SHA-256
    fingerprint (hex) of its TLS certificate.
    """

    name: str
    node: str
    organisation: str
    signing: str
    sealing: str
    certificate: str
    endpoint: str = ""
    host: str = ""


@dataclass(frozen=True)
class Processing:
    """In which role and on what basis a compute party holds shares of some data (P20).

    `data` is the IRI of a dataset, or of an organisation: then all its datasets under this regime are meant.
    `role` is `PROCESSOR` or `JOINT_CONTROLLER`; `regime` and `basis` are IRIs.
    """

    data: str
    role: str
    regime: str
    basis: tuple[str, ...]


@dataclass(frozen=True)
class ComputeParty:
    """A member that computes: its number, and host and port where the other parties reach it.

    It holds no shares of data of which `processing` does not say in which role and on what basis.
    """

    number: int
    organisation: str
    address: str
    has_data: bool = True
    processing: tuple[Processing, ...] = ()

    def processes(self, dataset: str, organisation: str, regime: str) -> Processing | None:
        """What the agreement says of this party and that organisation's dataset; None where it says nothing."""
        of_regime = [p for p in self.processing if p.regime == regime]
        said = {p.data: p for p in of_regime}
        return said.get(dataset) or said.get(organisation)


@dataclass(frozen=True)
class Agreement:
    """A checked agreement. `digest` names its bytes; it is what each member signs."""

    iri: str
    title: str
    digest: str
    members: tuple[Member, ...]
    parties: tuple[ComputeParty, ...]
    purposes: tuple[str, ...]
    k: int
    expires: str

    def member(self, node: str) -> Member | None:
        """The member whose node has this IRI."""
        return next((m for m in self.members if m.node == node), None)

    def of_organisation(self, organisation: str) -> Member:
        """The member of this organisation. Raises `NotFound`."""
        for member in self.members:
            if member.organisation == organisation:
                return member
        raise errors.NotFound("The agreement names no such organisation.")


def signed_bytes(agreement: str, node: str) -> bytes:
    """What a member signs: the hash of the agreement, and as whom."""
    return canonical({"type": "fairnode.agreement/1", "agreement": agreement, "node": node})


def write_agreement(told: dict[str, Any]) -> bytes:
    """The Turtle of an agreement: `told` has iri, title, members, parties, purposes, k and expires."""
    graph, me = Graph(), URIRef(told["iri"])
    for prefix, name in (("fn", FN), ("dcat", DCAT), ("dct", DCTERMS), ("foaf", FOAF), ("dpv", DPV)):
        graph.bind(prefix, name)
    graph.add((me, RDF.type, FN.Agreement))
    graph.add((me, DCTERMS.title, Literal(told["title"])))
    graph.add((me, URIRef(f"{DCAT}version"), Literal("1.0.0")))
    graph.add((me, FN.protocol, Literal(PROTOCOL)))
    graph.add((me, FN.personsPerCell, Literal(told["k"])))
    graph.add((me, DCTERMS.created, Literal(clock.now(), datatype=XSD.dateTime)))
    graph.add((me, FN.expires, Literal(told["expires"], datatype=XSD.dateTime)))
    for purpose in told["purposes"]:
        graph.add((me, FN.purposeAllowed, URIRef(purpose)))
    for member in told["members"]:
        _write_member(graph, me, member)
    for party in told["parties"]:
        _write_party(graph, me, party)
    return graph.serialize(format="turtle").encode()


def _write_member(graph: Graph, agreement: URIRef, member: Member) -> None:
    """One member as a blank node."""
    node = BNode(f"member-{member.name}")
    graph.add((agreement, FN.member, node))
    graph.add((node, FOAF.name, Literal(member.name)))
    graph.add((node, FN.node, URIRef(member.node)))
    graph.add((node, FN.organisation, URIRef(member.organisation)))
    for predicate, key in ((FN.signingKey, member.signing), (FN.sealingKey, member.sealing)):
        graph.add((node, predicate, Literal(base64.b64encode(bytes.fromhex(key)).decode())))
    graph.add((node, FN.certificate, Literal(f"sha256:{member.certificate}")))
    if member.endpoint:
        graph.add((node, DCAT.endpointURL, URIRef(member.endpoint)))
    if member.host:
        graph.add((node, FN.hostedBy, URIRef(member.host)))


def _write_party(graph: Graph, agreement: URIRef, party: ComputeParty) -> None:
    """One compute party as a blank node."""
    node = BNode(f"party-{party.number}")
    graph.add((agreement, FN.computeParty, node))
    graph.add((node, FN.partyNumber, Literal(party.number)))
    graph.add((node, FN.runBy, URIRef(party.organisation)))
    for place, processing in enumerate(party.processing):
        said = BNode(f"processing-{party.number}-{place}")
        graph.add((node, FN.processes, said))
        graph.add((said, FN.processedData, URIRef(processing.data)))
        graph.add((said, FN.processingRole, URIRef(f"{ROLES}{processing.role}")))
        graph.add((said, FN.regime, URIRef(processing.regime)))
        for basis in processing.basis:
            graph.add((said, DPV.hasLegalBasis, URIRef(basis)))
    graph.add((node, FN.hasData, Literal(party.has_data)))
    graph.add((node, DCAT.endpointURL, URIRef(f"tls://{party.address}")))


def read_agreement(content: bytes) -> Agreement:
    """The agreement in Turtle bytes. Raises `NotValid` with a finding for everything that is wrong."""
    try:
        graph = Graph().parse(data=content.decode(), format="turtle")
    except (SyntaxError, ValueError) as error:
        raise errors.NotValid("The agreement is not readable Turtle.", internal=str(error)) from error
    nodes = list(graph.subjects(RDF.type, FN.Agreement))
    if len(nodes) != 1:
        raise errors.NotValid("The document does not describe exactly one agreement.")
    me = nodes[0]
    members = [_member(graph, m) for m in graph.objects(me, FN.member)]
    parties = [_party(graph, p) for p in graph.objects(me, FN.computeParty)]
    agreement = Agreement(
        iri=str(me),
        title=_text(graph, me, DCTERMS.title),
        digest=digest(content),
        members=tuple(sorted(members, key=lambda m: m.node)),
        parties=tuple(sorted(parties, key=lambda p: p.number)),
        purposes=tuple(sorted(map(str, graph.objects(me, FN.purposeAllowed)))),
        k=int(_text(graph, me, FN.personsPerCell) or 0),
        expires=_text(graph, me, FN.expires).replace("+00:00", "Z"),
    )
    findings = [*_member_findings(agreement), *_party_findings(agreement)]
    if _text(graph, me, FN.protocol) != str(PROTOCOL):
        findings.append(
            errors.Finding("fn:protocol", f"must be {PROTOCOL}, the version that this node speaks")
        )
    if findings:
        raise errors.NotValid("The agreement cannot be used.", findings=tuple(findings))
    return agreement


def _member(graph: Graph, node: Term) -> Member:
    """One member as read."""
    return Member(
        name=_text(graph, node, FOAF.name),
        node=_text(graph, node, FN.node).rstrip("/"),
        organisation=_text(graph, node, FN.organisation),
        signing=_key(graph, node, FN.signingKey),
        sealing=_key(graph, node, FN.sealingKey),
        certificate=_text(graph, node, FN.certificate).removeprefix("sha256:"),
        endpoint=_text(graph, node, DCAT.endpointURL).rstrip("/"),
        host=_text(graph, node, FN.hostedBy).rstrip("/"),
    )


def _party(graph: Graph, node: Term) -> ComputeParty:
    """One compute party as read."""
    return ComputeParty(
        number=int(_text(graph, node, FN.partyNumber) or -1),
        organisation=_text(graph, node, FN.runBy),
        address=_text(graph, node, DCAT.endpointURL).removeprefix("tls://"),
        has_data=_text(graph, node, FN.hasData) == "true",
        processing=tuple(
            sorted((_processing(graph, p) for p in graph.objects(node, FN.processes)), key=astuple)
        ),
    )


def _processing(graph: Graph, node: Term) -> Processing:
    """What is said of a party and some data, as read."""
    return Processing(
        data=_text(graph, node, FN.processedData),
        role=_text(graph, node, FN.processingRole).removeprefix(ROLES),
        regime=_text(graph, node, FN.regime),
        basis=tuple(sorted(map(str, graph.objects(node, DPV.hasLegalBasis)))),
    )


def _text(graph: Graph, node: Term, predicate: URIRef) -> str:
    """The value of a property as text, or nothing."""
    value = graph.value(node, predicate)
    return "" if value is None else str(value)


def _key(graph: Graph, node: Term, predicate: URIRef) -> str:
    """A base64 key of 32 bytes as hex, or nothing."""
    try:
        key = base64.b64decode(_text(graph, node, predicate), validate=True)
    except (ValueError, binascii.Error):
        return ""
    return key.hex() if len(key) == 32 else ""


def _member_findings(agreement: Agreement) -> list[errors.Finding]:
    """What is wrong with the members."""
    findings = []
    if len(agreement.members) < 2:
        findings.append(errors.Finding("fn:member", "a network has at least two members"))
    for field in ("node", "signing", "sealing", "certificate"):
        values = [getattr(m, field) for m in agreement.members]
        if "" in values or len(set(values)) != len(values):
            findings.append(
                errors.Finding(f"fn:member {field}", "is missing somewhere, or used by two members")
            )
    nodes = {m.node for m in agreement.members}
    for member in agreement.members:
        if not member.endpoint and member.host not in nodes:
            what = "has no endpoint, and no member hosts its mailbox"
            findings.append(errors.Finding(f"member {member.name}", what))
    if agreement.k < 1:
        findings.append(errors.Finding("fn:personsPerCell", "must be a whole number of at least 1"))
    return findings


def _party_findings(agreement: Agreement) -> list[errors.Finding]:
    """What is wrong with the compute parties: 3 or 5, of different organisations, each a member."""
    parties, findings = agreement.parties, []
    if not parties:
        return []
    if len(parties) not in (3, 5) or [p.number for p in parties] != list(range(len(parties))):
        findings.append(errors.Finding("fn:computeParty", "there must be 3 or 5, numbered from 0"))
    organisations = [p.organisation for p in parties]
    if len(set(organisations)) != len(organisations):
        findings.append(errors.Finding("fn:computeParty", "two of them belong to one organisation"))
    known = {m.organisation for m in agreement.members if m.endpoint}
    if not set(organisations) <= known:
        findings.append(errors.Finding("fn:computeParty", "each must be a member with an endpoint"))
    for party in parties:
        if not urlsplit(f"tls://{party.address}").port:
            findings.append(errors.Finding(f"compute party {party.number}", "has no address host:port"))
        findings += [errors.Finding(f"compute party {party.number}", what) for what in _unsaid(party)]
    return findings


def _unsaid(party: ComputeParty) -> list[str]:
    """What a compute party's statements about data leave open (P20)."""
    found = []
    for said in party.processing:
        if said.role not in (PROCESSOR, JOINT_CONTROLLER):
            found.append("is neither processor nor joint controller of some data")
        if not said.data or not said.regime or not said.basis:
            found.append("processes data of which dataset or organisation, regime or legal basis is not said")
    about = [(said.data, said.regime) for said in party.processing]
    if len(set(about)) != len(about):
        found.append("has two statements about the same data under the same regime")
    return found
