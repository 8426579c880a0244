"""What a combining stage needs to know: which counts, added by which program, under which rule, by whom."""

from __future__ import annotations

from typing import Any

from fairnode import errors
from fairnode.disclosure.rules import load_rules
from fairnode.keys import canonical
from fairnode.mpc.openings.rule import DISJOINT, OVERLAPPING, check_contributors
from fairnode.mpc.programs import programs
from fairnode.mpc.programs.suppressed_sum import BITS
from fairnode.network.agreement import Agreement, ComputeParty, Member
from fairnode.studies.document import Stage, StudyPlan

PROGRAMS = ("sum",)


def combine_stage(plan: StudyPlan) -> Stage | None:
    """The stage of a study that combines its counts, if it has one."""
    return next((stage for stage in plan.stages if stage.kind == "combine"), None)


def check_can_combine(plan: StudyPlan, agreement: Agreement | None) -> None:
    """Raise `NotValid` when a study asks for a combination that this network cannot make."""
    stage = combine_stage(plan)
    if stage is None:
        return
    if agreement is None or not agreement.parties:
        raise errors.NotValid("This node's network names no compute parties, so nothing can be combined.")
    findings = []
    if stage.program not in PROGRAMS:
        findings.append(
            errors.Finding(f"stages/{stage.name}", f"'{stage.program}' is not a program for counts")
        )
    if stage.options.get("lists", OVERLAPPING) not in (DISJOINT, OVERLAPPING):
        findings.append(errors.Finding(f"stages/{stage.name}/options/lists", "is disjoint or overlapping"))
    nodes = [iri.partition("/dataset/")[0] for iri in plan.datasets]
    if len(set(nodes)) != len(nodes):
        findings.append(errors.Finding("datasets", "a combined study names one dataset of each node"))
    if findings:
        raise errors.NotValid("The study cannot be combined like this.", findings=tuple(findings))
    check_contributors(len(nodes), len(agreement.parties))


def program_parameters(plan: StudyPlan, agreement: Agreement, cells: int, earlier: int = 0) -> dict[str, Any]:
    """The parameters that every party must have alike: from study, agreement and rules only.

    `earlier` is the number of earlier tables with which changed persons are compared (P6).
    """
    stage = combine_stage(plan)
    assert stage is not None, "asked for studies that combine only"
    rules = load_rules()
    return {
        "cells": cells,
        "base": rules.count("rounding.base"),
        "earlier": earlier,
        "largest": 1 << 20,
        "k": max(agreement.k, rules.k),
        "lists": stage.options.get("lists", OVERLAPPING),
        "engine": BITS,
    }


def compute_facts(plan: StudyPlan, agreement: Agreement | None, cells: int) -> dict[str, Any] | None:
    """What an approval binds of the combination (P18): parties, program and its digest, parameters."""
    stage = combine_stage(plan)
    if stage is None or agreement is None:
        return None
    # With how many earlier tables it is compared is known only when the combination is announced.
    parameters = program_parameters(plan, agreement, cells)
    return {
        "agreement": agreement.digest,
        "program": stage.program,
        "digest": programs()[stage.program].digest,
        "parameters": {k: v for k, v in parameters.items() if k != "earlier"},
        "changedPersons": "compared with every earlier combined table of these data (P6)",
        "parties": [[p.number, p.organisation, p.address] for p in agreement.parties],
        "contributors": sorted(plan.datasets),
    }


def party_members(agreement: Agreement) -> list[tuple[ComputeParty, Member]]:
    """The compute parties with their nodes, by number."""
    return [(party, agreement.of_organisation(party.organisation)) for party in agreement.parties]


def receiver_key_bytes(study: str, stage: str, party: int, public: str) -> bytes:
    """What a compute party signs when it tells its key for one study."""
    told = {"type": "fairnode.receiver-key/1", "study": study, "stage": stage, "party": party, "key": public}
    return canonical(told)
