"""The study document: its form, its canonical bytes and hash, and what is read from it.

The form is `study.schema.json`; the bytes are RFC 8785; the hash over them names the study everywhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from fairnode import clock, errors
from fairnode.keys import canonical, digest
from fairnode.policy.decide import Wish

LIMIT_BYTES = 256 * 1024
LONGEST_DAYS = 366


@dataclass(frozen=True)
class Stage:
    """One ordered step of a study. `kind` is visit, combine or estimate."""

    name: str
    kind: str
    program: str = ""
    inputs: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    max_rounds: int = 1


@dataclass(frozen=True)
class StudyPlan:
    """A checked study document. `hash` names it; `document` is what the hash is over."""

    hash: str
    document: dict[str, Any]
    stages: tuple[Stage, ...]

    @property
    def title(self) -> str:
        """What the study is called."""
        return str(self.document["title"])

    @property
    def datasets(self) -> tuple[str, ...]:
        """The IRIs of the datasets that it wants to visit."""
        return tuple(self.document["datasets"])

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The variables of the tables it asks for."""
        return tuple(self.document["dimensions"])

    @property
    def filter(self) -> dict[str, tuple[str, ...]]:
        """Variable -> codes that rows must have one of."""
        return {f["variable"]: tuple(f["in"]) for f in self.document["filter"]}

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that a view for it must have, dimensions first, each once."""
        return tuple(dict.fromkeys((*self.dimensions, *self.document["parameters"].get("variables", ()))))

    @property
    def identity(self) -> str:
        """The identity of the algorithm's image."""
        return str(self.document["algorithm"]["identity"])

    @property
    def visits(self) -> tuple[Stage, ...]:
        """The stages that run a container at the datasets."""
        return tuple(stage for stage in self.stages if stage.kind == "visit")

    def combines(self, stage: str) -> bool:
        """Whether what a stage counts goes into a combination instead of being released by its node."""
        return any(s.kind == "combine" and stage in s.inputs for s in self.stages)

    def wish(self) -> Wish:
        """What a policy looks at."""
        told = self.document
        return Wish(
            purpose=told["purpose"],
            requester=told["requester"]["organisation"],
            algorithm=self.identity,
            variables=frozenset(self.variables) | frozenset(self.filter),
            stages=frozenset(stage.kind for stage in self.stages),
            legal_basis=frozenset(told["legalBasis"]),
            recipients=frozenset(told["recipients"]),
        )


@cache
def _schema() -> jsonschema.Draft202012Validator:
    """The form of a study document, compiled once."""
    text = (Path(__file__).parent / "study.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def read_study(document: object) -> StudyPlan:
    """The plan in a study document, with its hash.

    Raises `NotValid` with a finding for each place where the form is not kept.
    """
    findings = [
        errors.Finding("/".join(str(step) for step in wrong.absolute_path) or "study", _sentence(wrong))
        for wrong in sorted(_schema().iter_errors(document), key=lambda e: list(map(str, e.absolute_path)))
    ]
    if findings or not isinstance(document, dict):
        raise errors.NotValid("The study does not have the agreed form.", findings=tuple(findings))
    findings = [*_stage_findings(document["stages"]), *_time_findings(document)]
    if findings:
        raise errors.NotValid("The study contradicts itself.", findings=tuple(findings))
    stages = tuple(
        Stage(
            s["name"],
            s["kind"],
            s.get("program", ""),
            tuple(s.get("inputs", ())),
            s.get("options", {}),
            s.get("maxRounds", 1),
        )
        for s in document["stages"]
    )
    return StudyPlan(digest(canonical(document)), document, stages)


def read_study_bytes(content: bytes) -> StudyPlan:
    """The plan in canonical bytes, as they travel between nodes.

    Raises `NotValid` when they are too many, no JSON, or not canonical (so the hash would not be theirs).
    """
    if len(content) > LIMIT_BYTES:
        raise errors.NotValid(f"The study is larger than {LIMIT_BYTES // 1024} KiB.")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise errors.NotValid("The study is not JSON.") from error
    plan = read_study(document)
    if canonical(document) != content:
        raise errors.NotValid("The study's bytes are not in canonical form (RFC 8785).")
    return plan


def _sentence(wrong: jsonschema.ValidationError) -> str:
    """What a schema error says, without the value, which may be long or private."""
    told = {
        "required": f"{wrong.message}",
        "additionalProperties": "has a field that is not part of a study",
        "enum": "must be one of the words that are agreed for it",
        "const": f"must be {json.dumps(wrong.validator_value)}",
        "pattern": "does not have the form that this field needs",
        "type": f"must be of type {wrong.validator_value}",
        "uniqueItems": "names something twice",
    }
    return told.get(str(wrong.validator), f"breaks the rule '{wrong.validator}: {wrong.validator_value}'")


def _stage_findings(stages: list[dict[str, Any]]) -> list[errors.Finding]:
    """Names once; inputs name earlier stages; a stage that combines says by which program."""
    findings, earlier = [], set()
    for number, stage in enumerate(stages):
        where = f"stages/{number}"
        if stage["name"] in earlier:
            findings.append(errors.Finding(where, f"the name '{stage['name']}' is used twice"))
        for name in stage.get("inputs", ()):
            if name not in earlier:
                findings.append(errors.Finding(where, f"its input '{name}' is not an earlier stage"))
        if stage["kind"] != "visit" and not (stage.get("program") and stage.get("inputs")):
            findings.append(
                errors.Finding(where, f"a stage of kind {stage['kind']} needs program and inputs")
            )
        earlier.add(stage["name"])
    return findings


def _time_findings(document: dict[str, Any]) -> list[errors.Finding]:
    """It must expire after it was made, within a year."""
    try:
        created, expires = clock.parse(document["created"]), clock.parse(document["expires"])
    except ValueError:
        return [errors.Finding("created, expires", "is not a moment that exists")]
    days = (expires - created).total_seconds() / 86400
    if not 0 < days <= LONGEST_DAYS:
        return [errors.Finding("expires", f"must be after 'created', by {LONGEST_DAYS} days at most")]
    return []
