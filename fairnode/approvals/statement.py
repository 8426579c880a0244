"""The signed form of a decision: an in-toto statement (v1) in a DSSE envelope.

The person signs; the node countersigns. Both signatures are over the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

from fairnode import errors
from fairnode.keys import PAYLOAD_TYPE, NodeKeys, canonical, envelope, open_envelope, pae
from fairnode.records.rows import Person

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://w3id.org/fairnode/approval/1"


class Signer(Protocol):
    """A person with a key at hand. `sign` makes an Ed25519 signature over the bytes that it is given."""

    @property
    def person(self) -> Person:
        """Who signs."""

    @property
    def public(self) -> str:
        """Their raw public key in hex."""

    @property
    def sign(self) -> Callable[[bytes], bytes]:
        """Makes a signature."""


def statement(content: dict[str, Any], decision: dict[str, Any]) -> bytes:
    """The canonical bytes that are signed: the content in full, and the decision on it."""
    return canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": "study", "digest": {"sha256": content["study"]}},
                {
                    "name": "image",
                    "digest": {"sha256": content["algorithm"]["identity"].removeprefix("sha256:")},
                },
            ],
            "predicateType": PREDICATE_TYPE,
            "predicate": {"content": content, "decision": decision},
        }
    )


def sign_statement(payload: bytes, signer: Signer | None, keys: NodeKeys) -> bytes:
    """The envelope with the person's signature (none when the policy decides) and the node's."""
    message = pae(PAYLOAD_TYPE, payload)
    signatures = {keys.public: keys.signing.sign(message)}
    if signer is not None:
        signatures[signer.public] = signer.sign(message)
    return envelope(payload, signatures)


def open_statement(sealed: bytes, signers: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Content and decision of an envelope that all `signers` (public keys, hex) signed.

    Raises `NotValid`.
    """
    told = json.loads(open_envelope(sealed, signers))
    if told.get("_type") != STATEMENT_TYPE or told.get("predicateType") != PREDICATE_TYPE:
        raise errors.NotValid("The envelope does not hold a decision on a visit.")
    return told["predicate"]["content"], told["predicate"]["decision"]
