"""One real node with people, records and an algorithm, and its real web process on a loopback port."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from fairnode import clock, people
from fairnode.config import Config, Organisation, write_config
from fairnode.demo.members import free_ports
from fairnode.keys import digest, make_node_keys
from fairnode.ledger import Entry, commit
from fairnode.metadata import keep
from fairnode.node import Node, open_node
from fairnode.records.rows import Algorithm, Person
from fairnode.store.migrate import migrate

PASSWORD = "correct horse battery staple"
ROLES = ("researcher", "custodian", "counsel", "auditor", "operator")

RECORD = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix fn: <https://w3id.org/fairnode/node#> . @prefix ht: <https://w3id.org/fairnode/ontology#> .
@prefix htpol: <https://w3id.org/fairnode/policy#> . @prefix odrl: <http://www.w3.org/ns/odrl/2/> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix code: <https://w3id.org/fairnode/code/> .
<%(base)s/dataset/%(slug)s> a dcat:Dataset ;
  dct:title "%(title)s"@en ;
  dct:description "Every presumed victim that was reported in 2010 to 2015; one row is a registration."@en ;
  dct:publisher <%(publisher)s> ; dct:issued "2026-11-21"^^xsd:date ;
  dct:temporal [ a dct:PeriodOfTime ; dcat:startDate "2010"^^xsd:gYear ; dcat:endDate "2015"^^xsd:gYear ] ;
  dct:spatial <http://publications.europa.eu/resource/authority/country/NLD> ;
  dct:license <https://creativecommons.org/licenses/by/4.0/> ;
  dct:accessRights <http://publications.europa.eu/resource/authority/access-right/RESTRICTED> ;
  dcat:theme <http://publications.europa.eu/resource/authority/data-theme/JUST> ;
  dcat:keyword "human trafficking"@en ;
  dct:language <http://publications.europa.eu/resource/authority/language/NLD> ;
  dct:conformsTo <https://w3id.org/fairnode/profile/dataset> ;
  dcat:contactPoint [ a vcard:Kind ; vcard:fn "Data desk" ; vcard:hasEmail <mailto:data@police.example> ] ;
  fn:unit ht:Registration ; fn:regime htpol:WPG ; fn:synthetic true ;
  fn:reportingOrganisationType <https://w3id.org/fairnode/code/reportingOrganisation/Police> ;
  odrl:hasPolicy [ a odrl:Offer ; htpol:modifier htpol:StatisticsOnly ;
    odrl:permission [ odrl:action htpol:visit ; odrl:duty [ odrl:action htpol:obtainApproval ] ;
      odrl:constraint [ odrl:leftOperand odrl:purpose ; odrl:operator odrl:isAnyOf ;
        odrl:rightOperand htpol:TraffickingStatistics ] ] ] ;
  fn:binding [ a fn:Binding ; fn:column "jaar" ; fn:variable ht:year ] ,
    [ a fn:Binding ; fn:column "geslacht" ; fn:variable ht:sex ; fn:missing "" , "nb" ;
      fn:code [ fn:local "v" ; fn:concept <https://w3id.org/fairnode/code/sex/Female> ] ,
              [ fn:local "m" ; fn:concept <https://w3id.org/fairnode/code/sex/Male> ] ] %(more)s .
"""


def turtle(base: str, slug: str = "victims", **changes: str) -> bytes:
    """A record that the node takes, but for the `changes`."""
    values = {
        "title": "Presumed victims registered by the police",
        "publisher": f"{base}/organisation",
        "more": "",
    }
    return (RECORD % {"base": base, "slug": slug, **values, **changes}).encode()


@dataclass
class House:
    """A node in a directory, its people and their tokens."""

    node: Node
    persons: dict[str, Person]
    tokens: dict[str, str]
    algorithm: Algorithm
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def base(self) -> str:
        return self.node.iri

    def bearer(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[role]}"}


def build(folder: Path) -> House:
    (port,) = free_ports(1)
    config = Config(
        folder,
        "police",
        f"http://127.0.0.1:{port}",
        "127.0.0.1",
        port,
        Organisation("National Police", "police", "https://www.politie.nl/", "desk@police.example"),
    )
    write_config(config)
    make_node_keys(config.keys)
    migrate(config.database)
    node = open_node(folder)
    persons = {
        role: people.add_person(node, role, f"Robin {role.capitalize()}", [role], PASSWORD) for role in ROLES
    }
    tokens = {
        role: people.make_token(node, person, PASSWORD, "tests")
        for role, person in persons.items()
        if role != "operator"
    }
    for slug, title in (("victims", "Presumed victims registered by the police"), ("border", "Border cases")):
        record = turtle(node.iri, slug, title=title)
        keep.add_dataset(node, record, {"kind": "csv"}, persons["custodian"].id)
    return House(node, persons, tokens, _algorithm(node, persons["researcher"]))


def _algorithm(node: Node, author: Person) -> Algorithm:
    manifest = (Path(__file__).parents[2] / "algorithms/counts/algorithm.toml").read_bytes()
    identity = "sha256:" + "ab" * 32
    row = Algorithm(
        "ab" * 10,
        "counts",
        "1.0.0",
        "Counts by any variables",
        manifest,
        digest(manifest),
        identity,
        author.id,
        "known",
        clock.now(),
    )
    commit(node.desk, lambda tx: tx.add(row), Entry("algorithm.known", row.id, "node"))
    return row


def copy(template: House, folder: Path) -> House:
    """Another directory with the same node."""
    folder.mkdir(mode=0o700)
    source = template.node.config.directory
    shutil.copy(source / "node.toml", folder)
    shutil.copytree(source / "keys", folder / "keys")
    template.node.close()  # so that the file holds everything
    shutil.copy(source / "node.db", folder)
    return House(open_node(folder), template.persons, template.tokens, template.algorithm)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node that is only copied."""
    made = build(tmp_path_factory.mktemp("template") / "police")
    yield made
    made.node.close()


@pytest.fixture(scope="session")
def house(template: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node that tests read, and whose web process `web` starts."""
    made = copy(template, tmp_path_factory.mktemp("house") / "police")
    yield made
    made.node.close()


@pytest.fixture
def fresh(template: House, tmp_path: Path) -> Iterator[House]:
    """A node that a test may change as it likes."""
    made = copy(template, tmp_path / "police")
    yield made
    made.node.close()


def start(house: House) -> subprocess.Popen[bytes]:
    """The node's web process, answering."""
    command = [sys.executable, "-c", "from fairnode.cli.main import main; main()", "serve"]
    process = subprocess.Popen(
        [*command, "--dir", str(house.node.config.directory)], stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{house.base}/healthz", timeout=5):
                return process
        except OSError:
            assert process.poll() is None, "the web process ended"
            time.sleep(0.1)
    raise AssertionError("the web process does not answer")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="session")
def web(house: House) -> Iterator[House]:
    """The node with its web process running."""
    process = start(house)
    house.processes.append(process)
    yield house
    stop(process)


@pytest.fixture(scope="session")
def client(web: House) -> Iterator[httpx2.Client]:
    """Somebody out there."""
    with httpx2.Client(base_url=web.base, timeout=30, follow_redirects=False) as made:
        yield made


@pytest.fixture(scope="session")
def make_turtle() -> Callable[..., bytes]:
    """Makes records."""
    return turtle
