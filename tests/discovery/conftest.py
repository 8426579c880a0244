"""A real node, and real HTTP servers on loopback ports: honest FAIR Data Points and hostile ones."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fairnode.config import Config, Harvest, Organisation
from fairnode.keys import digest
from fairnode.new_node import make_node
from fairnode.node import Node, open_node

PREFIXES = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix fdp-o: <https://w3id.org/fdp/fdp-o#> . @prefix ldp: <http://www.w3.org/ns/ldp#> .
@prefix fn: <https://w3id.org/fairnode/node#> . @prefix ht: <https://w3id.org/fairnode/ontology#> .
@prefix htpol: <https://w3id.org/fairnode/policy#> . @prefix odrl: <http://www.w3.org/ns/odrl/2/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix code: <https://w3id.org/fairnode/code/> . @prefix dcatap: <http://data.europa.eu/r5r/> .
"""


def record(
    iri: str, title: str = "Presumed victims", more: str = "", years: tuple[int, int] = (2010, 2015)
) -> str:
    """A dataset's record with bindings and a policy."""
    return f"""{PREFIXES}
<{iri}> a dcat:Dataset ; dct:title "{title}"@en, "Vermoedelijke slachtoffers"@nl ;
  dct:description "One row is a registration."@en ; dcat:keyword "shelter"@en ;
  dct:publisher <{iri}#who> ; dct:spatial <http://publications.europa.eu/resource/authority/country/NLD> ;
  dct:temporal [ dcat:startDate "{years[0]}"^^xsd:gYear ; dcat:endDate "{years[1]}"^^xsd:gYear ] ;
  fn:unit ht:Registration ; fn:regime htpol:WPG ;
  fn:reportingOrganisationType <https://w3id.org/fairnode/code/reportingOrganisation/Police> ;
  odrl:hasPolicy [ a odrl:Offer ; odrl:permission [ odrl:action htpol:visit ;
    odrl:duty [ odrl:action htpol:obtainApproval ] ; odrl:constraint [ odrl:leftOperand odrl:purpose ;
      odrl:operator odrl:isAnyOf ; odrl:rightOperand htpol:TraffickingStatistics ] ] ] ;
  fn:binding [ fn:column "jaar" ; fn:variable ht:year ] ,
    [ fn:column "vorm" ; fn:variable ht:exploitationForm ;
      fn:code [ fn:local "S" ; fn:concept <https://w3id.org/fairnode/code/exploitationForm/Sexual> ] ] ,
    [ fn:column "lft" ; fn:variable ht:ageGroup ] {more} .
<{iri}#who> foaf:name "The police" .
"""


@dataclass
class Point:
    """A server: what it answers at each path (type, bytes), or a function that answers by itself."""

    url: str = ""
    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    acts: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    etags: bool = False
    spared: list[str] = field(default_factory=list)

    def put(self, path: str, text: str, kind: str = "text/turtle") -> None:
        self.pages[path] = (kind, text.replace("{base}", self.url).encode())

    def honest(self, number: int = 2) -> Point:
        """Make it a complete FAIR Data Point with LDP containers and plain links."""
        sets = [f"{self.url}/dataset/d{n}" for n in range(number)]
        self.put("/", f"""{PREFIXES} <{self.url}> a fdp-o:FAIRDataPoint, fdp-o:MetadataService ; dct:title "P" ;
            fdp-o:metadataCatalog <{self.url}/catalog/c> .
            <{self.url}/catalog/> a ldp:DirectContainer ; ldp:contains <{self.url}/catalog/c> .""")  # fmt: skip
        links = " ".join(f"<{self.url}/catalog/c> dcat:dataset <{iri}> ." for iri in sets)
        self.put("/catalog/c", f'{PREFIXES} <{self.url}/catalog/c> a dcat:Catalog ; dct:title "C" . {links}')
        for number, iri in enumerate(sets):
            self.put(f"/dataset/d{number}", record(iri, f"Dataset {number}"))
        return self


class _Answer(BaseHTTPRequestHandler):
    point: Point

    def do_GET(self) -> None:
        self.point.asked.append(self.path)
        if self.path in self.point.acts:
            self.point.acts[self.path](self)
            return
        if self.path not in self.point.pages:
            self.send_error(404)
            return
        kind, content = self.point.pages[self.path]
        etag = f'"{digest(content)[:16]}"'
        if self.point.etags and self.headers["If-None-Match"] == etag:
            self.point.spared.append(self.path)
            self.send_response(304)
            self.end_headers()
            return
        self.send_response(200)
        if self.point.etags:
            self.send_header("ETag", etag)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.point.asked.append(self.path)
        self.point.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A harvester that hangs up is meant."""


@pytest.fixture
def make_point() -> Iterator[Callable[[], Point]]:
    """Starts servers; they end with the test."""
    servers = []

    def make() -> Point:
        point = Point()
        server = _Server(("127.0.0.1", 0), type("Answer", (_Answer,), {"point": point}))
        point.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return point

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def made_node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a node that is only copied."""
    folder = tmp_path_factory.mktemp("made") / "node"
    make_node(
        Config(folder, "home", "https://home.example", "127.0.0.1", 8080, Organisation("Home", "shelter"))
    )
    return folder


@pytest.fixture
def node(made_node: Path, tmp_path: Path) -> Iterator[Node]:
    """A node that may call addresses of this machine."""
    folder = tmp_path / "node"
    folder.mkdir()
    for path in made_node.rglob("*"):
        target = folder / path.relative_to(made_node)
        target.mkdir(exist_ok=True) if path.is_dir() else target.write_bytes(path.read_bytes())
    for key in (folder / "keys").iterdir():
        key.chmod(0o600)
    opened = open_node(folder)
    yield opened
    opened.close()


@pytest.fixture
def allowing() -> Callable[..., Node]:
    """The same node with these addresses in its node.toml."""

    def allow(
        node: Node,
        *urls: str,
        private: tuple[str, ...] = ("127.0.0.1",),
        ping: tuple[str, ...] = (),
        welcome: tuple[str, ...] = (),
    ) -> Node:
        config = dataclasses.replace(node.config, harvest=Harvest(urls, private, ping, welcome))
        return dataclasses.replace(node, config=config)

    return allow
