"""Accounts: made, closed, and given another password. The ledger holds only the opaque id (P21)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairnode import clock, errors
from fairnode.keys import open_with_password, public_hex, seal_with_password
from fairnode.ledger import Entry, commit
from fairnode.node import Node
from fairnode.people.passwords import hash_password, password_fits
from fairnode.people.roles import check_roles_exist
from fairnode.records.rows import Person, PersonKey, Session, Token
from fairnode.store.database import Transaction

_USERNAME = r"[a-z0-9][a-z0-9._@+-]{0,63}"


def add_person(
    node: Node, username: str, name: str, roles: Sequence[str], password: str, actor: str = "operator"
) -> Person:
    """A new account with a signing key of its own, sealed under the password.

    `actor` is the opaque id of who made it, or "operator" for the command line. Raises `NotValid` for a
    username, role or password without the right form, `Conflict` when the username is taken.
    """
    roles = tuple(str(role) for role in roles)
    check_roles_exist(roles)
    _check_names(username, name)
    now = clock.now()
    person = Person(
        id=f"p-{secrets.token_hex(8)}",
        username=username,
        name=name.strip(),
        password_hash=hash_password(password),
        roles=sorted(set(roles)),
        active=True,
        created=now,
    )
    key = _new_key(person.id, password)

    def change(tx: Transaction) -> Person:
        if tx.one(Person, username=username):
            raise errors.Conflict(
                f"The username '{username}' is taken here.", to_do="Choose another username."
            )
        tx.add(key)
        return tx.add(person)

    facts = {"roles": person.roles, "key": key.public}
    return commit(node.desk, change, Entry("person.added", person.id, actor, facts=facts))


def _check_names(username: str, name: str) -> None:
    """Raise `NotValid` for a username or a name that cannot be shown or typed."""
    findings = []
    if not re.fullmatch(_USERNAME, username):
        findings.append(errors.Finding("username", "has 1 to 64 of a-z, 0-9 and . _ @ + -"))
    if not name.strip() or len(name) > 200 or not name.isprintable():
        findings.append(errors.Finding("name", "is the person's name, up to 200 characters in one line"))
    if findings:
        raise errors.NotValid("This account cannot be made.", findings=tuple(findings))


def _new_key(person: str, password: str) -> PersonKey:
    """A signing key whose private half only the password opens."""
    private = Ed25519PrivateKey.generate()
    return PersonKey(
        id=f"k-{secrets.token_hex(8)}",
        person=person,
        kind="software",
        public=public_hex(private),
        sealed=seal_with_password(private.private_bytes_raw(), password),
        created=clock.now(),
    )


def person_of(node: Node, key: str) -> Person:
    """The person with this id or username. Raises `NotFound`."""
    with node.store.read() as reader:
        found = reader.get(Person, key) or reader.one(Person, username=key)
    if found is None:
        raise errors.NotFound(f"Nobody here is known as '{key}'.")
    return found


def people_of(node: Node) -> list[Person]:
    """Everybody with an account here, by username."""
    with node.store.read() as reader:
        return reader.find(Person, order="username")


def change_password(node: Node, person: Person, old: str, new: str) -> Person:
    """Another password; the signing key stays the same, sealed under the new one; sessions end.

    Raises `NotKnown` when `old` is wrong, `NotValid` when `new` is too short.
    """
    if not password_fits(person.password_hash, old):
        raise errors.NotKnown("The present password is not the right one.")
    hashed = hash_password(new)

    def change(tx: Transaction) -> Person:
        for key in tx.find(PersonKey, {"person": person.id, "kind": "software", "revoked": ""}):
            tx.change(key, sealed=seal_with_password(open_with_password(key.sealed, old), new))
        _end_sessions(tx, person)
        return tx.change(person, password_hash=hashed)

    return commit(node.desk, change, Entry("person.password-changed", person.id, person.id))


def close_account(node: Node, person: Person, actor: str) -> Person:
    """Close an account: sessions end, keys and tokens are revoked; what it signed before stays signed."""
    now = clock.now()

    def change(tx: Transaction) -> Person:
        for key in tx.find(PersonKey, {"person": person.id, "revoked": ""}):
            tx.change(key, revoked=now)
        for token in tx.find(Token, {"person": person.id, "revoked": ""}):
            tx.change(token, revoked=now)
        _end_sessions(tx, person)
        return tx.change(person, active=False)

    return commit(node.desk, change, Entry("person.closed", person.id, actor))


def _end_sessions(tx: Transaction, person: Person) -> None:
    """Log this person out everywhere."""
    for session in tx.find(Session, {"person": person.id}):
        tx.remove(session)
