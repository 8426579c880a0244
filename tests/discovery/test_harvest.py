"""Harvesting: what is honest is found and kept as received; what is not is refused, and nothing else suffers."""

from __future__ import annotations

import json
import time

import pytest

from fairnode import errors
from fairnode.app import create_app
from fairnode.discovery.harvest import keep_records
from fairnode.discovery.search import Wanted, search
from fairnode.discovery.sources import add_source, due, remove_source, run_source, sources, tell_indexes
from fairnode.peers.harvester import Limits, below, check_allowed, resolve
from fairnode.records.rows import PeerRecord

from .conftest import PREFIXES, record

QUICK = Limits(documents=50, bytes_each=200_000, bytes_all=2_000_000, seconds_each=1.0, seconds_all=6.0)


def harvested(node, point, limits=QUICK, prefix=""):
    source = add_source(node, point.url, prefix)
    return run_source(node, source, limits)


def titles(node) -> list[str]:
    return [found.title for found in search(node, Wanted())]


def reasons(taken) -> str:
    return "\n".join(f"{finding.where} {finding.what}" for finding in taken.refused)


def test_a_fair_data_point_is_walked_and_its_records_are_kept_as_received(node, make_point, allowing) -> None:
    point = make_point().honest(3)
    node = allowing(node, point.url)
    taken = harvested(node, point)
    assert (taken.kept, taken.changed, taken.gone, taken.refused) == (3, 3, 0, ())
    assert titles(node) == ["Dataset 0", "Dataset 1", "Dataset 2"]
    with node.store.read() as reader:
        kept = reader.get(PeerRecord, f"{point.url}/dataset/d1")
    assert kept.record == point.pages["/dataset/d1"][1]
    assert len(point.asked) == len(set(point.asked)) == 5, "each address is called once"


def test_a_second_harvest_takes_what_changed_and_drops_what_is_gone(node, make_point, allowing) -> None:
    point = make_point().honest(3)
    node = allowing(node, point.url)
    harvested(node, point)
    point.put("/dataset/d1", record(f"{point.url}/dataset/d1", "A new title"))
    point.put("/catalog/c", point.pages["/catalog/c"][1].decode().replace(
        f"<{point.url}/catalog/c> dcat:dataset <{point.url}/dataset/d2> .", ""))  # fmt: skip
    taken = run_source(node, sources(node)[0], QUICK)
    assert (taken.kept, taken.changed, taken.gone) == (2, 1, 1)
    assert titles(node) == ["A new title", "Dataset 0"]


def test_json_ld_and_ldp_containers_without_plain_links_are_read(node, make_point, allowing) -> None:
    point = make_point()
    point.put(
        "/", f"{PREFIXES} <{{base}}> a fdp-o:MetadataService . <{{base}}/all/> ldp:contains <{{base}}/d/1> ."
    )
    point.put("/d/1", json.dumps({
        "@context": {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"},
        "@id": "{base}/d/1", "@type": "dcat:Dataset", "dct:title": "In JSON",
    }), "application/ld+json; charset=utf-8")  # fmt: skip
    node = allowing(node, point.url)
    assert harvested(node, point).kept == 1
    assert titles(node) == ["In JSON"]


def test_a_distribution_with_a_document_of_its_own_is_kept_beside_its_dataset(
    node, make_point, allowing
) -> None:
    point = make_point().honest(1)
    point.put("/dataset/d0", record(f"{point.url}/dataset/d0", more=f"; dcat:distribution <{point.url}/x/1>"))
    point.put("/x/1", f"{PREFIXES} <{{base}}/x/1> a dcat:Distribution ; dct:title 'By visiting' .")
    node = allowing(node, point.url)
    assert harvested(node, point).kept == 1
    with node.store.read() as reader:
        assert reader.get(PeerRecord, f"{point.url}/x/1").state == "part"


def test_persistent_iris_are_believed_only_under_the_prefix_that_was_named(
    node, make_point, allowing
) -> None:
    point = make_point()
    point.put(
        "/", f"{PREFIXES} <https://w3id.org/p> a fdp-o:FAIRDataPoint ; fdp-o:metadataCatalog <{{base}}/c> ."
    )
    point.put("/c", f"{PREFIXES} <https://w3id.org/p/c> a dcat:Catalog ; dcat:dataset <{{base}}/d> .")
    point.put("/d", record("https://w3id.org/p/d", "Persistent"))
    node = allowing(node, point.url)
    with pytest.raises(errors.NotAllowed, match="says that it is <https://w3id"):
        harvested(node, point)
    assert sources(node)[0].trouble.startswith("The FAIR Data Point at")
    remove_source(node, point.url)
    assert harvested(node, point, prefix="https://w3id.org/p/").kept == 1
    assert titles(node) == ["Persistent"]


def test_what_belongs_to_another_is_not_believed(node, make_point, allowing) -> None:
    point = make_point().honest(1)
    stolen = record("https://police.example/dataset/victims", "Stolen")
    point.put("/dataset/d0", record(f"{point.url}/dataset/d0") + stolen)
    node = allowing(node, point.url)
    taken = harvested(node, point)
    assert taken.kept == 1
    assert "https://police.example/dataset/victims is claimed by" in reasons(taken)


def test_nobody_outside_speaks_for_a_member_of_the_network_or_for_this_node(
    node, make_point, allowing
) -> None:
    point = make_point()
    node = allowing(node, point.url, node.iri)
    with pytest.raises(errors.NotAllowed):
        add_source(node, node.iri)
    for prefix in ("https://home.example/", "https://home.example/dataset/", "https://"):
        with pytest.raises((errors.NotAllowed, errors.NotValid)):
            add_source(node, point.url, prefix)


def test_one_source_cannot_take_over_the_record_of_another(node, make_point, allowing) -> None:
    first, second = make_point(), make_point()
    for point in (first, second):
        point.put("/", f"{PREFIXES} <{{base}}> a fdp-o:FAIRDataPoint ; dcat:dataset <{{base}}/d> .")
    first.put("/d", record("https://w3id.org/p/d", "The first"))
    second.put("/d", record("https://w3id.org/p/d", "The second"))
    node = allowing(node, first.url, second.url)
    assert harvested(node, first, prefix="https://w3id.org/p/").kept == 1
    taken = harvested(node, second, prefix="https://w3id.org/p/")
    assert taken.kept == 0
    assert "publishes this already" in reasons(taken)
    assert titles(node) == ["The first"]


def slow(handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/turtle")
    handler.end_headers()
    for _ in range(400):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def huge(handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/turtle")
    handler.end_headers()
    for _ in range(10_000):
        handler.wfile.write(b"# nothing\n" * 1000)


def redirecting(target: str):
    def act(handler) -> None:
        handler.send_response(302)
        handler.send_header("Location", target)
        handler.end_headers()

    return act


def no_http(handler) -> None:
    handler.wfile.write(b"\x00\xff garbage\r\n\r\n")


HOSTILE = {
    "slow": (slow, "took longer than"),
    "huge": (huge, "is larger than"),
    "to a file": (redirecting("file:///etc/passwd"), "no http(s) address"),
    "to this machine": (redirecting("http://127.0.0.1:22/"), "leads elsewhere"),
    "to another name": (redirecting("http://localhost/dataset/d0"), "leads elsewhere"),
    "to the cloud": (redirecting("http://169.254.169.254/latest/"), "leads elsewhere"),
    "in a circle": (redirecting("/dataset/d0"), "again and again"),
    "no HTTP": (no_http, "does not answer as agreed"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_document_is_refused_with_its_reason_and_the_others_are_kept(
    case, node, make_point, allowing
) -> None:
    act, reason = HOSTILE[case]
    point = make_point().honest(3)
    point.acts["/dataset/d0"] = act
    node = allowing(node, point.url)
    taken = harvested(node, point)
    assert reason in reasons(taken)
    assert titles(node) == ["Dataset 1", "Dataset 2"]


BROKEN = {
    "broken Turtle": ("<a> <b> ", "text/turtle", "not Turtle or JSON-LD"),
    "HTML": ("<html>", "text/html", "instead of Turtle"),
    "a bomb of blank nodes": ("<u:a> <u:b> []" + ",[]" * 25_000 + " .", "text/turtle", "statements"),
    "a nest of blank nodes": ("<u:a> <u:b> " + "[<u:c>" * 25_000, "text/turtle", "not Turtle"),
    "a remote context": ('{"@context": "http://127.0.0.1:1/x"}', "application/ld+json", "not Turtle or JSON-LD"),
    "deep JSON": ("[" * 90_000, "application/ld+json", "not Turtle or JSON-LD"),
    "a file: IRI": (record("{base}/dataset/d0", more="; dct:source <file:///a>"), "text/turtle", "'file:'"),
    "markup in its title": (record("{base}/dataset/d0", "<img src=x>"), "text/turtle", "markup"),
    "no title": (f'{PREFIXES} <{{base}}/dataset/d0> a dcat:Dataset ; dct:title " " .', "text/turtle", "no title"),
    "bytes that are no UTF-8": ("\x00\x01", "text/turtle", "not Turtle"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_record_is_refused_with_its_reason_and_the_others_are_kept(
    case, node, make_point, allowing
) -> None:
    text, kind, reason = BROKEN[case]
    point = make_point().honest(2)
    point.put("/dataset/d0", text, kind)
    node = allowing(node, point.url)
    taken = harvested(node, point)
    assert reason in reasons(taken)
    assert titles(node) == ["Dataset 1"]


def test_a_record_that_breaks_later_stays_as_it_was_last_read(node, make_point, allowing) -> None:
    point = make_point().honest(2)
    node = allowing(node, point.url)
    harvested(node, point)
    point.put("/dataset/d0", "broken")
    taken = run_source(node, sources(node)[0], QUICK)
    assert taken.gone == 0
    assert titles(node) == ["Dataset 0", "Dataset 1"]


def test_endless_links_end(node, make_point, allowing) -> None:
    point = make_point()
    point.put("/", f"{PREFIXES} <{{base}}> a fdp-o:FAIRDataPoint ; ldp:contains <{{base}}/0>, <{{base}}> .")
    for n in range(200):
        links = " , ".join(f"<{{base}}/{n * 3 + k}>" for k in range(5))
        point.put(f"/{n}", f"{PREFIXES} <{{base}}/{n}> ldp:contains {links} .")
    node = allowing(node, point.url)
    taken = harvested(node, point)
    assert taken.kept == 0
    assert "too many links away" in reasons(taken) or "more than 50 documents" in reasons(taken)
    assert len(point.asked) <= QUICK.documents


def test_a_point_that_is_too_large_as_a_whole_loses_nothing_that_was_known(
    node, make_point, allowing
) -> None:
    point = make_point().honest(3)
    node = allowing(node, point.url)
    harvested(node, point)
    few = Limits(documents=3, seconds_each=1.0, seconds_all=6.0)
    taken = run_source(node, sources(node)[0], few)
    assert "more than 3 documents" in reasons(taken)
    assert (taken.gone, len(titles(node))) == (0, 3)


def test_headers_that_never_end_are_cut_off_by_the_clock(node, make_point, allowing) -> None:
    def drip(handler) -> None:
        for letter in b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500:
            handler.wfile.write(bytes([letter]))
            handler.wfile.flush()
            time.sleep(0.3)

    point = make_point()
    point.acts["/"] = drip
    node = allowing(node, point.url)
    begin = time.monotonic()
    with pytest.raises(errors.Unavailable):
        harvested(node, point, Limits(seconds_each=1.0, seconds_all=-26.0))
    assert time.monotonic() - begin < 60  # the headers would take two and a half minutes


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example",
        "https://fdp.example.evil.example",
        "https://fdp.example@evil.example/",
        "http://fdp.example/",
        "https://fdp.example:8443/",
        "file:///etc/passwd",
        "gopher://fdp.example/",
        "https://fdp.example/public/../private",
        "https://[::1",
    ],
)
def test_only_addresses_of_the_list_are_called(url) -> None:
    check_allowed("https://fdp.example/public/x", ["https://fdp.example/public"])
    with pytest.raises(errors.NotAllowed):
        check_allowed(url, ["https://fdp.example/public"])
    assert not below("https://fdp.example/publicity", "https://fdp.example/public")


PRIVATE = ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0",
           "2130706433", "0x7f.1", "100.64.0.1"]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_addresses_of_this_machine_and_its_network_are_not_called(host) -> None:
    with pytest.raises((errors.NotAllowed, errors.Unavailable)):
        resolve(f"http://{host}/", ())


def test_an_address_that_is_no_longer_allowed_is_no_longer_called(node, make_point, allowing) -> None:
    point = make_point().honest(1)
    source = add_source(allowing(node, point.url), point.url)
    with pytest.raises(errors.NotAllowed):
        run_source(allowing(node), source, QUICK)
    with pytest.raises(errors.NotAllowed, match="own network"):
        run_source(allowing(node, point.url, private=()), source, QUICK)
    assert point.asked == []


def test_an_index_is_told_once_in_seven_days_and_only_when_the_operator_wants(
    node, make_point, allowing
) -> None:
    point = make_point()
    assert tell_indexes(allowing(node, point.url)) == []
    wanting = allowing(node, ping=(f"{point.url}/",))
    assert tell_indexes(wanting) == [f"{point.url}/"]
    assert tell_indexes(wanting) == []
    assert [json.loads(body) for body in point.bodies] == [{"clientUrl": "https://home.example"}]


def test_members_of_the_network_are_believed_about_their_own_datasets_only(node) -> None:
    told = [
        {
            "iri": "https://police.example/dataset/a",
            "record": record("https://police.example/dataset/a", "Mine"),
        },
        {
            "iri": "https://other.example/dataset/a",
            "record": record("https://other.example/dataset/a", "Not mine"),
        },
        {"iri": "https://police.example/dataset/b", "record": "broken"},
        {"iri": "https://police.example/dataset/c", "record": record("https://police.example/dataset/x")},
        {},
    ]
    assert keep_records(node, "https://police.example", told) == 1
    assert titles(node) == ["Mine"]
    assert keep_records(node, "https://police.example", []) == 0
    assert titles(node) == []


def test_what_did_not_change_is_not_sent_again(node, make_point, allowing) -> None:
    point = make_point().honest(3)
    point.etags = True
    node = allowing(node, point.url)
    assert harvested(node, point).unchanged == 0
    point.put("/dataset/d1", record(f"{point.url}/dataset/d1", "A new title"))
    taken = run_source(node, sources(node)[0], QUICK)
    assert (taken.kept, taken.changed, taken.gone, taken.unchanged) == (3, 1, 0, 4)
    assert sorted(point.spared) == ["/", "/catalog/c", "/dataset/d0", "/dataset/d2"]
    assert titles(node) == ["A new title", "Dataset 0", "Dataset 2"]


def test_damaged_or_poisoned_copies_change_nothing_but_the_speed(node, make_point, allowing) -> None:
    point = make_point().honest(2)
    point.etags = True
    node = allowing(node, point.url)
    harvested(node, point)
    (copies,) = (node.config.index / "fetched").iterdir()
    copies.write_bytes(b"garbage" * 1000)
    taken = run_source(node, sources(node)[0], QUICK)
    assert (taken.kept, taken.changed, taken.unchanged) == (2, 0, 0)
    remove_source(node, point.url)
    assert not copies.exists()


def test_a_server_that_says_not_modified_unasked_is_not_believed(node, make_point, allowing) -> None:
    point = make_point().honest(2)

    def lie(handler) -> None:
        handler.send_response(304)
        handler.end_headers()

    point.acts["/dataset/d0"] = lie
    node = allowing(node, point.url)
    taken = harvested(node, point)
    assert taken.kept == 1
    assert "304" in reasons(taken)


def test_pings_are_taken_only_where_they_are_welcome_and_fetch_nothing(node, make_point, allowing) -> None:
    point = make_point().honest(1)
    other = make_point().honest(1)
    node = allowing(node, point.url, other.url, welcome=(point.url,))
    door = create_app(node).test_client()

    def ping(told: object, **more: str) -> int:
        return door.post("/", json=told, **more).status_code

    assert ping({"clientUrl": point.url}) == 204
    assert ping({"clientUrl": f"{point.url}/"}) == 204, "the same again"
    assert [source.url for source in due(node)] == [point.url]
    for told in ({"clientUrl": None}, {"clientUrl": "testing"}, {"content": "http://test"}, []):
        assert ping(told) == 400, told
    assert ping({"clientUrl": other.url}) == 403
    assert ping({"clientUrl": "http://169.254.169.254/"}) == 403
    assert door.post("/", data=b"{}", content_type="text/turtle").status_code == 415
    assert ping({"clientUrl": point.url}) == 204, "the tenth"
    refused = door.post("/", json={"clientUrl": point.url})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 3600
    assert point.asked == other.asked == []
    assert run_source(node, due(node)[0], QUICK).kept == 1
    assert due(node) == []


def test_a_node_that_welcomes_nobody_takes_no_ping(node) -> None:
    answer = create_app(node).test_client().post("/", json={"clientUrl": "https://other.example"})
    assert answer.status_code == 405
