"""What a dealing is bound to: study, attempt, sender, shape, and the compute parties' receiver keys."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from nacl.public import PrivateKey

from fairnode.mpc.dealing.rings import Ring


@dataclass(frozen=True)
class Terms:
    """One input of one sender to one computation.

    `study` is the study hash (hex), `attempt` counts from 1 (a new attempt after a cuckoo failure or after
    withdrawn rows), `sender` the IRI of the input party's node, `length` the number of elements, and
    `receivers` the X25519 public keys (32 bytes) made for this study, in the order of party numbers.
    """

    study: str
    attempt: int
    sender: str
    ring: Ring
    length: int
    receivers: tuple[bytes, ...]

    def of(self, sender: str) -> Terms:
        """The same terms for another sender."""
        return replace(self, sender=sender)


@dataclass(frozen=True)
class Dealing:
    """What one input party uploads: a sealed package for each compute party, and one block for its holders.

    `pieces` are the SHA-256 (hex) of the pieces that the block travels in.
    """

    packages: tuple[bytes, ...]
    correction: bytes | bytearray
    pieces: tuple[str, ...]

    @property
    def commitment(self) -> str:
        """SHA-256 (hex) of all that is uploaded, for the sender's ledger."""
        return hashlib.sha256(b"".join(self.packages) + "".join(self.pieces).encode()).hexdigest()


@dataclass(frozen=True)
class ReceiverKey:
    """A compute party's X25519 key pair for one study; the secret half is deleted after the run."""

    secret: bytes
    public: bytes


def new_receiver_key() -> ReceiverKey:
    """A fresh key pair for one study."""
    key = PrivateKey.generate()
    return ReceiverKey(bytes(key), bytes(key.public_key))


def digest(data: bytes, purpose: str) -> str:
    """BLAKE2b-256 of `data` in hex, separated by purpose (at most 16 characters)."""
    return hashlib.blake2b(data, digest_size=32, person=purpose.encode()).hexdigest()
