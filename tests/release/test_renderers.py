"""Tables, cube and chart of a release say what the gated table says, and nothing else."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import RDF, Graph, Literal, Namespace, URIRef
from rdflib.namespace import XSD

from fairnode.records.result import (
    Condition,
    Dimension,
    Kind,
    Margin,
    PublicCell,
    PublicTable,
    Status,
    TableSpec,
    Unit,
)
from fairnode.records.result_json import tables_to_json
from fairnode.release.chart import to_svg
from fairnode.release.cube import iri, literal, to_cube
from fairnode.release.tables import to_csv
from fairnode.release.words import Labels, Provenance

QB = Namespace("http://purl.org/linked-data/cube#")
PROV = Namespace("http://www.w3.org/ns/prov#")
HT = Namespace("https://w3id.org/fairnode/ontology#")
FN = Namespace("https://w3id.org/fairnode/node#")
SDMX = Namespace("http://purl.org/linked-data/sdmx/2009/attribute#")
CODE = Namespace("http://purl.org/linked-data/sdmx/2009/code#")
SVG = "{http://www.w3.org/2000/svg}"
REGION = Dimension("region", ("NL-AM", "NL-RT"))
YEAR = Dimension("year", ("2010", "2011"))
FORM = Dimension("form", ("s", "l", "d"))
LABELS = Labels(
    variables={"region": "Region", "form": "Form"},
    codes={("region", "NL-AM"): 'Amster"dam & <co>'},
    concepts={("region", code): f"https://w3id.org/fairnode/code/region/{code}" for code in REGION.codes},
    datatypes={"year": str(XSD.gYear)},
)
PROVENANCE = Provenance(
    release="https://node.example/release/7",
    title='Counts "2010"\nand 2011',
    issued="2026-11-21",
    visit="https://node.example/visit/3",
    study="urn:uuid:6f9619ff-8b86-d011-b42d-00cf4fc964ff",
    datasets=("https://node.example/dataset/police victims",),
    publisher="https://node.example/organisation",
    rules="ab" * 32,
    checks=("https://www.w3id.org/statbarnsdc#NKCheck",),
    licence="http://creativecommons.org/licenses/by/4.0/",
)


def gated(*axes, kind=Kind.COUNT, numbers=(25, None, 1240, 10)):
    more = {"measure": "age"} if kind in {Kind.SUM, Kind.MEAN} else {}
    if kind is Kind.PROPORTION:
        more = {"numerator": Condition("sex", frozenset({"female"}))}
    spec = TableSpec("counts", kind, Unit.PERSON, "records", axes, **more)
    keys = list(spec.keys())
    cells = tuple(
        PublicCell(key, Status.HIDDEN)
        if n is None
        else PublicCell(key, Status.SHOWN, n, None if kind is Kind.COUNT else n / 8)
        for key, n in zip(keys, numbers * len(keys), strict=False)
    )
    return PublicTable(spec, cells, (Margin("region", "NL-AM", 25), Margin(None, None, None)), 5)


def test_csv_has_a_line_a_cell_and_nothing_in_hidden_ones():
    lines = list(csv.reader(io.StringIO(to_csv(gated(REGION, YEAR)))))
    assert lines == [
        ["region", "year", "status", "n"],
        ["NL-AM", "2010", "shown", "25"],
        ["NL-AM", "2011", "hidden", ""],
        ["NL-RT", "2010", "shown", "1240"],
        ["NL-RT", "2011", "shown", "10"],
    ]


def test_csv_of_means_has_the_value_too():
    lines = to_csv(gated(REGION, kind=Kind.MEAN)).splitlines()
    assert lines == ["region,status,n,v", "NL-AM,shown,25,3.125", "NL-RT,hidden,,"]


def test_json_says_how_it_was_rounded_and_that_totals_are_of_shown_cells():
    told = json.loads(json.dumps(tables_to_json([gated(REGION, YEAR)], release="7", rules="ab")))
    assert (told["type"], told["release"], told["rules"]) == ("fairnode.release/1", "7", "ab")
    table = told["tables"][0]
    assert table["roundedTo"] == 5
    assert table["cells"][:2] == [
        {"k": ["NL-AM", "2010"], "status": "shown", "n": 25},
        {"k": ["NL-AM", "2011"], "status": "hidden"},
    ]
    assert table["sumsOfShownCells"] == [{"variable": "region", "code": "NL-AM", "n": 25}, {"n": None}]
    mean = tables_to_json([gated(REGION, kind=Kind.MEAN)], release="7", rules="ab")["tables"][0]
    assert mean["cells"][0]["v"] == 3.125
    assert mean["measure"] == "age"


@pytest.fixture
def cube():
    text = to_cube([gated(REGION, YEAR)], LABELS, PROVENANCE)
    return Graph().parse(data=text, format="turtle")


def test_the_cube_has_an_observation_for_every_cell_with_all_its_dimensions(cube):
    data_set = URIRef("https://node.example/release/7#counts")
    assert (data_set, RDF.type, QB.DataSet) in cube
    observations = list(cube.subjects(QB.dataSet, data_set))
    assert len(observations) == 4
    found = {
        (str(cube.value(o, HT.region)).rsplit("/")[-1], str(cube.value(o, HT.year))): cube.value(
            o, FN["count"]
        )
        for o in observations
    }
    assert found["NL-AM", "2010"] == Literal(25)
    assert found["NL-AM", "2011"] is None
    assert {type(cube.value(o, HT.region)) for o in observations} == {URIRef}
    assert {cube.value(o, HT.year).datatype for o in observations} == {XSD.gYear}


def test_hidden_and_shown_are_the_only_two_statuses_of_the_cube(cube):
    statuses = [cube.value(o, SDMX.confStatus) for o in cube.subjects(RDF.type, QB.Observation)]
    assert sorted(statuses) == [CODE["confStatus-F"]] * 3 + [CODE["confStatus-N"]]


def test_the_structure_of_the_cube_declares_what_observations_use(cube):
    structure = cube.value(URIRef("https://node.example/release/7#counts"), QB.structure)
    components = list(cube.objects(structure, QB.component))
    dimensions = {cube.value(c, QB.dimension) for c in components} - {None}
    measures = {cube.value(c, QB.measure) for c in components} - {None}
    attributes = {cube.value(c, QB.attribute) for c in components} - {None}
    assert dimensions == {HT.region, HT.year}
    assert measures == {FN["count"]}
    assert attributes == {SDMX.unitMeasure, SDMX.confStatus, SDMX.obsStatus}
    for observation in cube.subjects(RDF.type, QB.Observation):
        used = set(cube.predicates(observation)) - {RDF.type, QB.dataSet}
        assert used <= dimensions | measures | attributes
    assert {cube.value(d, RDF.type) for d in dimensions} <= {QB.DimensionProperty, QB.CodedProperty}
    assert cube.value(HT.region, QB.codeList) is not None


def test_the_cube_says_where_it_comes_from(cube):
    data_set = URIRef("https://node.example/release/7#counts")
    assert cube.value(data_set, PROV.wasGeneratedBy) == URIRef(PROVENANCE.visit)
    assert URIRef("https://node.example/dataset/police%20victims") in set(
        cube.objects(data_set, PROV.wasDerivedFrom)
    )
    assert str(cube.value(data_set, URIRef("http://purl.org/dc/terms/title"))) == PROVENANCE.title


def test_a_cube_of_means_has_both_measures_and_needs_no_labels():
    bare = replace(PROVENANCE, licence=None, checks=())
    text = to_cube([gated(REGION, kind=Kind.MEAN), gated(kind=Kind.PROPORTION)], Labels(), bare)
    graph = Graph().parse(data=text, format="turtle")
    assert {float(v) for v in graph.objects(None, FN.mean)} == {3.125}
    assert {float(v) for v in graph.objects(None, FN["proportion"])} == {3.125}
    assert Literal("NL-AM") in set(graph.objects(None, HT.region))


@given(st.text(max_size=40))
def test_any_text_survives_turtle(text):
    text = "".join(c for c in text if c.isprintable() or c in "\n\r\t")
    graph = Graph().parse(data=f"<urn:a> <urn:b> {literal(text)} .", format="turtle")
    assert str(graph.value(URIRef("urn:a"), URIRef("urn:b"))) == text


@given(st.text(st.characters(codec="ascii"), max_size=20))
def test_no_text_breaks_out_of_an_iri(text):
    assert ">" not in iri(text)[1:-1]
    assert " " not in iri(text)


@pytest.mark.parametrize(
    "axes", [(), (REGION,), (REGION, YEAR), (FORM, REGION, YEAR)], ids=["none", "one", "two", "three"]
)
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", ["en", "nl"])
def test_a_chart_is_well_formed_and_shows_every_cell(axes, kind, language):
    table = gated(*axes, kind=kind)
    root = ElementTree.fromstring(to_svg(table, replace(LABELS, language=language), "Counts <2010>"))
    marks = [rect for rect in root.iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]
    assert len(marks) == len(table.cells)
    hatched = [rect for rect in marks if rect.get("fill") == "url(#chart-hatch)"]
    assert len(hatched) == sum(cell.status is Status.HIDDEN for cell in table.cells)
    word = {"en": "hidden", "nl": "verborgen"}[language]
    assert all(rect.find(f"{SVG}title").text.endswith(word) for rect in hatched)
    assert root.get("role") == "img"
    ids = root.get("aria-labelledby").split()
    assert [root.find(f".//*[@id='{name}']").tag for name in ids] == [f"{SVG}title", f"{SVG}desc"]


def test_a_chart_with_long_names_across_turns_them_down_the_page():
    means = Dimension("means", tuple(f"a rather long means of control {i}" for i in range(9)))
    text = to_svg(gated(REGION, means), LABELS, "Means")
    assert "rotate(-45" in text
    narrow = to_svg(gated(means, REGION), Labels(), "Means")
    assert "…" in text
    assert 'text-anchor="end"' in narrow


def test_a_chart_in_which_all_is_hidden_or_shown_is_drawn_too():
    assert "hidden" in to_svg(gated(REGION, YEAR, numbers=(None,)), LABELS, "x")
    assert "Hatched" not in to_svg(gated(REGION, YEAR, numbers=(10, 20)), LABELS, "x")
    assert "<rect" in to_svg(gated(REGION, numbers=(None,)), LABELS, "x")


def test_two_charts_on_a_page_share_no_ids():
    one, two = (to_svg(gated(REGION), LABELS, "x", id_prefix=name) for name in ("a", "b"))
    assert 'id="a-hatch"' in one
    assert 'id="a-hatch"' not in two
