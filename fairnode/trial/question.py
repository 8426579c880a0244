"""What a trial asks: the part of a study that decides on view, tables and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairnode.records.algorithm import Manifest
from fairnode.studies.document import Stage, StudyPlan


@dataclass(frozen=True)
class Question:
    """Variables to count by, other parameters, and a filter (variable -> codes)."""

    dimensions: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    filter: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def plan_of(question: Question, manifest: Manifest) -> StudyPlan:
    """The question as the plan of a study that was never sent: "trial" stands where its hash would."""
    named = "dimensions" in manifest.parameters.get("properties", {}) and question.dimensions
    given = {"dimensions": list(question.dimensions)} if named else {}
    document = {
        "dimensions": list(question.dimensions),
        "parameters": {**given, **question.parameters},
        "filter": [{"variable": name, "in": list(codes)} for name, codes in question.filter.items()],
    }
    return StudyPlan("trial", document, (Stage("trial", "visit"),))
