"""The job file of a compute party: everything it needs, read and checked once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fairnode.errors import NotValid
from fairnode.mpc.dealing import ReceiveKeys, Rows, Terms, receive, threshold
from fairnode.mpc.hello import Hello
from fairnode.mpc.programs import program
from fairnode.mpc.programs.contract import Parameters, Program, engine_versions, parameters_digest
from fairnode.mpc.transport.link import Limits
from fairnode.mpc.transport.mesh import Identity, Place
from fairnode.mpc.transport.preamble import is_run


@dataclass(frozen=True)
class Input:
    """One contributor: its IRI, its Ed25519 public key (32 bytes), and where its upload lies.

    `correction` is None at a party that does not hold the block.
    """

    sender: str
    key: bytes
    package: Path
    correction: Path | None


@dataclass(frozen=True)
class Job:
    """One run at one party. `receivers` are the X25519 public keys of all compute parties for this study,
    `receiver_key` the file with this party's secret half (64 hex digits), `recipient` the X25519 public key
    of the node that gets the result, `sockets` the folder of this node's gateway, `seconds` and
    `join_seconds` the limits of the whole run and of the others' arrival.
    """

    identity: Identity
    places: tuple[Place, ...]
    sockets: Path
    study: str
    attempt: int
    program: Program
    program_digest: str
    parameters: Parameters
    inputs: tuple[Input, ...]
    receivers: tuple[bytes, ...]
    receiver_key: Path
    recipient: bytes
    seconds: float
    join_seconds: float
    limits: Limits
    transcript: Path | None

    @property
    def agreed(self) -> str:
        """Digest of study, program, parameters, contributors, recipient and parties: what all must share."""
        return parameters_digest(
            [self.study, self.program_digest, self.parameters_digest, self.parties_digest]
        )

    @property
    def parameters_digest(self) -> str:
        """Digest of parameters, attempt, the contributors in their order, and the recipient."""
        contributors = [[item.sender, item.key.hex()] for item in self.inputs]
        return parameters_digest([dict(self.parameters), self.attempt, contributors, self.recipient.hex()])

    @property
    def parties_digest(self) -> str:
        """Digest of the compute parties' certificates and receiver keys, in their order."""
        fingerprints = [place.fingerprint for place in self.places]
        return parameters_digest([fingerprints, [key.hex() for key in self.receivers]])


def parse_job(told: Mapping[str, Any]) -> Job:
    """The job in the JSON object `told`. Raises NotValid when it cannot be run."""
    try:
        job = _job(told)
    except (KeyError, TypeError, ValueError) as error:
        raise NotValid("The job file of a computation is not complete.", internal=repr(error)) from None
    if not is_run(job.identity.run):
        raise NotValid("A run id has 32 hexadecimal digits.")
    threshold(len(job.places))
    if len(job.receivers) != len(job.places) or not 0 <= job.identity.party < len(job.places):
        raise NotValid("The job file does not have one receiver key for each compute party.")
    fingerprints = {place.fingerprint for place in job.places}
    if len(fingerprints) != len(job.places):
        raise NotValid("Two compute parties have the same certificate.")
    if len({item.sender for item in job.inputs}) != len(job.inputs):
        raise NotValid("A contributor is named twice.")
    job.program.check(job.parameters, len(job.inputs), len(job.places))
    return job


def _job(told: Mapping[str, Any]) -> Job:
    identity = Identity(told["run"], int(told["party"]), Path(told["certificate"]), Path(told["key"]))
    transcript = told.get("transcript")
    if transcript is not None and told.get("synthetic") is not True:
        raise ValueError("a transcript is for synthetic data only")
    return Job(
        identity=identity,
        places=tuple(Place(p["host"], int(p["port"]), p["fingerprint"]) for p in told["parties"]),
        sockets=Path(told["sockets"]),
        study=str(told["study"]),
        attempt=int(told["attempt"]),
        program=program(told["program"]["name"]),
        program_digest=str(told["program"]["digest"]),
        parameters=dict(told["parameters"]),
        inputs=tuple(
            Input(
                i["sender"],
                bytes.fromhex(i["key"]),
                Path(i["package"]),
                Path(i["correction"]) if i.get("correction") else None,
            )
            for i in told["inputs"]
        ),
        receivers=tuple(bytes.fromhex(key) for key in told["receivers"]),
        receiver_key=Path(told["receiver_key"]),
        recipient=bytes.fromhex(told["recipient"]),
        seconds=float(told["seconds"]),
        join_seconds=float(told.get("join_seconds", told["seconds"])),
        limits=Limits(**{name: int(size) for name, size in told.get("limits", {}).items()}),
        transcript=Path(transcript) if transcript is not None else None,
    )


def read_inputs(job: Job) -> list[Rows]:
    """The rows of every contributor, in the job's order. Raises NotValid, naming the sender."""
    secret = bytes.fromhex(job.receiver_key.read_text(encoding="ascii").strip())
    ring = job.program.ring(job.parameters)
    rows = []
    for place, item in enumerate(job.inputs):
        count = job.program.length(job.parameters, place)
        terms = Terms(job.study, job.attempt, item.sender, ring, count, job.receivers)
        keys = ReceiveKeys(secret, Ed25519PublicKey.from_public_bytes(item.key))
        try:
            package = item.package.read_bytes()
            rows.append(receive(package, item.correction, terms, job.identity.party, keys))
        except OSError:
            raise NotValid(f"The input of {item.sender} has not arrived here completely.") from None
    return rows


def hello_of(job: Job, rows: list[Rows]) -> Hello:
    """The first message of this party."""
    commitments = json.dumps([[row.sender, row.commitment] for row in rows])
    return Hello(
        engine=engine_versions(),
        run=job.identity.run,
        study=job.study,
        parties=job.parties_digest,
        program=job.program.digest,
        parameters=job.parameters_digest,
        inputs=parameters_digest(commitments),
    )
