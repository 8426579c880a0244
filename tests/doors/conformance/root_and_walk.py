"""A and B: what the root says of the service, and how one gets from it to everything else."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from rdflib import RDF, Literal, URIRef

from tests.doors.conformance.point import (
    DCAT,
    DCT,
    FDP,
    FOAF,
    FORMS,
    LDP,
    Point,
    links,
    probe,
)

R3D = URIRef("http://www.re3data.org/schema/3-0#Repository")
RELATIONS = {"/": FDP.metadataCatalog, "/catalogue/data": DCAT.dataset}


def one(point: Point, path: str, predicate: URIRef) -> object:
    """The only value of a property of the record at a path."""
    found = list(point.graph(path).objects(point.iri(path), predicate))
    assert len(found) == 1, (path, predicate, found)
    return found[0]


@probe(1)
def root_answers_with_metadata_of_itself(point: Point) -> None:
    assert point.ask("/").status_code == 200
    assert list(point.graph("/").predicate_objects(point.iri("/")))


@probe(2)
def default_type_is_turtle_alone(point: Point) -> None:
    for answer in (point.ask("/"), point.ask("/", "*/*"), point.http.get("/", headers={"Accept": ""})):
        assert answer.headers["Content-Type"] == "text/turtle"
    bare = point.raw(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"\r\nContent-Type: text/turtle\r\n" in bare


@probe(3)
def root_types_that_an_index_looks_for(point: Point) -> None:
    types = set(point.graph("/").objects(point.iri("/"), RDF.type))
    assert {FDP.FAIRDataPoint, FDP.MetadataService} <= types
    assert R3D not in types, "the old ontology is a dead end"


@probe(4)
def root_types_above(point: Point) -> None:
    assert {DCAT.DataService, DCAT.Resource} <= set(point.graph("/").objects(point.iri("/"), RDF.type))


@probe(5)
def root_required_properties(point: Point) -> None:
    graph, root = point.graph("/"), point.iri("/")
    for predicate in (DCT.title, DCT.publisher, DCT.conformsTo, FDP.metadataCatalog):
        assert list(graph.objects(root, predicate)), predicate
    for predicate in (
        *(DCT.license, DCT.conformsTo, DCAT.endpointURL, FDP.conformsToFdpSpec),
        *(FDP.metadataIdentifier, FDP.metadataIssued, FDP.metadataModified),
    ):
        one(point, "/", predicate)
    for publisher in graph.objects(root, DCT.publisher):
        assert FOAF.Agent in set(graph.objects(publisher, RDF.type))
        assert str(graph.value(publisher, FOAF.name)) == "Shelter North"
    assert one(point, "/", DCAT.endpointURL) == root
    for date in (FDP.metadataIssued, FDP.metadataModified):
        value = one(point, "/", date)
        assert isinstance(value, Literal)
        assert str(value.datatype).endswith("#dateTime")


@probe(6)
def root_recommended_properties(point: Point) -> None:
    for predicate in (
        *(DCT.description, DCAT.version, DCAT.contactPoint, DCT.language, FDP.fdpSoftwareVersion),
        *(DCT.creator, DCT.identifier),
    ):
        assert list(point.graph("/").objects(point.iri("/"), predicate)), predicate
    assert isinstance(one(point, "/", DCAT.endpointDescription), URIRef)


@probe(7)
def only_absolute_iris(point: Point) -> None:
    for path in point.walked():
        text = point.ask(path, "text/turtle").text
        without_words = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
        for iri in re.findall(r"<([^<>\s]*)>", without_words):
            assert urlsplit(iri).scheme, (path, iri)
        assert "@base" not in text


@probe(8)
def no_iri_of_this_machine(point: Point) -> None:
    for path in point.walked():
        for triple in point.graph(path):
            for term in triple:
                if isinstance(term, URIRef):
                    assert not term.startswith(("file:", "urn:wrong:")), (path, term)
                    assert "localhost" not in term
                    assert "127.0.0.1" not in term or term.startswith(point.base)


@probe(9)
def each_leading_record_carries_a_container(point: Point) -> None:
    carried = {path for path, _, _ in point.containers()}
    assert {"/", "/catalogue/data", "/dataset/full", "/dataset/least"} <= carried
    for path, graph, container in point.containers():
        if str(container) == str(point.iri(path)):
            continue
        assert graph.value(container, DCT.title), container
        assert graph.value(container, LDP.membershipResource) == point.iri(path)
        relation = graph.value(container, LDP.hasMemberRelation)
        assert relation in (FDP.metadataCatalog, DCAT.dataset, DCAT.distribution, DCAT.resource)
        assert re.match(r".*[/#][a-z]\w*$", str(relation)), "a property, not a class"
        assert list(graph.objects(container, LDP.contains))


@probe(10)
def contained_is_linked_is_readable(point: Point) -> None:
    seen = set()
    for path, graph, container in point.containers():
        relation = graph.value(container, LDP.hasMemberRelation)
        contained = set(graph.objects(container, LDP.contains))
        assert contained == set(graph.objects(point.iri(path), relation)), container
        seen |= contained
    for member in seen:
        assert point.ask(point.path(member)).status_code == 200, member
    assert point.iri("/dataset/draft") not in seen
    assert point.iri("/dataset/gone") not in seen
    assert {point.iri(f"/dataset/{key}") for key in ("full", "least", "described", "changed")} <= seen


@probe(11)
def plain_triples_lead_down_and_up(point: Point) -> None:
    walked = point.walked()
    assert {"/catalogue/data", "/dataset/full", "/distribution/full"} <= set(walked)
    parents = {
        "/catalogue/data": "/",
        "/dataset/full": "/catalogue/data",
        "/distribution/full": "/dataset/full",
    }
    for child, parent in parents.items():
        assert point.iri(parent) in set(point.graph(child).objects(point.iri(child), DCT.isPartOf)), child


@probe(12)
def one_container_a_parent_and_it_can_be_read(point: Point) -> None:
    parents: dict[str, str] = {}
    for path, _, container in point.containers():
        assert parents.setdefault(str(container), path) == path
        own = point.graph(point.path(container))
        assert LDP.DirectContainer in set(own.objects(container, RDF.type))
        assert set(own.objects(container, LDP.contains))


@probe(13)
def link_types_everywhere(point: Point) -> None:
    for path in point.walked():
        for accept in ("text/turtle", "text/html", "application/ld+json"):
            assert ("type", str(LDP.Resource), "") in links(point.ask(path, accept)), (path, accept)
    for _, _, container in point.containers():
        kinds = {
            target for relation, target, _ in links(point.ask(point.path(container))) if relation == "type"
        }
        assert {str(LDP.Resource), str(LDP.DirectContainer)} <= kinds


@probe(13)
def options_tell_what_can_be_done(point: Point) -> None:
    for path in (*point.walked(), "/catalogue/", "/catalogue/data/dataset/"):
        answer = point.ask(path, method="OPTIONS")
        assert answer.status_code in (200, 204)
        assert {"GET", "HEAD", "OPTIONS"} <= set(re.findall(r"\w+", answer.headers["Allow"]))
        if "POST" in answer.headers["Allow"]:
            assert "text/turtle" in answer.headers["Accept-Post"]


@probe(13)
def constraints_of_what_is_taken_are_linked(point: Point) -> None:
    for method, path in (("GET", "/catalogue/data/dataset/"), ("PUT", "/dataset/full")):
        constraining = [t for r, t, _ in links(point.ask(path, method=method)) if r == f"{LDP}constrainedBy"]
        assert len(constraining) == 1
        assert point.ask(point.path(constraining[0])).status_code == 200


@probe(14)
def a_catalogue_is_no_dataset(point: Point) -> None:
    for path in point.walked():
        if path.startswith("/catalogue"):
            types = set(point.graph(path).objects(point.iri(path), RDF.type))
            assert DCAT.Catalog in types
            assert DCAT.Dataset not in types


@probe(15)
def turtle_and_json_ld_of_everything(point: Point) -> None:
    for path in point.walked():
        for short in ("ttl", "jsonld"):
            assert len(point.graph(path, short)), (path, short)


@probe(16)
def other_forms_of_everything(point: Point) -> None:
    for path in point.walked():
        for short in ("rdf", "nt"):
            assert len(point.graph(path, short)), (path, short)
            assert point.ask(path, FORMS[short][0]).headers["Content-Type"] == FORMS[short][0]
        assert point.page(path).of("html")
