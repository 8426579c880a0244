"""The node's and its people's keys: signing (Ed25519), sealing (X25519), and what is wrapped with them.

No primitive is ours: `cryptography` signs, PyNaCl seals, argon2 hashes passwords. Envelopes are DSSE v1
(https://github.com/secure-systems-lab/dsse) around in-toto statements.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nacl.exceptions
import nacl.pwhash.argon2id as argon2id
import nacl.secret
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nacl.public import PrivateKey, PublicKey, SealedBox

from fairnode import errors

SEALING_PUBLIC = "sealing.pub"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class NodeKeys:
    """The keys of one node. `secret` blinds commitments in the ledger (P21) and is never published.

    `sealing_public` is the raw public sealing key (X25519) in hex: what others seal to. Installed for two users,
    the worker alone has its private half, and `opens` is None in the web process.
    """

    signing: Ed25519PrivateKey
    sealing_public: str
    secret: bytes
    opens: PrivateKey | None = None

    @property
    def public(self) -> str:
        """The raw public signing key in hex: how the node is known."""
        return public_hex(self.signing)

    @property
    def sealing(self) -> PrivateKey:
        """What opens what was sealed to this node. Raises `Unavailable` in a process that has it not."""
        if self.opens is None:
            raise errors.Unavailable(
                "What is sealed to this node is opened by its worker alone.",
                to_do="Run the command as the worker's user.",
            )
        return self.opens


def canonical(value: Any) -> bytes:
    """The one byte form of a JSON value (RFC 8785), over which hashes and signatures are made."""
    return rfc8785.dumps(value)


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def public_hex(key: Ed25519PrivateKey) -> str:
    """The raw public key in hex."""
    return key.public_key().public_bytes_raw().hex()


def key_id(public: str) -> str:
    """The name of a public key: the first 16 hex digits of its SHA-256."""
    return digest(bytes.fromhex(public))[:16]


def make_node_keys(folder: Path) -> NodeKeys:
    """Make and keep the keys of a new node; raises `Conflict` when there are some already."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("signing.key", "sealing.key", "ledger.secret"):
        write_secret(folder / name, secrets.token_bytes(32))
    private = PrivateKey((folder / "sealing.key").read_bytes())
    write_secret(folder / SEALING_PUBLIC, bytes(private.public_key).hex().encode())
    return load_node_keys(folder)


def load_node_keys(folder: Path) -> NodeKeys:
    """The keys that `make_node_keys` left. Raises `Unavailable` when they are not all there."""
    try:
        raw = [(folder / n).read_bytes() for n in ("signing.key", "ledger.secret")]
        opens = _opens(folder / "sealing.key")
        public = bytes(opens.public_key).hex() if opens else (folder / SEALING_PUBLIC).read_text("ascii")
    except OSError as error:
        raise errors.Unavailable(
            "The node's keys cannot be read.",
            to_do="Restore the folder 'keys' from the backup, readable by the node's user only.",
            internal=str(error),
        ) from error
    return NodeKeys(Ed25519PrivateKey.from_private_bytes(raw[0]), public, raw[1], opens)


def _opens(path: Path) -> PrivateKey | None:
    """The private sealing key, or None where this user may not read it."""
    try:
        return PrivateKey(path.read_bytes())
    except PermissionError:
        return None


def write_secret(path: Path, content: bytes) -> None:
    """A new file that only this user can read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise errors.Conflict("This node has its keys already; they are not made anew.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def verify(public: str, signature: bytes, content: bytes) -> bool:
    """Whether `signature` over `content` was made with the private half of `public` (hex)."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def envelope(payload: bytes, signatures: Mapping[str, bytes]) -> bytes:
    """A DSSE envelope as canonical JSON; `signatures` maps public keys (hex) to signatures over `pae`."""
    return canonical(
        {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [
                {"keyid": key_id(public), "sig": base64.b64encode(signature).decode()}
                for public, signature in sorted(signatures.items())
            ],
        }
    )


def open_envelope(sealed: bytes, signers: tuple[str, ...]) -> bytes:
    """The payload of an envelope that every one of `signers` (public keys, hex) signed.

    Raises `NotValid` when a signature is missing or wrong, doubled, or the type is another.
    """
    try:
        content = json.loads(sealed)
        payload = base64.b64decode(content["payload"], validate=True)
        found = {s["keyid"]: base64.b64decode(s["sig"], validate=True) for s in content["signatures"]}
        kind, number = content["payloadType"], len(content["signatures"])
    except (ValueError, KeyError, TypeError) as error:
        raise errors.NotValid("This is not a signed envelope.") from error
    if kind != PAYLOAD_TYPE or number != len(found):
        raise errors.NotValid("This envelope is of another kind, or holds one signature twice.")
    for public in signers:
        if not verify(public, found.get(key_id(public), b""), pae(kind, payload)):
            raise errors.NotValid("A signature on this envelope is missing or wrong.")
    return payload


def seal_with_password(content: bytes, password: str) -> bytes:
    """`content` sealed under a password (argon2id, moderate cost), for keeping at rest."""
    salt = secrets.token_bytes(argon2id.SALTBYTES)
    return salt + nacl.secret.SecretBox(_stretch(password, salt)).encrypt(content)


def open_with_password(sealed: bytes, password: str) -> bytes:
    """What `seal_with_password` sealed. Raises `NotKnown` on another password."""
    salt, box = sealed[: argon2id.SALTBYTES], sealed[argon2id.SALTBYTES :]
    return _open_box(nacl.secret.SecretBox(_stretch(password, salt)), box)


def _stretch(password: str, salt: bytes) -> bytes:
    """A 32-byte key from a password."""
    return argon2id.kdf(
        32,
        password.encode(),
        salt,
        opslimit=argon2id.OPSLIMIT_INTERACTIVE,
        memlimit=argon2id.MEMLIMIT_INTERACTIVE,
    )


def seal_with_token(content: bytes, token: str) -> bytes:
    """`content` sealed under a token, which is random already and needs no stretching."""
    return bytes(nacl.secret.SecretBox(_token_key(token)).encrypt(content))


def open_with_token(sealed: bytes, token: str) -> bytes:
    """What `seal_with_token` sealed. Raises `NotKnown` on another token."""
    return _open_box(nacl.secret.SecretBox(_token_key(token)), sealed)


def _token_key(token: str) -> bytes:
    """A sealing key from a token, apart from the hash under which the token is found."""
    return hashlib.blake2b(token.encode(), digest_size=32, person=b"fairnode-token").digest()


def _open_box(box: nacl.secret.SecretBox, sealed: bytes) -> bytes:
    """The content, or `NotKnown`."""
    try:
        return bytes(box.decrypt(sealed))
    except nacl.exceptions.CryptoError as error:
        raise errors.NotKnown("The password or token is not the right one.") from error


def seal_to(public: str, content: bytes) -> bytes:
    """`content` sealed so that only the holder of the X25519 key `public` (hex) can read it."""
    return bytes(SealedBox(PublicKey(bytes.fromhex(public))).encrypt(content))


def open_sealed(private: PrivateKey, sealed: bytes) -> bytes:
    """What `seal_to` sealed. Raises `NotValid` when it is damaged or for another key."""
    try:
        return bytes(SealedBox(private).decrypt(sealed))
    except nacl.exceptions.CryptoError as error:
        raise errors.NotValid("This sealed box is damaged or meant for somebody else.") from error


def commitment(secret: bytes, content: bytes) -> str:
    """A keyed hash: shows later that `content` was this, and nothing to who has not got `secret`."""
    return hmac.new(secret, content, hashlib.sha256).hexdigest()
