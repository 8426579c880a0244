"""How each document of the FAIR Data Point is made from the state of the records, by its path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from rdflib import Graph, URIRef

from fairnode.keys import digest
from fairnode.metadata import names
from fairnode.metadata.documents import algorithm, catalogue, dataset
from fairnode.metadata.documents.site import Member, Site
from fairnode.metadata.keep import DatasetState, Described, described
from fairnode.metadata.labels import label_terms
from fairnode.metadata.rdf import Form, new_graph, write
from fairnode.metadata.shapes import PROFILES
from fairnode.records.profile_rows import Twin
from fairnode.records.rows import Algorithm, Dataset


@dataclass(frozen=True)
class Document:
    """One document in all RDF forms. `kind` says what its subject is; `members` are the children it lists.

    `described` is set on the document of a dataset; `gone` when its subject was withdrawn. `page` keeps the
    page for people, once it was made.
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
    page: dict[str, bytes] = field(default_factory=dict, compare=False)

    @cached_property
    def etags(self) -> Mapping[Form, str]:
        """The strong validator of each form."""
        return {form: etag(form, body) for form, body in self.bodies.items()}

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return sum(len(body) for body in self.bodies.values())


def etag(media_type: str, body: bytes) -> str:
    """The strong validator of a representation."""
    return digest(media_type.encode() + b"\0" + body)[:32]


@dataclass(frozen=True)
class State:
    """What was known of the records at one head of the ledger."""

    head: int
    site: Site
    rows: Mapping[str, Dataset]
    algorithms: Mapping[str, Algorithm]
    stamp: str
    twins: Mapping[str, Twin] = field(default_factory=dict)


Maker = Callable[..., Document | None]


def maker_of(path: str) -> tuple[Maker, tuple[str, ...]] | None:
    """Who makes the document at this path, and with which parts of the path."""
    for pattern, maker in _MAKERS:
        if match := re.fullmatch(pattern, path):
            return maker, match.groups()
    return None


def _bodies(graph: Graph) -> dict[Form, bytes]:
    """The graph in every form, its controlled terms labelled."""
    label_terms(graph)
    return {form: write(graph, form) for form in Form}


def _root(state: State, path: str) -> Document:
    site = state.site
    base = site.config.iri
    members: tuple[Member, ...] = (Member(f"{base}/catalogue/data", _title(state), site.made, site.changed),)
    if state.algorithms:
        members += (Member(f"{base}/catalogue/algorithms", "Algorithms", site.made, site.changed),)
    graph = catalogue.root(site, members)
    title = f"FAIR Data Point of {site.config.organisation.name}"
    return Document(path, site.config.iri, "fdp", title, site.changed, _bodies(graph), members)


def _title(state: State) -> str:
    return f"Datasets of {state.site.config.organisation.name}"


def _catalogue(state: State, path: str) -> Document:
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


def _algorithms(state: State, path: str) -> Document | None:
    members = _algorithm_members(state)
    if not members:
        return None
    graph, iri = catalogue.algorithms(state.site, members), state.site.config.iri
    changed = state.site.changed
    bodies = _bodies(graph)
    return Document(path, iri + path, "catalogue", "Algorithms", changed, bodies, members, parents=(iri,))


def _algorithm_members(state: State) -> tuple[Member, ...]:
    rows = sorted(state.algorithms.values(), key=lambda row: (row.title, row.version, row.id))
    iri = state.site.config.iri
    return tuple(Member(f"{iri}/algorithm/{row.id}", row.title, row.created, row.created) for row in rows)


def _algorithm(state: State, path: str, key: str) -> Document | None:
    row = state.algorithms.get(key)
    if row is None:
        return None
    iri = state.site.config.iri
    bodies = _bodies(algorithm.algorithm(state.site, row))
    parents = (f"{iri}/catalogue/algorithms", iri)
    return Document(path, iri + path, "algorithm", row.title, row.created, bodies, parents=parents)


def _members(state: State) -> tuple[Member, ...]:
    rows = [row for row in state.rows.values() if row.state == DatasetState.PUBLISHED]
    rows.sort(key=lambda row: (row.title, row.id))
    return tuple(Member(row.iri, row.title, row.created, row.changed) for row in rows)


def _dataset(state: State, path: str, key: str) -> Document | None:
    row = state.rows.get(key)
    if row is None:
        return None
    iri = state.site.config.iri
    if row.state == DatasetState.WITHDRAWN:
        graph = dataset.tombstone(state.site, row.iri, row.title, row.changed)
        return Document(path, row.iri, "dataset", row.title, row.changed, _bodies(graph), gone=True)
    told = described(row)
    whole = _union(told.graph, dataset.additions(state.site, told, state.twins.get(row.id)))
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


def _distribution(state: State, path: str, key: str) -> Document | None:
    row = state.rows.get(key)
    if row is None or row.state != DatasetState.PUBLISHED:
        return None
    iri = state.site.config.iri
    told = described(row)
    graph = dataset.distribution(state.site, told)
    parents = (row.iri, f"{iri}/catalogue/data", iri)
    title = f"{told.record.title} (by visit)"
    return Document(path, iri + path, "distribution", title, row.changed, _bodies(graph), parents=parents)


def _service(state: State, path: str) -> Document:
    graph = catalogue.service(state.site, _members(state))
    iri = state.site.config.iri
    return Document(path, iri + path, "service", "Visits of studies", state.site.changed, _bodies(graph))


def _organisation(state: State, path: str) -> Document:
    config = state.site.config
    graph = catalogue.organisation(state.site)
    name = config.organisation.name
    return Document(path, config.iri + path, "organisation", name, state.site.changed, _bodies(graph))


def _profile(state: State, path: str, kind: str) -> Document | None:
    if kind not in PROFILES:
        return None
    graph = catalogue.profile(state.site, kind, PROFILES[kind])
    iri = state.site.config.iri + path
    title = f"Profile of a {kind} record"
    return Document(path, iri, "profile", title, state.site.made, _bodies(graph))


def _catalogues(state: State, path: str) -> Document:
    root = _root(state, "/")
    return _container(state, path, state.site.config.iri, names.FDP.metadataCatalog, root.members)


def _datasets(state: State, path: str) -> Document:
    parent = state.site.config.iri + "/catalogue/data"
    return _container(state, path, parent, names.DCAT.dataset, _members(state))


def _algorithm_container(state: State, path: str) -> Document | None:
    members = _algorithm_members(state)
    parent = state.site.config.iri + "/catalogue/algorithms"
    return _container(state, path, parent, names.DCAT.resource, members) if members else None


def _distributions(state: State, path: str, key: str) -> Document | None:
    parent = _dataset(state, f"/dataset/{key}", key)
    if parent is None or parent.gone:
        return None
    return _container(state, path, parent.iri, names.DCAT.distribution, parent.members)


def _container(state: State, path: str, parent: str, relation: URIRef, members: Sequence[Member]) -> Document:
    graph = catalogue.container(state.site, path, parent, relation, members)
    title = path.rstrip("/").rsplit("/", 1)[-1].capitalize() + "s"
    iri = state.site.config.iri + path
    return Document(
        path, iri, "container", title, state.site.changed, _bodies(graph), tuple(members), parents=(parent,)
    )


_MAKERS: tuple[tuple[str, Maker], ...] = (
    (r"/", _root),
    (r"/catalogue/data", _catalogue),
    (r"/catalogue/algorithms", _algorithms),
    (r"/catalogue/algorithms/algorithm/", _algorithm_container),
    (r"/algorithm/([a-z0-9-]+)", _algorithm),
    (r"/dataset/([a-z0-9-]+)", _dataset),
    (r"/distribution/([a-z0-9-]+)", _distribution),
    (r"/service/visit", _service),
    (r"/organisation", _organisation),
    (r"/profile/([a-z]+)", _profile),
    (r"/catalogue/", _catalogues),
    (r"/catalogue/data/dataset/", _datasets),
    (r"/dataset/([a-z0-9-]+)/distribution/", _distributions),
)
