"""The compute party's side: an envelope and a block become this party's rows, or are refused."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from fairnode.errors import NotValid
from fairnode.mpc.dealing.blocks import BlockRow, block_digest, block_size, piece_digest, pieces_of
from fairnode.mpc.dealing.deal import MASK, bound, envelope_bytes, header, signed_bytes
from fairnode.mpc.dealing.rings import P61, Ring, SeedRow, Words, mask
from fairnode.mpc.dealing.subsets import Subset, correction_subset, held, holds_block, label, subsets
from fairnode.mpc.dealing.terms import Terms, digest

ENVELOPE_LIMIT = 65536


@dataclass(frozen=True)
class Rows:
    """What one party holds of one sender's input: for each set T it is not in, one value an element.

    For 2^64 and XOR a row from a seed is a `SeedRow`, expanded where it is read, and one from the block a
    `BlockRow`, opened where it is read; modulo 2^61 - 1 they are arrays.
    `commitment` (hex) is the digest of the sender's commitments, the same at all holders of an honest
    dealing; parties compare it in the hello before they use the rows.
    """

    sender: str
    ring: Ring
    rows: Mapping[Subset, Words | SeedRow | BlockRow]
    length: int
    commitment: str

    def arrays(self) -> dict[Subset, Words]:
        """All rows in memory."""
        return {
            subset: row if isinstance(row, np.ndarray) else row.words(self.length)
            for subset, row in self.rows.items()
        }


def receive(
    package: bytes, correction: bytes | bytearray | Path | None, terms: Terms, party: int, keys: ReceiveKeys
) -> Rows:
    """The rows that `package` and `correction` hold for `party` under `terms`; None if it holds no block.

    A correction block in a file is checked here and read where its words are needed, so that no party holds
    long lists in memory; the file must stay until then. Raises OSError if it cannot be read.

    Raises NotValid, with a sentence that names the sender, for a corrupted or foreign box, a wrong
    signature, another study, attempt, receiver, ring or length, and for seeds or a block that do not fit
    the sender's own commitments.
    """
    inside = _opened(package, terms, party, keys)
    m = len(terms.receivers)
    secrets, commitments = _parts(inside, terms, m, party)
    rows: dict[Subset, Words | SeedRow | BlockRow] = {
        subset: _seeded(secrets[subset], terms) for subset in held(m, party) if subset != correction_subset(m)
    }
    if holds_block(m, party):
        if correction is None or commitments["block"] != _digest(correction):
            raise _refused(terms, "comes with another correction block than its sender committed to")
        rows[correction_subset(m)] = _block(correction, secrets[correction_subset(m)], terms)
    together = json.dumps([header(terms, 0) | {"receiver": "", "party": 0}, commitments], sort_keys=True)
    return Rows(terms.sender, terms.ring, rows, terms.length, digest(together.encode(), "fairnode-commit"))


@dataclass(frozen=True)
class ReceiveKeys:
    """The receiver's X25519 secret key of this study (32 bytes) and the sender's Ed25519 public key."""

    secret: bytes
    sender: Ed25519PublicKey


def envelope_of(package: bytes) -> dict[str, Any]:
    """The envelope as a JSON object. Raises NotValid."""
    try:
        envelope = json.loads(package) if len(package) <= ENVELOPE_LIMIT else None
    except ValueError:
        envelope = None
    if not isinstance(envelope, dict) or envelope_bytes(envelope) != package:
        raise NotValid("What arrived is not a sealed input of this protocol.")
    return envelope


def _opened(package: bytes, terms: Terms, party: int, keys: ReceiveKeys) -> dict[str, Any]:
    """What is in the box, after header, signature and box were checked."""
    try:
        envelope = envelope_of(package)
    except NotValid:
        raise _refused(terms, "is not a sealed input of this protocol, or was damaged on its way") from None
    wanted = header(terms, party)
    _compare(envelope, wanted, terms)
    try:
        keys.sender.verify(_unhex(envelope.get("signature")), signed_bytes(envelope))
        box = base64.b64decode(str(envelope.get("box")), validate=True)
        inside = json.loads(SealedBox(PrivateKey(keys.secret)).decrypt(box))
    except InvalidSignature:
        raise _refused(terms, "is not signed by its sender") from None
    except (CryptoError, ValueError, binascii.Error):
        raise _refused(terms, "cannot be opened: it is corrupted or sealed to another key") from None
    if not isinstance(inside, dict):
        raise _refused(terms, "holds something else than an input")
    _compare(inside, wanted, terms)
    return inside


def _compare(told: Mapping[str, Any], wanted: Mapping[str, Any], terms: Terms) -> None:
    for field, value in wanted.items():
        if told.get(field) != value:
            raise _refused(terms, f"is for another {_FIELD_WORDS[field]}")


_FIELD_WORDS = {
    "type": "version of the protocol",
    "study": "study",
    "attempt": "attempt",
    "sender": "sender",
    "receiver": "receiver",
    "party": "compute party",
    "parties": "number of compute parties",
    "ring": "kind of sharing",
    "length": "number of values",
}


def _parts(
    inside: Mapping[str, Any], terms: Terms, m: int, party: int
) -> tuple[dict[Subset, bytes], dict[str, str]]:
    """Seeds and block key by set, and all commitments, after each secret was compared with its commitment."""
    told, commitments = inside.get("secrets"), inside.get("commitments")
    names = {label(subset): subset for subset in held(m, party)}
    if not isinstance(told, dict) or not isinstance(commitments, dict) or set(told) != set(names):
        raise _refused(terms, "does not hold the seeds that this party needs")
    if set(commitments) != {label(subset) for subset in subsets(m)} | {"block"}:
        raise _refused(terms, "does not commit to every seed")
    secrets: dict[Subset, bytes] = {}
    for name, subset in names.items():
        secret = _unhex(told[name])
        size = 32 if subset == correction_subset(m) else 16
        if len(secret) != size or digest(secret, "fairnode-seed") != commitments[name]:
            raise _refused(terms, "holds a seed that does not fit its commitment")
        secrets[subset] = secret
    return secrets, {name: str(value) for name, value in commitments.items()}


def _seeded(seed: bytes, terms: Terms) -> Words | SeedRow:
    if terms.ring is Ring.P61:
        return mask(seed, terms.ring, terms.length, MASK)
    return SeedRow(seed, terms.ring, MASK)


def _unhex(text: object) -> bytes:
    """The bytes in lower-case hex, or none: every value has one spelling."""
    try:
        value = bytes.fromhex(str(text))
    except ValueError:
        return b""
    return value if value.hex() == text else b""


def _digest(correction: bytes | bytearray | Path) -> str:
    return block_digest([piece_digest(piece) for piece in pieces_of(correction)])


def _block(correction: bytes | bytearray | Path, key: bytes, terms: Terms) -> Words | BlockRow:
    """The correction block as a row, or as ring elements that were looked at, after all of it was opened once."""
    size = correction.stat().st_size if isinstance(correction, Path) else len(correction)
    if size != block_size(terms.length):
        raise _refused(terms, "has a correction block of another length")
    row = BlockRow(correction, key, bound(terms), terms.length)
    try:
        row.check()
    except InvalidTag:
        raise _refused(terms, "has a correction block that cannot be opened") from None
    if terms.ring is not Ring.P61:
        return row
    words = row.words(terms.length)
    if int(words.max()) >= P61:
        raise _refused(terms, "has a correction block with values over the range of the computation")
    return words


def _refused(terms: Terms, what: str) -> NotValid:
    return NotValid(f"The input of {terms.sender} {what}.", to_do="Ask the sender to upload it again.")
