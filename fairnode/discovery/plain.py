"""What it would take to be approved at a dataset, in sentences that are shown before anybody asks."""

from __future__ import annotations

from fairnode.metadata.plain import rule_in_words
from fairnode.policy import Effect, Policy, Rule
from fairnode.policy.decide import names_completely

_PEOPLE = "put to the custodian and counsel, who decide"


def in_plain_words(policy: Policy | None) -> tuple[str, ...]:
    """The policy as sentences: what is refused, what is asked about, what is granted, and the rest."""
    if policy is None or not policy.rules:
        return (
            "No study can visit these data: their record has no usage policy, and what is not allowed is refused.",
        )
    order = (Effect.REFUSE, Effect.GRANT, Effect.ASK)
    rules = sorted(policy.rules, key=lambda rule: order.index(rule.effect))
    return (*(_sentence(rule) for rule in rules), "Every other study is refused.")


def _sentence(rule: Rule) -> str:
    """One rule as a sentence, with the custodian's own words at its end."""
    plain = rule_in_words(rule)
    happens = {Effect.REFUSE: "refused", Effect.ASK: _PEOPLE, Effect.GRANT: _granted(rule)}[rule.effect]
    when = f" if {' and '.join(plain.conditions)}" if plain.conditions else ""
    own = f" ({plain.sentence})" if plain.sentence else ""
    return f"A study is {happens}{when}.{own}"


def _granted(rule: Rule) -> str:
    """A permission that does not name everything is a question all the same, as `policy.decide` has it."""
    return "granted without asking anybody" if names_completely(rule) else _PEOPLE
