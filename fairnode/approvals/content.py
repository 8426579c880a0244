"""What an approval binds (design 4.5, privacy model P18): compiled anew each time from what is there now.

If any byte of it differs from what was signed, the hash differs and the approval is void.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from fairnode import clock
from fairnode.algorithms.manifest import read_manifest
from fairnode.approvals.bound import (
    agreement_facts,
    keeping_facts,
    law_facts,
    policy_facts,
    review_facts,
)
from fairnode.approvals.protocol import document_facts
from fairnode.datasets.description import Description, describe
from fairnode.datasets.views import compile_view as compile_query
from fairnode.keys import canonical, digest
from fairnode.network.agreement import Agreement
from fairnode.network.joined import current
from fairnode.node import Node
from fairnode.records.algorithm import Manifest
from fairnode.records.dataset import View, to_json
from fairnode.records.result import OutputContract
from fairnode.records.result_json import contract_to_json
from fairnode.records.rows import Algorithm, Dataset, Visit
from fairnode.studies.combination import compute_facts
from fairnode.studies.container import container_facts
from fairnode.studies.document import StudyPlan
from fairnode.studies.fit import compile_contract, compile_view, reads_identifiers
from fairnode.studies.privacy import privacy_of
from fairnode.studies.processing import processing_facts
from fairnode.studies.send import home_of

PROTOCOL = "fairnode/1"


def approval_content(
    node: Node, visit: Visit, plan: StudyPlan, dataset: Dataset, algorithm: Algorithm
) -> dict[str, Any]:
    """Everything that a decision on this visit is about, as a JSON object.

    Raises `NotValid` when study, dataset and algorithm do not fit each other (any more).
    """
    description, manifest = describe(dataset.record, dataset.iri), read_manifest(algorithm.manifest)
    view = compile_view(plan, description, manifest)
    contract = compile_contract(plan, description, manifest)
    rules, terms, agreement = node.rules, privacy_of(plan, visit.stage), current(node)
    told, reviews = plan.document, review_facts(node, algorithm)
    return {
        "protocol": PROTOCOL,
        "node": node.iri,
        "visit": visit.id,
        "study": plan.hash,
        "stage": visit.stage,
        "requester": told["requester"],
        "recipients": told["recipients"],
        "purpose": told["purpose"],
        "law": law_facts(plan, description),
        "openings": told["openings"],
        "algorithm": _algorithm(algorithm),
        "parameters": told["parameters"],
        "dataset": {
            "iri": dataset.iri,
            "lineage": dataset.lineage,
            "bindings": digest(canonical(description.binding_facts())),
            "policy": policy_facts(description),
        },
        "view": {**to_json(view), "query": _query(description, view, manifest)},
        "outputContract": contract_to_json(contract),
        "gateRules": {"version": rules.version, "sha256": rules.hash},
        "agreement": agreement_facts(agreement),
        "protocolDocument": document_facts(),
        "reviews": reviews,
        "containerShares": container_facts(plan, reviews),
        "combination": _combination(plan, agreement, description, contract),
        "keeping": keeping_facts(plan, description.terms),
        "limits": dataclasses.asdict(manifest.resources),
        "runtime": node.config.settings.runtime,
        "notBefore": visit.created,
        "notAfter": visit.expires,
        "maxRuns": 1,
        "rerunOnPermutedRows": contract.class_b and terms is None and not plan.combines(visit.stage),
        "privacy": dataclasses.asdict(terms) if terms else None,
    }


def _algorithm(algorithm: Algorithm) -> dict[str, str]:
    return {
        "name": algorithm.name,
        "version": algorithm.version,
        "identity": algorithm.image,
        "manifest": algorithm.sha256,
    }


def _combination(
    plan: StudyPlan, agreement: Agreement | None, description: Description, contract: OutputContract
) -> dict[str, Any] | None:
    """Input parties, program, key rule and parameters, and each compute party with its role for these data."""
    facts = compute_facts(plan, agreement, sum(len(list(table.keys())) for table in contract.tables))
    if facts is None or agreement is None:
        return None
    dataset = description.dataset.iri
    member = agreement.member(home_of(dataset))
    organisation = member.organisation if member else ""
    return {**facts, "parties": processing_facts(agreement, dataset, organisation, description.regime)}


def _query(description: Description, view: View, manifest: Manifest) -> str:
    """The digest of the statements that make the view."""
    return compile_query(description.dataset, view, identifiers=reads_identifiers(manifest)).digest


def content_hash(content: dict[str, Any]) -> str:
    """The hash over the canonical bytes of the content: what a person signs for."""
    return digest(canonical(content))


def visit_expiry(node: Node, plan: StudyPlan, received: str) -> str:
    """Until when a visit may be approved and run: the study's end, or the node's limit if that is sooner."""
    return min(
        str(plan.document["expires"]), clock.later(node.config.settings.approval_days * 86400, received)
    )
