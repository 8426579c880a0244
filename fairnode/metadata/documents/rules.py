"""The disclosure rules of a node as RDF: each rule a concept with its numbers, words, and the check it is."""

from __future__ import annotations

from rdflib import DCTERMS, OWL, RDF, SKOS, Graph, Literal, Namespace, URIRef

from fairnode.disclosure.rules import Rule, RuleSet

SCHEMA = Namespace("https://schema.org/")
FN = Namespace("https://w3id.org/fairnode/node#")


def rules_graph(rules: RuleSet, iri: str) -> Graph:
    """The rule set `iri`, with its version and the hash that approvals sign and releases carry."""
    graph, me = Graph(), URIRef(iri)
    for prefix, namespace in (("schema", SCHEMA), ("fn", FN), ("dct", DCTERMS), ("skos", SKOS), ("owl", OWL)):
        graph.bind(prefix, namespace, replace=True)
    graph.add((me, RDF.type, DCTERMS.Standard))
    graph.add((me, RDF.type, SKOS.ConceptScheme))
    graph.add((me, DCTERMS.title, Literal("Disclosure rules", "en")))
    graph.add((me, DCTERMS.title, Literal("Onthullingsregels", "nl")))
    graph.add((me, DCTERMS.identifier, Literal(rules.name)))
    graph.add((me, OWL.versionInfo, Literal(rules.version)))
    graph.add((me, FN.disclosureRules, Literal(f"sha256:{rules.hash}")))
    for rule in rules.rules:
        _add_rule(graph, me, rule, rules)
    return graph


def _add_rule(graph: Graph, scheme: URIRef, rule: Rule, rules: RuleSet) -> None:
    """One rule. Its check is a concept of StatBarns, the ontology of output checks."""
    me = URIRef(f"{scheme}#{rule.id}")
    graph.add((me, RDF.type, SKOS.Concept))
    graph.add((me, SKOS.inScheme, scheme))
    graph.add((me, SKOS.notation, Literal(rule.id)))
    graph.add((me, SKOS.closeMatch, URIRef(rule.iri)))
    for language, title in rule.title.items():
        graph.add((me, SKOS.prefLabel, Literal(title, language)))
        graph.add((me, SKOS.definition, Literal(rules.explain(rule.id, language), language)))
    names = {key: alias for alias, key in rule.aliases.items()}
    for key, value in rule.values.items():
        number = URIRef(f"{me}.{key}")
        graph.add((me, SCHEMA.additionalProperty, number))
        graph.add((number, RDF.type, SCHEMA.PropertyValue))
        graph.add((number, SCHEMA.propertyID, Literal(f"{rule.id}.{key}")))
        graph.add((number, SCHEMA.value, Literal(value)))
        if key in names:
            graph.add((number, SCHEMA.alternateName, Literal(names[key])))
