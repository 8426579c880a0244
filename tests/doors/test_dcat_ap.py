"""The official shapes of DCAT-AP 3.0.1 find nothing wrong with what is served, but for one known conflict."""

from __future__ import annotations

from pathlib import Path

import pyshacl
import pytest
from rdflib import OWL, RDF, Graph, Namespace, URIRef

SHAPES = Path(__file__).parent / "dcat-ap"
SH = Namespace("http://www.w3.org/ns/shacl#")
PATHS = (
    "/",
    "/catalogue/data",
    "/dataset/victims",
    "/dataset/border",
    "/distribution/victims",
    "/service/visit",
)

# FDP 1.2 says that a catalogue is part of the FAIR Data Point; DCAT-AP says, of another catalogue.
KNOWN = URIRef("http://purl.org/dc/terms/isPartOf")

# What a police register cannot or need not say: boxes of countries, and which datasets the index itself serves.
NOT_SAID = {"bbox", "centroid", "servesDataset", "spatial"}


@pytest.fixture(scope="module")
def served(client) -> Graph:
    graph = Graph()
    for path in PATHS:
        graph.parse(data=client.get(path).text, format="turtle")
    return graph


def results(served: Graph, name: str) -> list[tuple[str, str, str]]:
    shapes = Graph().parse(SHAPES / name, format="turtle")
    shapes.remove((None, OWL.imports, None))
    _, report, _ = pyshacl.validate(served, shacl_graph=shapes)
    return [
        tuple(str(report.value(result, part)) for part in (SH.resultPath, SH.focusNode, SH.resultMessage))
        for result in report.subjects(RDF.type, SH.ValidationResult)
    ]


@pytest.mark.long
def test_every_mandatory_shape_is_kept(served):
    assert results(served, "shapes.ttl") == []


@pytest.mark.long
def test_every_range_is_kept_but_for_the_known_conflict(served):
    found = results(served, "range.ttl")
    assert [r for r in found if r[0] != str(KNOWN)] == []


@pytest.mark.long
def test_what_is_recommended_is_said_where_it_can_be(served):
    found = results(served, "shapes_recommended.ttl")
    assert [r for r in found if r[0].rsplit("/", 1)[-1].rsplit("#", 1)[-1] not in NOT_SAID] == []
