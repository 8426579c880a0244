"""What a combining stage needs to know: which counts, added by which program, under which rule, by whom."""

from __future__ import annotations

from typing import Any

from fairnode import errors
from fairnode.disclosure.rules import load_rules
from fairnode.keys import canonical, digest
from fairnode.linkage import program as linkage
from fairnode.mpc.estimate.models import Model
from fairnode.mpc.estimate.program import MOST_FIGURES
from fairnode.mpc.openings.rule import DISJOINT, OVERLAPPING, check_contributors
from fairnode.mpc.overlap.shape import FINGERPRINT, SLOTS
from fairnode.mpc.programs import program
from fairnode.mpc.programs.noisy_sum import NOISY_SUM
from fairnode.mpc.programs.overlap_cells import NAME as OVERLAP_CELLS
from fairnode.mpc.programs.regression import LARGEST
from fairnode.mpc.programs.suppressed_sum import BITS
from fairnode.network.agreement import Agreement, ComputeParty, Member
from fairnode.studies.container import container_parameters, container_stage, stage_findings
from fairnode.studies.document import Stage, StudyPlan
from fairnode.studies.regression import NAME as REGRESSION
from fairnode.studies.regression import Question
from fairnode.studies.summary import SUMMARIES, UNCOMPARED, Summary

OVERLAP, ESTIMATE, OPEN_SYNTHETIC = "overlap", "estimate", "overlap-open-synthetic"
PROGRAMS = ("sum", REGRESSION, *SUMMARIES, NOISY_SUM.name, OVERLAP, OVERLAP_CELLS, OPEN_SYNTHETIC)
PLAIN = "mpyc"
"""The engine without bits."""
_COMPARED = "compared with every earlier combined table of these data (P6)"
_HIDDEN_BY_NOISE = "not compared with earlier tables: the noise hides whatever one organisation puts in"


def combine_stage(plan: StudyPlan) -> Stage | None:
    """The stage of a study that combines its counts, if it has one."""
    return next((stage for stage in plan.stages if stage.kind == "combine"), None)


def estimate_stage(plan: StudyPlan) -> Stage | None:
    """The stage that estimates from what was combined, in the same computation, if there is one."""
    return next((stage for stage in plan.stages if stage.kind == "estimate"), None)


def is_overlap(plan: StudyPlan) -> bool:
    """Whether a study asks who is on several lists, and not for counts to be added."""
    stage = combine_stage(plan)
    return stage is not None and stage.program in (OVERLAP, OVERLAP_CELLS, OPEN_SYNTHETIC)


def opens_cells(plan: StudyPlan) -> bool:
    """Whether a study opens cells of an overlap (P9), which no policy grants and counsel must allow."""
    stage = combine_stage(plan)
    return stage is not None and stage.program == OVERLAP_CELLS


def program_name(plan: StudyPlan) -> str:
    """The engine's program for a study: stages `overlap` and `estimate` are one, so that nothing is opened
    between them. "" where nothing is combined.
    """
    stage = combine_stage(plan)
    if stage is None:
        return ""
    return "overlap-estimate" if stage.program == OVERLAP else stage.program


def question(plan: StudyPlan) -> Question | Summary | None:
    """The regression, mean or quantile that a study asks for, or None. Raises `NotValid` where it cannot be."""
    stage = combine_stage(plan)
    if stage is not None and stage.program in SUMMARIES:
        return Summary.of(stage.program, plan.document["parameters"], plan.dimensions)
    if stage is None or stage.program != REGRESSION:
        return None
    return Question.of(plan.document["parameters"], plan.dimensions)


def is_summary(plan: StudyPlan) -> bool:
    """Whether a study asks for a mean or a quantile."""
    stage = combine_stage(plan)
    return stage is not None and stage.program in SUMMARIES


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
    if is_overlap(plan):
        findings += _overlap_findings(plan, stage, agreement)
    if stage.program in (REGRESSION, *SUMMARIES):
        findings += _figure_findings(plan, stage, agreement)
    findings += stage_findings(plan, len(nodes), len(agreement.parties))
    if findings:
        raise errors.NotValid("The study cannot be combined like this.", findings=tuple(findings))
    check_contributors(len(nodes), len(agreement.parties))


def _figure_findings(plan: StudyPlan, stage: Stage, agreement: Agreement) -> list[errors.Finding]:
    """One visit and the figures made of it; all steps are one round, for none of them is told to anybody."""
    found = []
    if [s.kind for s in plan.stages] != ["visit", "combine"] or plan.document["openings"] != [stage.name]:
        what = f"a {stage.program} has one visit and '{stage.name}', which is all that is opened"
        found.append(errors.Finding("stages, openings", what))
    if stage.max_rounds != 1:
        steps = "fit" if stage.program == REGRESSION else "computation"
        what = f"is 1: each organisation deals once, and no step of the {steps} is shown to it"
        found.append(errors.Finding(f"stages/{stage.name}/maxRounds", what))
    try:
        parameters = program_parameters(plan, agreement, 1)
        program(stage.program).check(parameters, len(plan.datasets), len(agreement.parties))
    except errors.NotValid as error:
        found += error.findings or (errors.Finding("parameters", error.what),)
    return found


def _overlap_findings(plan: StudyPlan, stage: Stage, agreement: Agreement) -> list[errors.Finding]:
    """Keys first, then the overlap, then the estimate (but for the test that opens the table), no more."""
    shapes = [("visit", linkage.NAME), ("combine", stage.program)]
    shapes += [("estimate", ESTIMATE)] if stage.program == OVERLAP else []
    if [(s.kind, s.program) for s in plan.stages] != shapes:
        wanted = ", ".join(f"{kind} by {name}" for kind, name in shapes)
        return [errors.Finding("stages", f"an overlap has these and no others: {wanted}")]
    findings = []
    for before, after in zip(plan.stages, plan.stages[1:], strict=False):
        if after.inputs != (before.name,):
            findings.append(errors.Finding(f"stages/{after.name}/inputs", f"must be '{before.name}'"))
    if plan.document["openings"] != [plan.stages[-1].name]:
        findings.append(errors.Finding("openings", f"must be '{plan.stages[-1].name}': all that is opened"))
    try:
        parameters = _overlap_parameters(plan, stage, agreement)
        program(program_name(plan)).check(parameters, len(plan.datasets), len(agreement.parties))
    except (errors.NotValid, errors.NotAllowed) as error:
        findings.append(errors.Finding(f"stages/{plan.stages[-1].name}/options", error.what))
    except (KeyError, TypeError, ValueError):
        what = "need `bound` of the overlap and `models` of the estimate, each in its form"
        findings.append(errors.Finding("stages/options", what))
    return findings


def program_parameters(plan: StudyPlan, agreement: Agreement, cells: int, earlier: int = 0) -> dict[str, Any]:
    """The parameters that every party must have alike: from study, agreement and rules only.

    `earlier` is the number of earlier tables with which changed persons are compared (P6).
    """
    stage = combine_stage(plan)
    assert stage is not None, "asked for studies that combine only"
    if is_overlap(plan):
        return _overlap_parameters(plan, stage, agreement)
    if container_stage(plan) is not None:
        return container_parameters(stage, cells)
    rules, asked = load_rules(), question(plan)
    shape = {
        "cells": cells,
        "earlier": earlier,
        "largest": LARGEST,
        "k": max(agreement.k, rules.k),
        "lists": stage.options.get("lists", OVERLAPPING),
        "engine": BITS,
    }
    if isinstance(asked, Summary):
        return {"k": shape["k"], "lists": shape["lists"], "engine": PLAIN, **asked.shape()}
    if asked is not None:
        return shape | {"family": asked.family, "design": asked.design()}
    return shape | {"base": rules.count("rounding.base")}


def _overlap_parameters(plan: StudyPlan, stage: Stage, agreement: Agreement) -> dict[str, Any]:
    """The shape of an overlap, and what is estimated from it; places are those of the study's datasets.

    Raises `KeyError`, `TypeError` or `ValueError` for options that are missing or malformed.
    """
    shape = {
        "lists": len(plan.datasets),
        "bound": int(stage.options["bound"]),
        "fingerprint": FINGERPRINT,
        "slots": SLOTS,
    }
    if stage.program == OPEN_SYNTHETIC:
        return {**shape, "synthetic": stage.options.get("synthetic") is True}
    if stage.program == OVERLAP_CELLS:
        rules = load_rules()
        return {**shape, "least": max(agreement.k, rules.k), "base": rules.count("rounding.base")}
    last = estimate_stage(plan)
    options = last.options if last else {}
    return {
        **shape,
        "models": [[[int(place) for place in term] for term in model] for model in options["models"]],
        "standard_errors": options.get("standardErrors", True) is True,
        "observed": True,
    }


def table_of(plan: StudyPlan) -> str:
    """The name of the overlap table that a study estimates from: its key and filter, not its models (P17)."""
    told = {"overlap": plan.document["parameters"].get("key", ""), "filter": plan.document["filter"]}
    return digest(canonical(told))


def figures_asked(plan: StudyPlan) -> int:
    """How many numbers a study releases of its overlap table; cells use up all, for beside them no other figure of
    the table is safe. The test that opens the table is beyond counting.
    """
    if opens_cells(plan):
        return MOST_FIGURES
    last = estimate_stage(plan)
    if last is None:
        return 0
    models = [Model.of(len(plan.datasets), terms) for terms in last.options["models"]]
    errors_too = last.options.get("standardErrors", True) is True
    return 1 + sum(1 + (errors_too and model.decomposable) for model in models)


def key_facts(plan: StudyPlan) -> dict[str, Any] | None:
    """The rule by which persons get their key, and the version of the program that follows it (P18)."""
    if not is_overlap(plan):
        return None
    return {"rule": plan.document["parameters"].get("key", ""), "program": linkage.digest()}


def _changed_persons(plan: StudyPlan) -> str:
    """What is done about persons who changed since earlier tables (P6)."""
    if is_summary(plan):
        return UNCOMPARED
    return _COMPARED if container_stage(plan) is None else _HIDDEN_BY_NOISE


_ROUNDS = "one: each organisation deals once, and no step of the computation is shown to it"


def compute_facts(plan: StudyPlan, agreement: Agreement | None, cells: int) -> dict[str, Any] | None:
    """What an approval binds of the combination (P18): parties, program and its digest, parameters, key."""
    stage = combine_stage(plan)
    if stage is None or agreement is None:
        return None
    chosen = program(program_name(plan))
    # With how many earlier tables it is compared is known only when the combination is announced.
    parameters = program_parameters(plan, agreement, cells)
    return {
        "agreement": agreement.digest,
        "program": chosen.name,
        "digest": chosen.digest,
        "parameters": {k: v for k, v in parameters.items() if k != "earlier"},
        "changedPersons": _changed_persons(plan),
        "rounds": _ROUNDS,
        "says": chosen.describe(parameters),
        "key": key_facts(plan),
        "contributors": sorted(plan.datasets),
    }


def party_members(agreement: Agreement) -> list[tuple[ComputeParty, Member]]:
    """The compute parties with their nodes, by number."""
    return [(party, agreement.of_organisation(party.organisation)) for party in agreement.parties]


def receiver_key_bytes(study: str, stage: str, party: int, public: str) -> bytes:
    """What a compute party signs when it tells its key for one study."""
    told = {"type": "fairnode.receiver-key/1", "study": study, "stage": stage, "party": party, "key": public}
    return canonical(told)
