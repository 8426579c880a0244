"""What F-UJI 3.5 (metrics 0.8) looks at in a dataset, as far as it can be seen without a network.

Run against such a node it gave 25 of 26 points for each of three records, from the fullest to the least; the
26th is for an identifier that redirects from elsewhere (w3id.org, DOI).
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from rdflib import RDF, Graph, Literal, Namespace, URIRef

from tests.doors.conformance.point import ADMS, DATASETS, DCAT, DCT, EU, FORMS, PROV, Point, links

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
SCHEMA = Namespace("https://schema.org/")
OPEN_FORMATS = {"text/csv"}


@pytest.fixture(params=DATASETS)
def path(request: pytest.FixtureRequest) -> str:
    """The path of each dataset."""
    return f"/dataset/{request.param}"


@pytest.fixture
def embedded(point: Point, path: str) -> Graph:
    """The statements in the page that `text/html, */*` gets, read as F-UJI reads them: nothing is fetched."""
    script = point.page(path).texts["script"]
    assert "schema.org" in script
    return Graph().parse(data=json.dumps(json.loads(script)), format="json-ld")


def test_f1_the_identifier_is_an_address_and_the_only_one(point: Point, path: str) -> None:
    cited = [t for relation, t, _ in links(point.ask(path, "text/html, */*")) if relation == "cite-as"]
    assert cited == [str(point.iri(path))]
    assert urlsplit(cited[0]).scheme in ("http", "https")


def test_f2_f4_core_elements_are_embedded_in_the_page(point: Point, path: str, embedded: Graph) -> None:
    me = point.iri(path)
    assert set(embedded.objects(me, RDF.type)) == {SCHEMA.Dataset}
    for name in (
        "name",
        "description",
        "identifier",
        "url",
        "keywords",
        "license",
        "datePublished",
        "inLanguage",
    ):
        assert list(embedded.objects(me, SCHEMA[name])), name
    for who in (SCHEMA.creator, SCHEMA.publisher):
        assert isinstance(embedded.value(embedded.value(me, who), SCHEMA.name), Literal)


def test_f3_the_metadata_lead_to_something_that_can_be_fetched(point: Point, path: str) -> None:
    graph, me = point.graph(path), point.iri(path)
    parts = [*graph.objects(me, DCAT.distribution), *graph.objects(me, ADMS.sample)]
    urls = [url for part in parts for url in graph.objects(part, DCAT.accessURL)]
    assert urls
    assert all(point.ask(point.path(url)).status_code == 200 for url in urls)


def test_a1_the_access_level_is_a_standard_term(point: Point, path: str) -> None:
    rights = point.graph(path).value(point.iri(path), DCT.accessRights)
    assert str(rights).removeprefix(f"{EU}access-right/") in ("PUBLIC", "RESTRICTED", "NON_PUBLIC")


def test_a2_metadata_outlive_the_data(point: Point) -> None:
    answer = point.ask("/dataset/gone")
    assert answer.status_code == 410
    graph = Graph().parse(data=answer.text, format="turtle")
    assert graph.value(point.iri("/dataset/gone"), PROV.invalidatedAtTime)


def test_i1_i2_rdf_by_negotiation_with_registered_vocabularies(point: Point, path: str) -> None:
    for media, parser in FORMS.values():
        assert len(Graph().parse(data=point.ask(path, media).content, format=parser))
    spaces = {str(p).rpartition("#")[0] or str(p).rpartition("/")[0] for p in point.graph(path).predicates()}
    assert {"http://www.w3.org/ns/dcat", "http://www.w3.org/ns/prov"} <= spaces
    assert spaces & {
        "http://www.w3.org/ns/odrl/2",
        "http://www.w3.org/ns/csvw",
        "http://www.w3.org/ns/adms",
    } or (path == "/dataset/described")


def test_i3_related_things_are_linked(point: Point, path: str) -> None:
    graph, me = point.graph(path), point.iri(path)
    related = [o for p in (DCT.isPartOf, DCT.conformsTo, PROV.wasGeneratedBy) for o in graph.objects(me, p)]
    assert all(isinstance(o, URIRef) for o in related)
    assert len(related) >= 3


def test_r1_type_size_and_format_of_what_there_is(point: Point, path: str, embedded: Graph) -> None:
    graph, me = point.graph(path), point.iri(path)
    assert DCAT.Dataset in set(graph.objects(me, RDF.type))
    typed = [s for s in graph.subjects(RDF.type, DCAT.Dataset) if str(s) != str(me)]
    assert not typed, "F-UJI takes the first dataset of the graph"
    for download in embedded.objects(me, SCHEMA.distribution):
        url = str(embedded.value(download, SCHEMA.contentUrl))
        answer = point.ask(point.path(url))
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert str(embedded.value(download, SCHEMA.encodingFormat)) == kind
        assert kind in OPEN_FORMATS
        assert int(str(embedded.value(download, SCHEMA.contentSize))) == len(answer.content)


def test_r1_1_the_licence_is_one_that_spdx_lists(point: Point, path: str, embedded: Graph) -> None:
    licence = str(embedded.value(point.iri(path), SCHEMA.license))
    assert licence.startswith("https://creativecommons.org/")
    assert licence in {t for relation, t, _ in links(point.ask(path, "text/html")) if relation == "license"}


def test_r1_2_where_the_data_come_from(point: Point, path: str) -> None:
    graph, me = point.graph(path), point.iri(path)
    for predicate in (DCT.creator, DCT.issued, DCT.modified, DCT.provenance, PROV.wasGeneratedBy):
        assert list(graph.objects(me, predicate)), predicate
