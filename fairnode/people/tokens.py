"""API tokens: 256 random bits that a person gives to a program, kept here only as a hash."""

from __future__ import annotations

import secrets

from fairnode import clock, errors
from fairnode.keys import digest, open_with_password, seal_with_token
from fairnode.ledger import Entry, commit
from fairnode.node import Node
from fairnode.records.rows import Person, PersonKey, Token

LONGEST_DAYS = 366


def make_token(node: Node, person: Person, password: str, label: str, days: int = 90) -> str:
    """A new token for this person, shown once and never again.

    It carries the person's signature: the signing key is sealed under it. Raises `NotKnown` on a wrong
    password, `NotValid` on a label or number of days out of bounds.
    """
    if not 1 <= days <= LONGEST_DAYS or not 0 < len(label.strip()) <= 100 or not label.isprintable():
        raise errors.NotValid(
            f"A token has a label of 1 to 100 characters and lives 1 to {LONGEST_DAYS} days."
        )
    with node.store.read() as reader:
        keys = reader.find(
            PersonKey, {"person": person.id, "kind": "software", "revoked": ""}, order="-created", limit=1
        )
    if not keys or not person.active:
        raise errors.NotAllowed("You have no signing key here, so no token can carry it.")
    private = open_with_password(keys[0].sealed, password)
    token = f"fn_{secrets.token_urlsafe(32)}"
    row = Token(
        id=f"t-{secrets.token_hex(8)}",
        person=person.id,
        token_hash=digest(token.encode()),
        sealed=seal_with_token(private, token),
        label=label.strip(),
        created=clock.now(),
        expires=clock.later(days * 86400.0),
    )
    commit(node.desk, lambda tx: tx.add(row), Entry("token.made", row.id, person.id))
    return token


def active_token(node: Node, token: str) -> tuple[Token, Person]:
    """The token's row and its person. Raises `NotKnown` when it is unknown, over, or taken back."""
    with node.store.read() as reader:
        row = reader.one(Token, token_hash=digest(token.encode()))
        person = reader.get(Person, row.person) if row else None
    if row is None or person is None or not person.active or row.revoked or row.expires <= clock.now():
        raise errors.NotKnown(
            "This token is not known here, or no longer valid.", to_do="Make a new one on your account page."
        )
    return row, person


def who_token(node: Node, token: str) -> Person:
    """The person whose token this is. Raises `NotKnown`."""
    return active_token(node, token)[1]


def tokens_of(node: Node, person: Person) -> list[Token]:
    """This person's tokens, the newest first."""
    with node.store.read() as reader:
        return reader.find(Token, {"person": person.id}, order="-created")


def revoke_token(node: Node, person: Person, token_id: str) -> Token:
    """Take back one of this person's tokens. Raises `NotFound` when it is not one of theirs."""
    with node.store.read() as reader:
        row = reader.get(Token, token_id)
    if row is None or row.person != person.id:
        raise errors.NotFound("You have no such token.")
    return commit(
        node.desk,
        lambda tx: tx.change(row, revoked=clock.now()),
        Entry("token.revoked", row.id, person.id),
    )
