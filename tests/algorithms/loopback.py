"""A small registry on the loopback, by the pull part of the OCI distribution specification; it can be made to lie."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import secrets
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.hostile.forge import oci_blobs

NAME = "authors/counts"


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"a registry {secrets.token_hex(4)}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    paths = folder / "registry.crt", folder / "registry.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


@dataclass
class Answer:
    """What the registry says at a path; a body that is an iterator is sent without a length."""

    status: int = 200
    body: bytes | Iterator[bytes] = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Loopback:
    """A running registry: `answers` by path, `asked` by whom and what, `host` and the CA that vouches for it."""

    host: str
    ca: Path
    answers: dict[str, Answer | Callable[[BaseHTTPRequestHandler], Answer]]
    asked: list[tuple[str, str]]
    digest: str = ""

    @property
    def reference(self) -> str:
        """The image that it has."""
        return f"{self.host}/{NAME}@{self.digest}"

    def manifest_path(self, digest: str = "") -> str:
        return f"/v2/{NAME}/manifests/{digest or self.digest}"

    def put(self, *layers: bytes) -> dict[str, bytes]:
        """Put an image there; its files by the names of an OCI layout."""
        files = oci_blobs(*layers)
        (described,) = json.loads(files["index.json"])["manifests"]
        self.digest = described["digest"]
        for name, content in files.items():
            if name.startswith("blobs/"):
                digest = "sha256:" + name.rpartition("/")[2]
                self.answers[f"/v2/{NAME}/blobs/{digest}"] = Answer(body=content)
        self.answers[self.manifest_path()] = Answer(body=files["blobs/sha256/" + self.digest[7:]])
        return files

    def tell(self, manifest: object) -> str:
        """Put another manifest there; the reference to it."""
        body = json.dumps(manifest).encode()
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        self.answers[self.manifest_path(digest)] = Answer(body=body)
        return f"{self.host}/{NAME}@{digest}"

    def manifest(self) -> dict:
        """The manifest of the honest image."""
        answer = self.answers[self.manifest_path()]
        assert isinstance(answer, Answer)
        assert isinstance(answer.body, bytes)
        return json.loads(answer.body)

    def blob_path(self, number: int = 0) -> str:
        """Where a layer of the honest image lies."""
        return f"/v2/{NAME}/blobs/{self.manifest()['layers'][number]['digest']}"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@contextmanager
def loopback(folder: Path) -> Iterator[Loopback]:
    """A registry, for as long as the block lasts."""
    certificate, key = make_certificate(folder)
    answers: dict[str, Answer | Callable[[BaseHTTPRequestHandler], Answer]] = {}
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            asked.append((path, self.headers.get("Authorization", "")))
            answer = answers.get(path, Answer(404))
            _send(self, answer(self) if callable(answer) else answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is no event
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Loopback(f"127.0.0.1:{server.server_port}", certificate, answers, asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if isinstance(answer.body, bytes):
        if "Content-Length" not in answer.headers:
            handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)
    else:
        handler.end_headers()
        for part in answer.body:
            handler.wfile.write(part)
    handler.close_connection = True
