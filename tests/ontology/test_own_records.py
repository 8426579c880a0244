"""Every record that the node itself makes has the form that its shapes ask of others."""

from pathlib import Path

import pytest

from examples.netherlands.organisations import ORGANISATIONS
from examples.netherlands.records import record
from fairnode import vocabulary
from fairnode.algorithms.own import own_programs
from fairnode.config import Config, Organisation
from fairnode.jobs import shacl
from fairnode.metadata.documents import catalogue
from fairnode.metadata.documents.algorithm import algorithm
from fairnode.metadata.documents.site import Member as Child
from fairnode.metadata.documents.site import Site
from fairnode.network.agreement import ComputeParty, Member, Processing, write_agreement
from fairnode.records.result import Dimension, Kind, PublicCell, PublicTable, Status, TableSpec, Unit
from fairnode.records.rows import Algorithm
from fairnode.release.cube import to_cube
from fairnode.release.estimates import Estimates, ModelEstimate
from fairnode.release.estimates import to_cube as estimates_cube
from fairnode.release.words import Labels, Provenance

NAMES = ("police", "shelter", "care")
MOMENT = "2026-11-21T09:00:00Z"
PROVENANCE = Provenance(
    release="https://node.example/release/1",
    title="Registrations by region",
    issued="2026-11-21",
    visit="https://node.example/visit/1",
    study="urn:uuid:6f1c0c52-6f0f-4b57-9d0e-0d8f5a3f1a01",
    datasets=("https://node.example/dataset/police-victims",),
    publisher="https://node.example/organisation",
    rules="0" * 64,
    facts=(("programVersion", "estimate sha256:aa"), ("contributor", "https://a.example/organisation")),
)


def findings(turtle, shape):
    return shacl.run({"turtle": turtle, "shape": shape, "base": "https://node.example"})["findings"]


@pytest.fixture
def site():
    config = Config(
        Path(), "node", "https://node.example", "127.0.0.1", 8080, Organisation("Example", "police")
    )
    return Site(config, MOMENT, MOMENT)


def test_the_root(site):
    children = [Child("https://node.example/catalogue/data", "Datasets", MOMENT, MOMENT)]
    assert findings(catalogue.root(site, children).serialize(format="turtle"), "root") == []


@pytest.mark.parametrize("make", [catalogue.catalogue, catalogue.algorithms], ids=lambda make: make.__name__)
def test_the_catalogues(site, make):
    assert findings(make(site, []).serialize(format="turtle"), "catalogue") == []


@pytest.mark.parametrize("organisation", ORGANISATIONS, ids=lambda organisation: organisation.key)
def test_the_datasets_of_the_demonstration(organisation):
    assert findings(record(organisation, "https://node.example"), "dataset") == []


@pytest.mark.filterwarnings("ignore:Code. version is not defined")  # rdflib does not know DCAT 3 yet
def test_an_agreement():
    key = "00" * 32
    members = [
        Member(name, f"https://{name}.example", f"https://{name}.example/organisation", key, key, key)
        for name in NAMES
    ]
    processing = tuple(
        Processing(m.organisation, "Processor", f"{vocabulary.HTPOL}GDPR", (f"{vocabulary.HTPOL}Wpg-A22",))
        for m in members
    )
    parties = [
        ComputeParty(
            number, f"https://{name}.example/organisation", f"{name}.example:9000", processing=processing
        )
        for number, name in enumerate(NAMES)
    ]
    told = {
        "iri": "urn:uuid:6f1c0c52-6f0f-4b57-9d0e-0d8f5a3f1a02",
        "title": "Network",
        "members": members,
        "parties": parties,
        "purposes": [f"{vocabulary.HTPOL}TraffickingStatistics"],
        "k": 11,
        "expires": "2099-01-01T00:00:00Z",
    }
    assert findings(write_agreement(told).decode(), "agreement") == []


@pytest.mark.parametrize("kind", [Kind.COUNT, Kind.MEAN, Kind.OTHER])
def test_a_release(kind):
    regions = vocabulary.variable("region").codes[:2]
    spec = TableSpec(
        "counts",
        kind,
        Unit.REGISTRATION,
        "records",
        (Dimension("region", tuple(c.notation for c in regions)),),
    )
    cells = (
        PublicCell(
            (regions[0].notation,),
            Status.SHOWN,
            None if kind is Kind.OTHER else 120,
            None if kind is Kind.COUNT else 1.5e-07,
        ),
        PublicCell((regions[1].notation,), Status.HIDDEN),
    )
    labels = Labels(concepts={("region", code.notation): code.iri for code in regions})
    assert findings(to_cube([PublicTable(spec, cells, (), 5)], labels, PROVENANCE), "release") == []


@pytest.mark.filterwarnings("ignore:Code. version is not defined")  # rdflib does not know DCAT 3 yet
def test_a_program_of_the_node(site):
    own = own_programs()["linkage-keys"]
    row = Algorithm(
        "a",
        own.told.name,
        own.told.version,
        own.told.title,
        own.manifest,
        "",
        own.identity,
        "node",
        "known",
        MOMENT,
    )
    assert findings(algorithm(site, row).serialize(format="turtle"), "algorithm") == []


def test_released_estimates():
    models = (ModelEstimate((), 45000, 2300, 49000, 58000), ModelEstimate(((1, 6),), None, None, None, None))
    told = Estimates(("https://a.example/dataset/a",), "names", estimable=True, observed=8200, models=models)
    assert findings(estimates_cube(told, PROVENANCE), "release") == []
