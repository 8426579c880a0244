"""A dataset's policy in plain words: what it would take to be approved, before anyone asks."""

from __future__ import annotations

from dataclasses import dataclass

from rdflib import Graph, URIRef

from fairnode import errors, vocabulary
from fairnode.metadata.labels import EU_LABELS
from fairnode.metadata.names import EU, HTPOL, ODRL
from fairnode.policy import Constraint, Effect, Policy, Rule
from fairnode.policy.decide import Operator, Subject
from fairnode.policy.odrl import read_policy

_SUBJECTS = {
    Subject.PURPOSE: "the purpose",
    Subject.REQUESTER: "the organisation that asks",
    Subject.ALGORITHM: "the algorithm",
    Subject.VARIABLE: "the variables asked for",
    Subject.STAGE: "the kind of step",
    Subject.LEGAL_BASIS: "the legal basis",
    Subject.RECIPIENT: "who receives the result",
}
_OPENING = {
    Effect.REFUSE: "Refused",
    Effect.ASK: "The people here are asked",
    Effect.GRANT: "Granted without asking",
}


@dataclass(frozen=True)
class PlainRule:
    """One rule in words: its effect, a heading, and the conditions under which it applies."""

    effect: Effect
    heading: str
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class PlainPolicy:
    """A policy in words. `modifiers` are conditions that hold for every use, as (label, definition)."""

    rules: tuple[PlainRule, ...]
    modifiers: tuple[tuple[str, str], ...]


def policy_of(graph: Graph, iri: str) -> Policy | None:
    """The policy in a record; None when there is none, or none that this node understands."""
    try:
        return read_policy(graph, URIRef(iri))
    except errors.NotValid:
        return None


def in_words(graph: Graph, iri: str) -> PlainPolicy:
    """The policy of a record in words; without rules when nothing may visit."""
    policy = policy_of(graph, iri)
    rules = tuple(_rule(rule) for rule in policy.rules) if policy else ()
    offers = list(graph.objects(URIRef(iri), ODRL.hasPolicy))
    modifiers = sorted({str(m) for offer in offers for m in graph.objects(offer, HTPOL.modifier)})
    return PlainPolicy(rules, tuple(_modifier(iri) for iri in modifiers))


def _rule(rule: Rule) -> PlainRule:
    """One rule in words."""
    return PlainRule(
        rule.effect, rule.sentence or _OPENING[rule.effect], tuple(_condition(c) for c in rule.constraints)
    )


def _condition(constraint: Constraint) -> str:
    """One condition in words."""
    values = ", ".join(sorted(term_label(value) for value in constraint.values))
    relation = {
        Operator.ANY_OF: "is" if len(constraint.values) == 1 else "is one of",
        Operator.NONE_OF: "is not",
        Operator.TOUCHES: "includes",
    }[constraint.operator]
    if constraint.subject is Subject.VARIABLE and constraint.operator is Operator.ANY_OF:
        relation = "are among"
    return f"{_SUBJECTS[constraint.subject]} {relation}: {values}"


def term_label(iri: str) -> str:
    """What a term, variable or concept is called; the last part of its IRI where no label is known."""
    if iri.removeprefix(str(EU)) in EU_LABELS:
        return EU_LABELS[iri.removeprefix(str(EU))]
    name = iri.rsplit("#", 1)[-1] if "#" in iri else iri
    known = vocabulary.variables().get(name)
    if known is not None:
        return known.label_en
    for find in (vocabulary.term, vocabulary.concept):
        try:
            return find(iri).label_en
        except errors.NotFound:
            continue
    return _spaced(name.rstrip("/").rsplit("/", 1)[-1]) if iri.startswith("http") else iri


def _spaced(name: str) -> str:
    """`AcademicResearch` as "academic research"."""
    if name.isupper() or not name.isalpha():
        return name
    return "".join(f" {c.lower()}" if c.isupper() and i else c for i, c in enumerate(name)).lower()


def _modifier(iri: str) -> tuple[str, str]:
    """A condition that holds for every use: its label and what it means."""
    try:
        term = vocabulary.term(iri)
    except errors.NotFound:
        return term_label(iri), ""
    return term.label_en, term.definition_en
