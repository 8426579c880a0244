"""The disclosure rules as data: names, numbers and plain words from `rules.toml`, hashed and versioned.

The hash goes into approvals and releases (P18), the words into the dataset's record and the reviewers'
page. IRIs are of the StatBarns ontology of SDC checks (https://www.w3id.org/statbarnsdc).
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import resources
from typing import Any

import rfc8785

from fairnode import errors

# For each number that an agreement or node may change: whether a higher one is the stricter one.
_HIGHER_IS_STRICTER = {
    "threshold.k": True,
    "threshold.rows_per_person": True,
    "dominance.share": False,
    "p-percent.p": True,
    "complementary.seconds": False,
    "node-sets.nodes": True,
    "universe.persons": True,
    "budget.releases": False,
    "budget.days": True,
    "privacy-loss.epsilon": False,
    "privacy-loss.blocks": True,
    "rounding.base": True,
    "rounding.digits": False,
    "size.tables": False,
    "size.cells": False,
    "size.dimensions": False,
    "model.residual_dof": True,
    "model.parameters_per_row": False,
    "class-b.numbers": False,
    "class-b.digits": False,
    "class-b.bits": False,
    "class-b.reviews": True,
}


@dataclass(frozen=True)
class Rule:
    """One rule: its name, the IRI of the check it is, its numbers, and words in English and Dutch."""

    id: str
    iri: str
    values: Mapping[str, float]
    aliases: Mapping[str, str]
    title: Mapping[str, str]
    text: Mapping[str, str]


@dataclass(frozen=True)
class RuleSet:
    """All rules that a gate applies. `hash` is the SHA-256 (hex) of their canonical JSON."""

    name: str
    version: str
    hash: str
    rules: tuple[Rule, ...]

    def rule(self, rule_id: str) -> Rule:
        """The rule called `rule_id`; `KeyError` if there is none."""
        return self._by_id[rule_id]

    @cached_property
    def _by_id(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    def number(self, name: str) -> float:
        """The number `rule.value`, e.g. `number("rounding.base")`; `KeyError` if there is none."""
        return self._numbers[name]

    @cached_property
    def _numbers(self) -> Mapping[str, float]:
        return {f"{rule.id}.{name}": value for rule in self.rules for name, value in rule.values.items()}

    def count(self, name: str) -> int:
        """The same for a number that counts something."""
        return int(self.number(name))

    @cached_property
    def k(self) -> int:
        """The threshold: fewer persons than this are not shown."""
        return self.count("threshold.k")

    def explain(self, rule_id: str, language: str = "en") -> str:
        """The rule in a plain sentence, its numbers filled in."""
        rule = self.rule(rule_id)
        shared = {"k": self.k, "below": self.k - 1}
        return rule.text[language].format(**{**shared, **rule.values})


def load_rules(text: str | None = None) -> RuleSet:
    """The rule set written in `text` (TOML), or the floor that travels with this package.

    Raises `NotValid` if it is not TOML or a rule lacks a part.
    """
    return _floor() if text is None else _read(text)


@cache
def _floor() -> RuleSet:
    """The rule set that travels with this package; it is asked for often."""
    return _read(floor_text())


def floor_text() -> str:
    """The floor as it is written: TOML with the words that explain each rule."""
    return resources.files("fairnode.disclosure").joinpath("rules.toml").read_text(encoding="utf-8")


def _read(text: str) -> RuleSet:
    """The rule set in a TOML text."""
    try:
        read = tomllib.loads(text)
        rules = tuple(_rule(entry) for entry in read["rule"])
        return _hashed(RuleSet(read["name"], read["version"], "", rules))
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise errors.NotValid(
            f"The rule set cannot be read: {error}.",
            to_do="Compare it with fairnode/disclosure/rules.toml.",
        ) from None


def stricter(floor: RuleSet, changes: Mapping[str, float]) -> RuleSet:
    """`floor` with some numbers made stricter, e.g. `{"threshold.k": 20}`.

    Raises `NotValid` for a name that is not a number of the rules, `NotAllowed` for one made laxer.
    """
    rules = {rule.id: rule for rule in floor.rules}
    for name, value in changes.items():
        if name not in _HIGHER_IS_STRICTER:
            raise errors.NotValid(
                f"'{name}' is not a number of the disclosure rules.",
                to_do=f"Known are: {', '.join(_HIGHER_IS_STRICTER)}.",
            )
        if _laxer(name, value, floor.number(name)):
            raise errors.NotAllowed(
                f"{name} = {value} is laxer than the floor of {floor.number(name):g}.",
                to_do="A node or agreement may only be stricter than the floor.",
            )
        rule_id, _, key = name.partition(".")
        rules[rule_id] = replace(rules[rule_id], values={**rules[rule_id].values, key: value})
    return _hashed(replace(floor, rules=tuple(rules.values())))


def with_nfilter(floor: RuleSet, options: Mapping[str, float]) -> RuleSet:
    """`floor` made as strict as DataSHIELD's `nfilter.*` options ask, where it is not already.

    Unknown options are an error (`NotValid`): an operator who sets one expects it to work.
    """
    names = {alias: f"{rule.id}.{key}" for rule in floor.rules for alias, key in rule.aliases.items()}
    changes: dict[str, float] = {}
    for option, value in options.items():
        if option not in names:
            raise errors.NotValid(
                f"The option '{option}' has no counterpart here.", to_do=f"Known are: {', '.join(names)}."
            )
        name = names[option]
        if not _laxer(name, value, changes.get(name, floor.number(name))):
            changes[name] = value
    return stricter(floor, changes)


@cache
def own_rules(changes: tuple[tuple[str, float], ...]) -> RuleSet:
    """The floor, made stricter by a node's own numbers: `threshold.k`, or DataSHIELD's `nfilter.tab`.

    Raises `NotValid` for a name that there is not, `NotAllowed` for a number laxer than the floor; an nfilter
    option that is laxer changes nothing.
    """
    theirs = {name: value for name, value in changes if name.startswith("nfilter.")}
    return with_nfilter(stricter(load_rules(), {n: v for n, v in changes if n not in theirs}), theirs)


def rules_to_toml(rules: RuleSet) -> str:
    """The rule set as TOML that `load_rules` reads: what the node serves."""
    lines = [f"name = {json.dumps(rules.name)}", f"version = {json.dumps(rules.version)}"]
    for rule in rules.rules:
        aliases = ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in rule.aliases.items())
        title = ", ".join(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in rule.title.items())
        lines += ["", "[[rule]]", f"id = {json.dumps(rule.id)}", f"iri = {json.dumps(rule.iri)}"]
        lines += [f"aliases = {{ {aliases} }}"] if aliases else []
        lines += [f"title = {{ {title} }}"]
        lines += [f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in rule.text.items()]
        lines += ["[rule.values]", *(f"{k} = {v}" for k, v in rule.values.items())] if rule.values else []
    return "\n".join(lines) + "\n"


def rules_to_json(rules: RuleSet) -> dict[str, Any]:
    """The rule set as a JSON object, what the hash is of."""
    return {"name": rules.name, "version": rules.version, "rule": [_entry(rule) for rule in rules.rules]}


def _laxer(name: str, value: float, than: float) -> bool:
    return value < than if _HIGHER_IS_STRICTER[name] else value > than


def _rule(entry: Mapping[str, Any]) -> Rule:
    """A rule from its TOML table or JSON object."""
    return Rule(
        id=entry["id"],
        iri=entry["iri"],
        values=dict(entry.get("values", {})),
        aliases=dict(entry.get("aliases", {})),
        title=dict(entry["title"]),
        text={"en": entry["en"], "nl": entry["nl"]},
    )


def _entry(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "iri": rule.iri,
        "values": dict(rule.values),
        "aliases": dict(rule.aliases),
        "title": dict(rule.title),
        **rule.text,
    }


def _hashed(rules: RuleSet) -> RuleSet:
    """The same rule set with the hash of what it says."""
    return replace(rules, hash=hashlib.sha256(rfc8785.dumps(rules_to_json(rules))).hexdigest())
