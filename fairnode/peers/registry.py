"""Fetching one image from a registry: by digest only, from hosts that the operator named, over TLS.

What comes is believed in nothing: manifest and blobs must have the bytes that their digests say, no more and no
fewer, and the image's own identity is computed afterwards from the archive, as for one that came on a stick.
Redirects are followed to named hosts only, and never with credentials.
Source: OCI distribution specification 1.1, "Pull"; Docker registry token authentication.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import ssl
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2

from fairnode import errors
from fairnode.config import Registry

ACCEPT = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_BYTES, TOKEN_BYTES = 1 << 20, 64 << 10
MOST_LAYERS, MOST_REDIRECTS = 127, 3
_REFERENCE = re.compile(
    r"(?P<host>[a-z0-9][a-z0-9.-]*(:[0-9]+)?)/"
    r"(?P<name>[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*)"
    r"@(?P<digest>sha256:[0-9a-f]{64})\Z"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_FIELD = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class FetchLimits:
    """What one image may cost: bytes of all its blobs as sent, seconds in all, and without a sound."""

    bytes_all: int
    seconds: float = 1800.0
    silence: float = 30.0


@dataclass(frozen=True)
class Reference:
    """An image in a registry: HOST/NAME@sha256:..."""

    host: str
    name: str
    digest: str


def read_reference(text: str) -> Reference:
    """The parts of a reference. Raises `NotValid` for one without a digest: a tag can be moved."""
    found = _REFERENCE.match(text)
    if found is None or len(found["name"]) > 255:
        raise errors.NotValid(
            "An image in a registry is named HOST/NAME@sha256:DIGEST; a tag is not enough.",
            to_do="The author tells the digest: `docker push` and `skopeo inspect` print it.",
        )
    return Reference(found["host"], found["name"], found["digest"])


def fetch_image(reference: str, registry: Registry, secrets: Path, limits: FetchLimits, target: Path) -> None:
    """Write the image of `reference` to `target` as an OCI archive.

    `secrets` is the folder in which "registry-HOST.secret" (a line USER:PASSWORD, ":" in HOST written "_") may
    lie. Raises `NotAllowed` for a registry that is not named, `NotValid` for one that lies, `NotFound` for what
    it does not have, `Unavailable` for one that does not answer as agreed. Nothing is left at `target` then.
    """
    image = read_reference(reference)
    _check_host(image.host, registry.hosts)
    part = target.with_suffix(".part")
    try:
        with _Puller(image, registry, _credentials(secrets, image.host), limits) as puller:
            puller.write(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _check_host(host: str, allowed: tuple[str, ...]) -> None:
    if host not in allowed:
        raise errors.NotAllowed(
            f"Images are not fetched from {host[:100]}.",
            to_do="The operator names the registry in `hosts` of the table [registry] of node.toml.",
        )


def _credentials(folder: Path, host: str) -> str:
    """The Authorization (basic) that is kept for this registry, or ""."""
    path = folder / f"registry-{host.replace(':', '_')}.secret"
    try:
        user, colon, password = path.read_text(encoding="utf-8").strip().partition(":")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise errors.Unavailable("The registry's credentials cannot be read.", internal=str(error)) from error
    if not (user and colon and password):
        raise errors.NotValid("The file with the registry's credentials is not one line USER:PASSWORD.")
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class _Puller:
    """One pull: the manifest, then its blobs, as members of an archive."""

    def __init__(self, image: Reference, registry: Registry, auth: str, limits: FetchLimits) -> None:
        self._image, self._registry, self._auth, self._limits = image, registry, auth, limits
        self._until = time.monotonic() + limits.seconds
        self._token = ""
        self._http = httpx2.Client(
            timeout=limits.silence, trust_env=False, follow_redirects=False, verify=_context(registry.ca)
        )

    def __enter__(self) -> _Puller:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def write(self, target: Path) -> None:
        """The whole image as an OCI archive."""
        manifest = self._manifest()
        blobs = _blobs(manifest, self._limits.bytes_all)
        index = {"schemaVersion": 2, "manifests": [{"digest": self._image.digest, "size": len(manifest)}]}
        with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
            _add(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
            _add(archive, "index.json", json.dumps(index).encode())
            _add(archive, _member(self._image.digest), manifest)
            for digest, size in blobs.items():
                info = tarfile.TarInfo(_member(digest))
                info.size = size
                archive.addfile(info, _Checked(self._blob(digest), digest, size))

    def _manifest(self) -> bytes:
        """The manifest, with the digest that was asked for."""
        content = b""
        for part in self._get(f"manifests/{self._image.digest}", ACCEPT):
            content += part
            if len(content) > MANIFEST_BYTES:
                raise _lie("Its manifest is larger than 1 MiB.")
        if "sha256:" + hashlib.sha256(content).hexdigest() != self._image.digest:
            raise _lie("Its manifest has another digest than was asked for.")
        return content

    def _blob(self, digest: str) -> Iterator[bytes]:
        return self._get(f"blobs/{digest}", "application/octet-stream")

    def _get(self, path: str, accept: str) -> Iterator[bytes]:
        """The body at a path below the image's name, redirects followed where that is allowed."""
        url = f"https://{self._image.host}/v2/{self._image.name}/{path}"
        for _ in range(MOST_REDIRECTS + 1):
            with self._asked(url, accept) as answer:
                if answer.status_code == 401 and not self._token and self._is_home(url):
                    self._token = self._authorised(answer.headers.get("WWW-Authenticate", ""))
                    continue
                if answer.status_code in (301, 302, 303, 307, 308):
                    url = urljoin(url, answer.headers.get("Location", ""))
                    self._check_redirect(url)
                    continue
                _check_answer(answer)
                yield from self._body(answer)
                return
        raise errors.Unavailable("The registry sends from place to place.")

    def _asked(self, url: str, accept: str) -> AbstractContextManager[httpx2.Response]:
        headers = {"Accept": accept, "Accept-Encoding": "identity", "User-Agent": "fairnode"}
        if self._is_home(url) and self._token:
            headers["Authorization"] = self._token
        return _Answer(self._http, url, headers)

    def _is_home(self, url: str) -> bool:
        """Whether an address is of the registry itself: only it is told who asks."""
        return urlsplit(url).netloc == self._image.host

    def _check_redirect(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.netloc not in (*self._registry.hosts, *self._registry.redirects):
            raise errors.NotAllowed(
                f"The registry sends elsewhere, to {parts.scheme[:10]}://{parts.netloc[:100]}.",
                to_do="If that is meant, the operator names the host in `redirects` of the table [registry].",
            )

    def _authorised(self, challenge: str) -> str:
        """The Authorization that the registry asks for: basic, or a token from where it says."""
        scheme, _, rest = challenge.partition(" ")
        fields = dict(_FIELD.findall(rest))
        if scheme.lower() == "basic" and self._auth:
            return self._auth
        if scheme.lower() != "bearer" or "realm" not in fields:
            raise errors.NotAllowed(
                "The registry wants to know who asks.",
                to_do="The operator puts USER:PASSWORD into keys/registry-HOST.secret.",
            )
        self._check_redirect(fields["realm"])
        asked = {key: fields[key] for key in ("service",) if key in fields}
        url = httpx2.URL(fields["realm"], params={**asked, "scope": f"repository:{self._image.name}:pull"})
        headers = {"Authorization": self._auth} if self._auth else {}
        with _Answer(self._http, str(url), headers) as answer:
            _check_answer(answer)
            content = b"".join(self._body(answer, TOKEN_BYTES))
        with suppress(ValueError, AttributeError):
            told = json.loads(content)
            token = told.get("token") or told.get("access_token")
            if isinstance(token, str) and token.isascii() and token.isprintable():
                return f"Bearer {token}"
        raise errors.Unavailable("The registry gives no token that can be read.")

    def _body(self, answer: httpx2.Response, most: int = 0) -> Iterator[bytes]:
        size = 0
        for part in answer.iter_raw():
            size += len(part)
            if time.monotonic() > self._until:
                raise errors.Unavailable(f"The registry took longer than {self._limits.seconds:.0f} seconds.")
            if most and size > most:
                raise _lie("It sends more than it may.")
            yield part


class _Answer(AbstractContextManager[httpx2.Response]):
    """A streamed answer, whose troubles are sentences."""

    def __init__(self, client: httpx2.Client, url: str, headers: Mapping[str, str]) -> None:
        self._stream = client.stream("GET", url, headers=dict(headers))

    def __enter__(self) -> httpx2.Response:
        try:
            return self._stream.__enter__()
        except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError, UnicodeError) as error:
            raise _silent(error) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self._stream.__exit__(kind, error, trace)
        if isinstance(error, (httpx2.HTTPError, ssl.SSLError, OSError)):
            raise _silent(error) from error


class _Checked(io.RawIOBase):
    """A blob as a file: exactly `size` bytes with this digest, or `NotValid`."""

    def __init__(self, parts: Iterator[bytes], digest: str, size: int) -> None:
        self._parts, self._digest, self._left = parts, digest, size
        self._hash = hashlib.sha256()
        self._rest = b""

    def readable(self) -> bool:
        """It can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """The next `size` bytes. Raises `NotValid` where there are none, or too many, or others."""
        while len(self._rest) < size:
            part = next(self._parts, b"")
            if not part:
                raise _lie("A blob is shorter than its manifest says.")
            self._hash.update(part)
            self._rest += part
        block, self._rest = self._rest[:size], self._rest[size:]
        self._left -= len(block)
        if self._left == 0:
            self._check_end()
        return block

    def _check_end(self) -> None:
        if self._rest or next(self._parts, b""):
            raise _lie("A blob is longer than its manifest says.")
        if "sha256:" + self._hash.hexdigest() != self._digest:
            raise _lie("A blob is not what its digest says.")


def _blobs(manifest: bytes, most: int) -> dict[str, int]:
    """Config and layers of a manifest: digest -> size in bytes. Raises `NotValid`."""
    try:
        told = json.loads(manifest.decode("utf-8"))
        if "manifests" in told:
            raise _lie("The digest is that of a list of images; name the one for this node's processor.")
        rows = [told["config"], *told["layers"]]
        found = {str(row["digest"]): row["size"] for row in rows}
        sizes = [row["size"] for row in rows]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _lie("Its manifest cannot be read.") from error
    if len(rows) > MOST_LAYERS + 1 or not all(_DIGEST.match(digest) for digest in found):
        raise _lie(f"Its manifest names more than {MOST_LAYERS} layers, or one without a proper digest.")
    if not all(isinstance(size, int) and size > 0 for size in sizes) or sum(sizes) > most:
        raise _lie(f"The image is larger than the {most >> 20} MiB that this node takes in.")
    if any(row.get("urls") for row in rows):
        raise _lie("A layer of the image is to be fetched from somewhere else.")
    return found


def _check_answer(answer: httpx2.Response) -> None:
    if answer.status_code == 404:
        raise errors.NotFound("The registry has no such image.", to_do="Compare name and digest.")
    if answer.status_code in (401, 403):
        raise errors.NotAllowed(
            "The registry does not give this image to this node.",
            to_do="The operator puts USER:PASSWORD into keys/registry-HOST.secret.",
        )
    if answer.status_code != 200 or answer.headers.get("Content-Encoding", "identity") != "identity":
        raise errors.Unavailable(
            f"The registry answers with status {answer.status_code}, not with the image."
        )


def _context(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise errors.Unavailable(
            "The certificates in `ca` of the table [registry] cannot be read.", internal=str(error)
        ) from error


def _member(digest: str) -> str:
    return "blobs/sha256/" + digest.removeprefix("sha256:")


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _lie(what: str) -> errors.NotValid:
    return errors.NotValid(f"The registry did not give the image that was asked for. {what}")


def _silent(error: BaseException) -> errors.Unavailable:
    return errors.Unavailable(
        "The registry does not answer as agreed.",
        to_do="The operator looks whether it runs, and whether its certificate is one that this machine trusts.",
        internal=str(error),
    )
