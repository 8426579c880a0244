"""What was released, as its researcher meets it: on the page, as files, and over the API."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import pytest
import rdflib

from fairnode import clock
from fairnode.keys import canonical, digest
from fairnode.people import log_in
from fairnode.records.result import Dimension, Kind, PublicCell, PublicTable, Status, TableSpec, Unit
from fairnode.records.result_json import tables_to_json
from fairnode.records.rows import Release
from fairnode.release.receive import release_bytes
from fairnode.studies.send import draft, send
from fairnode.worker.delivery import Delivery, handle

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def study(web) -> str:
    """A study whose one visit was released."""
    person, dataset = web.persons["researcher"], f"{web.base}/dataset/victims"
    wanted = {
        "title": "Released victims",
        "question": "How many victims were registered, by sex?",
        "purpose": "https://w3id.org/fairnode/policy#TraffickingStatistics",
        "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
        "algorithm": {"name": "counts", "version": "1.0.0", "identity": web.algorithm.image},
        "datasets": [dataset],
        "dimensions": ["sex"],
        "parameters": {"dimensions": ["sex"]},
        "stages": [{"name": "count", "kind": "visit"}],
    }
    sent = send(web.node, person, draft(web.node, person, wanted))
    told = tables_to_json([_table()], release="r1", rules="0" * 64)
    table = canonical(told | {"made": _made(web.algorithm.image)})
    unsigned = Release("r1", sent.id, "count", dataset, "", table, digest(table), "", {}, clock.now())
    signature = web.node.keys.signing.sign(release_bytes(unsigned, web.base)).hex()
    body = {
        "dataset": dataset,
        "stage": "count",
        "state": "released",
        "release": "r1",
        "table": table.decode(),
        "signature": signature,
        "created": unsigned.created,
    }
    assert handle(web.node, Delivery(web.base, 900_001, "release", sent.id, body))
    return sent.id


def _made(image: str) -> dict[str, Any]:
    """What the node of the visit says of how the release was made."""
    return {
        "software": "fairnode 0.1.0",
        "algorithm": {
            "name": "counts",
            "version": "1.0.0",
            "identity": image,
            "manifest": f"sha256:{'a' * 64}",
        },
        "input": f"hmac-sha256:{'b' * 64}",
        "approvals": [{"role": "counsel", "content": f"sha256:{'c' * 64}", "day": "2026-11-21"}],
    }


def _table() -> PublicTable:
    axis = Dimension("sex", ("female", "male", "other", "unknown"))
    spec = TableSpec("counts", Kind.COUNT, Unit.REGISTRATION, "records", (axis,))
    cells = (
        PublicCell(("female",), Status.SHOWN, 120),
        PublicCell(("male",), Status.SHOWN, 45),
        PublicCell(("other",), Status.HIDDEN),
        PublicCell(("unknown",), Status.HIDDEN),
    )
    return PublicTable(spec, cells, (), 5)


@pytest.fixture(scope="module")
def logged_in(web) -> dict[str, str]:
    return {"Cookie": f"fairnode={log_in(web.node, 'researcher', PASSWORD)}"}


def test_the_page_shows_picture_and_figures_and_says_what_is_hidden(client, study, logged_in):
    page = client.get(f"/study/{study}", headers=logged_in)
    assert page.status_code == 200
    assert "<svg" in page.text
    assert ">120<" in page.text
    assert "hidden" in page.text
    assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize("ending", ["csv", "json", "ttl", "svg"])
def test_a_release_is_fetched_in_every_form(client, web, study, logged_in, ending):
    forms = {"csv": "text/csv", "json": "application/json", "ttl": "text/turtle", "svg": "image/svg+xml"}
    file = client.get(f"/study/{study}/release/r1.{ending}", headers=logged_in)
    assert file.status_code == 200
    assert "attachment" in file.headers["Content-Disposition"]
    accept = web.bearer("researcher") | {"Accept": forms[ending]}
    same = client.get(f"/api/v1/studies/{study}/releases/r1", headers=accept)
    assert same.headers["Content-Type"].split(";")[0] == forms[ending]
    assert same.content == file.content
    if ending == "csv":
        rows = list(csv.DictReader(io.StringIO(file.text)))
        assert [(row["sex"], row["n"]) for row in rows[:2]] == [("female", "120"), ("male", "45")]
        assert {row["status"] for row in rows[2:]} == {"hidden"}
    if ending == "ttl":
        assert len(rdflib.Graph().parse(data=file.text, format="turtle")) > 20


def test_a_release_is_fetched_as_a_crate_with_all_of_it(client, web, study, logged_in, tmp_path):
    file = client.get(f"/study/{study}/release/r1.zip", headers=logged_in)
    assert file.headers["Content-Type"] == "application/zip"
    accept = web.bearer("researcher") | {"Accept": "application/zip"}
    assert client.get(f"/api/v1/studies/{study}/releases/r1", headers=accept).content == file.content
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        archive.extractall(tmp_path)
    assert {"table.csv", "release.json", "cube.ttl", "picture.svg", "study.json"} <= {
        path.name for path in tmp_path.iterdir()
    }
    assert digest((tmp_path / "study.json").read_bytes()) == study
    graph = {e["@id"]: e for e in json.loads((tmp_path / "ro-crate-metadata.json").read_text())["@graph"]}
    (visit,) = (entity for entity in graph.values() if entity["@type"] == "CreateAction")
    algorithm = graph[visit["instrument"]["@id"]]
    assert algorithm["identifier"] == web.algorithm.image
    assert algorithm["description"]  # the method
    told = {graph[fact["@id"]]["name"]: graph[fact["@id"]]["value"] for fact in visit["additionalProperty"]}
    assert told["inputCommitment"].startswith("hmac-sha256:")
    assert told["approval"] == f"counsel sha256:{'c' * 64} 2026-11-21"


def test_a_release_is_for_who_asked_and_the_auditor(client, web, study):
    path = f"/api/v1/studies/{study}/releases/r1"
    assert client.get(path, headers=web.bearer("auditor")).status_code == 200
    assert client.get(path, headers=web.bearer("counsel")).status_code == 404
    assert client.get(path).status_code == 401
    assert client.get(f"/study/{study}/release/r1.csv").status_code == 303
    assert client.get(f"{path}x", headers=web.bearer("researcher")).status_code == 404
    unknown = web.bearer("researcher") | {"Accept": "image/png"}
    assert client.get(path, headers=unknown).status_code == 406
