"""E, F and J: errors and safety, caching, reading from elsewhere, and the other addresses of the API."""

from __future__ import annotations

import re
from pathlib import Path

import pyshacl
from rdflib import RDF, Graph, Namespace

from tests.doors.conformance.point import DATASETS, DCAT, DCT, FORMS, PROF, Point, links, probe

SH = Namespace("http://www.w3.org/ns/shacl#")
NOTHING = ("/nothing", "/dataset/nothing", "/catalogue/nothing", "/distribution/nothing", "/profile/nothing")


@probe(28)
def what_is_not_there_is_404_in_every_form(point: Point) -> None:
    for path in NOTHING:
        for accept in ("text/html", "*/*", "image/png", *(media for media, _ in FORMS.values())):
            answer = point.ask(path, accept)
            assert answer.status_code == 404, (path, accept)
            for word in ("Traceback", "werkzeug", "Debugger", 'File "', "sqlite", "site-packages"):
                assert word not in answer.text, (path, word)


@probe(28)
def nothing_that_is_asked_comes_back_as_markup(point: Point) -> None:
    script = "<script>alert(1)</script>"
    for path in (f"/dataset/{script}", f"/search?q={script}", f"/?format={script}", f"/label?iri={script}"):
        for accept in ("text/html", "*/*"):
            assert script not in point.ask(path, accept).text, path


@probe(29)
def strangers_write_nothing(point: Point) -> None:
    before = {path: point.ask(path).content for path in ("/", "/catalogue/data", "/dataset/full")}
    for path in (
        "/",
        "/catalogue/data",
        "/dataset/full",
        "/dataset/nothing",
        "/distribution/full",
        "/meta/state",
    ):
        for method in ("PUT", "DELETE", "PATCH", "POST"):
            for kind in ("text/turtle", "application/json", "application/octet-stream"):
                answer = point.http.request(
                    method, path, content=b"\x00gar<bage", headers={"Content-Type": kind}
                )
                assert answer.status_code in (401, 403, 405), (method, path, answer.status_code)
                if answer.status_code == 401:
                    assert answer.headers["WWW-Authenticate"]
                if answer.status_code == 405:
                    assert answer.headers["Allow"]
                    assert method not in answer.headers["Allow"]
    assert {path: point.ask(path).content for path in before} == before


@probe(29)
def a_stranger_does_not_learn_what_exists(point: Point) -> None:
    for method in ("PUT", "DELETE"):
        told = {
            (answer.status_code, answer.text)
            for path in ("/dataset/full", "/dataset/draft", "/dataset/nothing")
            for answer in [point.http.request(method, path, content=b"x")]
        }
        assert len(told) == 1
    assert point.ask("/dataset/draft").text == point.ask("/dataset/nothing").text


@probe(29)
def wrong_credentials_are_refused_as_none(point: Point) -> None:
    for value in (
        "Bearer x",
        "Bearer",
        "Basic YWRtaW46YWRtaW4=",
        "Basic !!",
        "Digest a=b",
        "Bearer \xff" * 9,
    ):
        headers = {"Authorization": value.encode("latin-1"), "Content-Type": "text/turtle"}
        for method, path in (("DELETE", "/dataset/full"), ("PUT", "/dataset/full"), ("POST", "/dataset")):
            answer = point.http.request(method, path, headers=headers, content=b"")
            assert answer.status_code == 401, value


@probe(31)
def errors_can_be_read_by_programs(point: Point) -> None:
    for method, path, status in (
        *(("GET", "/dataset/nothing", 404), ("DELETE", "/dataset/full", 401), ("PUT", "/", 405)),
        *(("GET", "/catalogue/data/page/dataset?page=x", 400), ("GET", "/dataset/gone/meta", 410)),
        *(("POST", "/search", 415), ("GET", "/?format=nothing", 406)),
    ):
        answer = point.ask(path, method=method)
        assert answer.status_code == status, path
        assert answer.headers["Content-Type"] == "application/problem+json"
        told = answer.json()
        assert told["status"] == status
        assert told["title"]
        assert told["type"].startswith("https://")


@probe(32)
def no_secret_and_no_account_is_built_in(point: Point) -> None:
    """A new node has nobody, and no source holds a password or a key."""
    for name, password in (
        ("admin", "admin"),
        ("albert.einstein@example.com", "password"),
        ("admin", "password"),
    ):
        answer = point.http.post("/login", data={"username": name, "password": password})
        assert answer.status_code >= 400
    sources = Path(__file__).parents[3] / "fairnode"
    secret = re.compile(r"""(?i)(secret|password|signing_key)\w*\s*=\s*["'][^"']{6,}["']""")
    for path in sources.rglob("*.py"):
        assert not secret.search(path.read_text(encoding="utf-8")), path.name


@probe(33)
def validators(point: Point) -> None:
    tags: set[str] = set()
    for path in point.walked():
        for accept in (*(media for media, _ in FORMS.values()), "text/html"):
            answer = point.ask(path, accept)
            tag = answer.headers["ETag"]
            assert re.fullmatch(r'"[^"]+"', tag), "strong"
            assert tag not in tags, "one for each representation"
            tags.add(tag)
            for told in (tag, f"W/{tag}", f'"a", {tag}, "b"', f'"a",W/{tag}', "*"):
                again = point.ask(path, accept, If_None_Match=told)
                assert (again.status_code, again.content) == (304, b""), told
                assert again.headers["ETag"] == tag
                assert "Accept" in again.headers["Vary"]
                assert again.headers["Cache-Control"]
            for told in ('"a"', 'W/"a"', "", "garbage"):
                assert point.ask(path, accept, If_None_Match=told).status_code == 200, told


@probe(33)
def dates_of_change(point: Point) -> None:
    for path in point.walked():
        answer = point.ask(path)
        changed = answer.headers["Last-Modified"]
        assert point.ask(path, If_Modified_Since=changed).status_code == 304
        assert point.ask(path, If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT").status_code == 200
        assert point.ask(path, If_Modified_Since="yesterday").status_code == 200
        both = point.ask(path, If_None_Match='"a"', If_Modified_Since=changed)
        assert both.status_code == 200, "the tag counts before the date"
        assert "max-age" in answer.headers["Cache-Control"]
    assert point.ask("/dataset/nothing").headers["Cache-Control"] == "no-store"


@probe(34)
def readable_from_any_page(point: Point) -> None:
    for path in (
        *point.walked(),
        "/search/filters",
        "/openapi.json",
        "/sparql?query=ASK{}",
        "/dataset/nothing",
    ):
        answer = point.ask(path, Origin="https://app.example")
        assert answer.headers["Access-Control-Allow-Origin"] == "*", path
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert {"Link", "ETag", "Location"} <= set(
            re.findall(r"[\w-]+", answer.headers["Access-Control-Expose-Headers"])
        )


@probe(34)
def preflight(point: Point) -> None:
    for path, method in (("/dataset/full", "GET"), ("/search", "POST"), ("/sparql", "POST"), ("/", "GET")):
        answer = point.ask(
            path,
            method="OPTIONS",
            Origin="https://app.example",
            Access_Control_Request_Method=method,
            Access_Control_Request_Headers="accept, content-type, if-none-match",
        )
        assert answer.status_code in (200, 204)
        assert method in answer.headers["Access-Control-Allow-Methods"]
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
        assert all(name in allowed for name in ("accept", "content-type", "if-none-match"))


@probe(48)
def shapes_and_own_records_keep_to_them(point: Point) -> None:
    assert len(point.graph("/spec"))
    kinds = {"/": "fdp", "/catalogue/data": "catalogue", "/distribution/full": "distribution"}
    kinds |= {f"/dataset/{key}": "dataset" for key in DATASETS} | {"/dataset/described": "description"}
    for path, kind in kinds.items():
        shapes = point.graph(f"/shapes/{kind}")
        assert list(shapes.subjects(RDF.type, SH.NodeShape))
        conforms, _, text = pyshacl.validate(point.graph(path), shacl_graph=shapes)
        assert conforms, (path, text)


@probe(49)
def from_record_to_profile_to_shapes(point: Point) -> None:
    for path in point.walked():
        profiles = [p for p in point.graph(path).objects(point.iri(path), DCT.conformsTo) if "/profile/" in p]
        own = [p for p in profiles if str(p).startswith(point.base)]
        assert len(own) == 1, path
        assert ("profile", str(own[0]), "") in links(point.ask(path)), path
        graph = point.graph(point.path(own[0]))
        assert PROF.Profile in set(graph.objects(own[0], RDF.type))
        artifacts = [
            a for r in graph.objects(own[0], PROF.hasResource) for a in graph.objects(r, PROF.hasArtifact)
        ]
        assert artifacts
        for artifact in artifacts:
            assert list(point.graph(point.path(artifact)).subjects(RDF.type, SH.NodeShape))


@probe(50)
def paging_walks_over_all(point: Point) -> None:
    for size in (1, 3, 100):
        path, seen = f"/catalogue/data/page/dataset?page=0&size={size}", []
        while path:
            answer = point.ask(path)
            graph = Graph().parse(data=answer.text, format="turtle")
            seen += sorted(str(s) for s in graph.subjects(RDF.type, DCAT.Dataset))
            told = {relation: target for relation, target, _ in links(answer)}
            assert {"first", "last"} <= set(told)
            assert point.ask(point.path(told["last"])).status_code == 200
            path = point.path(told["next"]) if "next" in told else ""
        assert sorted(seen) == sorted(f"{point.base}/dataset/{key}" for key in DATASETS)
    beyond = point.ask("/catalogue/data/page/dataset?page=99")
    assert beyond.status_code == 200
    assert "next" not in {relation for relation, _, _ in links(beyond)}
    for path in ("/page/catalog", "/catalog/data/page/dataset", "/dataset/full/page/distribution"):
        assert point.ask(path).status_code == 200, path


@probe(51)
def searching(point: Point) -> None:
    told = point.http.post("/search", json={"query": "registered"})
    assert told.status_code == 200
    assert {f"{point.base}/dataset/full"} <= {hit["uri"] for hit in told.json()}
    assert all({"uri", "types", "title", "description", "relations"} <= set(hit) for hit in told.json())
    for query in (
        "' OR 1=1 --",
        '"} UNION SELECT',
        "?s ?p ?o } #",
        "%",
        "_",
        "\\",
        "${7*7}",
        "{{7*7}}",
        "\x00",
    ):
        answer = point.http.post("/search", json={"query": query})
        assert (answer.status_code, answer.json()) == (200, []), query


@probe(52)
def the_api_is_described(point: Point) -> None:
    where = point.graph("/").value(point.iri("/"), DCAT.endpointDescription)
    told = point.ask(point.path(where)).json()
    assert told["openapi"].startswith("3.")
    for path in ("/", "/sparql", "/search", "/search/filters", "/dataset/{id}", "/api/v1/datasets"):
        assert path in told["paths"], path


@probe(53)
def further_addresses(point: Point) -> None:
    expanded = point.graph("/dataset/full/expanded")
    for path in ("/", "/catalogue/data", "/dataset/full"):
        assert list(expanded.predicate_objects(point.iri(path)))
        meta = point.ask("/meta" if path == "/" else f"{path}/meta").json()
        assert meta["state"]["current"] == "PUBLISHED"
        assert str(point.iri(path)) in meta["path"]
    assert point.ask("/health").json()["status"] == "UP"
    filters = point.ask("/search/filters").json()
    assert {"keyword", "variable"} <= {f["predicate"] for f in filters}
    assert all(value["count"] > 0 for f in filters for value in f["values"])
    assert point.ask("/label?iri=https://w3id.org/fairnode/ontology%23sex").json()["label"]
