"""Which combinations ask the same, so that the stored answer is given (P6)."""

from __future__ import annotations

from fairnode.disclosure.history import query_of
from fairnode.keys import canonical, digest
from fairnode.records.result import Condition, OutputContract
from fairnode.studies.combination import is_overlap, program_name, question, table_of
from fairnode.studies.container import container_stage
from fairnode.studies.document import StudyPlan


def plan_filter(plan: StudyPlan) -> tuple[Condition, ...]:
    """The study's filter as the gate sees it."""
    return tuple(Condition(name, frozenset(codes)) for name, codes in plan.filter.items())


def asked_question(plan: StudyPlan, contract: OutputContract) -> str:
    """What makes two combinations the same question, so that the stored answer is given (P6)."""
    if question(plan) is not None:
        told = {name: value for name, value in plan.document["parameters"].items() if name != "dimensions"}
        return digest(canonical([query_of(contract, plan_filter(plan)), program_name(plan), told]))
    if container_stage(plan) is not None:
        asked = [plan.identity, plan.document["parameters"], [[s.program, s.options] for s in plan.stages]]
        return digest(canonical([query_of(contract, plan_filter(plan)), asked]))
    if not is_overlap(plan):
        return query_of(contract, plan_filter(plan))
    stages = [[s.program, s.options] for s in plan.stages]
    return digest(canonical([table_of(plan), list(plan.datasets), stages]))  # models speak of places
