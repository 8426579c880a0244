"""G, H, I and K: the pages of records, what a dataset says, how it is visited, and what it is called."""

from __future__ import annotations

import json
from typing import Any

from rdflib import RDF, RDFS, Literal, URIRef

from tests.doors.conformance.point import (
    ADMS,
    CSVW,
    DATASETS,
    DCAT,
    DCATAP,
    DCT,
    DPV,
    EU,
    FDP,
    FORMS,
    HEALTH,
    ODRL,
    PROV,
    VCARD,
    Point,
    links,
    probe,
)

IANA = "https://www.iana.org/assignments/media-types/"


def about(point: Point, path: str) -> dict[str, Any]:
    """What the page at a path tells search engines."""
    page = point.page(path)
    assert [s["type"] for s in page.of("script")] == ["application/ld+json"]
    return dict(json.loads(page.texts["script"]))


def signposts(point: Point, path: str, relation: str) -> list[str]:
    """The targets of one relation at a page."""
    return [target for told, target, _ in links(point.ask(path, "text/html")) if told == relation]


@probe(35)
def the_record_itself_is_a_page(point: Point) -> None:
    for path in point.walked():
        page = point.page(path)
        assert page.of("html")[0]["lang"] == "en"
        assert len(page.of("h1")) == 1
        assert page.texts["h1"].strip() in page.texts["title"]
        assert any(meta.get("name") == "viewport" for meta in page.of("meta"))
        assert "default-src 'none'" in page.answer.headers["Content-Security-Policy"]
        assert page.answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not any(script.get("src") for script in page.of("script"))
        for element in ("img", "iframe", "object", "embed"):
            assert not page.of(element), "nothing from elsewhere"


@probe(36)
def signposting_level_one(point: Point) -> None:
    for path in point.walked():
        for method in ("GET", "HEAD"):
            told = links(point.ask(path, "text/html", method))
            assert [t for r, t, _ in told if r == "cite-as"] == [str(point.iri(path))]
            kinds = {t for r, t, _ in told if r == "type"}
            assert "https://schema.org/AboutPage" in kinds
            assert (
                path.partition("/")[2].partition("/")[0] != "dataset" or "https://schema.org/Dataset" in kinds
            )
            assert {r for r, _, _ in told} >= {"describedby", "license", "author"}
        forms = [(t, kind) for r, t, kind in told if r == "describedby"]
        assert {kind for _, kind in forms} == {media for media, _ in FORMS.values()}
        for target, kind in forms:
            answer = point.ask(point.path(target), "text/html")
            assert answer.headers["Content-Type"] == kind
            assert ("describes", str(point.iri(path)), "") in links(answer)


@probe(36)
def signposts_stand_in_the_page_too(point: Point) -> None:
    for path in point.walked():
        told = {(link.get("rel"), link.get("href")) for link in point.page(path).of("link")}
        assert ("cite-as", str(point.iri(path))) in told
        assert "describedby" in {relation for relation, _ in told}


@probe(37)
def signposting_level_two(point: Point) -> None:
    for path in point.walked():
        target, kind = next((t, k) for r, t, k in links(point.ask(path, "text/html")) if r == "linkset")
        answer = point.ask(point.path(target))
        assert answer.headers["Content-Type"] == kind == "application/linkset+json"
        anchors = {entry["anchor"]: entry for entry in answer.json()["linkset"]}
        page = anchors[str(point.iri(path))]
        assert [entry["href"] for entry in page["cite-as"]] == [str(point.iri(path))]
        assert {entry["type"] for entry in page["describedby"]} == {media for media, _ in FORMS.values()}
        for anchor, entry in anchors.items():
            assert anchor == str(point.iri(path)) or entry["describes"][0]["href"] == str(point.iri(path))


@probe(38)
def schema_org_of_a_dataset(point: Point) -> None:
    for key in DATASETS:
        told = about(point, f"/dataset/{key}")
        assert told["@type"] == "Dataset"
        assert "schema.org" in str(told["@context"])
        for name in (
            "name",
            "identifier",
            "url",
            "datePublished",
            "license",
            "keywords",
            "conditionsOfAccess",
        ):
            assert told[name], (key, name)
        assert 50 <= len(told["description"]) <= 5000
        for who in ("creator", "publisher"):
            assert told[who]["@type"] == "Organization"
            assert told[who]["name"] == "Shelter North"
        assert told["includedInDataCatalog"]["@id"] == str(point.iri("/catalogue/data"))
        assert isinstance(told["isAccessibleForFree"], bool)
    assert {v["name"] for v in about(point, "/dataset/full")["variableMeasured"]} >= {
        "year",
        "exploitationForm",
    }


@probe(38)
def search_engines_find_the_pages(point: Point) -> None:
    pages = point.ask("/sitemap.xml").text
    for key in DATASETS:
        assert f"<loc>{point.base}/dataset/{key}</loc>" in pages
    assert "draft" not in pages
    assert f"Sitemap: {point.base}/sitemap.xml" in point.ask("/robots.txt").text


@probe(39)
def dcat_ap_must(point: Point) -> None:
    wanted = {
        "/catalogue/data": (DCT.title, DCT.description, DCT.publisher),
        "/dataset/": (DCT.title, DCT.description),
        "/distribution/": (DCAT.accessURL,),
    }
    for path in point.walked():
        for begin, predicates in wanted.items():
            for predicate in predicates if path.startswith(begin) else ():
                values = list(point.graph(path).objects(point.iri(path), predicate))
                assert values, (path, predicate)
                words = predicate in (DCT.title, DCT.description)
                assert all(isinstance(v, Literal) == words for v in values), (path, predicate)


@probe(39)
def dcat_ap_no_more_than_one(point: Point) -> None:
    single = (DCT.accessRights, DCT.publisher, DCT.license, DCT.accrualPeriodicity, DCAT.version, DCT.issued)
    for path in point.walked():
        for predicate in (*single, DCT.modified, DCAT.mediaType, DCT["format"]):
            found = set(point.graph(path).objects(point.iri(path), predicate))
            assert len(found) <= 1, (path, predicate, found)


@probe(40)
def versions_stand_in_dcat_version(point: Point) -> None:
    for path in point.walked():
        graph = point.graph(path)
        assert not any(isinstance(o, Literal) for o in graph.objects(None, DCT.hasVersion)), path
        if path.startswith(("/dataset/", "/catalogue/data")) or path == "/":
            assert isinstance(graph.value(point.iri(path), DCAT.version), Literal)


@probe(41)
def dcat_ap_should(point: Point) -> None:
    graph, me = point.graph("/dataset/full"), point.iri("/dataset/full")
    for predicate in (
        *(DCAT.contactPoint, DCAT.keyword, DCAT.theme, DCT.accessRights, DCT.identifier, DCT.language),
        *(DCT.spatial, DCT.temporal, DCT.accrualPeriodicity, DCT.issued, DCT.modified, DCT.creator),
        *(DCT.provenance, DCAT.landingPage, DCATAP.applicableLegislation),
    ):
        assert list(graph.objects(me, predicate)), predicate
    contact = graph.value(me, DCAT.contactPoint)
    assert VCARD.Kind in set(graph.objects(contact, RDF.type))
    assert str(graph.value(contact, VCARD.hasEmail)).startswith("mailto:")
    for predicate in (DCAT.theme, DCT.language, DCT.accrualPeriodicity, DCT.spatial):
        assert all(str(o).startswith(EU) for o in graph.objects(me, predicate)), predicate


@probe(41)
def distribution_says_what_it_is(point: Point) -> None:
    for key in DATASETS:
        graph, me = point.graph(f"/distribution/{key}"), point.iri(f"/distribution/{key}")
        for predicate in (DCT.license, DCT["format"], DCATAP.availability):
            assert isinstance(graph.value(me, predicate), URIRef), predicate
        assert str(graph.value(me, DCAT.mediaType)).startswith(IANA)
        assert DCAT.Resource not in set(graph.objects(me, RDF.type))


@probe(42)
def words_have_a_language(point: Point) -> None:
    for path in point.walked():
        for predicate in (DCT.title, DCT.description, DCAT.keyword):
            for value in point.graph(path).objects(point.iri(path), predicate):
                assert value.language, (path, predicate, value)


@probe(43)
def nothing_restricted_can_be_downloaded(point: Point) -> None:
    for path in point.walked():
        graph = point.graph(path)
        assert not list(graph.objects(None, DCAT.downloadURL)), path
        for url in graph.objects(point.iri(path), DCAT.accessURL):
            answer = point.ask(point.path(url), "*/*")
            assert answer.headers["Content-Type"] == "text/turtle", "a record, not the data"


@probe(44)
def the_way_to_visit(point: Point) -> None:
    for key in DATASETS:
        graph = point.graph(f"/dataset/{key}")
        service = graph.value(point.iri(f"/distribution/{key}"), DCAT.accessService)
        assert DCAT.DataService in set(graph.objects(service, RDF.type))
        for predicate in (DCAT.endpointURL, DCAT.endpointDescription, DCT.conformsTo, DCT.title):
            assert graph.value(service, predicate), predicate
        assert point.iri(f"/dataset/{key}") in set(graph.objects(service, DCAT.servesDataset))
        assert point.ask(point.path(service)).status_code == 200


@probe(45)
def policy_and_protection(point: Point) -> None:
    graph, me = point.graph("/dataset/full"), point.iri("/dataset/full")
    policy = graph.value(me, ODRL.hasPolicy)
    rules = [*graph.objects(policy, ODRL.permission), *graph.objects(policy, ODRL.prohibition)]
    assert rules
    assert all(isinstance(graph.value(rule, ODRL.action), URIRef) for rule in rules)
    for predicate in (DPV.hasPurpose, DPV.hasDataSubject, DPV.hasTechnicalOrganisationalMeasure):
        assert list(graph.objects(me, predicate)), predicate
    assert list(graph.objects(me, DCATAP.applicableLegislation))


@probe(46)
def variables_as_columns(point: Point) -> None:
    graph, me = point.graph("/dataset/full"), point.iri("/dataset/full")
    table = graph.value(graph.value(me, HEALTH.hasVariables), CSVW.table)
    columns = list(graph.objects(table, CSVW.column))
    assert {str(graph.value(c, CSVW.name)) for c in columns} == {"year", "exploitationForm"}
    for column in columns:
        for predicate in (CSVW.datatype, CSVW.propertyUrl, CSVW.title, DCT.description):
            assert graph.value(column, predicate), predicate
    told = point.ask("/dataset/full/csvw.json").json()
    assert [c["name"] for c in told["tableSchema"]["columns"]] == ["year", "exploitationForm"]


@probe(46)
def published_sizes_are_rounded(point: Point) -> None:
    for key in DATASETS:
        for value in point.graph(f"/dataset/{key}").objects(None, HEALTH.numberOfRecords):
            assert int(value) % 10 == 0


@probe(47)
def the_sample_is_open_and_no_distribution(point: Point) -> None:
    graph, me = point.graph("/dataset/full"), point.iri("/dataset/full")
    samples = list(graph.objects(me, ADMS.sample))
    assert samples
    for sample in samples:
        assert sample not in set(graph.objects(me, DCAT.distribution))
        answer = point.ask(point.path(graph.value(sample, DCAT.accessURL)))
        assert answer.status_code == 200
        assert len(answer.content) == int(graph.value(sample, DCAT.byteSize))
        assert (
            str(graph.value(sample, DCAT.mediaType))
            == IANA + answer.headers["Content-Type"].partition(";")[0]
        )
    assert not list(point.graph("/dataset/described").objects(None, ADMS.sample))


@probe(54)
def identifiers_do_not_follow_the_asker(point: Point) -> None:
    plain = point.ask("/dataset/full").content
    for name in ("Host", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-URL"):
        answer = point.http.get("/dataset/full", headers={name: "evil.example"})
        assert answer.content == plain
        assert "evil.example" not in str(answer.headers)
    moved = point.http.get("/dataset/full/", headers={"Host": "evil.example"})
    assert moved.headers["Location"] == f"{point.base}/dataset/full"


@probe(55)
def one_identifier_everywhere(point: Point) -> None:
    for key in DATASETS:
        path, me = f"/dataset/{key}", point.iri(f"/dataset/{key}")
        graph = point.graph(path)
        identifiers = {str(o) for o in graph.objects(me, DCT.identifier)}
        told = about(point, path)
        assert identifiers == {str(me)} == set(signposts(point, path, "cite-as"))
        assert told["identifier"] == told["@id"] == told["url"] == str(me)
        record = graph.value(me, FDP.metadataIdentifier)
        assert str(record) not in identifiers
        assert point.ask(point.path(str(record)).partition("#")[0]).status_code == 200


@probe(56)
def persistence_is_promised(point: Point) -> None:
    policy = URIRef("http://www.w3.org/2000/10/swap/pim/doc#persistencePolicy")
    found = list(point.graph("/").objects(point.iri("/"), policy))
    assert len(found) == 1
    assert "identifier" in point.ask(point.path(found[0])).text


@probe(56)
def what_is_withdrawn_leaves_a_notice(point: Point) -> None:
    answer = point.ask("/dataset/gone")
    assert answer.status_code == 410
    assert b"WITHDRAWN" in answer.content
    assert point.ask("/dataset/gone", "text/html").status_code == 410
    assert point.ask("/dataset/gone", If_None_Match="*").status_code == 410
    for rest in ("/meta", "/expanded", "/csvw.json", "/record/1", "/record/"):
        assert point.ask(f"/dataset/gone{rest}").status_code == 410, rest


@probe(56)
def versions_of_a_record_stay(point: Point) -> None:
    told = point.ask("/dataset/changed/record/").json()
    assert [v["version"] for v in told] == [2, 1]
    bodies = [point.ask(point.path(v["url"])).content for v in told]
    assert b"Presumed victims" in bodies[0]
    assert b"Presumed victims" not in bodies[1]
    assert list(point.graph("/dataset/changed").objects(None, PROV.wasGeneratedBy))
    labels = list(point.graph("/dataset/changed").objects(None, RDFS.label))
    assert labels
