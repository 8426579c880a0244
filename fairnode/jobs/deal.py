"""Child job: cut this node's own numbers into shares (P13).

In: `{"program", "parameters", "columns", "study", "attempt", "sender", "receivers", "signing_key"}`.
Out: `{"packages": [base64], "correction": base64, "commitment": hex}`.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairnode.jobs.process import main
from fairnode.mpc.dealing import Terms, deal
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
    whole = b"".join(dealing.packages) + dealing.correction
    return {
        "packages": [base64.b64encode(package).decode() for package in dealing.packages],
        "correction": base64.b64encode(dealing.correction).decode(),
        "commitment": hashlib.sha256(whole).hexdigest(),
    }


if __name__ == "__main__":
    main(run)
