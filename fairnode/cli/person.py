"""fairnode person: accounts and tokens. The operator makes accounts but approves nothing."""

from __future__ import annotations

from pathlib import Path

import click

from fairnode.cli.options import with_node
from fairnode.cli.output import Output, with_output
from fairnode.node import Node
from fairnode.people.accounts import add_person, close_account, people_of, person_of
from fairnode.people.tokens import make_token
from fairnode.records.rows import Role

ROLES = [role.value for role in Role]


@click.group()
def command() -> None:
    """Accounts of the people at this node."""


@command.command(epilog="Example: fairnode person add anna --name 'Anna Bos' --role custodian")
@click.argument("username")
@click.option("--name", required=True, help="The person's name, as others at this node read it.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES))
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the first password; without it one is asked for.",
)
@with_node
@with_output
def add(
    node: Node, output: Output, username: str, name: str, roles: tuple[str, ...], password_file: Path | None
) -> None:
    """Make an account, with a signing key sealed under the password."""
    if password_file:
        password = password_file.read_text(encoding="utf-8").strip()
    else:
        password = click.prompt("First password", hide_input=True, confirmation_prompt=True, err=True)
    person = add_person(node, username, name, roles, password, "operator")
    facts = {"id": person.id, "username": username, "roles": list(roles)}
    output.say(f"{name} can log in as {username} ({', '.join(roles)}).", facts)


@command.command("list", epilog="Example: fairnode person list")
@with_node
@with_output
def list_people(node: Node, output: Output) -> None:
    """List the accounts."""
    rows = [[p.id, p.username, p.name, ", ".join(p.roles), p.active] for p in people_of(node)]
    output.table("People", ["id", "username", "name", "roles", "active"], rows)


@command.command("close", epilog="Example: fairnode person close anna")
@click.argument("username")
@with_node
@with_output
def close_person(node: Node, output: Output, username: str) -> None:
    """Close an account: its keys and tokens stop working at once; what was signed before stays signed."""
    person = close_account(node, person_of(node, username), "operator")
    output.say(f"{person.name} cannot log in or sign any more.", {"id": person.id, "username": username})


@command.command(epilog="Example: fairnode person token anna --to ~/fairnode.token")
@click.argument("username")
@click.option(
    "--to", "target", required=True, type=click.Path(path_type=Path), help="The file to write it to."
)
@click.option("--label", default="command line", show_default=True)
@click.option("--days", default=90, show_default=True)
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_node
@with_output
def token(
    node: Node, output: Output, username: str, target: Path, password_file: Path | None, **told: str | int
) -> None:
    """Make a token for the command line and the API, and write it to a file only you can read."""
    person = person_of(node, username)
    if password_file:
        password = password_file.read_text(encoding="utf-8").strip()
    else:
        password = click.prompt(f"Password of {username}", hide_input=True, err=True)
    made = make_token(node, person, password, str(told["label"]), int(told["days"]))
    target.touch(mode=0o600, exist_ok=False)
    target.write_text(made + "\n", encoding="utf-8")
    output.say(f"The token is in {target}.", {"file": str(target), "days": told["days"]})
