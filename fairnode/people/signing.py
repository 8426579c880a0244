"""A person's signature: opened for one act with the person's password or token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairnode import errors
from fairnode.keys import open_with_password, open_with_token
from fairnode.node import Node
from fairnode.people.throttle import GUESSES
from fairnode.people.tokens import active_token
from fairnode.records.rows import Person, PersonKey


@dataclass(frozen=True)
class Signer:
    """A person who signs: `public` is the raw Ed25519 key in hex, `sign` makes a signature over bytes."""

    public: str
    sign: Callable[[bytes], bytes]
    person: Person


def signer_with_password(node: Node, person: Person, password: str) -> Signer:
    """The person's signature, opened with the password.

    Raises `NotKnown` when the password is wrong, `TooOften` after too many wrong ones, `NotAllowed` when the
    person has no key (any more).
    """
    key = software_key(node, person)
    GUESSES.check(person.username, "signature")
    try:
        raw = open_with_password(key.sealed, password)
    except errors.NotKnown:
        GUESSES.wrong(person.username, "signature")
        raise
    return _signer(person, key, raw)


def signer_with_token(node: Node, token: str) -> Signer:
    """The signature of the person whose token this is. Raises `NotKnown`, `NotAllowed`."""
    row, person = active_token(node, token)
    key = software_key(node, person)
    return _signer(person, key, open_with_token(row.sealed, token))


def software_key(node: Node, person: Person) -> PersonKey:
    """The person's present software key. Raises `NotAllowed` when there is none."""
    wanted = {"person": person.id, "kind": "software", "revoked": ""}
    with node.store.read() as reader:
        found = reader.find(PersonKey, wanted, order="-created", limit=1)
    if not found or not person.active:
        raise errors.NotAllowed(
            "You have no signing key here.", to_do="The node's operator can give you a new account."
        )
    return found[0]


def _signer(person: Person, key: PersonKey, raw: bytes) -> Signer:
    """A signer with the opened private key; refused if a token holds an older one."""
    private = Ed25519PrivateKey.from_private_bytes(raw)
    if private.public_key().public_bytes_raw().hex() != key.public:
        raise errors.NotAllowed(
            "This token holds a signing key that was replaced.", to_do="Make a new token with your password."
        )
    return Signer(key.public, private.sign, person)
