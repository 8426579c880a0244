"""Real compute parties on this machine: keys, gateways, dealings and processes for the tests."""

from __future__ import annotations

import base64
import datetime
import json
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairnode.mpc.dealing import ReceiverKey, Terms, deal, new_receiver_key
from fairnode.mpc.gateway import Gateway
from fairnode.mpc.openings.outputs import combine_outputs, open_output
from fairnode.mpc.party.start import WarmParties, take_part
from fairnode.mpc.programs import program
from fairnode.mpc.transport.tls import fingerprint, read_certificate

STUDY = "ab" * 32
HERE = Path(__file__).parent


def make_certificate(folder: Path, name: str, days: tuple[float, float] = (-1, 3)) -> tuple[Path, Path]:
    """A certificate and its key, valid between these days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    crt, pem = folder / f"{name}.crt", folder / f"{name}.key"
    crt.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return crt, pem


@dataclass
class Network:
    """m nodes, each with a gateway and keys; `jobs()` makes the job files of one run."""

    folder: Path
    m: int = 3
    receivers: list[ReceiverKey] = field(default_factory=list)
    gateways: list[Gateway] = field(default_factory=list)
    recipient: ReceiverKey = field(default_factory=new_receiver_key)

    def __enter__(self) -> Network:
        for i in range(self.m):
            make_certificate(self.home(i), "node")
            self.receivers.append(new_receiver_key())
            (self.home(i) / "receiver.key").write_text(self.receivers[i].secret.hex())
            self.gateways.append(Gateway("127.0.0.1", 0, self.home(i) / "sockets").start())
        return self

    def __exit__(self, *_) -> None:
        for gateway in self.gateways:
            gateway.stop()

    def home(self, i: int) -> Path:
        return self.folder / f"node{i}"

    def parties(self) -> list[dict]:
        return [
            {
                "host": "127.0.0.1",
                "port": self.gateways[i].port,
                "fingerprint": fingerprint(read_certificate(self.home(i) / "node.crt")),
            }
            for i in range(self.m)
        ]

    def jobs(self, name: str, parameters: dict, inputs: list, seconds: float = 100.0) -> list[dict]:
        chosen = program(name)
        public = tuple(key.public for key in self.receivers)
        listed: list[list[dict]] = [[] for _ in range(self.m)]
        for number, values in enumerate(inputs):
            sender, key = f"https://org{number}.example/", Ed25519PrivateKey.generate()
            ring, length = chosen.ring(parameters), chosen.length(parameters, number)
            columns = values if isinstance(values[0], list) else [values]
            terms = Terms(STUDY, 1, sender, ring, length, public)
            dealing = deal(chosen.encode(columns, parameters, number), terms, key)
            for i in range(self.m):
                package, block = self.home(i) / f"{number}.package", self.home(i) / f"{number}.block"
                package.write_bytes(dealing.packages[i])
                block.write_bytes(dealing.correction)
                listed[i].append(
                    {
                        "sender": sender,
                        "key": key.public_key().public_bytes_raw().hex(),
                        "package": str(package),
                        "correction": str(block),
                    }
                )
        run = secrets.token_hex(16)
        return [
            {
                "run": run,
                "party": i,
                "parties": self.parties(),
                "key": str(self.home(i) / "node.key"),
                "certificate": str(self.home(i) / "node.crt"),
                "sockets": str(self.home(i) / "sockets"),
                "study": STUDY,
                "attempt": 1,
                "program": {"name": name, "digest": chosen.digest},
                "parameters": parameters,
                "inputs": listed[i],
                "receivers": [key.hex() for key in public],
                "receiver_key": str(self.home(i) / "receiver.key"),
                "recipient": self.recipient.public.hex(),
                "seconds": seconds,
            }
            for i in range(self.m)
        ]

    def combine(self, name: str, parameters: dict, outcomes: list[dict]) -> dict:
        shares = [open_output(base64.b64decode(o["output"]), self.recipient.secret) for o in outcomes]
        return combine_outputs(program(name), parameters, shares)


class Party:
    """One party process; `odd` runs a script of this folder instead: its name and first argument.

    `within` is a command that runs another, as `ip netns exec NAME` does.
    """

    def __init__(self, job: dict, folder: Path, odd: str | None = None, within: tuple[str, ...] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        (folder / "job.json").write_text(json.dumps(job))
        self._log = (folder / "log").open("wb")
        start = [str(HERE / odd.split()[0]), odd.split()[1]] if odd else ["-m", "fairnode.jobs.mpc_party"]
        files = [str(folder / "job.json"), str(folder / "result.json")]
        self.process = subprocess.Popen(
            [*within, sys.executable, "-I", *start, *files],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def outcome(self, seconds: float = 150.0) -> dict:
        self.process.wait(seconds)
        told = json.loads((self.folder / "result.json").read_text())
        assert "result" in told, told
        return told["result"]

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._log.close()


warm_parties: list[WarmParties] = []
"""The warm server of the test session, if there is one: most parties of the tests are forked from it."""


def run_all(jobs: list[dict], folder: Path, odd: dict[int, str] | None = None) -> list[dict | None]:
    """The outcomes of all parties; None for those that misbehave as `odd_party.py` says."""
    odd = odd or {}
    strange = {i: Party(jobs[i], folder / f"party{i}", f"odd_party.py {how}") for i, how in odd.items()}
    try:
        with ThreadPoolExecutor(len(jobs)) as pool:
            running = {
                i: pool.submit(take_part, job, spool=folder / f"party{i}", warm=warm_parties[0])
                for i, job in enumerate(jobs)
                if i not in odd
            }
            return [running[i].result() if i in running else None for i in range(len(jobs))]
    finally:
        for party in strange.values():
            party.kill()


def run_cold(jobs: list[dict], folder: Path) -> list[dict]:
    """The outcomes of all parties, each in a process started for it, whose files and log stay in `folder`."""
    parties = [Party(job, folder / f"party{i}") for i, job in enumerate(jobs)]
    try:
        return [party.outcome() for party in parties]
    finally:
        for party in parties:
            party.kill()
