from __future__ import annotations

import hashlib

import pytest
import rfc8785

from fairnode import errors
from fairnode.disclosure.rules import _HIGHER_IS_STRICTER as CHANGEABLE
from fairnode.disclosure.rules import (
    load_rules,
    own_rules,
    rules_to_json,
    rules_to_toml,
    stricter,
    with_nfilter,
)

RULE = """
name = "x"
version = "1"
[[rule]]
id = "threshold"
iri = "https://example.org/"
title = { en = "T", nl = "T" }
en = "Fewer than {k}."
nl = "Minder dan {k}."
[rule.values]
k = 5
"""


def test_the_floor_hides_below_eleven_and_rounds_to_five(rules):
    assert rules.k == 11
    assert rules.count("rounding.base") == 5
    assert rules.number("dominance.share") == 0.85
    assert rules.number("p-percent.p") == 0.1
    assert rules.count("universe.persons") == 10 * rules.k


@pytest.mark.parametrize("language", ["en", "nl"])
def test_every_rule_explains_itself_with_its_numbers(rules, language):
    for rule in rules.rules:
        said = rules.explain(rule.id, language)
        assert said.endswith(".")
        assert "{" not in said
        assert rule.title[language]
        assert rule.iri.startswith("https://www.w3id.org/statbarnsdc#")
    assert "11" in rules.explain("threshold", language)
    assert "85%" in rules.explain("dominance", language)


def test_the_hash_is_of_the_canonical_json_and_changes_with_any_number(rules):
    assert hashlib.sha256(rfc8785.dumps(rules_to_json(rules))).hexdigest() == rules.hash
    assert stricter(rules, {"threshold.k": 12}).hash != rules.hash
    assert load_rules().hash == rules.hash
    assert len(rules.hash) == 64


def test_every_number_that_may_change_is_a_number_of_the_floor(rules):
    for name in CHANGEABLE:
        assert rules.number(name) > 0


@pytest.mark.parametrize("name", CHANGEABLE)
def test_a_number_may_be_made_stricter_but_not_laxer(rules, name):
    step = 1 if CHANGEABLE[name] else -1
    now = rules.number(name)
    assert stricter(rules, {name: now + step * now / 2}).number(name) != now
    with pytest.raises(errors.NotAllowed, match="laxer"):
        stricter(rules, {name: now - step * now / 2})


def test_an_unknown_number_is_an_error_that_lists_the_known(rules):
    with pytest.raises(errors.NotValid, match=r"threshold\.q") as told:
        stricter(rules, {"threshold.q": 3})
    assert "threshold.k" in told.value.to_do


def test_datashield_names_are_understood_and_never_loosen(rules):
    assert with_nfilter(rules, {"nfilter.tab": 3, "nfilter.glm": 0.33}).hash == rules.hash
    assert with_nfilter(rules, {"nfilter.tab": 20, "nfilter.subset": 15}).k == 20
    with pytest.raises(errors.NotValid, match=r"nfilter\.kNN"):
        with_nfilter(rules, {"nfilter.kNN": 3})


def test_a_node_is_stricter_by_its_own_names_and_datashields(rules):
    own = own_rules((("budget.releases", 5.0), ("nfilter.tab", 20.0), ("nfilter.glm", 0.33)))
    assert (own.k, own.count("budget.releases"), own.number("model.parameters_per_row")) == (20, 5, 0.1)
    assert own_rules(()).hash == rules.hash
    with pytest.raises(errors.NotAllowed, match="laxer"):
        own_rules((("threshold.k", 3.0),))


def test_what_a_node_serves_as_toml_is_the_same_rule_set(rules):
    for served in (rules, own_rules((("threshold.k", 20.0), ("dominance.share", 0.8)))):
        assert load_rules(rules_to_toml(served)).hash == served.hash


def test_a_rule_set_of_ones_own_is_read():
    own = load_rules(RULE)
    assert (own.name, own.k, own.explain("threshold", "nl")) == ("x", 5, "Minder dan 5.")


@pytest.mark.parametrize(
    "text", ["[", "", 'name = "x"', RULE.replace("title", "titel"), "rule = 3\nname='x'"]
)
def test_a_rule_set_that_cannot_be_read_is_an_error(text):
    with pytest.raises(errors.NotValid, match="rule set"):
        load_rules(text)
