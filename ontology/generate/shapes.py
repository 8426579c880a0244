"""Turns the tables of shapes and properties into SHACL: one small shape a reason, each with its sentence.

A property that is missing, given too often, or of the wrong form are three shapes, so that whoever meets a
finding reads what is wrong and not what the whole rule is. What tables cannot say is in `shapes/rules-*.ttl`.
"""

from __future__ import annotations

from pathlib import Path

from rdflib import RDF, RDFS, SH, BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

from ontology.generate import tables
from ontology.generate.kinds import KINDS, MARKUP, Kind
from ontology.generate.terms import iri
from ontology.generate.turtle import in_two_languages, new_graph, write

shape = Namespace("https://w3id.org/fairnode/shape#")
TARGETS = {"class": SH.targetClass, "objects": SH.targetObjectsOf}


def write_all(root: Path) -> None:
    """Write `shapes/<file>.ttl` for every record."""
    shapes, properties = tables.shapes(), tables.properties()
    for file in {each.file for each in shapes}:
        graph = new_graph()
        graph.bind("shape", shape)
        for each in shapes:
            if each.file == file:
                own = [one for one in properties if one.shape == each.name]
                _add_shape(graph, each, own, owner=next(one.name for one in shapes if one.file == file))
        write(graph, root / "shapes" / f"{file}.ttl", "shapes.csv and properties.csv")


def _add_shape(graph: Graph, record: tables.Shape, properties: list[tables.Property], owner: str) -> None:
    subject = shape[record.name]
    graph.add((subject, RDF.type, SH.NodeShape))
    in_two_languages(graph, subject, RDFS.label, record.en, record.nl)
    for target in record.targets:
        kind, _, curie = target.partition(":")
        if kind == "listed":
            subject = _each_of_list(graph, subject, shape[owner], curie)
            in_two_languages(graph, subject, RDFS.label, record.en, record.nl)
        else:
            graph.add((subject, TARGETS[kind], iri(curie)))
    for position, each in enumerate(properties, start=1):
        for reason in _reasons(graph, each):
            in_two_languages(graph, reason, SH.name, each.en, each.nl)
            graph.add((reason, RDF.type, SH.PropertyShape))
            graph.add((reason, SH.path, _path(graph, each.path)))
            graph.add((reason, SH.order, Literal(position)))
            graph.add((subject, SH.property, reason))


def _each_of_list(graph: Graph, member: URIRef, owner: URIRef, curie: str) -> URIRef:
    """A shape for every member of an RDF list: hung under the list's owner, for no target can say it."""
    each = URIRef(f"{member}-each")
    graph.remove((member, None, None))
    graph.add((each, RDF.type, SH.PropertyShape))
    graph.add((each, SH.path, _path(graph, f"{curie}/rdf:rest*/rdf:first")))
    graph.add((owner, SH.property, each))
    return each


def _reasons(graph: Graph, each: tables.Property) -> list[URIRef]:
    """The shapes for a property, each of which fails for one reason."""
    reasons = [_missing(graph, each), _too_often(graph, each)]
    kind = KINDS[each.kind](each.value) if each.kind in KINDS else None
    if kind:
        reasons.append(_form(graph, each, kind))
    if each.kind in ("text", "langtext"):
        reasons.append(_form(graph, each, MARKUP, "markup"))
    return [reason for reason in reasons if reason]


def _missing(graph: Graph, each: tables.Property) -> URIRef | None:
    if not each.minimum:
        return None
    subject = _name(each, "missing")
    graph.add((subject, SH.minCount, Literal(int(each.minimum))))
    if each.minimum == "1":
        en, nl = f"The field '{each.en}' is missing.", f"Het veld '{each.nl}' ontbreekt."
    else:
        en = f"The field '{each.en}' is given fewer than {each.minimum} times."
        nl = f"Het veld '{each.nl}' is minder dan {each.minimum} keer ingevuld."
    return _say(graph, subject, each, en, nl)


def _too_often(graph: Graph, each: tables.Property) -> URIRef | None:
    if not each.maximum:
        return None
    subject = _name(each, "too-often")
    graph.add((subject, SH.maxCount, Literal(int(each.maximum))))
    if each.maximum == "0":
        en, nl = f"The field '{each.en}' does not belong here.", f"Het veld '{each.nl}' hoort hier niet."
    elif each.maximum == "1":
        en = f"The field '{each.en}' is given more than once, and only one value is possible."
        nl = f"Het veld '{each.nl}' is meer dan eens ingevuld, en er is maar één waarde mogelijk."
    else:
        en = f"The field '{each.en}' is given more than {each.maximum} times."
        nl = f"Het veld '{each.nl}' is meer dan {each.maximum} keer ingevuld."
    return _say(graph, subject, each, en, nl)


def _form(graph: Graph, each: tables.Property, kind: Kind, reason: str = "form") -> URIRef:
    subject = _name(each, reason)
    for predicate, value in kind.limits:
        graph.add((subject, predicate, value))
    for predicate, values in kind.lists:
        graph.add((subject, predicate, _list(graph, values)))
    if kind.datatypes:
        graph.add((subject, SH["or"], _list(graph, tuple(_datatype(graph, one) for one in kind.datatypes))))
    if kind.inverse:
        inner = BNode()
        graph.add((subject, SH["not"], inner))
        graph.add((inner, SH["in"], _list(graph, kind.inverse)))
    must = "mag" if kind.nl.startswith(("geen ", "niet ")) else "moet"
    en, nl = f"The field '{each.en}' must {kind.en}.", f"Het veld '{each.nl}' {must} {kind.nl}."
    return _say(graph, subject, each, en, nl)


def _datatype(graph: Graph, datatype: URIRef) -> BNode:
    alternative = BNode()
    graph.add((alternative, SH.datatype, datatype))
    return alternative


def _say(graph: Graph, subject: URIRef, each: tables.Property, en: str, nl: str) -> URIRef:
    in_two_languages(
        graph, subject, SH.message, f"{en} {each.help_en}".strip(), f"{nl} {each.help_nl}".strip()
    )
    return subject


def _name(each: tables.Property, reason: str) -> URIRef:
    """`Dataset-title-missing`: a name that stays when other rows come and go."""
    path = "-".join(part.partition(":")[2].rstrip("*") for part in each.path.split("/"))
    return shape[f"{each.shape}-{path}-{reason}"]


def _path(graph: Graph, path: str) -> Node:
    """A property, or a sequence `a/b/c` in which a step may end in `*`."""
    steps = [_step(graph, step) for step in path.split("/")]
    return steps[0] if len(steps) == 1 else _list(graph, tuple(steps))


def _step(graph: Graph, step: str) -> Node:
    if not step.endswith("*"):
        return iri(step)
    repeated = BNode()
    graph.add((repeated, SH.zeroOrMorePath, iri(step.rstrip("*"))))
    return repeated


def _list(graph: Graph, members: tuple[Node, ...]) -> BNode:
    head = BNode()
    Collection(graph, head, list(members))
    return head
