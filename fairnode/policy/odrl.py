"""Reading a dataset's `odrl:hasPolicy` into rules (ODRL 2.2 with the terms of `htpol:`)."""

from __future__ import annotations

from rdflib import RDF, RDFS, Graph, Literal, Namespace, Node, URIRef

from fairnode import errors
from fairnode.keys import digest
from fairnode.policy.decide import Constraint, Effect, Operator, Policy, Rule, Subject

ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
HTPOL = Namespace("https://w3id.org/fairnode/policy#")

_SUBJECTS: dict[Node, Subject] = {
    ODRL.purpose: Subject.PURPOSE,
    ODRL.recipient: Subject.RECIPIENT,
    HTPOL.requester: Subject.REQUESTER,
    HTPOL.algorithm: Subject.ALGORITHM,
    HTPOL.variable: Subject.VARIABLE,
    HTPOL.stage: Subject.STAGE,
    HTPOL.legalBasis: Subject.LEGAL_BASIS,
}
_OPERATORS: dict[Node, Operator] = {
    ODRL.eq: Operator.ANY_OF,
    ODRL.isAnyOf: Operator.ANY_OF,
    ODRL.isA: Operator.ANY_OF,
    ODRL.isNoneOf: Operator.NONE_OF,
    ODRL.neq: Operator.NONE_OF,
    HTPOL.touches: Operator.TOUCHES,
}


def read_policy(graph: Graph, dataset: URIRef) -> Policy | None:
    """The policy of `dataset`, prohibitions first; None when it has none.

    Raises `NotValid` on a constraint that this node does not understand: ignoring one would permit more
    than was meant.
    """
    rules: list[Rule] = []
    for offer in sorted(graph.objects(dataset, ODRL.hasPolicy), key=str):
        rules += [_rule(graph, node, Effect.REFUSE) for node in _sorted(graph, offer, ODRL.prohibition)]
        for node in _sorted(graph, offer, ODRL.permission):
            grants = (node, HTPOL.decision, HTPOL.Grant) in graph
            rules.append(_rule(graph, node, Effect.GRANT if grants else Effect.ASK))
    if not rules:
        return None
    ordered = tuple(sorted(rules, key=lambda r: (r.effect is not Effect.REFUSE, repr(_plain(r)))))
    return Policy(ordered, digest(repr([_plain(rule) for rule in ordered]).encode()))


def _plain(rule: Rule) -> tuple[str, str, list[tuple[str, str, list[str]]]]:
    """The rule in an order of its own, whatever the blank nodes were called."""
    constraints = sorted((c.subject.value, c.operator.value, sorted(c.values)) for c in rule.constraints)
    return rule.effect.value, rule.sentence, constraints


def _sorted(graph: Graph, subject: Node, predicate: URIRef) -> list[Node]:
    """The objects in an order that does not change."""
    return sorted(graph.objects(subject, predicate), key=str)


def _rule(graph: Graph, node: Node, effect: Effect) -> Rule:
    """One permission or prohibition."""
    constraints = tuple(_constraint(graph, c) for c in _sorted(graph, node, ODRL.constraint))
    comments = [o for o in graph.objects(node, RDFS.comment) if isinstance(o, Literal)]
    english = [o for o in comments if o.language in (None, "en")] or comments
    return Rule(effect, constraints, str(english[0]) if english else "")


def _constraint(graph: Graph, node: Node) -> Constraint:
    """One constraint; its right operand may be a value, several values, or an RDF list."""
    left, operator = graph.value(node, ODRL.leftOperand), graph.value(node, ODRL.operator)
    subject = _SUBJECTS.get(left) if left else None
    relation = _OPERATORS.get(operator) if operator else None
    if subject is None or relation is None:
        raise errors.NotValid(
            "The dataset's policy has a constraint that this node does not understand.",
            findings=(errors.Finding("odrl:constraint", f"left operand {left}, operator {operator}"),),
            to_do="Use the operands and operators of the policy profile (see the ontology).",
        )
    values: list[str] = []
    for value in graph.objects(node, ODRL.rightOperand):
        members = list(graph.items(value)) if (value, RDF.first, None) in graph else [value]
        values += [str(member) for member in members]
    return Constraint(subject, relation, frozenset(values))
