"""Options that many commands share: the node's directory, and who is at the keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from fairnode import errors
from fairnode.approvals.decide import whole_name
from fairnode.node import Node, open_node
from fairnode.people.accounts import person_of
from fairnode.people.passwords import password_fits
from fairnode.people.signing import Signer, signer_with_password, signer_with_token
from fairnode.people.tokens import who_token
from fairnode.records.rows import Person

Command = TypeVar("Command", bound=Callable[..., Any])

ROOM_SECONDS = 3.0


def with_node(function: Command, opened: Callable[[Path], Node] = open_node) -> Command:
    """Give a command the node's directory as `node`, opened."""

    def make(ctx: click.Context, param: click.Parameter, value: Path) -> Node:
        del ctx, param
        return opened(value)

    return click.option(
        "--dir",
        "node",
        envvar="FAIRNODE_DIR",
        default=".",
        show_default=True,
        type=click.Path(path_type=Path),
        callback=make,
        help="The node's directory (or FAIRNODE_DIR).",
    )(function)


def with_visit(function: Command) -> Command:
    """Give a command its argument VISIT whole, if a person typed its beginning. Stands below `with_node`."""

    @wraps(function)
    def resolved(*args: Any, node: Node, visit: str, **told: Any) -> Any:
        return function(*args, node=node, visit=whole_name(node, visit), **told)

    return click.argument("visit")(cast("Command", resolved))


def with_lasting_node(function: Command) -> Command:
    """As `with_node`, for a process that lasts: where the disk is full it says so, and waits for room."""
    return with_node(function, _open_when_there_is_room)


def _open_when_there_is_room(directory: Path) -> Node:
    while True:
        try:
            return open_node(directory)
        except errors.DiskFull as error:
            with suppress(OSError):  # its log may lie on the same disk
                click.echo(f"waiting for room on the disk: {error.what}", err=True)
        time.sleep(ROOM_SECONDS)


@dataclass(frozen=True)
class Me:
    """How the person at the keyboard makes themselves known."""

    token_file: Path | None
    user: str | None


def with_token(function: Command) -> Command:
    """Give a command the options by which a person is known (a token in a file, or a user name), as `me`."""

    @wraps(function)
    def known(*args: Any, token_file: Path | None, user: str | None, **told: Any) -> Any:
        return function(*args, me=Me(token_file, user), **told)

    token = click.option(
        "--token-file",
        envvar="FAIRNODE_TOKEN_FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A file with your token (or FAIRNODE_TOKEN_FILE); the token itself is never an argument.",
    )
    user = click.option("--user", help="Your user name; your password is asked for.")
    return cast(Command, token(user(known)))


def who(node: Node, me: Me) -> Person:
    """The person at the keyboard. Raises `NotKnown` when they do not say, or not correctly."""
    if me.token_file:
        return who_token(node, _token(me.token_file))
    return _with_password(node, me.user)[0]


def signer(node: Node, me: Me) -> Signer:
    """The person at the keyboard with their signature."""
    if me.token_file:
        return signer_with_token(node, _token(me.token_file))
    person, password = _with_password(node, me.user)
    return signer_with_password(node, person, password)


def _with_password(node: Node, user: str | None) -> tuple[Person, str]:
    """Ask for the password and check it."""
    if not user:
        raise errors.NotKnown("Say who you are.", to_do="Give --token-file FILE, or --user NAME.")
    password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    person = person_of(node, user)
    if not password_fits(person.password_hash, password):
        raise errors.NotKnown("User name or password is not right.")
    return person, password


def _token(path: Path) -> str:
    """The token in a file that only its owner can read."""
    if path.stat().st_mode & 0o077:
        raise errors.NotAllowed(
            "The token file can be read by others on this machine.", to_do="Run: chmod 600 on it."
        )
    return path.read_text(encoding="utf-8").strip()
