"""SPARQL for machines: read-only, bounded, without a network, in a process of its own."""

from __future__ import annotations

import csv
import io
import json
import time

import pytest
from rdflib import Graph

from fairnode import errors
from fairnode.app import create_app
from fairnode.child import Ended, run_child
from fairnode.discovery import sparql
from fairnode.discovery.harvest import keep_records
from fairnode.discovery.sparql import TooHeavy, ask, check_query
from fairnode.node import Node

from .conftest import record

AT = "https://police.example"
JSON, TURTLE = "application/sparql-results+json", "text/turtle"
TITLES = """PREFIX dct: <http://purl.org/dc/terms/> PREFIX dcat: <http://www.w3.org/ns/dcat#>
SELECT ?t WHERE { ?d a dcat:Dataset ; dct:title ?t FILTER(lang(?t) = 'en') } ORDER BY ?t"""
ENDLESS = "SELECT (count(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o . ?p ?q ?r }"


@pytest.fixture
def knowing(node: Node) -> Node:
    """A node that knows twenty datasets."""
    told = [
        {"iri": f"{AT}/dataset/{n}", "record": record(f"{AT}/dataset/{n}", f"Set {n:02}")} for n in range(20)
    ]
    assert keep_records(node, AT, told) == 20
    return node


def titles(node: Node) -> list[str]:
    rows = json.loads(ask(node, TITLES, JSON, TURTLE).body)["results"]["bindings"]
    return [row["t"]["value"] for row in rows]


def test_the_records_of_all_nodes_can_be_asked_and_changes_are_seen(knowing) -> None:
    assert titles(knowing) == [f"Set {n:02}" for n in range(20)]
    iri = f"{AT}/dataset/3"
    keep_records(knowing, AT, [{"iri": iri, "record": record(iri, "Changed")}])
    assert titles(knowing) == ["Changed"]
    keep_records(knowing, AT, [])
    assert titles(knowing) == []


def test_each_record_is_a_graph_of_its_own(knowing) -> None:
    kind = "<http://www.w3.org/ns/dcat#Dataset>"
    for query in (
        f"SELECT (count(*) AS ?n) WHERE {{ GRAPH <{AT}/dataset/3> {{ ?s a {kind} }} }}",
        f"SELECT (count(*) AS ?n) FROM <{AT}/dataset/3> WHERE {{ ?s a {kind} }}",
    ):
        assert (
            json.loads(ask(knowing, query, JSON, TURTLE).body)["results"]["bindings"][0]["n"]["value"] == "1"
        )


@pytest.mark.parametrize(
    "query",
    [
        "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
        "DELETE WHERE { ?s ?p ?o }",
        "LOAD <file:///etc/passwd>",
        "CLEAR ALL",
        "DROP ALL",
        "SELECT nonsense",
        "",
        "x" * 30_000,
    ],
)
def test_what_is_no_query_is_refused_and_nothing_is_written(knowing, query) -> None:
    with pytest.raises(errors.NotValid):
        ask(knowing, query, JSON, TURTLE)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * WHERE { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * WHERE { service silent <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * WHERE {SERVICE?x{?s ?p ?o}}",
        "SELECT * WHERE { \\u0053ERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * WHERE { \\U00000053ervice <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * WHERE { '#' ?p ?o . SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * WHERE { ?s ?p ?o }#\nSERVICE",
    ],
)
def test_no_other_server_is_asked(query) -> None:
    with pytest.raises(errors.NotValid, match="SERVICE"):
        check_query(query)


def test_words_with_service_in_them_may_be_used() -> None:
    check_query(
        "SELECT ?service WHERE { ?d dcat:accessService ?service . ?service a dcat:DataService ; x:service 1 }"
    )


def test_a_query_that_got_past_the_words_still_has_no_network(knowing, make_point) -> None:
    point = make_point()
    titles(knowing)
    job = {
        "directory": str(knowing.config.directory),
        "query": f"SELECT * WHERE {{ SERVICE <{point.url}/> {{ ?s ?p ?o }} }}",
        "form": JSON,
        "graph_form": TURTLE,
        "seconds": sparql.SECONDS,
        "memory_mib": sparql.MEMORY_MIB,
        "largest": sparql.LARGEST_ANSWER,
    }
    # The library mostly says that it may not; it may also come down over it, and then nothing is answered.
    with pytest.raises((errors.NotValid, Ended)) as refused:
        run_child("sparql", job, spool=knowing.config.spool)
    assert point.asked == []
    assert isinstance(refused.value, Ended) or "not permitted" in refused.value.internal


def test_no_file_of_the_node_can_be_read(knowing) -> None:
    told = ask(knowing, "SELECT * FROM <file:///etc/passwd> WHERE { ?s ?p ?o }", JSON, TURTLE)
    assert json.loads(told.body)["results"]["bindings"] == []


def test_a_query_that_never_ends_is_ended(knowing, monkeypatch) -> None:
    monkeypatch.setattr(sparql, "SECONDS", 1)
    begin = time.monotonic()
    with pytest.raises(TooHeavy, match="longer than 1 seconds"):
        ask(knowing, ENDLESS, JSON, TURTLE)
    assert time.monotonic() - begin < 60
    assert len(titles(knowing)) == 20


def test_a_query_that_wants_all_memory_is_ended(knowing, monkeypatch) -> None:
    monkeypatch.setattr(sparql, "MEMORY_MIB", 400)
    query = "SELECT DISTINCT ?a ?b ?c ?d ?e ?f WHERE { ?a ?x ?b . ?c ?y ?d . ?e ?z ?f } ORDER BY ?a"
    with pytest.raises((TooHeavy, errors.NotValid)):
        ask(knowing, query, JSON, TURTLE)


def test_an_answer_that_is_too_large_is_refused(knowing) -> None:
    with pytest.raises(errors.NotValid, match="larger than"):
        ask(knowing, "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f }", JSON, TURTLE)


def test_only_a_few_queries_run_at_once(knowing) -> None:
    for _ in range(sparql.AT_ONCE):
        assert sparql._ROOM.acquire(blocking=False)
    try:
        with pytest.raises(sparql.Busy):
            ask(knowing, TITLES, JSON, TURTLE)
    finally:
        for _ in range(sparql.AT_ONCE):
            sparql._ROOM.release()


def test_the_door_speaks_the_protocol(knowing) -> None:
    client = create_app(knowing).test_client()
    one = "SELECT ?s WHERE { ?s a <http://www.w3.org/ns/dcat#Dataset> } ORDER BY ?s LIMIT 2"
    answer = client.get("/sparql", query_string={"query": one})
    assert (answer.status_code, answer.content_type) == (200, JSON)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    answer = client.post(
        "/sparql", data=one, headers={"Content-Type": "application/sparql-query", "Accept": "text/csv"}
    )
    assert answer.content_type == "text/csv; charset=utf-8"
    assert len(list(csv.reader(io.StringIO(answer.text)))) == 3
    answer = client.post("/sparql", data={"query": one}, headers={"Accept": "application/sparql-results+xml"})
    assert answer.text.startswith("<?xml")
    construct = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o } LIMIT 5"
    answer = client.get("/sparql", query_string={"query": construct}, headers={"Accept": "text/turtle"})
    assert answer.content_type.startswith("text/turtle")
    assert len(Graph().parse(data=answer.text, format="turtle")) == 5
    answer = client.get("/sparql", query_string={"query": "ASK { ?s ?p ?o }"}, headers={"Accept": "text/csv"})
    assert answer.get_json(force=True)["boolean"] is True


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"method": "GET"}, 400),
        ({"method": "GET", "query_string": {"query": "nonsense"}}, 422),
        ({"method": "GET", "query_string": {"query": "ASK { SERVICE <urn:x> {} }"}}, 422),
        ({"method": "GET", "query_string": {"query": "ASK {}"}, "headers": {"Accept": "image/png"}}, 406),
        ({"method": "POST", "data": "CLEAR ALL", "content_type": "application/sparql-update"}, 415),
        ({"method": "POST", "data": {"update": "CLEAR ALL"}}, 400),
        ({"method": "PUT", "data": "x"}, 405),
        ({"method": "DELETE"}, 405),
    ],
)
def test_the_door_refuses_with_a_reason(node, asked, status) -> None:
    answer = create_app(node).test_client().open("/sparql", **asked)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
