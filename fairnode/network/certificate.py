"""The node's TLS certificate: self-signed, known to others by its fingerprint in the agreement."""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from fairnode.keys import write_secret

YEARS = 5


def make_certificate(folder: Path, name: str) -> str:
    """Make `tls.key` and `tls.crt` in the node's folder of keys; the fingerprint (SHA-256, hex)."""
    key = Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = datetime.now(UTC) - timedelta(minutes=5)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, None)
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_secret(folder / "tls.key", pem)
    (folder / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate_fingerprint(folder)


def certificate_der(folder: Path) -> bytes:
    """The node's certificate as DER bytes."""
    return ssl.PEM_cert_to_DER_cert((folder / "tls.crt").read_text(encoding="ascii"))


def certificate_fingerprint(folder: Path) -> str:
    """The SHA-256 of the node's certificate, in hex."""
    return hashlib.sha256(certificate_der(folder)).hexdigest()


def server_context(folder: Path) -> ssl.SSLContext:
    """TLS for the mailbox door: who knocks is known by the signature of the request, not by TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


class _PinnedSocket(ssl.SSLSocket):
    """A TLS socket that is given up unless the other side has the certificate that is expected."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, then compare fingerprints before a byte of the request is sent."""
        super().do_handshake(block)
        found = hashlib.sha256(self.getpeercert(binary_form=True) or b"").hexdigest()
        if found != getattr(self.context, "pin", ""):
            raise ssl.SSLCertVerificationError("the certificate is not the one in the agreement")


class _PinnedContext(ssl.SSLContext):
    """TLS that trusts one certificate, named by its fingerprint."""

    sslsocket_class = _PinnedSocket
    pin = ""


def client_context(pin: str) -> ssl.SSLContext:
    """TLS for calling the node whose certificate has the fingerprint `pin` (SHA-256, hex)."""
    context = _PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    # No authority signs these certificates; the socket compares the fingerprint instead.
    context.verify_mode = ssl.CERT_NONE
    context.pin = pin
    return context
