"""The ontology is whole and consistent: every check of `make ontology` holds, and each can fail."""

import pytest
from rdflib import RDF, Graph, Namespace, URIRef

from fairnode.vocabulary import HT
from ontology import check

ht = Namespace(HT)
SLOW = (check.reasoner_finds_no_contradiction, check.shapes_are_valid)


@pytest.mark.parametrize(
    "each", [each for each in check.CHECKS if each not in SLOW], ids=lambda each: each.__name__
)
def test_the_check_holds(each):
    assert list(each()) == []


@pytest.mark.long
@pytest.mark.parametrize("each", SLOW, ids=lambda each: each.__name__)
def test_the_slow_check_holds(each):
    assert list(each()) == []


@pytest.mark.parametrize(
    ("kinds", "sound"),
    [
        ((ht.Victim, ht.Perpetrator), True),
        ((ht.Victim, ht.Case), False),
        ((ht.Registration, ht.Case), False),
        ((ht.Person, ht.Registration), False),
    ],
)
def test_a_person_is_no_case_and_a_case_no_registration(kinds, sound):
    facts = Graph()
    for kind in kinds:
        facts.add((URIRef("https://node.example/one"), RDF.type, kind))
    assert (check.contradictions(facts, ("core", "axioms")) == []) == sound
