"""Records: taken as received or refused with the reason, kept in all versions, never seen as drafts."""

from __future__ import annotations

import time

import pytest
import rdflib
from rdflib.compare import isomorphic

from fairnode import errors
from fairnode.ledger import verify_ledger
from fairnode.metadata import keep
from fairnode.metadata.plain import in_words
from fairnode.metadata.rdf import Form, read_turtle, write
from fairnode.metadata.shelf import Shelf
from fairnode.metadata.variables import sample_csv
from fairnode.records.rows import Dataset, DatasetVersion

# rdflib's JSON-LD reader uses a class that rdflib calls deprecated
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")

PARSERS = {
    Form.TURTLE: "turtle",
    Form.JSON_LD: "json-ld",
    Form.N_TRIPLES: "nt",
    Form.RDF_XML: "xml",
}


def findings(house, record: bytes) -> list[tuple[str, str]]:
    with pytest.raises(errors.NotValid) as caught:
        keep.add_dataset(house.node, record, {}, "p-test")
    found = [(f.where, f.what) for f in caught.value.findings]
    with house.node.store.read() as reader:
        assert reader.get(Dataset, "new") is None
        assert reader.count(DatasetVersion, dataset="new") == 0
    return found or [("", caught.value.what)]


def test_the_bytes_are_kept_and_served_as_they_were_received(fresh, make_turtle):
    record = make_turtle(fresh.base, "new", more='; dct:alternative "007"^^xsd:integer')
    row = keep.add_dataset(fresh.node, record, {"kind": "csv", "path": "/secret/place.csv"}, "p-test")
    assert row.record == record
    document = Shelf(fresh.node).get("/dataset/new")
    assert document.bodies[Form.TURTLE].startswith(record)
    for form, body in document.bodies.items():
        assert b"secret" not in body
        assert b"007" in body, form


def test_every_form_says_the_same(house):
    shelf = Shelf(house.node)
    paths = ("/", "/catalogue/data", "/dataset/victims", "/distribution/victims", "/service/visit")
    for path in (*paths, "/catalogue/", "/dataset/victims/distribution/", f"/algorithm/{house.algorithm.id}"):
        bodies = shelf.get(path).bodies
        graphs = {f: rdflib.Graph().parse(data=b, format=PARSERS[f]) for f, b in bodies.items()}
        for form, graph in graphs.items():
            assert isomorphic(graph, graphs[Form.TURTLE]), (path, form)


def test_the_same_state_gives_the_same_bytes(house):
    one, other = Shelf(house.node), Shelf(house.node)
    for path in ("/", "/catalogue/data", "/dataset/victims"):
        assert one.get(path).bodies == other.get(path).bodies


def test_a_new_version_keeps_the_old_one(fresh, make_turtle):
    first = keep.add_dataset(fresh.node, make_turtle(fresh.base, "new"), {"kind": "csv"}, "p-test")
    second = keep.change_dataset(
        fresh.node, "new", "p-test", turtle=make_turtle(fresh.base, "new", title="Another title")
    )
    assert (second.version, second.title, second.lineage) == (2, "Another title", first.lineage)
    assert second.source == {"kind": "csv"}
    kept = keep.versions(fresh.node, "new")
    assert [(k.version, k.record) for k in kept] == [(2, second.record), (1, first.record)]
    same = keep.change_dataset(fresh.node, "new", "p-test", turtle=second.record)
    assert same.version == 2
    assert verify_ledger(fresh.node.desk).sound


def test_a_draft_is_as_if_it_were_not_there(fresh, make_turtle):
    keep.add_dataset(fresh.node, make_turtle(fresh.base, "new"), {}, "p-test", publish=False)
    shelf = Shelf(fresh.node)
    for path in ("/dataset/new", "/distribution/new", "/dataset/new/distribution/"):
        assert shelf.get(path) is None
    for path in ("/", "/catalogue/data", "/catalogue/data/dataset/", "/service/visit"):
        assert all(b"/dataset/new" not in body for body in shelf.get(path).bodies.values())
    keep.change_dataset(fresh.node, "new", "p-test", publish=True)
    shelf.forget()
    assert shelf.get("/dataset/new") is not None
    assert b"/dataset/new" in shelf.get("/catalogue/data").bodies[Form.TURTLE]


def test_a_withdrawn_dataset_leaves_a_notice_and_does_not_come_back(fresh, make_turtle):
    record = make_turtle(fresh.base, "new")
    keep.add_dataset(fresh.node, record, {"kind": "csv"}, "p-test")
    gone = keep.withdraw_dataset(fresh.node, "new", "p-test")
    assert gone.source == {}
    document = Shelf(fresh.node).get("/dataset/new")
    assert document.gone
    assert b"WITHDRAWN" in document.bodies[Form.TURTLE]
    assert b"description" not in document.bodies[Form.TURTLE]
    for attempt in (
        lambda: keep.add_dataset(fresh.node, record, {}, "p-test"),
        lambda: keep.change_dataset(fresh.node, "new", "p-test", publish=True),
        lambda: keep.withdraw_dataset(fresh.node, "new", "p-test"),
    ):
        with pytest.raises(errors.Conflict):
            attempt()


def test_a_record_is_not_turned_into_another_datasets(fresh, make_turtle):
    with pytest.raises(errors.Conflict):
        keep.change_dataset(fresh.node, "victims", "p-test", turtle=make_turtle(fresh.base, "other"))


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"title": "<b>Bold</b>"}, "title", "markup"),
        ({"title": "<script>alert(1)</script>"}, "title", "markup"),
        ({"publisher": "https://other.example/organisation"}, "publisher", "publishes for"),
        ({"more": "; dct:source <file:///etc/passwd>"}, "source", "file:"),
        ({"more": "; dct:source <relative/path>"}, "source", "relative IRI"),
        ({"more": "; dct:source <http://localhost/x>"}, "source", "only this machine"),
        ({"more": "; dct:source <http://10.0.0.1/x>"}, "source", "only this machine"),
        ({"more": "; dct:source <https://user:secret@example.org/x>"}, "source", "password"),
        ({"more": "; dcat:downloadURL <https://example.org/data.csv>"}, "downloadURL", "not public"),
        ({"more": ", [ a fn:Binding ; fn:column 'x' ; fn:variable ht:shoeSize ]"}, "column 'x'", "ontology"),
        ({"more": ", [ a fn:Binding ; fn:column 'x' ; fn:variable ht:sex ]"}, "column 'x'", "second column"),
        (
            {
                "more": ", [ a fn:Binding ; fn:column 'x' ; fn:variable ht:region ; fn:code [ fn:local 'q' ; "
                "fn:concept <https://w3id.org/fairnode/code/sex/Female> ] ]"
            },
            "column 'x', code 'q'",
            "not a code of region",
        ),
        (
            {"more": ", [ a fn:Binding ; fn:column 'x' ; fn:variable ht:region ; fn:code [ fn:local 'q' ] ]"},
            "column 'x', code 'q'",
            "no concept",
        ),
        (
            {"more": '; <http://healthdataportal.eu/ns/health#numberOfRecords> "1234"^^xsd:integer'},
            "numberOfRecords",
            "rounded to 10",
        ),
        (
            {
                "more": "; odrl:hasPolicy [ a odrl:Offer ; odrl:permission [ odrl:action htpol:visit ; "
                "odrl:constraint [ odrl:leftOperand odrl:count ; odrl:operator odrl:eq ; "
                "odrl:rightOperand 1 ] ] ]"
            },
            "constraint",
            "operand",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(house, make_turtle, changes, where, what):
    found = findings(house, make_turtle(house.base, "new", **changes))
    assert any(where in place and what in said for place, said in found), found


def test_a_missing_field_is_told_by_its_name(house, make_turtle):
    record = make_turtle(house.base, "new").replace(
        b"dct:license <https://creativecommons.org/licenses/by/4.0/> ;", b""
    )
    found = findings(house, record)
    assert any("licence" in place and "missing" in said for place, said in found), found
    assert not any("sh:" in said or "shape" in said for _, said in found)


def test_a_statement_about_another_record_is_refused(house, make_turtle):
    record = make_turtle(house.base, "new")
    record += f'<{house.base}/dataset/victims> dct:title "Taken over"@en .'.encode()
    assert any("another record" in said for _, said in findings(house, record))


def test_a_record_needs_an_iri_of_this_node(house, make_turtle):
    elsewhere = make_turtle("https://other.example", "new", publisher=f"{house.base}/organisation")
    assert any("must be" in said for _, said in findings(house, elsewhere))
    nameless = make_turtle(house.base, "new").replace(f"<{house.base}/dataset/new>".encode(), b"[]")
    assert findings(house, nameless)
    relative = make_turtle(house.base, "new").replace(f"<{house.base}/dataset/new>".encode(), b"<>")
    assert any("relative" in said for _, said in findings(house, relative))


def test_broken_turtle_is_told_with_its_line(house, make_turtle):
    record = make_turtle(house.base, "new").replace(b"dct:spatial", b"dct:spatial ;;; oops", 1)
    places = [place for place, _ in findings(house, record)]
    assert any(place.startswith("line ") for place in places), places


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\xff\xfe",
        b"just words",
        b"{}",
        b"<a> <b>",
        b"@prefix : <x:> . :a :b " + b"[ :c " * 3000 + b"]" * 3000 + b" .",
        b"@prefix : <x:> . :a :b " + b"( " * 5000 + b")" * 5000 + b" .",
        b"@prefix : <x:> . :a :b " + b"[ :c 1 ] , " * 3000 + b"[ :c 1 ] .",
        b"@prefix : <x:> . :a :b " + b",".join(b"%d" % n for n in range(30_000)) + b" .",
        b"#" * (50 * 1024 * 1024),
    ],
    ids=["nothing", "latin", "words", "json", "cut", "nested", "lists", "blank", "many", "huge"],
)
def test_garbage_and_bombs_are_refused_soon(house, record):
    begin = time.process_time()
    findings(house, record)
    assert time.process_time() - begin < 30


def test_the_policy_is_told_in_words_before_anybody_asks(house):
    told = keep.record(house.node, "victims")
    policy = in_words(told.graph, told.record.iri)
    assert [rule.heading for rule in policy.rules] == ["put to the custodian and counsel"]
    assert "its purpose is statistics on trafficking" in policy.rules[0].conditions
    assert policy.modifiers[0][0] == "statistics only"


def test_the_sample_is_invented_from_the_code_lists(house):
    record = keep.record(house.node, "victims").record
    lines = sample_csv(record).decode().splitlines()
    assert lines[0] == "year,sex"
    assert len(lines) == 51
    assert sample_csv(record) == sample_csv(record)
    assert {line.split(",")[0] for line in lines[1:]} <= {str(y) for y in range(2010, 2016)}


def test_writing_and_reading_keeps_literals_as_they_are():
    content = b'@prefix : <https://x.example/> . :a :b "01"^^:t , "", "x"@nl , 1.50 , true .'
    graph = read_turtle(content)
    for form in Form:
        again = rdflib.Graph().parse(data=write(graph, form), format=PARSERS[form])
        assert set(again) == set(graph), form
