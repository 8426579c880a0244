"""Signed requests between nodes: HTTP Message Signatures (RFC 9421) with Ed25519, and no request twice."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from fairnode import errors

TAG = "fairnode/1"
COVERED = ("@method", "@authority", "@path", "@query", "content-digest")
SECONDS = 60


@dataclass
class Message:
    """A request as the signature sees it. `url` is absolute; `headers` is written to when signing."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


class _Key(HTTPSignatureKeyResolver):
    """One private key, or public keys by the IRI of their node."""

    def __init__(
        self, private: Ed25519PrivateKey | None = None, public: Callable[[str], str | None] | None = None
    ) -> None:
        self._private, self._public = private, public

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        """The key to sign with."""
        del key_id
        assert self._private is not None
        return self._private

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        """The key of the node that claims to have signed. Raises when it is no member."""
        found = self._public(key_id) if self._public else None
        if found is None:
            raise HTTPMessageSignaturesException("the node is not a member of the agreement")
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(found))


def sign_request(message: Message, body: bytes, node: str, key: Ed25519PrivateKey) -> None:
    """Add digest and signature headers to a request of `node`, good for a minute."""
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_Key(private=key))
    now = datetime.now(UTC)
    signer.sign(
        message,
        key_id=node,
        created=now,
        expires=now + timedelta(seconds=SECONDS),
        nonce=secrets.token_hex(16),
        tag=TAG,
        covered_component_ids=COVERED[:-1],
        body=body,
    )


@dataclass
class Nonces:
    """The nonces seen in the last minutes; one for each server process."""

    seen: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def use(self, nonce: str) -> bool:
        """Whether a nonce is new; from now on it is not."""
        now = datetime.now(UTC).timestamp()
        with self.lock:
            self.seen = {n: until for n, until in self.seen.items() if until > now}
            if nonce in self.seen:
                return False
            self.seen[nonce] = now + 3 * SECONDS
            return True


def check_request(message: Message, body: bytes, key_of: Callable[[str], str | None], nonces: Nonces) -> str:
    """The IRI of the member that signed a request.

    Raises `NotKnown` when it is unsigned, by a stranger, changed on the way, too old, from a clock that is
    wrong by more than a minute, or was seen before.
    """
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=_Key(public=key_of))
    try:
        (result,) = verifier.verify(
            message,
            max_age=timedelta(seconds=SECONDS),
            expect_tag=TAG,
            require_components=COVERED,
            body=body,
        )
    except (HTTPMessageSignaturesException, ValueError) as error:
        raise errors.NotKnown(
            "The request is not signed by a member of this node's agreement.",
            to_do="Compare the agreements and the clocks of both nodes.",
            internal=str(error),
        ) from error
    if not result.nonce or not nonces.use(result.nonce):
        raise errors.NotKnown("This request was made before.")
    return str(result.parameters["keyid"])
