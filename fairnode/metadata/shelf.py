"""The finished documents: RDF written once for each state of the records, then handed out as bytes.

What is on the shelf follows the ledger: as long as its head stands still nothing can have changed, and when
it moved, only documents whose records changed are made anew.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rdflib import Graph

from fairnode import clock
from fairnode.keys import digest
from fairnode.metadata import names
from fairnode.metadata.documents import catalogue, dataset
from fairnode.metadata.documents.site import Member, Site
from fairnode.metadata.keep import DatasetState, Described, described
from fairnode.metadata.labels import label_terms
from fairnode.metadata.rdf import Form, new_graph, write
from fairnode.metadata.shapes import PROFILES
from fairnode.node import Node
from fairnode.records.rows import Dataset, Head

MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Document:
    """One document in all RDF forms. `kind` says what its subject is; `members` are the children it lists.

    `described` is set on the document of a dataset; `gone` when its subject was withdrawn.
    """

    path: str
    iri: str
    kind: str
    title: str
    modified: str
    bodies: Mapping[Form, bytes]
    members: tuple[Member, ...] = ()
    described: Described | None = None
    gone: bool = False
    parents: tuple[str, ...] = ()

    def etag(self, form: str, body: bytes | None = None) -> str:
        """The strong validator of one representation."""
        content = body if body is not None else self.bodies[Form(form)]
        return digest(form.encode() + b"\0" + content)[:32]

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return sum(len(body) for body in self.bodies.values())


@dataclass
class _State:
    """What was known of the records at one head of the ledger."""

    head: int
    site: Site
    rows: Mapping[str, Dataset]
    stamp: str


@dataclass
class Shelf:
    """The documents of one node; one for each web process, its threads share it."""

    node: Node
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _state: _State | None = None
    _made: OrderedDict[tuple[str, str], Document] = field(default_factory=OrderedDict)

    def get(self, path: str) -> Document | None:
        """The document at `path` (as in "/dataset/cases"); None when there is none for the public."""
        state = self._now()
        found = _maker(path)
        if found is None:
            return None
        maker, arguments = found
        key = (path, _stamp(state, path, arguments))
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = maker(state, path, *arguments)
        if made is not None:
            self._keep(key, made)
        return made

    def published(self) -> list[Dataset]:
        """The datasets that everybody may see, by title."""
        rows = self._now().rows.values()
        return sorted((r for r in rows if r.state == DatasetState.PUBLISHED), key=lambda r: (r.title, r.id))

    def site(self) -> Site:
        """The node's settings and the first and last moment of its records."""
        return self._now().site

    def _now(self) -> _State:
        """The present state; read again only when the ledger moved."""
        with self.node.store.read() as reader:
            head = reader.last(Head)
            number = head.id if head else 0
            known = self._state
            if known is not None and known.head == number:
                return known
            first = reader.get(Head, 1)
            rows = reader.find(Dataset, {"state": (DatasetState.PUBLISHED, DatasetState.WITHDRAWN)})
        made = first.at if first else clock.now()
        changed = max((row.changed for row in rows), default=made)
        told = ",".join(f"{row.id}:{row.version}:{row.state}:{row.changed}" for row in rows)
        site = Site(self.node.config, made, changed)
        state = _State(number, site, {row.id: row for row in rows}, digest(told.encode())[:16])
        self._state = state
        return state

    def _keep(self, key: tuple[str, str], made: Document) -> None:
        """Put a document on the shelf and take the longest unused ones off."""
        with self._lock:
            for old in [k for k in self._made if k[0] == key[0]]:
                del self._made[old]
            self._made[key] = made
            while sum(d.size for d in self._made.values()) > MOST_BYTES and len(self._made) > 1:
                self._made.popitem(last=False)


Maker = Callable[..., Document | None]


def _maker(path: str) -> tuple[Maker, tuple[str, ...]] | None:
    """Who makes the document at this path, and with which parts of the path."""
    for pattern, maker in _MAKERS:
        if match := re.fullmatch(pattern, path):
            return maker, match.groups()
    return None


def _stamp(state: _State, path: str, arguments: tuple[str, ...]) -> str:
    """What a document depends on: its dataset alone, or all of them."""
    row = state.rows.get(arguments[0]) if arguments else None
    if row is not None and path.startswith(("/dataset/", "/distribution/")):
        return f"{row.version}:{row.state}:{row.changed}"
    return state.stamp


def _bodies(graph: Graph) -> dict[Form, bytes]:
    """The graph in every form, its controlled terms labelled."""
    label_terms(graph)
    return {form: write(graph, form) for form in Form}


def _root(state: _State, path: str) -> Document:
    site = state.site
    members = (Member(site.config.iri + "/catalogue/data", _title(state), site.made, site.changed),)
    graph = catalogue.root(site, members)
    title = f"FAIR Data Point of {site.config.organisation.name}"
    return Document(path, site.config.iri, "fdp", title, site.changed, _bodies(graph), members)


def _title(state: _State) -> str:
    return f"Datasets of {state.site.config.organisation.name}"


def _catalogue(state: _State, path: str) -> Document:
    members = _members(state)
    graph = catalogue.catalogue(state.site, members)
    iri = state.site.config.iri
    return Document(
        path,
        iri + path,
        "catalogue",
        _title(state),
        state.site.changed,
        _bodies(graph),
        members,
        parents=(iri,),
    )


def _members(state: _State) -> tuple[Member, ...]:
    rows = [row for row in state.rows.values() if row.state == DatasetState.PUBLISHED]
    rows.sort(key=lambda row: (row.title, row.id))
    return tuple(Member(row.iri, row.title, row.created, row.changed) for row in rows)


def _dataset(state: _State, path: str, key: str) -> Document | None:
    row = state.rows.get(key)
    if row is None:
        return None
    iri = state.site.config.iri
    if row.state == DatasetState.WITHDRAWN:
        graph = dataset.tombstone(state.site, row.iri, row.title, row.changed)
        return Document(path, row.iri, "dataset", row.title, row.changed, _bodies(graph), gone=True)
    told = described(row)
    whole = _union(told.graph, dataset.additions(state.site, told))
    bodies = _bodies(whole)
    bodies[Form.TURTLE] = _as_received(row, _union(whole, without=told.graph))
    members = (
        Member(f"{iri}/distribution/{key}", f"{told.record.title} (by visit)", row.created, row.changed),
    )
    parents = (f"{iri}/catalogue/data", iri)
    return Document(
        path, row.iri, "dataset", told.record.title, row.changed, bodies, members, told, parents=parents
    )


def _union(*graphs: Graph, without: Graph | None = None) -> Graph:
    """The graphs in one; only the record has blank nodes, so none can be confused."""
    whole = new_graph()
    for graph in graphs:
        for triple in graph:
            if without is None or triple not in without:
                whole.add(triple)
    return whole


def _as_received(row: Dataset, additions: Graph) -> bytes:
    """The Turtle as received, byte for byte, and below it what the node adds."""
    line = f"\n\n# Above: the record as received, version {row.version}, sha256 {row.sha256}.\n"
    return row.record + line.encode() + b"# Below: what the node adds.\n" + write(additions, Form.TURTLE)


def _distribution(state: _State, path: str, key: str) -> Document | None:
    row = state.rows.get(key)
    if row is None or row.state != DatasetState.PUBLISHED:
        return None
    iri = state.site.config.iri
    told = described(row)
    graph = dataset.distribution(state.site, told)
    parents = (row.iri, f"{iri}/catalogue/data", iri)
    title = f"{told.record.title} (by visit)"
    return Document(path, iri + path, "distribution", title, row.changed, _bodies(graph), parents=parents)


def _service(state: _State, path: str) -> Document:
    graph = catalogue.service(state.site, _members(state))
    iri = state.site.config.iri
    return Document(path, iri + path, "service", "Visits of studies", state.site.changed, _bodies(graph))


def _organisation(state: _State, path: str) -> Document:
    config = state.site.config
    graph = catalogue.organisation(state.site)
    name = config.organisation.name
    return Document(path, config.iri + path, "organisation", name, state.site.changed, _bodies(graph))


def _profile(state: _State, path: str, kind: str) -> Document | None:
    if kind not in PROFILES:
        return None
    graph = catalogue.profile(state.site, kind, PROFILES[kind])
    iri = state.site.config.iri + path
    title = f"Profile of a {kind} record"
    return Document(path, iri, "profile", title, state.site.made, _bodies(graph))


def _catalogues(state: _State, path: str) -> Document:
    root = _root(state, "/")
    return _container(state, path, state.site.config.iri, names.FDP.metadataCatalog, root.members)


def _datasets(state: _State, path: str) -> Document:
    parent = state.site.config.iri + "/catalogue/data"
    return _container(state, path, parent, names.DCAT.dataset, _members(state))


def _distributions(state: _State, path: str, key: str) -> Document | None:
    parent = _dataset(state, f"/dataset/{key}", key)
    if parent is None or parent.gone:
        return None
    return _container(state, path, parent.iri, names.DCAT.distribution, parent.members)


def _container(
    state: _State, path: str, parent: str, relation: object, members: Sequence[Member]
) -> Document:
    graph = catalogue.container(state.site, path, parent, relation, members)  # type: ignore[arg-type]
    title = path.rstrip("/").rsplit("/", 1)[-1].capitalize() + "s"
    iri = state.site.config.iri + path
    return Document(
        path, iri, "container", title, state.site.changed, _bodies(graph), tuple(members), parents=(parent,)
    )


_MAKERS: tuple[tuple[str, Maker], ...] = (
    (r"/", _root),
    (r"/catalogue/data", _catalogue),
    (r"/dataset/([a-z0-9-]+)", _dataset),
    (r"/distribution/([a-z0-9-]+)", _distribution),
    (r"/service/visit", _service),
    (r"/organisation", _organisation),
    (r"/profile/([a-z]+)", _profile),
    (r"/catalogue/", _catalogues),
    (r"/catalogue/data/dataset/", _datasets),
    (r"/dataset/([a-z0-9-]+)/distribution/", _distributions),
)
