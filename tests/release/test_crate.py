from __future__ import annotations

import hashlib
import json
import zipfile

import pytest
from rocrate.rocrate import ROCrate

from fairnode.child import run_child

JOB = {
    "title": "Registrations by region",
    "description": "Counts of one organisation.",
    "issued": "2026-11-21",
    "licence": "http://creativecommons.org/licenses/by/4.0/",
    "publisher": {"id": "https://node.example/organisation", "name": "Node"},
    "study": {"id": "urn:uuid:6f9619ff-8b86-d011-b42d-00cf4fc964ff", "title": "How many?"},
    "visit": {"id": "https://node.example/visit/3", "ended": "2026-11-21"},
    "algorithm": {
        "id": "https://node.example/algorithm/counts", "name": "counts", "version": "1",
        "identity": "sha256:ab", "method": "Frequency tables.", "licence": "Apache-2.0",
    },
    "datasets": [{"id": "https://node.example/dataset/police", "title": "Police"}],
    "rules": "cd" * 32,
    "facts": [["inputCommitment", "hmac-sha256:ef"], ["approval", "custodian sha256:01"], ["approval", "counsel sha256:01"]],
    "signature": "ab" * 64,
    "files": [
        {"name": "counts.csv", "text": "region,status,n\n", "media": "text/csv", "about": "Counts"},
        {"name": "cube.ttl", "text": "# é\n", "media": "text/turtle", "about": "Cube"},
    ],
}  # fmt: skip


@pytest.fixture
def crate(tmp_path):
    path = tmp_path / "crate.zip"
    found = run_child("crate", {**JOB, "path": str(path)}, spool=tmp_path / "spool")
    assert found["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    return path


def test_a_crate_tells_which_visit_of_which_algorithm_made_which_files(crate):
    with zipfile.ZipFile(crate) as archive:
        graph = {e["@id"]: e for e in json.loads(archive.read("ro-crate-metadata.json"))["@graph"]}
        for told in JOB["files"]:
            raw = archive.read(told["name"])
            assert raw.decode() == told["text"]
            assert graph[told["name"]]["sha256"] == hashlib.sha256(raw).hexdigest()
    assert graph["./"]["name"] == JOB["title"]
    assert graph["./"]["datePublished"] == "2026-11-21"
    visit = graph["https://node.example/visit/3"]
    assert visit["@type"] == "CreateAction"
    assert visit["instrument"] == {"@id": "https://node.example/algorithm/counts"}
    assert visit["object"] == [{"@id": "https://node.example/dataset/police"}]
    assert [result["@id"] for result in visit["result"]] == ["counts.csv", "cube.ttl"]
    assert graph["https://node.example/algorithm/counts"]["identifier"] == "sha256:ab"


def test_the_same_release_makes_the_same_crate(crate, tmp_path):
    again = tmp_path / "again.zip"
    run_child("crate", {**JOB, "path": str(again)}, spool=tmp_path / "spool")
    assert again.read_bytes() == crate.read_bytes()


def test_a_crate_holds_nothing_of_this_machine(crate):
    with zipfile.ZipFile(crate) as archive:
        text = "".join(archive.read(name).decode() for name in archive.namelist())
    assert str(crate.parent) not in text
    assert "/tmp" not in text


def test_a_crate_tells_method_input_and_approvals_and_the_library_reads_it_back(crate, tmp_path):
    with zipfile.ZipFile(crate) as archive:
        archive.extractall(tmp_path / "crate")
    (visit,) = (e for e in ROCrate(tmp_path / "crate").get_entities() if e.type == "CreateAction")
    assert visit["instrument"]["description"] == "Frequency tables."
    assert visit["instrument"]["license"] == "Apache-2.0"
    told = [(fact["name"], fact["value"]) for fact in visit["additionalProperty"]]
    assert told == [tuple(fact) for fact in JOB["facts"]]
    assert all(
        fact["propertyID"].startswith("https://w3id.org/fairnode/node#")
        for fact in visit["additionalProperty"]
    )
