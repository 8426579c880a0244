"""A dataset's policy in plain words: what it would take to be approved, before anyone asks."""

from __future__ import annotations

from dataclasses import dataclass

from rdflib import Graph, URIRef

from fairnode import errors, vocabulary
from fairnode.metadata.labels import EU_LABELS
from fairnode.metadata.names import EU, HTPOL
from fairnode.policy import Constraint, Effect, Policy, Rule
from fairnode.policy.decide import Operator, Subject
from fairnode.policy.odrl import read_policy
from fairnode.policy.terms import PolicyTerms, read_terms

_GDPR = vocabulary.PREFIXES["eu-gdpr"]
_PHRASES = {
    (Subject.PURPOSE, Operator.ANY_OF): "its purpose is {one}",
    (Subject.PURPOSE, Operator.NONE_OF): "its purpose is not {one}",
    (Subject.REQUESTER, Operator.ANY_OF): "it comes from {one}",
    (Subject.REQUESTER, Operator.NONE_OF): "it does not come from {one}",
    (Subject.ALGORITHM, Operator.ANY_OF): "its algorithm is {one}",
    (Subject.ALGORITHM, Operator.NONE_OF): "its algorithm is not {one}",
    (Subject.VARIABLE, Operator.ANY_OF): "it asks for nothing but {all}",
    (Subject.VARIABLE, Operator.NONE_OF): "it does not ask for {one}",
    (Subject.VARIABLE, Operator.TOUCHES): "it asks for {one}",
    (Subject.STAGE, Operator.ANY_OF): "it wants to do nothing but {all}",
    (Subject.STAGE, Operator.NONE_OF): "it does not want to {one}",
    (Subject.STAGE, Operator.TOUCHES): "it wants to {one}",
    (Subject.LEGAL_BASIS, Operator.ANY_OF): "its legal basis is {one}",
    (Subject.LEGAL_BASIS, Operator.NONE_OF): "its legal basis is not {one}",
    (Subject.LEGAL_BASIS, Operator.TOUCHES): "its legal basis includes {one}",
    (Subject.RECIPIENT, Operator.ANY_OF): "its results go to nobody but {all}",
    (Subject.RECIPIENT, Operator.NONE_OF): "its results do not go to {one}",
    (Subject.RECIPIENT, Operator.TOUCHES): "its results go to {one}",
}
_OPENING = {
    Effect.REFUSE: "refused",
    Effect.ASK: "put to the custodian and counsel",
    Effect.GRANT: "granted without asking",
}


@dataclass(frozen=True)
class PlainRule:
    """One rule: what happens to a study, under which conditions, and the custodian's own words about it."""

    effect: Effect
    heading: str
    conditions: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class PlainPolicy:
    """A policy in words. `modifiers` are conditions that hold for every use, as (label, definition).

    `stated` is what lawyers look for, as (label, value): legal basis, least count, time kept, impact assessment.
    """

    rules: tuple[PlainRule, ...]
    modifiers: tuple[tuple[str, str], ...]
    stated: tuple[tuple[str, str], ...] = ()


def policy_of(graph: Graph, iri: str) -> Policy | None:
    """The policy in a record; None when there is none, or none that this node understands."""
    try:
        return read_policy(graph, URIRef(iri))
    except errors.NotValid:
        return None


def in_words(graph: Graph, iri: str) -> PlainPolicy:
    """The policy of a record in words; without rules when nothing may visit."""
    policy = policy_of(graph, iri)
    rules = tuple(rule_in_words(rule) for rule in policy.rules) if policy else ()
    terms = read_terms(graph, URIRef(iri))
    modifiers = tuple(_modifier(f"{HTPOL}{name}") for name in sorted(terms.modifiers))
    return PlainPolicy(rules, modifiers, _stated(terms))


def _stated(terms: PolicyTerms) -> tuple[tuple[str, str], ...]:
    """What a policy states beside rules and conditions, as far as it does."""
    kept = [f"{days} days" for days in terms.kept_days] + [f"until {day}" for day in terms.kept_until]
    assessed = [f"{name}, version {version}" if version else name for name, version in terms.dpia]
    asked = ["a study must name one of its own"] if terms.names_dpia else []
    said = (
        ("legal basis of the organisation", [term_label(basis) for basis in terms.legal_basis]),
        ("least number of persons (k)", [str(k) for k in terms.least]),
        ("results and shares are kept", kept),
        ("impact assessment", assessed + asked),
    )
    return tuple((label, "; ".join(values)) for label, values in said if values)


def rule_in_words(rule: Rule) -> PlainRule:
    """One rule in words."""
    conditions = tuple(_condition(constraint) for constraint in rule.constraints)
    return PlainRule(rule.effect, _OPENING[rule.effect], conditions, rule.sentence)


def _condition(constraint: Constraint) -> str:
    """One condition in words."""
    values = sorted(term_label(value) for value in constraint.values)
    phrase = _PHRASES.get((constraint.subject, constraint.operator), "its {subject} includes {one}")
    one, every = _listed(values, "or"), _listed(values, "and")
    return phrase.format(subject=constraint.subject.value, one=one, all=every)


def _listed(words: list[str], last: str) -> str:
    """a, b or c."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def known_label(iri: str) -> str:
    """What a term, variable or concept is called; empty where no label is known."""
    iri = str(iri)  # an IRI of rdflib is equal to its text, but is found by another hash
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
    return ""


def term_label(iri: str) -> str:
    """What a term, variable or concept is called; the last part of its IRI where no label is known."""
    iri = str(iri)
    if found := known_label(iri):
        return found
    name = iri.rsplit("#", 1)[-1] if "#" in iri else iri
    if iri.startswith(_GDPR):
        article, *parts = name.removeprefix("A").split("-")
        return f"GDPR art. {article}" + "".join(f"({part})" for part in parts)
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
