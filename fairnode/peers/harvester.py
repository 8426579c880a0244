"""Fetching documents of strangers: only from addresses that are allowed, bounded in time and size.

An address is resolved once, each of its IP addresses is checked, and the connection goes to the checked one,
so that a name that changes its meaning in between gains nothing. A redirect is followed only to the same
server. Nothing of this node goes along: no cookie, no token, no signature.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx2

from fairnode import errors
from fairnode.store.fetched import Copy, Fetched

ACCEPT = "text/turtle, application/ld+json;q=0.9"
MOST_REDIRECTS = 3
LONGEST_ETAG = 200
_ETAG = re.compile(r'(W/)?"[\x21\x23-\x7e]+"')
_TYPES = ("text/turtle", "application/ld+json", "application/x-turtle")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Limits:
    """What a source may cost: documents, bytes of one and of all, seconds of one and of all, links deep."""

    documents: int = 5_000
    bytes_each: int = 2 * 1024 * 1024
    bytes_all: int = 256 * 1024 * 1024
    seconds_each: float = 20.0
    seconds_all: float = 900.0
    depth: int = 6


LIMITS = Limits()


@dataclass(frozen=True)
class Document:
    """What was fetched: its last address, its bytes, and the next page that a Link header names."""

    url: str
    content: bytes
    next: str = ""


@dataclass
class Budget:
    """What is left of the limits of one source."""

    limits: Limits
    until: float = field(init=False)
    bytes_left: int = field(init=False)

    def __post_init__(self) -> None:
        self.until = time.monotonic() + self.limits.seconds_all
        self.bytes_left = self.limits.bytes_all


class Missing(errors.Unavailable):
    """There is nothing at the address (any more)."""


class TooMuch(errors.Unavailable):
    """The source used up what is given to it as a whole: nothing more is fetched from it."""


def origin(url: str) -> str:
    """Scheme, host and port of an address. Raises `NotAllowed` for what is no plain http(s) address."""
    parts = _parts(url)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{parts.port or _PORTS[parts.scheme]}"


def _parts(url: str) -> SplitResult:
    """The parts of an address that may be called at all."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in _PORTS and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        known = False
    if not known or parts.username is not None or parts.password is not None:
        raise errors.NotAllowed(f"<{url[:200]}> is no http(s) address that may be called.")
    return parts


def below(url: str, prefix: str) -> bool:
    """Whether an address is `prefix` itself or lies below it, on the same server."""
    base = prefix.rstrip("/")
    if origin(url) != origin(base) or ".." in urlsplit(url).path.split("/"):
        return False
    path, under = urlsplit(url).path or "/", urlsplit(base).path
    return path == under or path.startswith(f"{under}/")


def check_allowed(url: str, allowed: Sequence[str]) -> None:
    """Raise `NotAllowed` unless the address is below one that is allowed."""
    if not any(below(url, prefix) for prefix in allowed):
        raise errors.NotAllowed(
            f"<{url[:200]}> is neither in the agreement nor in the node's list of allowed addresses.",
            to_do="The operator adds it to `allow` in the table [harvest] of node.toml.",
        )


def resolve(url: str, private: Sequence[str]) -> str:
    """An IP address at which the host of `url` may be called.

    Raises `NotAllowed` when one of its addresses is of this machine or the own network and not listed in
    `private`, `Unavailable` when the name is not known.
    """
    parts = _parts(url)
    try:
        found = socket.getaddrinfo(
            parts.hostname, parts.port or _PORTS[parts.scheme], type=socket.SOCK_STREAM
        )
    except OSError as error:
        raise errors.Unavailable(f"The name {parts.hostname} is not known.", internal=str(error)) from error
    networks = [ipaddress.ip_network(text, strict=False) for text in private]
    addresses = [str(line[4][0]) for line in found]
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        if (not mapped.is_global or mapped.is_multicast) and not any(mapped in net for net in networks):
            raise errors.NotAllowed(
                f"{parts.hostname} is an address of this machine or its own network, which is not called.",
                to_do="If that is meant, the operator adds it to `private` in the table [harvest].",
                internal=text,
            )
    return addresses[0]


class Fetcher:
    """Fetches documents below `root` and nothing else. Use it in a `with`.

    With `copies` of an earlier time, what did not change since is not sent again (ETag, RFC 9110).
    """

    def __init__(
        self, root: str, private: Sequence[str] = (), limits: Limits = LIMITS, copies: Fetched | None = None
    ) -> None:
        self.root, self.limits, self._copies = root, limits, copies
        self.asked: list[str] = []
        self.unchanged = 0
        self._private, self._budget = tuple(private), Budget(limits)
        self._http = _client(limits.seconds_each)
        self._number = 0

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def fetch(self, url: str) -> Document:
        """The document at an address.

        Raises `NotAllowed` for an address elsewhere, `Unavailable` for what is slow, large, broken or of
        another type, `TooMuch` when the source as a whole has used up its limits.
        """
        for _ in range(MOST_REDIRECTS + 1):
            if origin(url) != origin(self.root):
                raise errors.NotAllowed(f"leads elsewhere, to <{url[:200]}>.")
            found = self._once(url)
            if isinstance(found, Document):
                return found
            url = found
        raise errors.Unavailable("redirects again and again.")

    def _once(self, url: str) -> Document | str:
        """The document, or where it is said to be."""
        self._number += 1
        if self._number > self.limits.documents:
            raise TooMuch(f"has more than {self.limits.documents} documents.")
        until = min(time.monotonic() + self.limits.seconds_each, self._budget.until)
        self.asked.append(url)
        copy = self._copies.get(url) if self._copies else None
        headers = {"Accept": ACCEPT} | ({"If-None-Match": copy.etag} if copy else {})
        try:
            with _open(self._http, "GET", url, self._private, headers=headers) as answer:
                if answer.status_code in (301, 302, 303, 307, 308):
                    return urljoin(url, answer.headers.get("Location", ""))
                if answer.status_code == 304 and copy is not None:
                    self.unchanged += 1
                    return Document(url, copy.content, copy.next)
                _check_answer(answer)
                content = b"".join(self._body(answer, until))
                following = str(answer.links.get("next", {}).get("url", ""))
                etag = answer.headers.get("ETag", "")[:LONGEST_ETAG]
        except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError, UnicodeError) as error:
            raise errors.Unavailable("does not answer as agreed.", internal=str(error)) from error
        following = urljoin(url, following) if following else ""
        if self._copies and _ETAG.fullmatch(etag):
            self._copies.put(url, Copy(etag, content, following))
        return Document(url, content, following)

    def forget_others(self) -> None:
        """Keep the copies only of what was asked for: the rest is not there any more."""
        if self._copies:
            self._copies.keep_only(self.asked)

    def _body(self, answer: httpx2.Response, until: float) -> Iterator[bytes]:
        """The parts of a body, as long as it keeps to the limits."""
        size = 0
        for part in answer.iter_raw():
            size += len(part)
            self._budget.bytes_left -= len(part)
            if size > self.limits.bytes_each:
                raise errors.Unavailable(f"is larger than {self.limits.bytes_each // 1024} KiB.")
            if self._budget.bytes_left < 0:
                raise TooMuch("sends more than is taken from one source.")
            if time.monotonic() > self._budget.until:
                raise TooMuch(f"took longer than {self.limits.seconds_all:.0f} seconds as a whole.")
            if time.monotonic() > until:
                raise errors.Unavailable(f"took longer than {self.limits.seconds_each:.0f} seconds.")
            yield part


def _client(seconds: float) -> httpx2.Client:
    """A client that follows nothing, trusts no environment and carries nothing along."""
    return httpx2.Client(timeout=seconds, trust_env=False, follow_redirects=False, verify=_context())


def _context() -> ssl.SSLContext:
    """Certificates are checked against those that this machine trusts."""
    return ssl.create_default_context()


def _open(
    client: httpx2.Client,
    method: str,
    url: str,
    private: Sequence[str],
    *,
    headers: dict[str, str],
    body: bytes = b"",
) -> AbstractContextManager[httpx2.Response]:
    """Call an address at the IP address that was checked."""
    parts = _parts(url)
    address = resolve(url, private)
    literal = f"[{address}]" if ":" in address else address
    port = parts.port or _PORTS[parts.scheme]
    target = httpx2.URL(url).copy_with(host=literal, port=port, fragment=None)
    host = parts.hostname or ""
    named = f"[{host}]" if ":" in host else host
    told = {"Host": named if port == _PORTS[parts.scheme] else f"{named}:{port}", **headers}
    told |= {"User-Agent": "fairnode-harvester", "Accept-Encoding": "identity"}
    return client.stream(
        method, target, headers=told, content=body or None, extensions={"sni_hostname": parts.hostname}
    )


def _check_answer(answer: httpx2.Response) -> None:
    """Raise `Unavailable` for an answer that is no RDF document."""
    if answer.status_code in (404, 410):
        raise Missing(f"answers with status {answer.status_code}.")
    if answer.status_code != 200:
        raise errors.Unavailable(f"answers with status {answer.status_code}.")
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise errors.Unavailable(f"answers with '{kind[:60]}' instead of Turtle or JSON-LD.")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise errors.Unavailable("answers with a packed body, which was not asked for.")


def ping(index: str, own: str, private: Sequence[str] = ()) -> None:
    """Tell an index of FAIR Data Points that this node (`own`) is there.

    Raises `Unavailable` with its answer when it does not take that; 429 means that it was told too often.
    """
    body = json.dumps({"clientUrl": own}).encode()
    headers = {"Content-Type": "application/json"}
    try:
        with (
            _client(20.0) as client,
            _open(client, "POST", index, private, headers=headers, body=body) as answer,
        ):
            status = int(answer.status_code)
    except (httpx2.HTTPError, ssl.SSLError, OSError) as error:
        raise errors.Unavailable(f"The index <{index}> does not answer.", internal=str(error)) from error
    if status not in (200, 201, 202, 204):
        raise errors.Unavailable(f"The index <{index}> answers with status {status}.")
