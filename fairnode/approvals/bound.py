"""What an approval binds beside study, image and data (privacy model P18): the law, the network, reviews, keeping.

Each function compiles its part anew from what is there now; whatever changes in it voids the approval.
"""

from __future__ import annotations

from typing import Any

from fairnode import vocabulary
from fairnode.approvals.algorithm_reviews import standing, trusted_keys
from fairnode.datasets.description import Description
from fairnode.keys import canonical, digest
from fairnode.network.agreement import Agreement
from fairnode.node import Node
from fairnode.policy.terms import PolicyTerms
from fairnode.records.algorithm_review import AlgorithmReview
from fairnode.records.rows import Algorithm
from fairnode.studies.combination import combine_stage
from fairnode.studies.document import StudyPlan
from fairnode.studies.processing import shares_until

_HTPOL, _GDPR = vocabulary.HTPOL, vocabulary.PREFIXES["eu-gdpr"]
_REGIMES = {
    _GDPR: "GDPR",
    f"{_HTPOL}UAVG-": "GDPR",
    f"{_HTPOL}LED-": "LED",
    f"{_HTPOL}Wpg-": "WPG",
    f"{_HTPOL}Bpg": "WPG",
}
"""Of which regime a legal basis is, by how its IRI begins."""


def regime_of(basis: str) -> str:
    """The regime (IRI) that a legal basis is of; "" for one that the ontology does not know."""
    return next((f"{_HTPOL}{regime}" for start, regime in _REGIMES.items() if basis.startswith(start)), "")


def law_facts(plan: StudyPlan, description: Description) -> dict[str, Any]:
    """The regime of the data, the legal basis of either side by regime, and the impact assessments."""
    told, terms = plan.document, description.terms
    return {
        "regime": description.regime,
        "basisOfRequester": _by_regime(told["legalBasis"]),
        "basisOfOrganisation": _by_regime(terms.legal_basis),
        "dpiaOfOrganisation": [{"id": name, "version": version} for name, version in terms.dpia],
        "dpiaOfStudy": {"id": told.get("dpia", ""), "version": told.get("dpiaVersion", "")},
    }


def _by_regime(bases: list[str] | tuple[str, ...]) -> dict[str, list[str]]:
    """Legal bases by the regime that they are of."""
    found: dict[str, list[str]] = {}
    for basis in sorted(bases):
        found.setdefault(regime_of(basis), []).append(basis)
    return found


def policy_facts(description: Description) -> dict[str, Any]:
    """The policy's version: of its rules, and of its terms, which are spelled out."""
    terms = terms_facts(description.terms)
    rules = description.policy.version if description.policy else ""
    return {"version": digest(canonical([rules, terms])), "rules": rules, "terms": terms}


def terms_facts(terms: PolicyTerms) -> dict[str, Any]:
    """The terms of a policy as JSON; legal bases and impact assessments stand with the law."""
    return {
        "modifiers": sorted(terms.modifiers),
        "leastCount": list(terms.least),
        "keptDays": list(terms.kept_days),
        "keptUntil": list(terms.kept_until),
        "namesDpia": terms.names_dpia,
    }


def agreement_facts(agreement: Agreement | None) -> dict[str, Any] | None:
    """Which version of the network's agreement holds; None for a node in no network."""
    if agreement is None:
        return None
    return {"iri": agreement.iri, "sha256": agreement.digest, "expires": agreement.expires}


def keeping_facts(plan: StudyPlan, terms: PolicyTerms) -> dict[str, Any]:
    """How long what a visit makes is kept, and what ends it; each deletion is a line in a ledger."""
    combined = combine_stage(plan) is not None
    return {
        "view": "deleted when the visit ends",
        "shares": "deleted when the combination is over or taken back" if combined else "none are made",
        "sharesUntil": shares_until(plan) if combined else "",
        "resultDays": list(terms.kept_days),
        "resultUntil": list(terms.kept_until),
    }


def review_facts(node: Node, algorithm: Algorithm) -> dict[str, Any]:
    """The reviews of exactly this image and manifest that count here, and the list of nodes trusted for that."""
    keys = trusted_keys(node)
    found = sorted(standing(node, algorithm).valid, key=lambda review: review.id)
    return {
        "trustList": {"version": digest(canonical(keys)), "nodes": len(keys)},
        "of": {"image": algorithm.image, "manifest": algorithm.sha256},
        "reliedOn": [_review(review) for review in found],
    }


def _review(review: AlgorithmReview) -> dict[str, Any]:
    """One review by who gave it; the hash is that of its signed statement."""
    return {
        "organisation": review.organisation,
        "node": review.node,
        "reviewer": review.reviewer,
        "opinion": review.opinion,
        "reproduced": review.reproduced,
        "note": review.note,
        "at": review.created,
        "sha256": digest(review.envelope),
    }
