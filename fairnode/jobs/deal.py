"""Child job: cut this node's own numbers into shares (P13).

In: `{"program", "parameters", "columns", "study", "attempt", "sender", "receivers", "signing_key",
"block"}`, the last the file that takes the correction block.
Out: `{"packages": [base64], "pieces": [hex], "commitment": hex}`.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairnode.errors import Unavailable
from fairnode.jobs.process import main
from fairnode.mpc.dealing import Dealing, Terms, deal
from fairnode.mpc.programs import programs


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Deal. Raises `NotValid` for numbers that the program does not take."""
    program, parameters = programs()[job["program"]], job["parameters"]
    receivers = tuple(bytes.fromhex(key) for key in job["receivers"])
    terms = Terms(
        job["study"],
        int(job["attempt"]),
        job["sender"],
        program.ring(parameters),
        program.length(parameters, 0),
        receivers,
    )
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(job["signing_key"]))
    dealing = deal(program.encode(job["columns"], parameters, 0), terms, key)
    return written(dealing, Path(job["block"]))


def written(dealing: Dealing, block: Path) -> dict[str, Any]:
    """What is told of a dealing whose block lies in a file from now on. Raises `Unavailable` for a full disk."""
    try:
        block.write_bytes(dealing.correction)
    except OSError as error:
        raise Unavailable("The node's disk cannot be written.", internal=str(error)) from error
    return {
        "packages": [base64.b64encode(package).decode() for package in dealing.packages],
        "pieces": list(dealing.pieces),
        "commitment": dealing.commitment,
    }


if __name__ == "__main__":
    main(run)
