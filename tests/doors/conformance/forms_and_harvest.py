"""C and D: the forms that a record comes in, and those who harvest them."""

from __future__ import annotations

import json
import re
import statistics
import time
from typing import Any

from rdflib import RDF, Graph, URIRef
from rdflib.compare import isomorphic

from tests.doors.conformance.point import (
    DATASETS,
    DCAT,
    DCT,
    EU,
    FDP,
    FOAF,
    FORMS,
    LDP,
    VCARD,
    Point,
    probe,
)


@probe(17)
def every_form_carries_the_same_graph(point: Point) -> None:
    for path in point.walked():
        first = point.graph(path, "nt")
        for short in ("ttl", "jsonld", "rdf"):
            assert isomorphic(first, point.graph(path, short)), (path, short)


@probe(17)
def head_is_get_without_a_body(point: Point) -> None:
    for path in point.walked():
        for accept in (*(media for media, _ in FORMS.values()), "text/html"):
            get, head = point.ask(path, accept), point.ask(path, accept, "HEAD")
            assert (head.status_code, head.content) == (200, b"")
            for name in ("Content-Type", "Content-Length", "ETag", "Link", "Last-Modified", "Vary"):
                assert head.headers.get(name) == get.headers.get(name), (path, name)


@probe(17)
def answers_vary_by_accept(point: Point) -> None:
    for path in (*point.walked(), "/dataset/gone", "/dataset/nothing"):
        assert "Accept" in re.split(r",\s*", point.ask(path).headers["Vary"]), path


@probe(18)
def an_explicit_type_beats_a_wildcard(point: Point) -> None:
    for path in point.walked():
        assert point.ask(path, "text/html, */*").headers["Content-Type"].startswith("text/html")
        assert point.ask(path, "*/*, application/ld+json").headers["Content-Type"] == "application/ld+json"


@probe(20)
def format_overrides_accept(point: Point) -> None:
    for path in point.walked():
        for short, (media, _) in FORMS.items():
            told = point.ask(f"{path}?format={short}", "text/html")
            assert told.headers["Content-Type"] == media
            assert told.content == point.ask(path, media).content
        assert point.ask(f"{path}?format=html", "text/turtle").headers["Content-Type"].startswith("text/html")


@probe(21)
def no_context_is_fetched(point: Point) -> None:
    for path in point.walked():
        content = point.ask(path, "application/ld+json").json()
        assert _remote(content) == [], path
        for script in point.page(path).of("script"):
            if script.get("type") == "application/ld+json":
                assert _remote(json.loads(point.page(path).texts["script"])) == [], path


def _remote(value: Any) -> list[str]:
    """The contexts that are addresses."""
    found: list[str] = []
    if isinstance(value, dict):
        context = value.get("@context")
        entries = context if isinstance(context, list) else [context]
        found += [entry for entry in entries if isinstance(entry, str)]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return found + [context for part in parts for context in _remote(part)]


@probe(22)
def the_same_bytes_for_the_same_state(point: Point) -> None:
    for path in point.walked():
        for media, _ in FORMS.values():
            first, second = point.ask(path, media), point.ask(path, media)
            assert first.content == second.content
            assert len(first.headers.get_list("Content-Type")) == 1
    for path in point.walked():  # no statement comes twice in any order of lines
        lines = point.ask(path, "application/n-triples").text.splitlines()
        assert len(lines) == len(set(lines))


@probe(23)
def ckan_harvester(point: Point) -> None:
    """Breadth first over the objects of every ldp:contains; a record counts when its address is a dataset."""
    waiting, seen, found = [point.base], set(), {}
    while waiting:
        url = waiting.pop(0)
        if url in seen:
            continue
        seen.add(url)
        answer = point.ask(point.path(url), "text/turtle")
        answer.encoding = "utf-8"
        graph = Graph().parse(data=answer.text, format="turtle")
        waiting += [str(o) for o in graph.objects(None, LDP.contains)]
        if DCAT.Dataset in set(graph.objects(URIRef(url), RDF.type)):
            found[url] = graph
    assert set(found) == {point.base + f"/dataset/{key}" for key in DATASETS}
    for url, document in found.items():
        graph = Graph() + document
        for distribution in list(graph.objects(URIRef(url), DCAT.distribution)):
            graph += point.graph(point.path(distribution))
            assert graph.value(distribution, DCAT.accessURL)
        graph.remove((URIRef(f"{url}#accessRights"), None, None))
        for profile in [p for p in graph.objects(URIRef(url), DCT.conformsTo) if "/profile/" in str(p)]:
            graph.remove((URIRef(url), DCT.conformsTo, profile))
        for predicate in (DCT.title, DCT.description, DCT.identifier, DCT.accessRights, DCT.publisher):
            assert graph.value(URIRef(url), predicate), (url, predicate)
        assert not list(graph.objects(URIRef(url), DCT.conformsTo)), "nothing of ours pollutes it"


@probe(23)
def fdp_index(point: Point) -> None:
    """Parses everything as Turtle with a wrong base, follows ldp:contains alone where there is a container."""
    root = Graph().parse(data=point.ask("/", "text/turtle").text, format="turtle", publicID="urn:index:base")
    services = list(root.subjects(RDF.type, FDP.MetadataService))
    assert services == [point.iri("/")]
    for predicate in (DCT.title, DCT.description, DCAT.version, DCT.publisher):
        assert root.value(services[0], predicate)
    assert root.value(root.value(services[0], DCT.publisher), FOAF.name)
    seen: set[str] = set()
    _index(point, point.base, seen)
    assert {f"{point.base}/dataset/{key}" for key in DATASETS} <= seen
    assert {f"{point.base}/distribution/{key}" for key in DATASETS} <= seen


def _index(point: Point, url: str, seen: set[str]) -> None:
    """As its harvester recurses: without a limit."""
    if url in seen:
        return
    seen.add(url)
    answer = point.ask(point.path(url), "text/turtle")
    assert answer.headers["Content-Type"]
    graph = Graph().parse(data=answer.text, format="turtle", publicID="urn:index:base")
    for container in graph.subjects(RDF.type, LDP.DirectContainer):
        for member in graph.objects(container, LDP.contains):
            _index(point, str(member), seen)


@probe(23)
def plain_triple_walker(point: Point) -> None:
    """As molgenis walks: root, metadataCatalog, dataset."""
    catalogues = list(point.graph("/").objects(point.iri("/"), FDP.metadataCatalog))
    found = {d for c in catalogues for d in point.graph(point.path(c)).objects(c, DCAT.dataset)}
    assert found == {point.iri(f"/dataset/{key}") for key in DATASETS}


@probe(24)
def publisher_and_contact_are_described_with_the_dataset(point: Point) -> None:
    for key in DATASETS:
        graph, iri = point.graph(f"/dataset/{key}"), point.iri(f"/dataset/{key}")
        publisher, contact = graph.value(iri, DCT.publisher), graph.value(iri, DCAT.contactPoint)
        assert graph.value(publisher, FOAF.name), key
        assert FOAF.Agent in set(graph.objects(publisher, RDF.type)), key
        assert graph.value(contact, VCARD.fn), key
        assert {VCARD.Kind, VCARD.Organization} & set(graph.objects(contact, RDF.type)), key


@probe(25)
def distribution_is_inlined_and_a_document(point: Point) -> None:
    for key in DATASETS:
        graph, iri = point.graph(f"/dataset/{key}"), point.iri(f"/distribution/{key}")
        assert iri in set(graph.objects(point.iri(f"/dataset/{key}"), DCAT.distribution))
        inlined, own = set(graph.predicate_objects(iri)), point.graph(f"/distribution/{key}")
        assert DCAT.Distribution in set(graph.objects(iri, RDF.type))
        assert {p for p, _ in inlined} >= {DCAT.accessURL, DCT.title, DCT.license}
        assert inlined <= set(own.predicate_objects(iri))


@probe(26)
def access_rights_are_an_authority_term(point: Point) -> None:
    for key in DATASETS:
        graph, iri = point.graph(f"/dataset/{key}"), point.iri(f"/dataset/{key}")
        rights = list(graph.objects(iri, DCT.accessRights))
        assert len(rights) == 1
        assert str(rights[0]).startswith(f"{EU}access-right/")
        assert any("/profile/" in str(p) for p in graph.objects(iri, DCT.conformsTo))


@probe(27)
def a_harvest_is_quick(point: Point) -> None:
    times = []
    for _ in range(5):
        for path in point.walked():
            begin = time.perf_counter()
            point.ask(path, "text/turtle")
            times.append(time.perf_counter() - begin)
    assert statistics.quantiles(times, n=20)[-1] < 1.0
