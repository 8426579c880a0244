"""In which role and on what basis compute parties hold shares of a dataset (P20): as the agreement says, or not.

Shares at another organisation are processing of the data. A party whose own data they are needs no statement.
"""

from __future__ import annotations

from typing import Any

from fairnode import clock, errors
from fairnode.network.agreement import Agreement, ComputeParty
from fairnode.policy.terms import PolicyTerms
from fairnode.studies.combination import combine_stage
from fairnode.studies.document import StudyPlan

DAY = 86400
OWN = "Controller"
"""The role of a party that computes with shares of its own organisation's data."""


def processing_facts(
    agreement: Agreement, dataset: str, organisation: str, regime: str
) -> list[dict[str, Any]]:
    """Each compute party with its role, regime and basis for one dataset; role "" where nothing is said."""
    return [_facts(party, dataset, organisation, regime) for party in agreement.parties]


def _facts(party: ComputeParty, dataset: str, organisation: str, regime: str) -> dict[str, Any]:
    """One compute party."""
    told = {
        "number": party.number,
        "organisation": party.organisation,
        "address": party.address,
        "hasData": party.has_data,
        "regime": regime,
    }
    if party.organisation == organisation:
        return {**told, "role": OWN, "legalBasis": []}
    said = party.processes(dataset, organisation, regime)
    if said is None:
        return {**told, "role": "", "legalBasis": []}
    return {**told, "role": said.role, "legalBasis": list(said.basis)}


def check_processing(parties: list[dict[str, Any]]) -> None:
    """Raise `NotValid` naming the compute parties of which role, regime and basis are not agreed (P20)."""
    unsaid = [
        errors.Finding(f"compute party {p['number']}", "no role and legal basis is agreed for these data")
        for p in parties
        if not p["role"]
    ]
    if unsaid:
        raise errors.NotValid(
            "The agreement does not say in which role and on what basis each compute party would hold shares "
            "of this dataset.",
            findings=tuple(unsaid),
            to_do="The members agree anew; each states it with: fairnode network card --basis REGIME=BASIS",
        )


def shares_until(plan: StudyPlan) -> str:
    """When compute parties delete the shares of a study at the latest, whatever its home node says."""
    return clock.later(DAY, str(plan.document["expires"]))


def check_retention(plan: StudyPlan, terms: PolicyTerms, received: str) -> None:
    """Raise `NotValid` where shares could lie at compute parties longer than the dataset's policy lets them."""
    if combine_stage(plan) is None:
        return
    limits = [clock.later(days * DAY, received) for days in terms.kept_days]
    limits += [f"{day[:10]}T00:00:00Z" for day in terms.kept_until]
    if limits and min(limits) < shares_until(plan):
        raise errors.NotValid(
            f"The dataset's policy lets shares be kept until {min(limits)[:10]}, and this study would keep them "
            f"until {shares_until(plan)[:10]}. Let it expire sooner."
        )


def kept_until(terms: PolicyTerms, made: str) -> str:
    """From when on results and twins made at that moment may be kept no longer; "" where nothing is said.

    The stated day is the last one on which they may.
    """
    limits = [clock.later(days * DAY, made) for days in terms.kept_days]
    limits += [clock.later(DAY, f"{day[:10]}T00:00:00Z") for day in terms.kept_until]
    return min(limits, default="")


def check_dpia(plan: StudyPlan, terms: PolicyTerms) -> None:
    """Raise `NotValid` where the policy obliges the study to name an impact assessment and it names none."""
    if terms.names_dpia and not plan.document.get("dpia"):
        raise errors.NotValid("The dataset's policy asks that the study names an impact assessment.")
