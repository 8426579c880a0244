"""The FAIR Data Point as an outsider meets it: over HTTP, with harvesters' own ways of walking."""

from __future__ import annotations

import json

import pytest
import rdflib
from rdflib import RDF, SKOS, Namespace, URIRef

from fairnode.child import run_child
from fairnode.disclosure.rules import load_rules

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")

DCAT = Namespace("http://www.w3.org/ns/dcat#")
FN = Namespace("https://w3id.org/fairnode/node#")
DCT = Namespace("http://purl.org/dc/terms/")
FDP = Namespace("https://w3id.org/fdp/fdp-o#")
LDP = Namespace("http://www.w3.org/ns/ldp#")
PROF = Namespace("http://www.w3.org/ns/dx/prof/")
FORMS = {
    "ttl": ("text/turtle", "turtle"),
    "jsonld": ("application/ld+json", "json-ld"),
    "nt": ("application/n-triples", "nt"),
    "rdf": ("application/rdf+xml", "xml"),
}
RECORDS = (
    "/",
    "/catalogue/",
    "/catalogue/data",
    "/catalogue/data/dataset/",
    "/catalogue/algorithms",
    "/dataset/victims",
    "/dataset/victims/distribution/",
    "/distribution/victims",
    "/service/visit",
    "/organisation",
    "/profile/dataset",
)


def graph_of(client, path: str) -> rdflib.Graph:
    answer = client.get(path, headers={"Accept": "text/turtle"})
    assert answer.status_code == 200, path
    return rdflib.Graph().parse(data=answer.text, format="turtle", publicID="urn:wrong:base/")


@pytest.mark.parametrize("path", RECORDS)
def test_every_record_comes_in_every_form(client, path):
    assert client.get(path).headers["Content-Type"] == "text/turtle"
    sizes = set()
    for short, (media, parser) in FORMS.items():
        by_accept = client.get(path, headers={"Accept": media})
        by_format = client.get(f"{path}?format={short}", headers={"Accept": "text/html"})
        assert by_accept.status_code == by_format.status_code == 200
        assert by_accept.headers["Content-Type"] == media
        assert by_accept.content == by_format.content
        assert "Accept" in by_accept.headers["Vary"]
        sizes.add(len(rdflib.Graph().parse(data=by_accept.content, format=parser)))
    assert len(sizes) == 1
    page = client.get(path, headers={"Accept": "text/html, */*"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.text.count("<h1") == 1
    assert '<html lang="en">' in page.text


@pytest.mark.parametrize("path", RECORDS)
def test_head_is_get_without_a_body(client, path):
    for accept in ("text/turtle", "text/html"):
        get = client.get(path, headers={"Accept": accept})
        head = client.head(path, headers={"Accept": accept})
        assert head.status_code == 200
        assert head.content == b""
        for name in ("Content-Type", "ETag", "Link", "Content-Length", "Last-Modified"):
            assert head.headers.get(name) == get.headers.get(name), name


def test_the_disclosure_rules_are_served_with_the_hash_that_approvals_sign(client, web):
    rules = load_rules()
    assert load_rules(client.get("/rules.toml").text).hash == rules.hash
    graph = rdflib.Graph().parse(data=client.get("/rules").text, format="turtle")
    scheme = URIRef(f"{web.base}/rules")
    assert str(graph.value(scheme, FN.disclosureRules)) == f"sha256:{rules.hash}"
    told = set(graph.subjects(SKOS.inScheme, scheme))
    assert len(told) == len(rules.rules)
    checks = {str(o) for rule in told for o in graph.objects(rule, SKOS.closeMatch)}
    assert checks == {rule.iri for rule in rules.rules}
    page = client.get("/dataset/victims", headers={"Accept": "text/html"})
    assert "/rules.toml" in page.text


@pytest.mark.parametrize("path", RECORDS)
def test_what_the_asker_has_is_not_sent_again(client, path):
    first = client.get(path)
    etag = first.headers["ETag"]
    for told in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get(path, headers={"If-None-Match": told})
        assert (again.status_code, again.content) == (304, b""), told
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert client.get(path, headers=since).status_code == 304
    other = client.get(path, headers={"Accept": "application/ld+json"})
    assert other.headers["ETag"] != etag
    assert "max-age" in first.headers["Cache-Control"]


@pytest.mark.parametrize("path", RECORDS)
def test_no_iri_is_relative_or_of_this_machine(client, web, path):
    for triple in graph_of(client, path):
        for term in triple:
            if isinstance(term, URIRef):
                assert not str(term).startswith(("urn:wrong:", "file:")), term
                assert "localhost" not in term
                assert "127.0.0.1" not in term or str(term).startswith(web.base)


@pytest.mark.parametrize("path", RECORDS)
def test_options_and_cors(client, path):
    answer = client.options(path, headers={"Origin": "https://x.example"})
    assert answer.status_code == 200
    assert {"GET", "HEAD", "OPTIONS"} <= {m.strip() for m in answer.headers["Allow"].split(",")}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    got = client.get(path, headers={"Origin": "https://x.example"})
    assert got.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in got.headers
    assert {"Link", "ETag", "Location"} <= set(
        got.headers["Access-Control-Expose-Headers"].replace(",", " ").split()
    )
    assert '<http://www.w3.org/ns/ldp#Resource>; rel="type"' in got.headers["Link"]


def test_the_root_says_all_that_an_index_looks_for(client, web):
    graph, root = graph_of(client, "/"), URIRef(web.base)
    types = set(graph.objects(root, RDF.type))
    assert {FDP.FAIRDataPoint, FDP.MetadataService, DCAT.DataService, DCAT.Resource} <= types
    for predicate in (
        DCT.title,
        DCT.description,
        DCAT.version,
        DCAT.contactPoint,
        DCT.language,
        DCAT.endpointDescription,
        FDP.metadataCatalog,
        FDP.fdpSoftwareVersion,
    ):
        assert list(graph.objects(root, predicate)), predicate
    for predicate in (
        DCT.license,
        DCAT.endpointURL,
        DCT.conformsTo,
        FDP.metadataIdentifier,
        FDP.metadataIssued,
        FDP.metadataModified,
        FDP.conformsToFdpSpec,
    ):
        assert len(list(graph.objects(root, predicate))) == 1, predicate
    publisher = graph.value(root, DCT.publisher)
    assert graph.value(publisher, URIRef("http://xmlns.com/foaf/0.1/name"))


def test_walking_by_containers_and_by_triples_leads_to_the_same(client, web):
    by_containers, queue = set(), [web.base + "/"]
    while queue:
        iri = queue.pop()
        if iri in by_containers:
            continue
        by_containers.add(iri)
        graph = graph_of(client, iri.removeprefix(web.base) or "/")
        for container in graph.subjects(RDF.type, LDP.DirectContainer):
            parent = graph.value(container, LDP.membershipResource)
            relation = graph.value(container, LDP.hasMemberRelation)
            children = set(graph.objects(container, LDP.contains))
            assert children == set(graph.objects(parent, relation))
            queue += [str(child) for child in children]
    names = {iri.removeprefix(web.base) for iri in by_containers}
    assert {"/catalogue/data", "/dataset/victims", "/dataset/border", "/distribution/victims"} <= names


def test_each_container_has_an_address_and_one_parent(client, web):
    parents = {}
    for path in ("/", "/catalogue/data", "/catalogue/algorithms", "/dataset/victims", "/dataset/border"):
        graph = graph_of(client, path)
        for container in graph.subjects(RDF.type, LDP.DirectContainer):
            parents.setdefault(container, set()).add(graph.value(container, LDP.membershipResource))
            link = client.get(str(container)).headers["Link"]
            assert '<http://www.w3.org/ns/ldp#DirectContainer>; rel="type"' in link
    assert len(parents) == 5
    assert all(len(of) == 1 for of in parents.values())


def test_profiles_lead_to_shapes_that_own_records_keep(client, web):
    for path, job in (
        ("/", "root"),
        ("/catalogue/data", "catalogue"),
        ("/dataset/victims", "dataset"),
        ("/distribution/victims", "distribution"),
        ("/catalogue/algorithms", "catalogue"),
        (f"/algorithm/{web.algorithm.id}", "algorithm"),
    ):
        graph = graph_of(client, path)
        subject = URIRef(web.base + ("" if path == "/" else path))
        own = [p for p in graph.objects(subject, DCT.conformsTo) if str(p).startswith(web.base)]
        profile = graph_of(client, str(own[0]).removeprefix(web.base))
        artifact = profile.value(profile.value(own[0], PROF.hasResource), PROF.hasArtifact)
        shapes = rdflib.Graph().parse(data=client.get(str(artifact)).text, format="turtle")
        assert list(shapes.subjects(RDF.type, URIRef("http://www.w3.org/ns/shacl#NodeShape")))
        told = _shacl(web, client.get(path).text, job)
        assert told["conforms"], (path, told["findings"])


def _shacl(web, turtle: str, shape: str):
    return run_child("shacl", {"turtle": turtle, "shape": shape}, spool=web.node.config.spool)


def test_the_dataset_is_visited_and_not_downloaded(client, web):
    graph, me = graph_of(client, "/dataset/victims"), URIRef(f"{web.base}/dataset/victims")
    assert not list(graph.objects(None, DCAT.downloadURL))
    distribution = graph.value(me, DCAT.distribution)
    service = graph.value(distribution, DCAT.accessService)
    assert (service, RDF.type, DCAT.DataService) in graph
    description = str(graph.value(service, DCAT.endpointDescription))
    assert client.get(description).json()["openapi"].startswith("3.")
    assert len(set(graph.subjects(RDF.type, DCAT.Dataset))) == 1
    sample = graph.value(me, URIRef("http://www.w3.org/ns/adms#sample"))
    assert client.get(str(graph.value(sample, DCAT.accessURL))).headers["Content-Type"].startswith("text/csv")


def test_signposts_of_the_page_and_back(client, web):
    page = client.get("/dataset/victims", headers={"Accept": "text/html"})
    link = page.headers["Link"]
    assert link.count('rel="cite-as"') == 1
    assert f'<{web.base}/dataset/victims>; rel="cite-as"' in link
    for relation in ("describedby", "type", "license", "author", "linkset"):
        assert f'rel="{relation}"' in link
    assert 'rel="describes"' in client.get("/dataset/victims").headers["Link"]
    linkset = client.get("/dataset/victims/linkset")
    assert linkset.headers["Content-Type"] == "application/linkset+json"
    first = linkset.json()["linkset"][0]
    assert first["anchor"] == f"{web.base}/dataset/victims"
    for described in first["describedby"]:
        assert client.get(described["href"]).headers["Content-Type"] == described["type"]


def test_search_engines_find_schema_org_in_the_page(client, web):
    page = client.get("/dataset/victims", headers={"Accept": "text/html"}).text
    told = json.loads(page.split('<script type="application/ld+json">')[1].split("</script>")[0])
    assert told["@type"] == "Dataset"
    assert told["identifier"] == told["url"] == f"{web.base}/dataset/victims"
    assert 50 <= len(told["description"]) <= 5000
    for name in ("name", "creator", "publisher", "datePublished", "keywords", "license"):
        assert told[name], name


@pytest.mark.parametrize("accept", ["text/turtle", "application/ld+json", "text/html", "image/png", "*/*"])
@pytest.mark.parametrize(
    "path", ["/nope", "/dataset/nope", "/catalogue/nope", "/distribution/nope", "/dataset/../../etc/passwd"]
)
def test_what_is_not_there_is_404_in_every_form(client, path, accept):
    answer = client.get(path, headers={"Accept": accept})
    assert answer.status_code == 404
    assert "Traceback" not in answer.text
    if accept != "text/html":
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == 404


def test_nothing_that_came_in_is_put_into_an_error_page(client):
    for path in ("/dataset/<script>alert(1)</script>", "/search?q=<script>alert(1)</script>"):
        assert "<script>alert" not in client.get(path, headers={"Accept": "text/html"}).text


def test_no_form_is_406_with_the_offers(client):
    answer = client.get("/", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert "text/turtle" in answer.json()["toDo"]
    assert client.get("/?format=exe").status_code == 406


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/dataset/victims", "/dataset/nope"])
def test_a_stranger_writes_nothing_and_learns_nothing(client, method, path):
    before = client.get("/dataset/victims").content
    answer = client.request(method, path, content=b"garbage", headers={"Content-Type": "text/turtle"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.get("/dataset/victims").content == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("PUT", "/"),
        ("DELETE", "/"),
        ("PUT", "/catalogue/data"),
        ("DELETE", "/distribution/victims"),
    ],
)
def test_what_is_never_written_says_which_methods_there_are(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_custodian_writes_and_others_do_not(client, web, make_turtle):
    record = make_turtle(web.base, "written")
    turtle = {"Content-Type": "text/turtle"}
    refused = client.post("/dataset", content=record, headers=turtle | web.bearer("counsel"))
    assert refused.status_code == 403
    headers = turtle | web.bearer("custodian")
    wrong = client.post("/dataset", content=b"{}", headers=headers | {"Content-Type": "application/json"})
    assert wrong.status_code == 415
    broken = client.post("/dataset", content=b"garbage", headers=headers)
    assert broken.status_code == 422
    assert broken.json()["findings"]
    made = client.post("/dataset", content=record, headers=headers)
    assert made.status_code == 201
    assert made.headers["Location"] == f"{web.base}/dataset/written"
    assert client.post("/dataset", content=record, headers=headers).status_code == 409
    assert client.get("/dataset/written").status_code == 404
    state = {"current": "PUBLISHED"}
    assert client.put("/dataset/written/meta/state", json=state, headers=headers).status_code in (200, 415)
    for wrong in ({}, {"current": {}}, {"current": ["DRAFT"]}, {"current": "draft"}, [], "DRAFT"):
        refused = client.put("/dataset/written/meta/state", json=wrong, headers=web.bearer("custodian"))
        assert refused.status_code == 422, wrong
    client.put("/dataset/written/meta/state", json=state, headers=web.bearer("custodian"))
    shown = client.get("/dataset/written")
    assert shown.content.startswith(record)
    second = make_turtle(web.base, "written", title="Second version")
    stale = client.put("/dataset/written", content=second, headers=headers | {"If-Match": '"other"'})
    assert stale.status_code == 412
    fresh = headers | {"If-Match": shown.headers["ETag"]}
    assert client.put("/dataset/written", content=second, headers=fresh).status_code == 200
    assert client.get("/dataset/written/record/1").content == record
    assert client.get("/dataset/written/record/2").content == second
    assert [v["version"] for v in client.get("/dataset/written/record/").json()] == [2, 1]
    assert client.delete("/dataset/written", headers=headers).status_code == 204
    gone = client.get("/dataset/written")
    assert gone.status_code == 410
    assert client.get("/dataset/written/record/1").status_code == 410


def test_paging_walks_over_all_children_once(client, web):
    seen, url = [], "/catalogue/data/page/dataset?page=0&size=1"
    while url:
        answer = client.get(url)
        graph = rdflib.Graph().parse(data=answer.text, format="turtle")
        seen += [str(s) for s in graph.subjects(RDF.type, DCAT.Dataset)]
        links = dict(reversed(part.split("; ")) for part in answer.headers["Link"].split(", "))
        url = links.get('rel="next"', "").strip("<>")
        assert 'rel="first"' in links
        assert 'rel="last"' in links
    assert sorted(seen) == sorted(set(seen))
    assert {f"{web.base}/dataset/{slug}" for slug in ("border", "victims")} <= set(seen)
    assert client.get("/catalogue/data/page/dataset?page=99&size=10").status_code == 200


@pytest.mark.parametrize(
    "query", ["page=-1", "size=0", "size=-5", "page=x", "size=1e9", "size=101", "page=９"]
)
def test_bad_paging_is_400(client, query):
    assert client.get(f"/catalogue/data/page/dataset?{query}").status_code == 400


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"query": "police"}', "application/json", 200),
        (b'{"query": "\\"; DROP TABLE datasets"}', "application/json", 200),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"query": 1}', "application/json", 400),
        (b'{"query": ""}', "application/json", 400),
        (b'{"query": "police"}', "text/plain", 415),
        (b"[" * 100_000, "application/json", 400),
    ],
)
def test_search(client, body, kind, status):
    answer = client.post("/search", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    if b"police" in body and status == 200:
        assert [hit["title"] for hit in answer.json()] == ["Presumed victims registered by the police"]


def test_the_spelling_of_the_reference_implementation_works(client):
    for path in ("/catalog/data", "/catalog/data/page/dataset", "/page/catalog", "/catalog/spec", "/spec"):
        assert client.get(path).status_code == 200, path
    for path in ("/meta", "/catalog/data/meta", "/expanded", "/dataset/victims/expanded", "/search/filters"):
        assert client.get(path).status_code == 200, path
    assert client.get("/dataset/victims/").headers["Location"].endswith("/dataset/victims")
    assert client.get("/catalogue").headers["Location"].endswith("/catalogue/")


def test_site_map_and_robots_name_the_pages(client, web):
    assert f"{web.base}/dataset/victims" in client.get("/sitemap.xml").text
    assert "sitemap.xml" in client.get("/robots.txt").text
    assert client.get("/persistence").status_code == 200
    assert client.get("/dataset/victims/csvw.json").json()["tableSchema"]["columns"][0]["name"] == "year"


def test_the_shared_ontology_is_served_by_the_node_itself(client, web):
    turtle = client.get("/ontology", headers={"Accept": "text/turtle"})
    assert turtle.headers["Content-Type"] == "text/turtle"
    assert len(rdflib.Graph().parse(data=turtle.text, format="turtle")) > 100
    page = client.get("/ontology", headers={"Accept": "text/html"})
    assert page.headers["Location"] == f"{web.base}/ontology/site/index.html"
    for path, kind in (
        ("/ontology/site/index.html", "text/html; charset=utf-8"),
        ("/ontology/site/style.css", "text/css; charset=utf-8"),
        ("/ontology/variables.ttl", "text/turtle"),
        ("/ontology/codes/sex.ttl", "text/turtle"),
        ("/ontology/shapes/dataset.ttl", "text/turtle"),
        ("/ontology/context/study-1.jsonld", "application/ld+json"),
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind), path
        again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    for path in (
        "/ontology/index.json",
        "/ontology/check.py",
        "/ontology/codes/..%2findex.json",
        "/ontology/%2e%2e/pyproject.toml",
        "/ontology/generate/tables.py",
        "/ontology/nothing.ttl",
    ):
        assert client.get(path).status_code == 404, path
