"""Walking through a FAIR Data Point: root, catalogues, datasets, and distributions with documents of their own.

Both ways are read that FAIR Data Points have: `ldp:contains` of LDP containers, and the plain links
`fdp-o:metadataCatalog`, `dcat:dataset`, `dcat:distribution`. Each address is called once, so loops end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urldefrag

from pyoxigraph import NamedNode

from fairnode import errors
from fairnode.discovery.reading import Statements, name, read
from fairnode.peers.harvester import Document, Missing, TooMuch, below, origin

Fetch = Callable[[str], Document]

MOST_REFUSALS = 200
_R3D = "http://www.re3data.org/schema/3-0#"
_OLD = "http://rdf.biosemantics.org/ontologies/fdp-o#"
_FOLLOWED = (
    name("ldp:contains"),
    name("fdp-o:metadataCatalog"),
    f"{_OLD}metadataCatalog",
    f"{_R3D}dataCatalog",
    name("dcat:catalog"),
    name("dcat:dataset"),
    "http://www.w3.org/ns/hydra/core#next",
    "http://www.w3.org/ns/hydra/core#nextPage",
)
_POINT = (name("fdp-o:FAIRDataPoint"), name("fdp-o:MetadataService"), f"{_R3D}Repository")
_DATASET, _CATALOGUE = name("dcat:Dataset"), name("dcat:Catalog")
_DISTRIBUTION, _HAS_DISTRIBUTION = name("dcat:Distribution"), name("dcat:distribution")


@dataclass
class Walked:
    """What a walk found: documents as (IRI, content, part), refusals as (address, reason).

    `complete` is false when something could not be read, so that what is missing may still be there.
    """

    documents: list[tuple[str, bytes, bool]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    complete: bool = True

    def refuse(self, where: str, why: str) -> None:
        """Remember a refusal; of very many only the first."""
        if len(self.refused) < MOST_REFUSALS:
            self.refused.append((where[:300], why))


@dataclass
class _Walk:
    """One walk: the point's address, the beginnings of its IRIs, what is to be called and what was."""

    root: str
    prefixes: tuple[str, ...]
    deepest: int
    waiting: deque[tuple[str, int]] = field(default_factory=deque)
    seen: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    found: Walked = field(default_factory=Walked)

    def add(self, url: str, depth: int, *, part: bool = False) -> None:
        """An address to be called, unless it was already or leads elsewhere."""
        url = urldefrag(url).url
        key = url.rstrip("/")
        if key in self.seen:
            return
        self.seen.add(key)
        try:
            if origin(url) != origin(self.root) or not below(url, self.root):
                raise errors.NotAllowed("leads elsewhere, and is not followed.")
            if depth > self.deepest:
                raise errors.NotAllowed("is too many links away from the root.")
        except errors.NotAllowed as error:
            self.found.refuse(url, error.what)
            return
        if part:
            self.parts.add(key)
        self.waiting.append((url, depth))

    def take(self, document: Document, depth: int) -> None:
        """Take the datasets of a document, and the addresses that it leads to."""
        told = read(document.content, document.url)
        here = document.url.rstrip("/")
        if depth == 0:
            _check_identity(told, self.root, self.prefixes)
        if here in self.parts:
            if here in told.typed(_DISTRIBUTION):
                self.found.documents.append((here, document.content, True))
            return
        self._datasets(told, document)
        for predicate in _FOLLOWED:
            for url in told.linked(predicate):
                if not _is_here(told, url):
                    self.add(url, depth + 1)
        if document.next:
            self.add(document.next, depth)

    def _datasets(self, told: Statements, document: Document) -> None:
        """The datasets that the document is about, with distributions that it only names."""
        here, catalogues = document.url.rstrip("/"), set(told.typed(_CATALOGUE))
        for iri in told.typed(_DATASET):
            mine = iri.startswith(self.prefixes)
            if not mine:
                self.found.refuse(iri, f"is claimed by {self.root}, but does not belong to it.")
            elif iri not in catalogues and (iri.rstrip("/") == here or not _callable(iri, self.root)):
                self.found.documents.append((iri, document.content, False))
                for url in told.iris(NamedNode(iri), _HAS_DISTRIBUTION):
                    if NamedNode(url) not in told.about:
                        self.add(url, self.deepest, part=True)


def walk(fetch: Fetch, root: str, prefixes: tuple[str, ...], deepest: int = 6) -> Walked:
    """Everything that the FAIR Data Point at `root` describes and that is its own.

    Raises `Unavailable` or `NotValid` when not even the root can be read, `NotAllowed` when it says that it
    is somebody else.
    """
    way = _Walk(root, prefixes, deepest)
    way.add(root, 0)
    while way.waiting:
        url, depth = way.waiting.popleft()
        try:
            way.take(fetch(url), depth)
        except TooMuch as error:
            way.found.complete = False
            way.found.refuse(root, error.what)
            break
        except errors.FairnodeError as error:
            if depth == 0 and url == root:
                raise
            way.found.complete = way.found.complete and isinstance(error, Missing | errors.NotAllowed)
            why = "; ".join(f"{f.where}: {f.what}" for f in error.findings)
            way.found.refuse(url, f"{error.what} {why}".strip())
    return way.found


def _is_here(told: Statements, url: str) -> bool:
    """Whether a distribution is described in this document already."""
    return url in told.typed(_DISTRIBUTION)


def _callable(iri: str, root: str) -> bool:
    """Whether an IRI is an address at the point itself; a persistent one (w3id.org) is not."""
    try:
        return origin(iri) == origin(root)
    except errors.NotAllowed:
        return False


def _check_identity(told: Statements, root: str, prefixes: tuple[str, ...]) -> None:
    """Raise `NotAllowed` when the root says that it is the FAIR Data Point of somebody else."""
    points = told.typed(*_POINT)
    if points and not any(f"{point.rstrip('/')}/".startswith((f"{root}/", *prefixes)) for point in points):
        raise errors.NotAllowed(
            f"The FAIR Data Point at {root} says that it is <{points[0][:200]}>.",
            to_do="If that is its persistent address, name it with --prefix.",
        )
