"""Discovery and the FAIR Data Point: the index of a large network, served records, and SHACL.

`FAIR_DATASETS` says how many datasets the index gets (100,000 unless it is set, which takes some five minutes
of the processor), a hundred at each node; the store for SPARQL gets a tenth of them. Where there is a peer,
both do the same work on the same records in the same process or over the same kind of connection, taking
turns. Times of one process are seconds of its processor, so that what else the machine does makes no
difference; where several processes work, they are seconds of the clock.
"""

from __future__ import annotations

import http.client
import os
import random
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyshacl
from cheroot import wsgi
from pyoxigraph import NamedNode, RdfFormat, Store
from rdflib import Graph

from fairnode import vocabulary
from fairnode.app import make_server
from fairnode.config import Config, Organisation
from fairnode.datasets.drafting import Details, record_turtle
from fairnode.discovery.harvest import Told, take_in
from fairnode.discovery.reading import quads
from fairnode.discovery.search import Wanted, search_page
from fairnode.discovery.sparql import refresh
from fairnode.jobs import shacl
from fairnode.jobs.shacl.form import SHAPES
from fairnode.metadata.keep import add_dataset
from fairnode.metadata.rdf import Form
from fairnode.metadata.shelf import Shelf
from fairnode.new_node import make_node
from fairnode.node import Node, open_node
from fairnode.records.dataset import Binding

AT_A_NODE = 100
PARSED = 100
SEARCHES = 300
REQUESTS = 1_500
CHECKED = 12

Row = dict[str, Any]

_WORDS = tuple(
    "shelter police border labour health region municipality inspection victims registrations intake".split()  # noqa: SIM905
)
_BOUND = ("sex", "exploitationForm", "ageGroup", "citizenship", "region", "meansOfControl", "year", "consent")


def rows() -> Iterator[Row]:
    """All rows."""
    number = int(os.environ.get("FAIR_DATASETS", "100000"))
    with made_node() as node:
        yield from index_rows(node, number)
    with made_node() as node:
        yield from statement_rows(node, max(1, number // AT_A_NODE // 10))
    with made_node() as node:
        yield served_row(node)
    yield shacl_row()


def row(name: str, ours: float, peer: float | None, goal: float, unit: str, *, more_is_better: bool) -> Row:
    """One row; without a peer, the goal is for our own figure."""
    ratio = ours / peer if peer else None
    measure = ours if ratio is None else ratio
    holds = measure >= goal if more_is_better else measure <= goal
    told = {"ours": float(f"{ours:.4g}"), "peer": None if peer is None else float(f"{peer:.4g}")}
    told["ratio"] = None if ratio is None else float(f"{ratio:.3g}")
    return {"name": f"fair.{name}", **told, "goal": goal, "unit": unit, "holds": holds}


@contextmanager
def made_node() -> Iterator[Node]:
    """A new node in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="fairnode-bench-") as place:
        port = _free_port()
        folder = Path(place) / "node"
        make_node(
            Config(
                folder,
                "bench",
                f"http://127.0.0.1:{port}",
                "127.0.0.1",
                port,
                Organisation("Bench", "police"),
            )
        )
        node = open_node(folder)
        try:
            yield node
        finally:
            node.close()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def record(iri: str, seed: int, more: str = "") -> bytes:
    """A dataset's record: some words, some variables, and local codes for half of them."""
    draw = random.Random(seed)
    names = draw.sample(_BOUND, 5)
    bindings = [
        Binding(name, name, codes=_codes(name, draw) if draw.random() < 0.5 else ()) for name in names
    ]
    first = draw.randint(1995, 2020)
    kinds = [code.notation for code in vocabulary.variable("reportingOrganisation").codes]
    details = Details(
        title=f"{' '.join(draw.sample(_WORDS, 3))} {seed} {more}".strip().capitalize(),
        description=f"About {' '.join(draw.choices(_WORDS, k=3))} in {' '.join(_names(draw))}.",
        years=(str(first), str(first + draw.randint(0, 8))),
        licence="https://creativecommons.org/licenses/by/4.0/",
        contact_name="Data desk",
        contact="mailto:desk@node.example",
        regime=draw.choice(("htpol:GDPR", "htpol:WPG")),
        organisation=draw.choice(kinds),
    )
    return record_turtle(iri, details, bindings).encode()


def _names(draw: random.Random) -> list[str]:
    """Some of 20,000 names, few of them often, as words are in texts."""
    return [f"place{int(20_000 ** draw.random())}" for _ in range(20)]


def _codes(name: str, draw: random.Random) -> tuple[tuple[str, str], ...]:
    """Local codes for some values of a coded variable."""
    notations = vocabulary.variable(name).notations
    chosen = draw.sample(notations, min(len(notations), 12))
    return tuple((f"c{number}", notation) for number, notation in enumerate(chosen))


def publisher(number: int) -> str:
    """The IRI of a node."""
    return f"https://node{number}.example"


def told_by(number: int, size: int, changed: int = 0) -> list[Told]:
    """What a node publishes; the first `changed` of its records have a new title."""
    base = publisher(number)
    return [
        Told(
            f"{base}/dataset/d{n}",
            record(f"{base}/dataset/d{n}", number * 1000 + n, "again" if n < changed else ""),
        )
        for n in range(size)
    ]


def index_rows(node: Node, number: int) -> Iterator[Row]:
    """Loading, harvesting again, searching, sizes."""
    nodes = max(1, number // AT_A_NODE)
    seconds, received = 0.0, 0
    for at in range(nodes):
        told = told_by(at, AT_A_NODE)
        received += sum(len(line.content) for line in told)
        seconds += timed(lambda at=at, told=told: take_in(node, publisher(at), told, (f"{publisher(at)}/",)))
    total = nodes * AT_A_NODE
    sample = [line.content for line in told_by(0, PARSED)]
    parsing = timed(lambda: [Graph().parse(data=content, format="turtle") for content in sample])
    bare = PARSED / parsing
    yield row("index_load_vs_rdflib_parse", total / seconds, bare, 1.0, "datasets/s", more_is_better=True)
    again = 0.0
    for at in range(nodes):
        told = told_by(at, AT_A_NODE, changed=1)
        again += timed(lambda at=at, told=told: take_in(node, publisher(at), told, (f"{publisher(at)}/",)))
    yield row("reharvest_1_percent_vs_load", again, seconds, 0.2, "s", more_is_better=False)
    yield row("search_p95", p95(search_times(node)), None, 50.0, "ms", more_is_better=False)
    with_facets = p95(search_times(node, {}))
    yield row("search_with_facets_p95", with_facets, None, 100.0, "ms", more_is_better=False)
    node.close()
    yield row("index_size_vs_records", size(node.config.index), received, 2.0, "bytes", more_is_better=False)


def statement_rows(node: Node, nodes: int) -> Iterator[Row]:
    """The store for SPARQL: beside pyoxigraph's own load of the same statements, and beside the records.

    The second goal is not held: pyoxigraph keeps six orders of each statement in a graph with a name, and
    names are what tells who says what (`docs/decisions.md`).
    """
    received = 0
    for at in range(nodes):
        told = told_by(at, AT_A_NODE)
        received += sum(len(line.content) for line in told)
        take_in(node, publisher(at), told, (f"{publisher(at)}/",))
    node.close()
    total = nodes * AT_A_NODE
    spent = timed(lambda: refresh(node), time.perf_counter)
    held = size(node.config.index / "statements")
    with tempfile.TemporaryDirectory(prefix="fairnode-bench-") as place:
        lines = Path(place) / "all.nq"
        _write_quads(lines, nodes)
        store = Store(str(Path(place) / "store"))
        bare = timed(lambda: store.bulk_load(path=str(lines), format=RdfFormat.N_QUADS), time.perf_counter)
        store.flush()
        least = size(Path(place) / "store")
    yield row(
        "sparql_load_vs_bulk_load", total / spent, total / bare, 0.25, "datasets/s", more_is_better=True
    )
    yield row("sparql_size_vs_bulk_load", held, least, 1.1, "bytes", more_is_better=False)
    yield row("sparql_size_vs_records", held, received, 2.0, "bytes", more_is_better=False)


def _write_quads(place: Path, nodes: int) -> None:
    """What the nodes tell, as one file of N-Quads."""
    with place.open("w", encoding="utf-8") as file:
        for at in range(nodes):
            for told in told_by(at, AT_A_NODE):
                file.writelines(f"{q} .\n" for q in quads(told.content, told.iri, NamedNode(told.iri)))


def timed(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Seconds of the processor (or by another clock) that some work takes."""
    begin = clock()
    work()
    return clock() - begin


def size(place: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())


def search_times(node: Node, narrower: dict[str, Wanted] | None = None) -> list[float]:
    """Milliseconds of each of many different searches for a page of twenty with the number of all.

    With `narrower`, all facets are counted too.
    """
    draw = random.Random(7)
    codes = vocabulary.variable("exploitationForm").notations
    makers: list[Callable[[], Wanted]] = [
        lambda: Wanted(words=(draw.choice(_WORDS),)),
        lambda: Wanted(words=(draw.choice(_WORDS)[:4], draw.choice(_WORDS))),
        lambda: Wanted(words=tuple(_names(draw)[:2])),
        lambda: Wanted(variables=tuple(draw.sample(_BOUND, 2)), years=(draw.randint(1995, 2025),)),
        lambda: Wanted(concepts=(f"exploitationForm={draw.choice(codes)}",), regime="GDPR"),
        lambda: Wanted(words=(draw.choice(_WORDS),), variables=(draw.choice(_BOUND),), organisation="police"),
    ]
    return [
        1000 * timed(lambda n=n: search_page(node, makers[n % len(makers)](), 20, narrower=narrower))
        for n in range(SEARCHES)
    ]


def p95(times: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(times, n=20)[-1]


def served_row(node: Node) -> Row:
    """Turtle of a record, against the same server with the same number of threads and a constant.

    Requests for each second of the processor, that of the one who asks included in both.
    """
    iri = f"{node.iri}/dataset/cases"
    add_dataset(node, record(iri, 1), {"kind": "csv"}, "bench")
    document = Shelf(node).get("/dataset/cases")
    assert document is not None, "it was published"
    body = document.bodies[Form.TURTLE]

    def constant(_: Any, start: Any) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/turtle"), ("Content-Length", str(len(body)))])
        return [body]

    peer = wsgi.Server(("127.0.0.1", _free_port()), constant, numthreads=8)
    with serving(make_server(node)) as ours, serving(peer) as other:
        for port in (ours, other):
            requests(port, 100)
        pairs = [(requests(ours, REQUESTS // 5), requests(other, REQUESTS // 5)) for _ in range(5)]
    mine, its = (statistics.median(column) for column in zip(*pairs, strict=True))
    return row("turtle_served_vs_constant", mine, its, 0.25, "requests/s", more_is_better=True)


@contextmanager
def serving(server: wsgi.Server) -> Iterator[int]:
    """A server that answers; its port."""
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield int(server.bind_addr[1])
    finally:
        server.stop()
        thread.join(10)


def requests(port: int, number: int) -> float:
    """Requests for a second of the processor, on one connection that stays open."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    begin = time.process_time()
    for _ in range(number):
        connection.request("GET", "/dataset/cases", headers={"Accept": "text/turtle"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, "the record is there"
    connection.close()
    return number / (time.process_time() - begin)


def shacl_row() -> Row:
    """Seconds for a record: our whole check, against pySHACL on the same shapes alone."""
    shapes = Graph()
    for name in SHAPES["dataset"].files:
        shapes.parse(vocabulary.folder() / "shapes" / f"{name}.ttl", format="turtle")
    names = [f"https://n.example/dataset/d{n}" for n in range(CHECKED)]
    records = [(iri, record(iri, n)) for n, iri in enumerate(names)]
    shacl.run(
        {"turtle": records[0][1].decode(), "shape": "dataset", "base": records[0][0]}
    )  # loads the shapes
    mine, its = [], []
    for iri, content in records:
        job = {"turtle": content.decode(), "shape": "dataset", "base": iri}
        mine.append(timed(lambda job=job: shacl.run(job)))
        its.append(timed(lambda content=content: _bare(content, shapes)))
    return row(
        "shacl_vs_pyshacl_alone",
        statistics.median(mine),
        statistics.median(its),
        1.25,
        "s",
        more_is_better=False,
    )


def _bare(content: bytes, shapes: Graph) -> None:
    """PySHACL as its documentation shows it, with the graph read by rdflib."""
    graph = Graph().parse(data=content, format="turtle")
    pyshacl.validate(graph, shacl_graph=shapes, inplace=True)
