"""Reading a dataset's `odrl:hasPolicy` into rules (ODRL 2.2 with the terms of `htpol:`).

A permission with the duty `htpol:obtainApproval` is a question for people; one without it grants alone. The
actions `htpol:visit`, `combine` and `estimate` say for which stages a rule is; rules for other actions
(releasing records, operational use) never concern a study, which can only do these three.
"""

from __future__ import annotations

from rdflib import RDF, RDFS, Graph, Literal, Namespace, Node, URIRef

from fairnode import errors
from fairnode.keys import digest
from fairnode.policy.decide import Constraint, Effect, Operator, Policy, Rule, Subject

ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
HTPOL = Namespace("https://w3id.org/fairnode/policy#")

_STAGES: dict[Node, frozenset[str]] = {
    HTPOL.visit: frozenset({"visit"}),
    HTPOL.combine: frozenset({"combine"}),
    HTPOL.estimate: frozenset({"estimate"}),
    ODRL.use: frozenset({"visit", "combine", "estimate"}),
}
_SUBJECTS: dict[Node, Subject] = {
    ODRL.purpose: Subject.PURPOSE,
    ODRL.recipient: Subject.RECIPIENT,
    HTPOL.algorithm: Subject.ALGORITHM,
    HTPOL.variable: Subject.VARIABLE,
    HTPOL.legalBasis: Subject.LEGAL_BASIS,
}
_OPERATORS: dict[Node, Operator] = {
    ODRL.eq: Operator.ANY_OF,
    ODRL.isAnyOf: Operator.ANY_OF,
    ODRL.isA: Operator.ANY_OF,
    ODRL.isNoneOf: Operator.NONE_OF,
    ODRL.neq: Operator.NONE_OF,
}
_VARIABLES = "https://w3id.org/fairnode/ontology#"


def read_policy(graph: Graph, dataset: URIRef) -> Policy | None:
    """The policy of `dataset`, prohibitions first; None when it has none.

    Raises `NotValid` on a constraint that this node does not understand: ignoring one would permit more
    than was meant.
    """
    rules: list[Rule] = []
    for offer in graph.objects(dataset, ODRL.hasPolicy):
        for node in graph.objects(offer, ODRL.prohibition):
            rules += _rule(graph, node, Effect.REFUSE)
        for node in graph.objects(offer, ODRL.permission):
            rules += _rule(graph, node, Effect.ASK if _asks(graph, node) else Effect.GRANT)
    if not rules:
        return None
    ordered = tuple(sorted(rules, key=lambda r: (r.effect is not Effect.REFUSE, repr(_plain(r)))))
    return Policy(ordered, digest(repr([_plain(rule) for rule in ordered]).encode()))


def _plain(rule: Rule) -> tuple[str, str, list[tuple[str, str, list[str]]]]:
    """The rule in an order of its own, whatever the blank nodes were called."""
    constraints = sorted((c.subject.value, c.operator.value, sorted(c.values)) for c in rule.constraints)
    return rule.effect.value, rule.sentence, constraints


def _asks(graph: Graph, permission: Node) -> bool:
    """Whether people must approve first."""
    duties = graph.objects(permission, ODRL.duty)
    return any((duty, ODRL.action, HTPOL.obtainApproval) in graph for duty in duties)


def _rule(graph: Graph, node: Node, effect: Effect) -> list[Rule]:
    """One permission or prohibition; none when its actions are not those of a study."""
    actions = [_STAGES.get(action, frozenset()) for action in graph.objects(node, ODRL.action)]
    stages = frozenset().union(*actions)
    if not stages:
        return []
    relation = Operator.TOUCHES if effect is Effect.REFUSE else Operator.ANY_OF
    constraints = [Constraint(Subject.STAGE, relation, stages)]
    assignees = frozenset(map(str, graph.objects(node, ODRL.assignee)))
    if assignees:
        constraints.append(Constraint(Subject.REQUESTER, Operator.ANY_OF, assignees))
    constraints += [_constraint(graph, c, effect) for c in graph.objects(node, ODRL.constraint)]
    comments = [o for o in graph.objects(node, RDFS.comment) if isinstance(o, Literal)]
    english = [o for o in comments if o.language in (None, "en")] or comments
    return [Rule(effect, tuple(constraints), str(min(english)) if english else "")]


def _constraint(graph: Graph, node: Node, effect: Effect) -> Constraint:
    """One constraint; its right operand may be a value, several values, or an RDF list.

    A prohibition with "is any of" hits as soon as one value of the study is among those named.
    """
    left, operator = graph.value(node, ODRL.leftOperand), graph.value(node, ODRL.operator)
    subject = _SUBJECTS.get(left) if left else None
    relation = _OPERATORS.get(operator) if operator else None
    if subject is None or relation is None:
        raise errors.NotValid(
            "The dataset's policy has a constraint that this node does not understand.",
            findings=(errors.Finding("odrl:constraint", f"left operand {left}, operator {operator}"),),
            to_do="Use the operands and operators of the policy profile (see the ontology).",
        )
    if effect is Effect.REFUSE and relation is Operator.ANY_OF:
        relation = Operator.TOUCHES
    values: list[str] = []
    for value in graph.objects(node, ODRL.rightOperand):
        members = list(graph.items(value)) if (value, RDF.first, None) in graph else [value]
        values += [str(member).removeprefix(_VARIABLES) for member in members]
    return Constraint(subject, relation, frozenset(values))
