"""The first bytes of a connection: which run, from which party to which, with which certificate.

They travel before TLS, because the gateway needs the run to find the process, and the process needs the
dialler's certificate to ask for the proof of its key. Nothing in them is secret or believed: the
certificate must have the pinned fingerprint, and the handshake proves the key.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

MAGIC = b"fairnode-mpc\n"
PROTOCOL = 1
"""Version of all that follows; the form of the preamble itself stays, so that versions know each other."""
HEADER = len(MAGIC) + 2
LIMIT = 8192
"""Most bytes that the body of a preamble may have; an RSA-4096 certificate needs about 2,000."""
TAKEN, UNKNOWN, OTHER_PROTOCOL = b"+", b"-", b"v"
"""The gateway's answers: handed to the process of this run; no such run here (yet); another version."""

_RUN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Preamble:
    """Run id (32 hex digits, random), party numbers, and the dialler's DER certificate."""

    run: str
    sender: int
    receiver: int
    certificate: bytes
    protocol: int = PROTOCOL


def encode(preamble: Preamble) -> bytes:
    """The bytes that the dialler sends first."""
    body = json.dumps(
        {
            "protocol": PROTOCOL,
            "run": preamble.run,
            "from": preamble.sender,
            "to": preamble.receiver,
            "certificate": base64.b64encode(preamble.certificate).decode(),
        }
    ).encode()
    return MAGIC + len(body).to_bytes(2, "big") + body


def body_length(header: bytes) -> int:
    """Length of the body after `header`. Raises ValueError for anything but a preamble."""
    if len(header) != HEADER or not header.startswith(MAGIC):
        raise ValueError("not a connection between compute parties")
    length = int.from_bytes(header[len(MAGIC) :], "big")
    if length > LIMIT:
        raise ValueError("preamble too long")
    return length


def parse(body: bytes) -> Preamble:
    """The preamble in `body`. Raises ValueError for anything else."""
    told: Any = json.loads(body)
    if not isinstance(told, dict) or not is_run(told.get("run")):
        raise ValueError("no run in the preamble")
    sender, receiver, protocol = told.get("from"), told.get("to"), told.get("protocol")
    if not isinstance(sender, int) or not isinstance(receiver, int) or not isinstance(protocol, int):
        raise ValueError("no version or party numbers in the preamble")
    try:
        certificate = base64.b64decode(str(told.get("certificate")), validate=True)
    except binascii.Error as error:
        raise ValueError("no certificate in the preamble") from error
    return Preamble(told["run"], sender, receiver, certificate, protocol)


def is_run(run: object) -> bool:
    """Whether `run` has the form of a run id; the gateway makes a file name of it."""
    return isinstance(run, str) and _RUN.fullmatch(run) is not None
