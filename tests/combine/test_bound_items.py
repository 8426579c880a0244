"""Every item of P18 and design 4.5 by its name: a change of it alone is another content, so no approval of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fairnode import clock
from fairnode.algorithms.own import own_programs
from fairnode.approvals import protocol
from fairnode.approvals.content import content_hash
from fairnode.linkage import program as linkage
from fairnode.mpc.programs import program
from fairnode.records.rows import Algorithm
from fairnode.studies.hidden import hidden_population
from fairnode.vocabulary import HTPOL
from tests.combine.conftest import FOUR
from tests.combine.test_bound import (
    AT,
    OFFER,
    Bound,
    agree_again,
    bound_at,
    parties,
    reviewed,
    trusting,
)

OWN = own_programs()["linkage-keys"]
BY_RECORD = {
    "legal basis of the organisation": ("dpv:hasLegalBasis ", f"dpv:hasLegalBasis <{HTPOL}LED-A8> , "),
    "regime": ("fn:regime htpol:WPG", "fn:regime htpol:GDPR"),
    "DPIA of the organisation": (OFFER, f'{OFFER} htpol:dpia "DPIA-1" ;'),
    "version of that DPIA": (OFFER, f'{OFFER} htpol:dpia "DPIA-1" ; htpol:dpiaVersion "2" ;'),
    "rules of the policy": ("dpv:ScientificResearch", "dpv:AcademicResearch"),
    "conditions of the policy": ("htpol:NoPerpetratorData ,", "htpol:OneVisitAtATime ,"),
    "how long results are kept": (OFFER, f"{OFFER} htpol:retentionDays 365 ;"),
    "a local code": ('fn:local "vrouw"', 'fn:local "v"'),
}
BY_AGREEMENT = {
    "version of the agreement": lambda _: {"title": "Another town"},
    "compute parties": lambda town: {"parties": parties(town, ("police", "labour", "kmar"))},
    "role of a compute party": lambda town: {"parties": parties(town, role="JointController")},
}


@dataclass(frozen=True)
class Item:
    """An item of P18: where in the content it stands, and a change of it. `of` is what the change is made to."""

    path: str
    change: Callable[[Any, Bound], Bound]
    of: str = "table"


def asked(**changes: Any) -> Callable[[Any, Bound], Bound]:
    return lambda _, bound: bound.asked(**changes)


def recorded(name: str) -> Callable[[Any, Bound], Bound]:
    return lambda _, bound: bound.recorded(*BY_RECORD[name])


def agreed(name: str) -> Callable[[Any, Bound], Bound]:
    def change(town: Any, bound: Bound) -> Bound:
        agree_again(town, **BY_AGREEMENT[name](town))
        return bound

    return change


def of_row(row: str, **values: Any) -> Callable[[Any, Bound], Bound]:
    return lambda _, bound: replace(bound, **{row: replace(getattr(bound, row), **values)})


def configured(**values: Any) -> Callable[[Any, Bound], Bound]:
    def change(_: Any, bound: Bound) -> Bound:
        return replace(bound, node=replace(bound.node, config=replace(bound.node.config, **values)))

    return change


def with_manifest(old: str, new: str) -> Callable[[Any, Bound], Bound]:
    def change(_: Any, bound: Bound) -> Bound:
        told = bound.algorithm.manifest.decode()
        assert old in told
        manifest = told.replace(old, new, 1).encode()
        return replace(bound, algorithm=replace(bound.algorithm, manifest=manifest))

    return change


def with_runtime(_: Any, bound: Bound) -> Bound:
    settings = replace(bound.node.config.settings, runtime="runsc")
    return configured(settings=settings)(_, bound)


def with_review(_: Any, bound: Bound) -> Bound:
    reviewed(bound)
    return bound


def with_trust(_: Any, bound: Bound) -> Bound:
    trusting(bound)
    return bound


def fewer_datasets(town: Any, bound: Bound) -> Bound:
    return bound.asked(datasets=[town.dataset(key) for key in FOUR[1:]])


def other_key(_: Any, bound: Bound) -> Bound:
    return bound.asked(parameters={**bound.plan.document["parameters"], "key": "slk-581"})


LATER = clock.later(3 * 86400)
COMBINED_STAGES = [
    {"name": "count", "kind": "visit"},
    {"name": "combine", "kind": "combine", "program": "sum", "inputs": ["count"], "options": {"lists": "disjoint"}},
]  # fmt: skip
PRIVATE_STAGES = [{"name": "count", "kind": "visit", "options": {"epsilon": 0.5}}]
P18 = {
    "study hash": Item("study", asked(title="Another title of the same question")),
    "visit": Item("visit", of_row("visit", id="another")),
    "stage": Item("stage", of_row("visit", stage="again")),
    "node": Item("node", configured(url="https://another.example")),
    "image identity": Item("algorithm.identity", of_row("algorithm", image="sha256:" + "cd" * 32)),
    "manifest": Item("algorithm.manifest", of_row("algorithm", sha256="cd" * 32)),
    "resources": Item("limits", with_manifest("memory_mib = 512", "memory_mib = 1024")),
    "parameters": Item("parameters", asked(parameters={"dimensions": ["sex"], "unit": "person"})),
    "compiled view query": Item("view.query", asked(filter=[{"variable": "sex", "in": ["female"]}])),
    "schema": Item("view.variables", asked(dimensions=["sex", "ageBroad"])),
    "bindings": Item("dataset.bindings", recorded("a local code")),
    "policy": Item("dataset.policy.version", recorded("rules of the policy")),
    "conditions of the policy": Item("dataset.policy.terms", recorded("conditions of the policy")),
    "lineage": Item("dataset.lineage", of_row("dataset", lineage="another")),
    "output contract": Item("outputContract", asked(parameters={"dimensions": ["ageBroad"]})),
    "gate rules": Item("gateRules.sha256", configured(rules=(("threshold.k", 20.0),))),
    "not before": Item("notBefore", of_row("visit", created=clock.later(-3600))),
    "not after": Item("notAfter", of_row("visit", expires=LATER)),
    "runtime": Item("runtime", with_runtime),
    "requester": Item(
        "requester", asked(requester={"id": "p", "name": "Ria", "organisation": "https://a.example/o"})
    ),
    "recipients": Item("recipients", asked(recipients=["https://ministry.example/organisation"])),
    "purpose": Item("purpose", asked(purpose=f"{HTPOL}PrevalenceEstimation")),
    "legal basis of the requester": Item("law.basisOfRequester", asked(legalBasis=[f"{HTPOL}Wpg-A22"])),
    "legal basis of the organisation": Item(
        "law.basisOfOrganisation", recorded("legal basis of the organisation")
    ),
    "regime": Item("law.regime", recorded("regime")),
    "DPIA of the study": Item("law.dpiaOfStudy", asked(dpia="DPIA-2026-3", dpiaVersion="1")),
    "version of the DPIA of the organisation": Item(
        "law.dpiaOfOrganisation", recorded("version of that DPIA")
    ),
    "DPIA of the organisation": Item("law.dpiaOfOrganisation", recorded("DPIA of the organisation")),
    "version of the agreement": Item("agreement.sha256", agreed("version of the agreement")),
    "input parties": Item("combination.contributors", fewer_datasets),
    "compute parties": Item("combination.parties", agreed("compute parties")),
    "role of a compute party": Item("combination.parties", agreed("role of a compute party")),
    "opening rule": Item("combination.parameters", asked(stages=COMBINED_STAGES)),
    "match key": Item("combination.key.rule", other_key, of="lists"),
    "permitted openings": Item("openings", asked(openings=[])),
    "until when shares are kept": Item("keeping.sharesUntil", asked(expires=clock.later(20 * 86400))),
    "how long results are kept": Item("keeping.resultDays", recorded("how long results are kept")),
    "reviews relied on": Item("reviews.reliedOn", with_review),
    "whose reviews count": Item("reviews.trustList", with_trust),
    "noise": Item("privacy", asked(stages=PRIVATE_STAGES, openings=[])),
}
ELSEWHERE = {
    "protocolDocument": "test_the_code_that_is_bound_is_bound_by_its_digest",
    "containerShares": "tests/combine/test_container_shares.py",
    "protocol": "a constant of this version",
    "maxRuns": "a constant of this version",
    "rerunOnPermutedRows": "follows from contract and terms",
}


def at(content: dict[str, Any], path: str) -> Any:
    """What stands at a path of a content."""
    found: Any = content
    for step in path.split("."):
        found = found[step]
    return found


@pytest.fixture(scope="module")
def base(one_town):
    """Of what the changes are made: a visit of a combined table, and one of a list of persons."""
    study = one_town.ask(FOUR)
    one_town.carry()
    table = bound_at(one_town, AT, study)
    named = {"name": "linkage-keys", "version": OWN.told.version, "identity": OWN.identity}
    document = {**hidden_population("names", 5000, ["independent"]), "algorithm": named}
    row = Algorithm(
        "own", "linkage-keys", OWN.told.version, "", OWN.manifest, "", OWN.identity, "", "known", ""
    )
    lists = replace(table.asked(**document), algorithm=row, visit=replace(table.visit, stage="keys"))
    return {"table": table, "lists": lists}


@pytest.mark.parametrize("name", P18)
def test_a_change_of_this_item_is_another_content(one_town, base, name):
    item = P18[name]
    bound = base[item.of]
    before = bound.content()
    after = item.change(one_town, bound).content()
    assert at(after, item.path) != at(before, item.path)
    assert content_hash(after) != content_hash(before)


def test_no_part_of_a_content_is_without_an_item(base):
    covered = {item.path.partition(".")[0] for item in P18.values()} | set(ELSEWHERE)
    assert set(base["table"].content()) - covered == set()


def test_the_code_that_is_bound_is_bound_by_its_digest(base):
    """Of the program and of the match keys that are here; another version of either has another digest."""
    content = base["lists"].content()
    here = program(content["combination"]["program"])
    assert content["combination"]["digest"] == here.digest
    assert replace(here, version="another").digest != here.digest
    assert content["combination"]["key"]["program"] == linkage.digest()
    assert content["protocolDocument"] == protocol.document_facts()
