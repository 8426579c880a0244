"""fairnode network: the agreement of the members, and how their nodes are."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from fairnode import clock, errors, vocabulary
from fairnode.cli.options import Me, who, with_node, with_token
from fairnode.cli.output import Output, with_output
from fairnode.combine.waiting import waiting_for
from fairnode.network.agreement import (
    JOINT_CONTROLLER,
    PROCESSOR,
    ComputeParty,
    Member,
    Processing,
    read_agreement,
    write_agreement,
)
from fairnode.network.certificate import certificate_fingerprint
from fairnode.network.joined import check_in_force, join, sign_agreement
from fairnode.node import Node
from fairnode.people.roles import check_role
from fairnode.records.rows import Message, Peer, Role
from fairnode.studies.send import own_study

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ROLES = {"processor": PROCESSOR, "joint-controller": JOINT_CONTROLLER}


@click.group()
def command() -> None:
    """The network that this node is in."""


@command.command("card", epilog="Example: fairnode network card > police.json")
@click.option(
    "--endpoint", default="", help="https address of the mailbox door; none without an inbound port."
)
@click.option("--host", default="", help="IRI of the member that hosts the mailbox, without an inbound port.")
@click.option(
    "--basis",
    "bases",
    multiple=True,
    help="On what legal basis compute parties hold shares of your data under a regime: GDPR=eu-gdpr:A9-2-j, "
    "WPG=htpol:Wpg-A20. Without it your data are not combined.",
)
@click.option("--role", default="processor", show_default=True, type=click.Choice(sorted(_ROLES)))
@with_node
def card(node: Node, endpoint: str, host: str, bases: tuple[str, ...], role: str) -> None:
    """Print what an agreement says of this node: its IRI, keys and certificate, and who may hold its shares."""
    told = asdict(card_of(node, endpoint, host))
    processing = [asdict(p) for p in _processing(told["organisation"], bases, _ROLES[role])]
    click.echo(json.dumps({**told, "processing": processing}, indent=1))


def _processing(organisation: str, told: tuple[str, ...], role: str) -> list[Processing]:
    """What `--basis` says, one statement a regime."""
    found: dict[str, list[str]] = {}
    for line in told:
        regime, equals, basis = line.partition("=")
        prefix, colon, name = basis.partition(":")
        iri = basis if basis.startswith("http") else f"{vocabulary.PREFIXES.get(prefix, '')}{name}"
        if not equals or not colon or not iri.startswith("http"):
            raise errors.NotValid("--basis has the form REGIME=BASIS, such as WPG=htpol:Wpg-A20.")
        found.setdefault(vocabulary.term(f"{vocabulary.HTPOL}{regime}").iri, []).append(iri)
    return [Processing(organisation, role, regime, tuple(bases)) for regime, bases in found.items()]


def card_of(node: Node, endpoint: str = "", host: str = "") -> Member:
    """This node as a member of an agreement."""
    return Member(
        name=node.config.organisation.name,
        node=node.iri,
        organisation=f"{node.iri}/organisation",
        signing=node.keys.public,
        sealing=node.keys.sealing_public,
        certificate=certificate_fingerprint(node.config.keys),
        endpoint=endpoint,
        host=host,
    )


@command.command(
    "make",
    epilog="Example: fairnode network make agreement.ttl --title 'Our network' --card a.json --card b.json "
    "--card c.json --compute https://a.example=a.example:7001",
)
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--title", required=True)
@click.option("--card", "cards", multiple=True, required=True, type=READABLE, help="A member's card.")
@click.option("--compute", "compute", multiple=True, help="A compute party: IRI of its node=host:port.")
@click.option(
    "--purpose",
    "purposes",
    multiple=True,
    default=["https://w3id.org/fairnode/policy#TraffickingStatistics"],
    show_default=True,
)
@click.option("--k", default=11, show_default=True, help="The least number of persons behind a figure.")
@click.option("--days", default=365, show_default=True, help="After how many days it expires.")
@with_output
def make(target: Path, output: Output, **told: Any) -> None:
    """Write an agreement, to be read and signed by every member."""
    cards = [read_card(path) for path in told["cards"]]
    members = [member for member, _ in cards]
    processing = [said for _, statements in cards for said in statements]
    content = agreement_text(
        {
            "title": told["title"],
            "members": members,
            "parties": _parties(told["compute"], members, processing),
            "purposes": told["purposes"],
            "k": told["k"],
            "expires": clock.later(told["days"] * 86400),
        }
    )
    with target.open("xb") as file:
        file.write(content)
    digest = read_agreement(content).digest
    output.say(f"The agreement is in {target}.\nIts hash is {digest}.", {"file": str(target), "hash": digest})


def read_card(path: Path) -> tuple[Member, list[Processing]]:
    """The member whose card a file holds, and what it says of shares of its data at compute parties."""
    try:
        told = json.loads(path.read_bytes())
        said = [Processing(**{**p, "basis": tuple(p["basis"])}) for p in told.pop("processing", [])]
        return Member(**told), said
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise errors.NotValid(
            f"{path.name} is not the card of a member.", to_do="They make one with: fairnode network card"
        ) from error


def read_signature(path: Path) -> tuple[str, str]:
    """The node that signed, and its signature, from a file."""
    try:
        told = json.loads(path.read_bytes())
        return str(told["node"]), str(told["signature"])
    except (ValueError, TypeError, KeyError) as error:
        raise errors.NotValid(
            f"{path.name} is not the signature of a member.",
            to_do="They make one with: fairnode network sign",
        ) from error


def agreement_text(told: dict[str, Any]) -> bytes:
    """An agreement that can be used, as Turtle. Raises `NotValid` with what is wrong with it."""
    content = write_agreement({"iri": f"urn:uuid:{uuid.uuid4()}", **told})
    read_agreement(content)
    return content


def _parties(
    told: tuple[str, ...], members: list[Member], processing: list[Processing]
) -> list[ComputeParty]:
    """The compute parties, numbered as they were named, each with what it may hold of the others' data."""
    organisations = {m.node: m.organisation for m in members}
    parties = []
    for number, line in enumerate(told):
        node, found, address = line.rpartition("=")
        if not found or node not in organisations:
            raise errors.NotValid("--compute has the form IRI=host:port, and the IRI is that of a member.")
        own = organisations[node]
        others = tuple(said for said in processing if said.data != own)
        parties.append(ComputeParty(number, own, address, processing=others))
    return parties


@command.command("sign", epilog="Example: fairnode network sign agreement.ttl --to police.signature")
@click.argument("agreement", type=READABLE)
@click.option("--to", "target", required=True, type=click.Path(path_type=Path))
@with_node
@with_token
@with_output
def sign(node: Node, output: Output, agreement: Path, target: Path, me: Me) -> None:
    """Sign an agreement for this node, as its counsel."""
    person = who(node, me)
    check_role(person, Role.COUNSEL)
    signature = sign_agreement(node, agreement.read_bytes())
    target.write_text(json.dumps({"node": node.iri, "signature": signature}), encoding="utf-8")
    output.say(f"Signed: {target}.", {"node": node.iri, "signature": signature})


@command.command(
    "join", epilog="Example: fairnode network join agreement.ttl --signature a.sig --signature b.sig"
)
@click.argument("agreement", type=READABLE)
@click.option("--signature", "signatures", multiple=True, required=True, type=READABLE)
@with_node
@with_token
@with_output
def join_network(node: Node, output: Output, agreement: Path, signatures: tuple[Path, ...], me: Me) -> None:
    """Hold an agreement that every member signed as valid; from then on its members are peers."""
    person = who(node, me)
    check_role(person, Role.COUNSEL, Role.CUSTODIAN)
    told = dict(read_signature(path) for path in signatures)
    held = join(node, agreement.read_bytes(), told, person.id)
    output.say(
        f"This node is in '{held.title}' with {len(held.members)} members.",
        {"agreement": held.digest, "members": [m.node for m in held.members]},
    )


@command.command("show", epilog="Example: fairnode network show")
@with_node
@with_output
def show(node: Node, output: Output) -> None:
    """Show the members, when each last answered, and how many messages wait for it."""
    held = check_in_force(node)
    computing = {p.organisation: p.number for p in held.parties}
    rows = []
    with node.store.read() as reader:
        for member in held.members:
            peer = reader.get(Peer, member.node)
            waiting = reader.count(Message, receiver=member.node, taken="")
            seen = "this node" if member.node == node.iri else (peer.seen if peer else "never")
            rows.append(
                [
                    member.name,
                    member.node,
                    computing.get(member.organisation, ""),
                    seen,
                    waiting,
                    peer.trouble if peer else "",
                ]
            )
    columns = ["member", "node", "compute party", "last seen", "messages waiting", "trouble"]
    output.table(f"{held.title} (k = {held.k}, until {held.expires})", columns, rows)


@command.command("waits", epilog="Example: fairnode network waits 3f2a91c07e55")
@click.argument("study")
@with_node
@with_output
def waits(node: Node, output: Output, study: str) -> None:
    """Show for whom a combined study of this home node waits."""
    held, found = check_in_force(node), own_study(node, study)
    with node.store.read() as reader:
        waiting = waiting_for(reader, found.id)
    names = {member.node: member.name for member in held.members}
    rows = [[names.get(iri, iri), iri, _WAITS[what]] for what, nodes in waiting.items() for iri in nodes]
    output.table(f"{found.title} ({found.state})", ["member", "node", "waiting for"], rows)


_WAITS = {
    "counts": "its counts (people, the visit, or the node itself)",
    "keys": "its key as a compute party",
    "outputs": "its part of the computation",
    "made": "how its part was made",
}
