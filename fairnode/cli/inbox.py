"""fairnode inbox: what waits for the custodian and counsel, and what they decide."""

from __future__ import annotations

import json

import click

from fairnode import approvals
from fairnode.approvals import protocol
from fairnode.approvals.decide import DECIDING
from fairnode.cli.options import Me, signer, with_node, with_token, with_visit
from fairnode.cli.output import Output, with_output
from fairnode.letters import for_terminal
from fairnode.metadata.keep import dataset
from fairnode.node import Node

ROLE = click.option("--role", required=True, type=click.Choice([r.value for r in DECIDING]))


@click.group()
def command() -> None:
    """Visits that wait for people. Who decides is a person with a token or password, never this shell."""


@command.command("list", epilog="Example: fairnode inbox list")
@with_node
@with_output
def list_inbox(node: Node, output: Output) -> None:
    """List what waits."""
    rows = []
    for visit in approvals.inbox(node):
        found = approvals.item(node, visit.id)
        rows.append([visit.id, found.study["title"], visit.dataset, visit.state, ", ".join(found.needed)])
    output.table("Inbox", ["visit", "study", "dataset", "state", "waits for"], rows)


@command.command("show", epilog="Example: fairnode inbox show 5d1c2f...")
@with_node
@with_visit
def show(node: Node, visit: str) -> None:
    """Print everything that an approval of this visit would sign, its hash, and how it went on the twin."""
    found = approvals.item(node, visit)
    told = {
        "contentHash": found.content_hash,
        "waitsFor": found.needed,
        "content": found.content,
        "onSyntheticRows": approvals.rehearsal_of(node, found.content, dataset(node, found.visit.dataset)),
    }
    click.echo(for_terminal(json.dumps(told, indent=1, ensure_ascii=False)))


@command.command("document", epilog="Example: fairnode inbox document 5d1c2f... > protocol.md")
@with_node
@with_visit
def document(node: Node, visit: str) -> None:
    """Print the protocol document: in plain words all that an approval of this visit would sign."""
    found = approvals.as_signed(node, approvals.item(node, visit))
    sections = protocol.protocol_document(found.study, found.content, approvals.known_names(node))
    click.echo(protocol.as_text(sections, found.content_hash))


@command.command(
    "approve", epilog="Example: fairnode inbox approve 5d1c2f... --role counsel --token-file my.token"
)
@ROLE
@click.option(
    "--content", default="", help="The hash of what you read; without it you are shown it and asked."
)
@click.option("--note", default="")
@with_node
@with_token
@with_output
@with_visit
def approve(node: Node, output: Output, visit: str, role: str, me: Me, **told: str) -> None:
    """Sign for exactly what would run."""
    person = signer(node, me)
    content = told["content"]
    if not content:
        found = approvals.item(node, visit)
        content = found.content_hash
        click.echo(for_terminal(json.dumps(found.content, indent=1, ensure_ascii=False)), err=True)
        click.confirm("Sign for exactly this?", abort=True, err=True)
    after = approvals.approve(node, person, visit, content, role, told["note"])
    output.say(f"Signed. The visit is now '{after.state}'.", {"visit": visit, "state": after.state})


@command.command(
    "refuse", epilog="Example: fairnode inbox refuse 5d1c2f... --role counsel --because 'Not our task.'"
)
@ROLE
@click.option("--because", required=True, help="A sentence that the researcher will read.")
@with_node
@with_token
@with_output
@with_visit
def refuse(node: Node, output: Output, visit: str, role: str, because: str, me: Me) -> None:
    """Refuse a visit."""
    after = approvals.refuse(node, signer(node, me), visit, role, because)
    output.say("Refused.", {"visit": visit, "state": after.state})


@command.command(
    "ask", epilog="Example: fairnode inbox ask 5d1c2f... --role custodian --question 'Which years?'"
)
@ROLE
@click.option("--question", required=True, help="What the researcher must answer first.")
@with_node
@with_token
@with_output
@with_visit
def ask(
    node: Node,
    output: Output,
    visit: str,
    role: str,
    question: str,
    me: Me,
) -> None:
    """Ask the researcher something before deciding."""
    after = approvals.ask_back(node, signer(node, me), visit, role, question)
    output.say("Asked.", {"visit": visit, "state": after.state})


@command.command(
    "revoke", epilog="Example: fairnode inbox revoke 5d1c2f... --role counsel --because 'New advice.'"
)
@ROLE
@click.option("--because", required=True, help="Why, for this node's people.")
@with_node
@with_token
@with_output
@with_visit
def revoke(node: Node, output: Output, visit: str, role: str, because: str, me: Me) -> None:
    """Take your approval back; a visit that runs is stopped."""
    after = approvals.revoke(node, signer(node, me), visit, role, because)
    output.say(f"Taken back. The visit is now '{after.state}'.", {"visit": visit, "state": after.state})
