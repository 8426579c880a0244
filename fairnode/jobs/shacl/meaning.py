"""Does the record mean something? Checks what shapes cannot: code lists, known terms, the order of things."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rdflib import DCAT, DCTERMS, RDF, Graph, Literal, URIRef
from rdflib.term import Node

from fairnode import vocabulary
from fairnode.jobs.shacl.telling import Told, fn
from fairnode.vocabulary import Variable

SENTENCES = {
    "no-variable": (
        "The ontology has no variable <{value}>.",
        "De ontologie heeft geen variabele <{value}>.",
    ),
    "bound-twice": (
        "The variable '{label}' is bound more than once.",
        "De variabele '{label}' is meer dan eens gekoppeld.",
    ),
    "no-codes": (
        "The variable '{label}' has no code list, so the code '{local}' cannot mean one of its codes.",
        "De variabele '{label}' heeft geen codelijst, dus de code '{local}' kan er geen van betekenen.",
    ),
    "strange-code": (
        "The code '{local}' means <{value}>, which is not in the code list of '{label}'.",
        "De code '{local}' betekent <{value}>, en dat staat niet in de codelijst van '{label}'.",
    ),
    "group": (
        "The code '{local}' means <{value}>, which stands for several codes. Choose a narrower one.",
        "De code '{local}' betekent <{value}>, en dat staat voor meerdere codes. Kies een engere.",
    ),
    "two-meanings": (
        "The code '{local}' is given two meanings.",
        "De code '{local}' heeft twee betekenissen.",
    ),
    "missing-code": (
        "The code '{local}' is given a meaning and also said to mean 'not recorded'.",
        "De code '{local}' heeft een betekenis en betekent ook 'niet vastgelegd'.",
    ),
    "no-code": ("'{local}' is not a code of '{label}'.", "'{local}' is geen code van '{label}'."),
    "person": (
        "'{label}' points to a person, so nothing can be filtered or broken down by it.",
        "'{label}' wijst een persoon aan, dus daarop kan niets worden gefilterd of uitgesplitst.",
    ),
    "no-term": (
        "The ontology has no term <{value}>. Is it written correctly?",
        "De ontologie heeft geen term <{value}>. Is hij goed geschreven?",
    ),
    "period": ("The period ends before it begins.", "De periode eindigt voor zij begint."),
    "expired": ("It expires before it was written.", "Het vervalt voor het is opgesteld."),
}


def check(graph: Graph) -> Iterator[Told]:
    """Everything that has the right form and yet cannot be meant."""
    yield from _bindings(graph)
    yield from _conditions(graph)
    yield from _dimensions(graph)
    yield from _orders(graph)
    yield from _strangers(graph)


def _tell(
    where: tuple[str, str],
    sentence: str,
    *,
    variable: Variable | None = None,
    local: str = "",
    value: str = "",
) -> Told:
    en, nl = SENTENCES[sentence]
    label_en, label_nl = (variable.label_en, variable.label_nl) if variable else ("", "")
    return Told(
        where=where[0],
        what=en.format(label=label_en, local=local, value=value),
        where_nl=where[1],
        nl=nl.format(label=label_nl, local=local, value=value),
        value=value or local,
    )


def _known(iri: Node | None) -> Variable | None:
    return vocabulary.variables().get(str(iri or "").removeprefix(vocabulary.HT))


def _ordered(nodes: Iterator[Node]) -> list[Node]:
    return sorted(set(nodes), key=str)


def _bindings(graph: Graph) -> Iterator[Told]:
    """Columns bound to variables that do not exist, and variables bound twice."""
    seen: set[str] = set()
    for binding in _ordered(graph.subjects(fn.variable | fn.column, None)):
        column = graph.value(binding, fn.column)
        if column is None:
            continue
        where = (f"column '{column}'", f"kolom '{column}'")
        name = str(graph.value(binding, fn.variable) or "")
        variable = _known(URIRef(name))
        if variable is None:
            if name.startswith(vocabulary.HT):
                yield _tell(where, "no-variable", value=name)
            continue
        if name in seen:
            yield _tell(where, "bound-twice", variable=variable, value=name)
        seen.add(name)
        yield from _codes(graph, binding, where, variable)


def _codes(graph: Graph, binding: Node, where: tuple[str, str], variable: Variable) -> Iterator[Told]:
    """Local codes that mean no value of the variable, or two things."""
    codes = {code.iri: code for code in variable.codes}
    missing = set(graph.objects(binding, fn.missing))
    meant: dict[str, str] = {}
    for mapping in _ordered(graph.objects(binding, fn.code)):
        local, iri = str(graph.value(mapping, fn.local)), str(graph.value(mapping, fn.concept) or "")
        if not iri or (mapping, fn.local, None) not in graph:
            continue  # the shapes say so
        if not codes:
            yield _tell(where, "no-codes", variable=variable, local=local)
        elif iri not in codes:
            yield _tell(where, "strange-code", variable=variable, local=local, value=iri)
        elif codes[iri].notation in variable.groups:
            yield _tell(where, "group", variable=variable, local=local, value=iri)
        if meant.setdefault(local, iri) != iri:
            yield _tell(where, "two-meanings", local=local)
        if Literal(local) in missing:
            yield _tell(where, "missing-code", local=local)


def _conditions(graph: Graph) -> Iterator[Told]:
    """Filters of a study on variables or codes that do not exist, or that point to a person."""
    where = ("filter", "filter")
    for condition in _ordered(graph.objects(None, fn.filter)):
        iri = graph.value(condition, fn.variable)
        variable = _known(iri)
        if variable is None:
            if iri is not None:
                yield _tell(where, "no-variable", value=str(iri))
            continue
        if variable.kind in ("key", "identifier"):
            yield _tell(where, "person", variable=variable)
        for value in _ordered(graph.objects(condition, fn["in"])):
            if not _is_value(variable, str(value)):
                yield _tell(where, "no-code", variable=variable, local=str(value))


def _is_value(variable: Variable, text: str) -> bool:
    """Whether rows can be limited to this value: a code or group of codes, a whole number in its bounds."""
    if variable.kind == "coded":
        return any(code.notation == text for code in variable.codes)
    if variable.kind in ("integer", "year"):
        low, high = variable.minimum, variable.maximum
        return bool(re.fullmatch("[0-9]{1,9}", text)) and (low or 0) <= int(text) <= (high or 10**9)
    return True


def _dimensions(graph: Graph) -> Iterator[Told]:
    """Dimensions of a study that do not exist, or that point to a person."""
    where = ("dimension", "dimensie")
    for head in _ordered(graph.objects(None, fn.dimension)):
        for iri in _ordered(_members(graph, head)):
            variable = _known(iri)
            if variable is None and str(iri).startswith(vocabulary.HT):
                yield _tell(where, "no-variable", value=str(iri))
            elif variable is not None and variable.kind in ("key", "identifier"):
                yield _tell(where, "person", variable=variable)


def _members(graph: Graph, head: Node) -> Iterator[Node]:
    """The members of an RDF list, or the thing itself where it is none; a list in a circle ends there."""
    if (head, RDF.first, None) not in graph:
        yield from [] if head == RDF.nil else [head]
        return
    seen: set[Node] = set()
    step: Node | None = head
    while step is not None and step not in seen:
        seen.add(step)
        yield from graph.objects(step, RDF.first)
        step = graph.value(step, RDF.rest)


def _orders(graph: Graph) -> Iterator[Told]:
    """Pairs that stand in the wrong order. (SHACL could say it, but fails on years and on mixed forms.)"""
    for low, high, where, sentence in (
        (DCAT.startDate, DCAT.endDate, ("period", "periode"), "period"),
        (DCTERMS.created, fn.expires, ("expires", "vervalt"), "expired"),
    ):
        for subject, first in graph.subject_objects(low):
            last = str(graph.value(subject, high) or "")
            length = min(len(str(first)), len(last), 19)
            if str(first)[:length] > last[:length]:
                yield _tell(where, sentence, value=last)


def _strangers(graph: Graph) -> Iterator[Told]:
    """Terms that look like ours and are not: most often a typing error that nobody would notice."""
    told = {*graph.objects(None, fn.variable), *graph.objects(None, fn.concept)}
    told |= {iri for head in graph.objects(None, fn.dimension) for iri in _members(graph, head)}
    used = {node for triple in graph for node in triple if isinstance(node, URIRef)}
    for iri in sorted(used - told):
        if not _is_term(str(iri)):
            yield _tell(("term", "term"), "no-term", value=str(iri))


def _is_term(iri: str) -> bool:
    """Whether the IRI is not ours, or a term, code list or code of the ontology."""
    if iri.startswith((vocabulary.HT, vocabulary.FN, vocabulary.HTPOL)):
        return iri in vocabulary.terms()
    if not iri.startswith(vocabulary.CODE):
        return True
    scheme = vocabulary.scheme_of(iri)
    return iri == vocabulary.CODE + scheme or any(
        code.iri == iri for code in vocabulary.schemes().get(scheme, ())
    )
