"""A FAIR Data Point as an outsider meets it, and the list of what outsiders check.

A probe is one thing that can be asked over HTTP, under the number of the requirement that it is about.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx2
from rdflib import RDF, Graph, Namespace, URIRef

ADMS = Namespace("http://www.w3.org/ns/adms#")
CSVW = Namespace("http://www.w3.org/ns/csvw#")
DCAT = Namespace("http://www.w3.org/ns/dcat#")
DCATAP = Namespace("http://data.europa.eu/r5r/")
DCT = Namespace("http://purl.org/dc/terms/")
DPV = Namespace("https://w3id.org/dpv#")
EU = "http://publications.europa.eu/resource/authority/"
FDP = Namespace("https://w3id.org/fdp/fdp-o#")
FOAF = Namespace("http://xmlns.com/foaf/0.1/")
HEALTH = Namespace("http://healthdataportal.eu/ns/health#")
LDP = Namespace("http://www.w3.org/ns/ldp#")
ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
PROF = Namespace("http://www.w3.org/ns/dx/prof/")
PROV = Namespace("http://www.w3.org/ns/prov#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")

FORMS = {
    "ttl": ("text/turtle", "turtle"),
    "jsonld": ("application/ld+json", "json-ld"),
    "rdf": ("application/rdf+xml", "xml"),
    "nt": ("application/n-triples", "nt"),
}
DATASETS = ("full", "least", "described", "changed")
"""Published: with everything, with the least, without bindings, and in its second version."""


class Point:
    """The node that is asked; what was read once is not asked for again."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.http = httpx2.Client(base_url=base, timeout=30, follow_redirects=False)
        self.graph = cache(self._graph)
        self.page = cache(self._page)
        self.walked = cache(self._walked)

    def iri(self, path: str) -> URIRef:
        """The IRI of a path; that of the node itself has no slash."""
        return URIRef(self.base + ("" if path == "/" else path))

    def path(self, iri: object) -> str:
        """The path of an IRI of this node."""
        assert str(iri).startswith(self.base), iri
        return str(iri).removeprefix(self.base) or "/"

    def ask(self, path: str, accept: str | None = None, method: str = "GET", **more: str) -> httpx2.Response:
        """Ask, with these headers (underscores mean hyphens) and nothing else that a client library adds."""
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        return self.http.request(method, path, headers=headers | {"Accept": accept or "*/*"})

    def _graph(self, path: str, form: str = "ttl") -> Graph:
        media, parser = FORMS[form]
        answer = self.ask(path, media)
        assert answer.status_code == 200, (path, answer.status_code)
        return Graph().parse(data=answer.content, format=parser, publicID="urn:wrong:base/")

    def _page(self, path: str) -> Page:
        answer = self.ask(path, "text/html, */*")
        assert answer.status_code == 200, path
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        return Page(answer)

    def _walked(self) -> tuple[str, ...]:
        """The paths of root, catalogues, datasets and distributions, found through the links of the records."""
        found, waiting = [], ["/"]
        while waiting:
            path = waiting.pop(0)
            if path not in found:
                found.append(path)
                graph = self.graph(path)
                for relation in (FDP.metadataCatalog, DCAT.dataset, DCAT.distribution):
                    waiting += [self.path(o) for o in graph.objects(self.iri(path), relation)]
        return tuple(found)

    def containers(self) -> Iterator[tuple[str, Graph, URIRef]]:
        """Each LDP container with the path and the graph of the record that carries it."""
        for path in self.walked():
            graph = self.graph(path)
            for container in graph.subjects(RDF.type, LDP.DirectContainer):
                yield path, graph, URIRef(str(container))

    def raw(self, request: bytes) -> bytes:
        """What comes back for these very bytes."""
        parts = urlsplit(self.base)
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as sock:
            sock.sendall(request)
            found = b""
            while part := sock.recv(65536):
                found += part
        return found


class Page(HTMLParser):
    """A page: its attributes by tag, its scripts, and the words of its title."""

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__()
        self.answer = answer
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, str] = {}
        self._open = ""
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = "" if tag else self._open

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open] = self.texts.get(self._open, "") + data

    def of(self, tag: str) -> list[dict[str, str]]:
        """The attributes of each element of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]


def links(answer: httpx2.Response) -> list[tuple[str, str, str]]:
    """(relation, target, type) of each link in the header."""
    found = []
    for part in answer.headers.get("Link", "").split(", <"):
        target, _, rest = part.lstrip("<").partition(">")
        told = dict(p.strip().partition("=")[::2] for p in rest.split(";") if "=" in p)
        found.append((told.get("rel", "").strip('"'), target, told.get("type", "").strip('"')))
    return found


@dataclass(frozen=True)
class Probe:
    """One check: the number of its requirement, its name, and what is done."""

    number: int
    name: str
    check: Callable[[Point], None]

    def __str__(self) -> str:
        return f"{self.number:02}-{self.name}"


PROBES: list[Probe] = []


def probe(number: int) -> Callable[[Callable[[Point], None]], Callable[[Point], None]]:
    """Put a function on the list of checks of a requirement."""

    def keep(check: Callable[[Point], None]) -> Callable[[Point], None]:
        PROBES.append(Probe(number, check.__name__.strip("_").replace("_", "-"), check))
        return check

    return keep


@dataclass(frozen=True)
class Asked:
    """A request of the table: what is asked, the status that it gets, and what its headers must hold."""

    number: int
    method: str
    path: str
    status: int | tuple[int, ...]
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    told: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        sent = " ".join(f"{name}: {value}" for name, value in self.headers)
        return f"{self.number:02}-{self.method} {self.path[:40]} {sent[:60]} {self.body[:12]!r}"
