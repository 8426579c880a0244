"""What a policy says to a wish."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """What a rule does, and what a decision is."""

    GRANT = "grant"
    ASK = "ask"
    REFUSE = "refuse"


class Subject(StrEnum):
    """What of a study a constraint looks at."""

    PURPOSE = "purpose"
    REQUESTER = "requester"
    ALGORITHM = "algorithm"
    VARIABLE = "variable"
    STAGE = "stage"
    LEGAL_BASIS = "legal basis"
    RECIPIENT = "recipient"


class Operator(StrEnum):
    """How the study's values must stand to those of the constraint."""

    ANY_OF = "is any of"  # every value of the study is among those named
    NONE_OF = "is none of"  # no value of the study is among those named
    TOUCHES = "touches"  # at least one value of the study is among those named


@dataclass(frozen=True)
class Constraint:
    """One condition of a rule."""

    subject: Subject
    operator: Operator
    values: frozenset[str]

    def holds(self, wished: frozenset[str]) -> bool:
        """Whether the condition is true for the study's values; nothing wished fulfils only NONE_OF."""
        if self.operator is Operator.ANY_OF:
            return bool(wished) and wished <= self.values
        if self.operator is Operator.TOUCHES:
            return bool(wished & self.values)
        return not wished & self.values


@dataclass(frozen=True)
class Rule:
    """A rule applies when all its constraints hold. `sentence` may be shown to the researcher."""

    effect: Effect
    constraints: tuple[Constraint, ...]
    sentence: str = ""


@dataclass(frozen=True)
class Policy:
    """The rules of one dataset; `version` names the bytes that they were read from."""

    rules: tuple[Rule, ...]
    version: str


@dataclass(frozen=True)
class Wish:
    """What a study wants of one dataset, as the constraints see it."""

    purpose: str
    requester: str
    algorithm: str
    variables: frozenset[str]
    stages: frozenset[str]
    legal_basis: frozenset[str]
    recipients: frozenset[str]

    def values(self, subject: Subject) -> frozenset[str]:
        """The study's values of one subject."""
        return {
            Subject.PURPOSE: frozenset({self.purpose}),
            Subject.REQUESTER: frozenset({self.requester}),
            Subject.ALGORITHM: frozenset({self.algorithm}),
            Subject.VARIABLE: self.variables,
            Subject.STAGE: self.stages,
            Subject.LEGAL_BASIS: self.legal_basis,
            Subject.RECIPIENT: self.recipients,
        }[subject]


@dataclass(frozen=True)
class Decision:
    """What the policy says, a sentence for the researcher, and the number (from 1) of the deciding rule."""

    effect: Effect
    sentence: str
    rule: int = 0


# What a rule must name, each with ANY_OF, before it may grant without a person.
COMPLETE = frozenset(
    {
        Subject.PURPOSE,
        Subject.REQUESTER,
        Subject.ALGORITHM,
        Subject.VARIABLE,
        Subject.STAGE,
        Subject.RECIPIENT,
    }
)


def names_completely(rule: Rule) -> bool:
    """Whether a rule says enough to grant alone."""
    named = {c.subject for c in rule.constraints if c.operator is Operator.ANY_OF}
    return named >= COMPLETE


def applies(rule: Rule, wish: Wish) -> bool:
    """Whether all constraints of a rule hold."""
    return all(c.holds(wish.values(c.subject)) for c in rule.constraints)


def decide(policy: Policy | None, wish: Wish) -> Decision:
    """Refuse what a prohibition hits, grant what a complete rule names, ask about what is permitted.

    From the policy alone, never from data (P8).
    """
    if policy is None or not policy.rules:
        return Decision(Effect.REFUSE, "This dataset has no usage policy, so nothing may visit it.")
    hits = [(number, rule) for number, rule in enumerate(policy.rules, 1) if applies(rule, wish)]
    for number, rule in hits:
        if rule.effect is Effect.REFUSE:
            return Decision(Effect.REFUSE, rule.sentence or "The dataset's policy forbids this.", number)
    for number, rule in hits:
        if rule.effect is Effect.GRANT and names_completely(rule):
            return Decision(Effect.GRANT, rule.sentence or "Granted by the dataset's policy.", number)
    for number, rule in hits:
        return Decision(Effect.ASK, rule.sentence or "The dataset's custodian and counsel decide.", number)
    return Decision(Effect.REFUSE, "The dataset's policy permits other uses only.")
