"""TLS 1.3 with pinned, self-signed certificates: a party is who holds the key of its certificate.

There is no certificate authority. The agreement names the SHA-256 fingerprint of each node's certificate;
both sides of a connection prove the key of theirs, and each checks the other against the fingerprint of
the party number that it expects there.
"""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL: who a party is says the agreement, not the clock of either side."""


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a DER certificate in lower-case hex, as agreements and job files write it."""
    return hashlib.sha256(certificate).hexdigest()


def read_certificate(path: Path) -> bytes:
    """The certificate of a PEM file as DER bytes."""
    return ssl.PEM_cert_to_DER_cert(path.read_text(encoding="ascii"))


def client_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """For the side that dials. The caller compares the peer's fingerprint before it sends a byte."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    # No authority signs these certificates: `Link` compares the fingerprint as soon as the handshake ends.
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(certificate, key)
    return context


def server_context(certificate: Path, key: Path, peer: bytes) -> ssl.SSLContext:
    """For the side that is dialled: the one certificate it accepts is `peer` (DER, already pinned)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | NO_CHECK_TIME
    context.num_tickets = 0
    context.load_verify_locations(cadata=peer)
    context.load_cert_chain(certificate, key)
    return context
