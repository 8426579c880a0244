"""What a dataset's record tells of its variables passed the gate, was seen by a custodian, and hides every change."""

from __future__ import annotations

import hashlib
import urllib.request
from datetime import date
from pathlib import Path

import pytest
import rdflib
from rdflib.namespace import DCAT, RDF

from fairnode import errors
from fairnode.disclosure.rules import load_rules
from fairnode.gate.histories import release_from_json
from fairnode.gate.order import Asking, check_node_sets
from fairnode.gate.refusals import Refused
from fairnode.keys import digest, open_envelope
from fairnode.metadata.keep import change_dataset, dataset
from fairnode.metadata.names import ADMS, FN, SPDX
from fairnode.metadata.profiled import profile_turtle, read_profile, split_profile, with_profile
from fairnode.metadata.rdf import read_turtle
from fairnode.people.accounts import person_of
from fairnode.people.signing import signer_with_token
from fairnode.profiles.measure import forget_draft, measure
from fairnode.profiles.publish import block_of, publish
from fairnode.profiles.twin import draw, due
from fairnode.records.profile import Profile, VariableProfile
from fairnode.records.profile_rows import KeptProfile
from fairnode.records.result import Condition, Dimension, Kind, OutputContract, TableSpec, Unit
from fairnode.records.rows import Earlier
from tests.factories import DATASET, URL

VARIABLES = ("sex", "year", "meansOfControl")


@pytest.fixture(scope="module")
def told(new_site, tmp_path_factory):
    """A node whose custodian published a profile; its data are a copy that a test may change."""
    site = new_site()
    with site.open() as node:
        row = dataset(node, DATASET)
        copied = tmp_path_factory.mktemp("data") / "cases.csv"
        copied.write_bytes(Path(row.source["path"]).read_bytes())
        carla = signer_with_token(node, site.token("carla"))
        row = change_dataset(node, row.id, carla.person.id, source={**row.source, "path": str(copied)})
        measured = measure(node, row, VARIABLES)
        after = publish(node, carla, row, measured, digest(block_of(row, measured)))
        draw(node, after)
    return site, copied, measured


def measured_again(told, variables=VARIABLES):
    with told[0].open() as node:
        row = dataset(node, DATASET)
        found = measure(node, row, variables)
        forget_draft(found, node)
        return found, digest(block_of(row, found))


def test_nothing_small_is_told_and_what_is_hidden_cannot_be_found_by_taking_off(told):
    _, _, measured = told
    assert measured.profile.records % 10 == 0
    hidden = {name: {h.code for h in measured.hidden if h.variable == name} for name in VARIABLES}
    for variable in measured.profile.variables:
        counts = [n for _, n in variable.shown] + ([] if variable.missing is None else [variable.missing])
        assert all(n >= 10 and n % 5 == 0 for n in counts)
        # the size is known: one hidden code alone would be what is left (where nobody has several codes)
        assert variable.variable == "meansOfControl" or len(hidden[variable.variable]) != 1
    assert {h.rule for h in measured.hidden} <= {"threshold", "complementary"}


def test_the_record_as_received_holds_it_and_the_custodian_signed_it(told):
    site, _, measured = told
    with site.open() as node, node.store.read() as reader:
        row = dataset(node, DATASET)
        (kept,) = reader.find(KeptProfile)
        assert row.version == 2
        plain, block = split_profile(row.record)
        assert block == kept.block
        assert split_profile(plain) == (plain, b"")
        assert read_profile(read_turtle(row.record), row.iri).variable("sex") == measured.profile.variable(
            "sex"
        )
        key = signer_with_token(node, site.token("carla")).public
        assert digest(block).encode() in open_envelope(kept.envelope, (key, node.keys.public))


def test_the_gate_remembers_it_as_a_local_release(told):
    """P6: the same cells are released locally or combined, not both."""
    site, _, _ = told
    with site.open() as node, node.store.read() as reader:
        (row,) = reader.find(Earlier)
    earlier = (release_from_json(row.facts),)
    codes = earlier[0].tables[0].spec.dimensions[0].codes
    nodes = frozenset({URL, "http://b.example", "http://c.example"})
    asking = Asking("http://b.example", nodes, date.today())  # noqa: DTZ011

    def contract(*names: str) -> OutputContract:
        axes = tuple(Dimension(name, codes) for name in names)
        return OutputContract((TableSpec("t", Kind.COUNT, Unit.PERSON, "records", axes),))

    with pytest.raises(Refused):
        check_node_sets(asking, contract("sex", "region"), (), earlier, load_rules())
    check_node_sets(
        asking, contract("region"), (Condition("region", frozenset({"NL-AM"})),), earlier, load_rules()
    )


def test_a_few_more_persons_change_nothing_that_is_told(told):
    _, copied, before = told
    content = copied.read_bytes()
    lines = content.splitlines(keepends=True)
    with_new_keys = [b"new" + line for line in lines[1:8]]
    try:
        copied.write_bytes(content + b"".join(with_new_keys))
        again, _ = measured_again(told)
        assert again.memory is None
        assert again.profile == before.profile
        # asked together with another variable, those that were told stand as they were
        other, _ = measured_again(told, ("sex", "region"))
        assert other.stood == ("sex",)
        assert other.profile.variable("sex") == before.profile.variable("sex")
        assert other.profile.records == before.profile.records
        assert other.profile.variable("region").shown
    finally:
        copied.write_bytes(content)


def test_only_what_was_seen_is_published_and_by_a_custodian_only(told):
    site, _, _ = told
    options = ["dataset", "profile", "police-victims", "--variable", "sex"]
    assert site.cli(*options, user="lars", ok=False).returncode != 0
    changed = site.cli(*options, "--publish", "0" * 64, user="carla", ok=False)
    assert changed.returncode == 5
    assert "no longer what you saw" in changed.stderr
    said = site.cli(*options, user="carla").stdout
    assert "combine these variables" in said
    assert "--publish" in said
    assert list((site.directory / "lineages" / "waiting").glob("profile-*")) == []


def test_a_profile_that_did_not_pass_the_gate_gets_into_no_record(told):
    site, _, _ = told
    invented = Profile("person", 100, "2026-01-01", "", (VariableProfile("sex", (("male", 1),)),))
    with site.open() as node:
        row, carla = dataset(node, DATASET), person_of(node, "carla").id
        block = profile_turtle(row.iri, invented)
        for record in (
            with_profile(row.record, block),
            row.record + block,
            row.record.replace(b'"100"', b'"101"'),
        ):
            if record != row.record:
                with pytest.raises(errors.NotValid, match="did not pass"):
                    change_dataset(node, row.id, carla, turtle=record)


def test_the_twin_is_a_sample_with_its_own_address_bytes_and_hash(told):
    site, _, measured = told
    process = site.start("serve")
    try:
        answer = _get(site, "/dataset/police-victims", "text/turtle")
        graph = rdflib.Graph().parse(data=answer, format="turtle")
        me = rdflib.URIRef(DATASET)
        samples = sorted(graph.objects(me, ADMS.sample), key=str)
        assert [str(s) for s in samples] == [f"{DATASET}#twin-csv", f"{DATASET}#twin-parquet"]
        for sample in samples:
            assert (sample, RDF.type, DCAT.Distribution) in graph
            assert str(graph.value(sample, FN.synthetic)) == "true"
            body = _get(site, str(graph.value(sample, DCAT.accessURL)).removeprefix(URL), "*/*")
            assert len(body) == int(graph.value(sample, DCAT.byteSize))
            checksum = graph.value(sample, SPDX.checksum)
            assert hashlib.sha256(body).hexdigest() == str(graph.value(checksum, SPDX.checksumValue))
        assert int(graph.value(graph.value(me, FN.profile), FN.records)) == measured.profile.records
        page = _get(site, "/dataset/police-victims", "text/html").decode()
        assert "How often they occur" in page
        assert "Synthetic twin" in page
    finally:
        site.stop(process)


def _get(site, path: str, accept: str) -> bytes:
    request = urllib.request.Request(f"{site.address}{path}", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def test_a_twin_is_drawn_anew_when_the_profile_changed_and_not_for_other_words(told):
    site, _, _ = told
    with site.open() as node:
        row, carla = dataset(node, DATASET), person_of(node, "carla").id
        assert due(node) == []
        retitled = row.record.replace(b'dct:title "', b'dct:title "New: ', 1)
        assert retitled != row.record
        changed = change_dataset(node, row.id, carla, turtle=retitled)
        assert due(node) == []
        plain = change_dataset(node, row.id, carla, turtle=split_profile(changed.record)[0])
        assert [found.id for found in due(node)] == [row.id]
        assert not draw(node, plain).profiled
        change_dataset(node, row.id, carla, turtle=row.record)
        assert draw(node, dataset(node, DATASET)).profiled
