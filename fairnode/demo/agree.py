"""The demo's agreement: every node's card, one document, a signature of each, held by each."""

from __future__ import annotations

from fairnode import clock, vocabulary
from fairnode.demo.members import Member, example
from fairnode.network.agreement import PROCESSOR, ComputeParty, Processing, write_agreement
from fairnode.network.agreement import Member as AgreementMember
from fairnode.network.certificate import certificate_fingerprint
from fairnode.network.joined import join, sign_agreement
from fairnode.node import open_node
from fairnode.people.accounts import person_of

PURPOSES = (
    "https://w3id.org/fairnode/policy#TraffickingStatistics",
    "https://w3id.org/fairnode/policy#PrevalenceEstimation",
)


def agree(members: list[Member]) -> bytes:
    """Make, sign and join the agreement at every node; the document."""
    content = write_agreement(
        {
            "iri": "urn:uuid:6f1c0c52-6f0f-4b57-9d0e-0d8f5a3f1a02",
            "title": "Demo network, Netherlands 2010-2015 (synthetic)",
            "members": [_card(member) for member in members],
            "parties": _parties(members),
            "purposes": PURPOSES,
            "k": 11,
            "expires": clock.later(30 * 86400),
        }
    )
    nodes = [open_node(member.directory) for member in members]
    signatures = {node.iri: sign_agreement(node, content) for node in nodes}
    for node in nodes:
        join(node, content, signatures, person_of(node, "carla").id)
        node.close()
    return content


def _card(member: Member) -> AgreementMember:
    """What the agreement says of one node."""
    node = open_node(member.directory)
    card = AgreementMember(
        name=member.name,
        node=node.iri,
        organisation=f"{node.iri}/organisation",
        signing=node.keys.public,
        sealing=node.keys.sealing_public,
        certificate=certificate_fingerprint(node.config.keys),
        endpoint=f"https://127.0.0.1:{member.peer_port}" if member.peer_port else "",
        host=member.host,
    )
    node.close()
    return card


def _parties(members: list[Member]) -> list[ComputeParty]:
    """The members that compute."""
    computing = [member for member in members if member.compute_port]
    return [
        ComputeParty(
            number,
            f"{member.url}/organisation",
            f"127.0.0.1:{member.compute_port}",
            processing=tuple(_processing(other) for other in members if other is not member),
        )
        for number, member in enumerate(computing)
    ]


def _processing(member: Member) -> Processing:
    """In which role and on what basis the others hold shares of a member's data."""
    told = next(o for o in example().ORGANISATIONS if o.key == member.key)
    prefix, _, name = told.basis.partition(":")
    basis = f"{vocabulary.PREFIXES[prefix]}{name}"
    return Processing(f"{member.url}/organisation", PROCESSOR, f"{vocabulary.HTPOL}{told.regime}", (basis,))
