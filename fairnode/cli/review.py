"""fairnode review: results that the node cannot recount, and the two people who look at each."""

from __future__ import annotations

import json

import click

from fairnode.approvals.decide import DECIDING
from fairnode.cli.options import Me, signer, who, with_node, with_token, with_visit
from fairnode.cli.output import Output, with_output
from fairnode.gate.reviewing import Saying, matter, review, told, under_review
from fairnode.gate.reviews import Opinion
from fairnode.letters import for_terminal
from fairnode.node import Node

ROLE = click.option("--role", required=True, type=click.Choice([r.value for r in DECIDING]))
RESULT = click.option("--result", required=True, help="The hash of the result that you read (review show).")


@click.group()
def command() -> None:
    """Results of class B. Two people review each; nobody sees the other's review before both are in."""


@command.command("list", epilog="Example: fairnode review list")
@with_node
@with_output
def list_reviews(node: Node, output: Output) -> None:
    """List the results that wait for reviews."""
    rows = []
    for visit in under_review(node):
        found = matter(node, visit.id)
        rows.append([visit.id, found.study["title"], visit.dataset, found.state.value])
    output.table("Results under review", ["visit", "study", "dataset", "reviews"], rows)


@command.command("show", epilog="Example: fairnode review show 5d1c2f... --token-file my.token")
@with_node
@with_token
@with_visit
def show(node: Node, visit: str, me: Me) -> None:
    """Print what would leave, what the rules said of it, and what was released of the same data before."""
    click.echo(for_terminal(json.dumps(told(node, who(node, me), visit), indent=1, ensure_ascii=False)))


@command.command("approve", epilog="Example: fairnode review approve 5d1c2f... --role counsel --result 9f...")
@ROLE
@RESULT
@click.option("--note", default="", help="For the other reviewer and this node's people.")
@with_node
@with_token
@with_output
@with_visit
def approve(node: Node, output: Output, visit: str, me: Me, **said: str) -> None:
    """Say that exactly this result may leave."""
    saying = Saying(said["role"], said["result"], Opinion.APPROVED, said["note"])
    after = review(node, signer(node, me), visit, saying)
    output.say(f"Reviewed. The visit is '{after.state}'.", {"visit": visit, "state": after.state})


@command.command(
    "refuse", epilog="Example: fairnode review refuse 5d1c2f... --role counsel --result 9f... --because '...'"
)
@ROLE
@RESULT
@click.option(
    "--because", required=True, help="Why, for this node's people; the researcher does not read it."
)
@with_node
@with_token
@with_output
@with_visit
def refuse(node: Node, output: Output, visit: str, me: Me, **said: str) -> None:
    """Say that this result may not leave."""
    saying = Saying(said["role"], said["result"], Opinion.CHANGES_REQUESTED, said["because"])
    after = review(node, signer(node, me), visit, saying)
    output.say(f"Reviewed. The visit is '{after.state}'.", {"visit": visit, "state": after.state})
