"""The API: what openapi.yaml says is what is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid

import jsonschema
import pytest

from fairnode import keys
from fairnode.api.contract import document, operations
from fairnode.app import create_app
from fairnode.ledger import verify_ledger
from fairnode.ledger.commit import head_bytes
from fairnode.people import log_in
from fairnode.worker.delivery import deliver_own

ROLE_OF = {"inbox": "custodian", "ledger": "auditor"}


def schema_of(name: str) -> dict:
    return {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}


def fits(answer, operation: dict) -> None:
    """The answer is one that the operation promises."""
    told = operation["responses"].get(str(answer.status_code))
    if told is None:
        assert answer.headers["Content-Type"] == "application/problem+json", answer.text
        jsonschema.validate(answer.json(), schema_of("Problem"))
        return
    media = answer.headers["Content-Type"].split(";")[0]
    schema = told["content"][media]["schema"]
    if media == "application/json":
        jsonschema.validate(answer.json(), {**schema, "components": document()["components"]})


def wanted(web, **changes) -> dict:
    return {
        "title": "Victims by year",
        "question": "How many victims were registered, by year?",
        "purpose": "https://w3id.org/fairnode/policy#TraffickingStatistics",
        "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
        "algorithm": {"name": "counts", "version": "1.0.0", "identity": web.algorithm.image},
        "datasets": [f"{web.base}/dataset/victims"],
        "dimensions": ["year"],
        "parameters": {"dimensions": ["year"]},
        **changes,
    }


@pytest.fixture(scope="module")
def sent(web, client) -> dict:
    """A study that was sent and reached the inbox."""
    headers = web.bearer("researcher")
    made = client.post("/api/v1/study-drafts", json=wanted(web), headers=headers).json()
    assert made["findings"] == []
    answer = client.post("/api/v1/studies", json=made["document"], headers=headers)
    assert answer.status_code == 201, answer.text
    deliver_own(web.node)
    return answer.json()


def test_the_file_is_the_only_source_of_routes(web, client):
    told = {(o.method, o.path.replace("{", "<").replace("}", ">")) for o in operations()}
    served = client.get("/openapi.json").json()
    assert served == document()
    of_the_api = [methods for path, methods in served["paths"].items() if path.startswith("/api/")]
    assert len(told) == len(operations()) == sum(len(methods) for methods in of_the_api)
    assert client.get("/api/v1/nothing").status_code == 404


def test_what_is_described_of_the_records_is_what_the_node_answers(web):
    """Both ways: each described address has a route, and each route of the RDF door is described."""
    rules = [
        rule
        for rule in create_app(web.node).url_map.iter_rules()
        if rule.endpoint.split(".")[0] in ("fdp", "sparql")
    ]
    described = {
        (method.upper(), re.sub(r"{[^}]*}", "*", path))
        for path, methods in document()["paths"].items()
        for method in methods
        if not path.startswith("/api/")
    }
    routes = {
        (method, re.sub(r"<[^>]*>", "*", rule.rule))
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.endpoint.startswith("fdp.never")
    }
    assert described - routes == {
        ("GET", "/catalogue/data/dataset/"),
        ("GET", "/catalogue/data/page/dataset"),
    }, "these two have routes with a wider pattern"
    others = re.compile(
        r".*/(meta|expanded|linkset|spec|page/\*)|/(actuator|v3|ontology|healthz|robots|dataset/?$).*"
    )
    assert {(method, path) for method, path in routes - described if not others.fullmatch(path)} == set()


@pytest.mark.parametrize("operation", operations(), ids=lambda o: o.name)
def test_every_operation_answers_as_it_promises(web, client, sent, operation):
    told = document()["paths"][operation.path][operation.method.lower()]
    path = operation.path.replace("{id}", "nothing-here").replace("{release}", "nothing")
    anonymous = client.request(operation.method, path, json={})
    fits(anonymous, told)
    assert operation.public or anonymous.status_code == 401
    role = ROLE_OF.get(told["tags"][0], "researcher")
    for body in ({}, {"sentence": "x" * 2000}, []):
        fits(client.request(operation.method, path, json=body, headers=web.bearer(role)), told)


@pytest.mark.parametrize(
    ("path", "role", "name"),
    [
        ("/api/v1/me", "counsel", "Me"),
        ("/api/v1/datasets", "counsel", "DatasetPage"),
        ("/api/v1/datasets?query=police", "counsel", "DatasetPage"),
        ("/api/v1/datasets/victims", "counsel", "Dataset"),
        ("/api/v1/algorithms", "counsel", "AlgorithmPage"),
        ("/api/v1/algorithms/" + "ab" * 10, "counsel", "Algorithm"),
        ("/api/v1/studies", "researcher", "StudyPage"),
        ("/api/v1/studies", "auditor", "StudyPage"),
        ("/api/v1/inbox", "custodian", "InboxPage"),
        ("/api/v1/ledger/heads", "counsel", "HeadPage"),
        ("/api/v1/ledger/lines", "auditor", "LinePage"),
    ],
)
def test_what_is_there_has_the_promised_form(web, client, sent, path, role, name):
    answer = client.get(path, headers=web.bearer(role))
    assert answer.status_code == 200
    jsonschema.validate(answer.json(), schema_of(name))
    assert "items" not in answer.json() or answer.json()["items"]
    again = client.get(path, headers=web.bearer(role) | {"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_pages_follow_each_other_without_gap_or_double(web, client, sent):
    seen, cursor = [], ""
    while True:
        page = client.get(f"/api/v1/ledger/heads?limit=3{cursor}").json()
        seen += [head["size"] for head in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == list(range(seen[0], 0, -1))


@pytest.mark.parametrize("query", ["limit=0", "limit=1000", "limit=x", "cursor=nowhere", "cursor=%00", "x=1"])
def test_a_wrong_parameter_is_400(client, query):
    for path in ("/api/v1/datasets", "/api/v1/ledger/heads"):
        assert client.get(f"{path}?{query}").status_code == 400, path


def test_studies_are_their_researchers_own(web, client, sent):
    path = f"/api/v1/studies/{sent['id']}"
    assert client.get(path, headers=web.bearer("researcher")).json() == sent
    assert client.get(path, headers=web.bearer("auditor")).status_code == 200
    assert client.get(path, headers=web.bearer("counsel")).status_code == 404
    refused = client.post(f"{path}/cancel", json={"sentence": "no"}, headers=web.bearer("auditor"))
    assert refused.status_code == 403
    lines = client.get(f"{path}/visits", headers=web.bearer("researcher")).json()["items"]
    assert [(line["dataset"], line["state"]) for line in lines] == [
        (f"{web.base}/dataset/victims", "waiting")
    ]
    releases = client.get(f"{path}/releases", headers=web.bearer("researcher"))
    jsonschema.validate(releases.json(), schema_of("ReleaseList"))


def test_what_is_wrong_with_a_study_is_told_before_it_is_sent(web, client):
    headers = web.bearer("researcher")
    bad = wanted(web, dimensions=["shoeSize"], parameters={"dimensions": ["shoeSize"]})
    made = client.post("/api/v1/study-drafts", json=bad, headers=headers).json()
    assert any("shoeSize" in f["what"] or "shoeSize" in f["where"] for f in made["findings"])
    checked = client.post("/api/v1/study-checks", json=made["document"], headers=headers).json()
    assert checked["findings"] == made["findings"]
    refused = client.post("/api/v1/studies", json=made["document"], headers=headers)
    assert refused.status_code == 422
    assert refused.json()["findings"]


def test_a_study_sent_twice_under_one_key_is_sent_once(web, client):
    headers = web.bearer("researcher") | {"Idempotency-Key": str(uuid.uuid4())}
    made = client.post("/api/v1/study-drafts", json=wanted(web), headers=web.bearer("researcher")).json()
    first = client.post("/api/v1/studies", json=made["document"], headers=headers)
    second = client.post("/api/v1/studies", json=made["document"], headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert first.headers["Location"] == second.headers["Location"]
    assert second.headers["Idempotency-Replayed"] == "true"
    other = client.post("/api/v1/studies", json=made["document"] | {"title": "Other"}, headers=headers)
    assert other.status_code == 422
    somebody = web.bearer("custodian") | {"Idempotency-Key": headers["Idempotency-Key"]}
    assert client.post("/api/v1/studies", json=made["document"], headers=somebody).status_code == 403


def test_custodian_and_counsel_sign_for_exactly_what_they_saw(web, client, sent):
    custodian, counsel = web.bearer("custodian"), web.bearer("counsel")
    visits = client.get("/api/v1/inbox", headers=custodian).json()["items"]
    visit = next(v["id"] for v in visits if v["study"] == sent["id"])
    path = f"/api/v1/inbox/{visit}"
    item = client.get(path, headers=custodian)
    jsonschema.validate(item.json(), schema_of("Item"))
    told = item.json()
    assert told["contentHash"] == keys.digest(keys.canonical(told["content"]))
    assert client.get(path, headers=web.bearer("researcher")).status_code == 403
    other = {"contentHash": "0" * 64, "role": "custodian"}
    assert client.post(f"{path}/approve", json=other, headers=custodian).status_code == 409
    wrong_role = {"contentHash": told["contentHash"], "role": "counsel"}
    assert client.post(f"{path}/approve", json=wrong_role, headers=custodian).status_code == 403
    for role, headers in (("custodian", custodian), ("counsel", counsel)):
        body = {"contentHash": told["contentHash"], "role": role}
        answer = client.post(f"{path}/approve", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        jsonschema.validate(answer.json(), schema_of("Visit"))
    assert answer.json()["state"] == "approved"
    body = {"role": "counsel", "sentence": "New advice."}
    revoked = client.post(f"{path}/revoke", json=body, headers=counsel)
    assert revoked.json()["state"] == "waiting"
    question = {"role": "counsel", "sentence": "Which years?"}
    assert client.post(f"{path}/ask", json=question, headers=counsel).json()["state"] == "asked_back"
    refusal = {"role": "counsel", "sentence": "Not our task."}
    assert client.post(f"{path}/refuse", json=refusal, headers=counsel).json()["state"] == "refused"
    assert verify_ledger(web.node.desk).sound


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"\xff", "application/json", 400),
        (b"{}", "application/json", 422),
        (b" " * (3 * 1024 * 1024), "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_is_refused(web, client, body, kind, status):
    headers = web.bearer("researcher") | {"Content-Type": kind}
    answer = client.post("/api/v1/studies", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer", "Bearer nothing"])
def test_without_a_known_token_nobody_gets_in(client, header):
    answer = client.get("/api/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_cookie_does_not_open_the_door_for_programs(web, client):
    cookie = log_in(web.node, "researcher", "correct horse battery staple")
    answer = client.get("/api/v1/me", headers={"Cookie": f"fairnode={cookie}"})
    assert answer.status_code == 401


def test_heads_can_be_checked_by_anybody(web, client):
    head = client.get("/api/v1/ledger/heads?limit=1").json()["items"][0]
    content = head_bytes(head["size"], head["root"], head["at"])
    assert keys.verify(web.node.keys.public, bytes.fromhex(head["signature"]), content)
    assert json.loads(content)["size"] == head["size"]


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("role", ["researcher", "custodian", "auditor"])
def test_a_fuzzer_finds_no_answer_that_was_not_promised(web, role, tmp_path):
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{web.base}/openapi.json"]
    told = ["--url", web.base, "-H", f"Authorization: {web.bearer(role)['Authorization']}"]
    how = ["-n", "20", "--checks", checks, "--suppress-health-check=all", "--phases=coverage,fuzzing"]
    # with a custodian's token it would withdraw what other tests read
    how += ["--exclude-operation-id", "remove_record", "--exclude-operation-id", "set_record_state"]
    done = subprocess.run(  # it leaves a cache where it runs
        [*command, *told, *how], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout[-4000:]
