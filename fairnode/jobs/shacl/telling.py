"""A finding in both languages, and how it says which part of a record it is about."""

from __future__ import annotations

from dataclasses import dataclass

from rdflib import Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from fairnode.vocabulary import FN

fn = Namespace(FN)


@dataclass(frozen=True)
class Told:
    """Where something is wrong and what, in English and Dutch.

    `focus` is the IRI of the thing, empty for a part that has none; `value` what stood there.
    """

    where: str
    what: str
    where_nl: str
    nl: str
    focus: str = ""
    value: str = ""


def in_language(graph: Graph, subject: Node, predicate: URIRef, language: str) -> str:
    """The text in that language, or nothing."""
    texts = (each for each in graph.objects(subject, predicate) if isinstance(each, Literal))
    return min((str(each) for each in texts if each.language == language), default="")


def place(graph: Graph, focus: Node | None, label: str) -> str:
    """Which part of the record is meant, for a part that has no address: "binding 'jaar': "."""
    if focus is None or isinstance(focus, URIRef) or not label:
        return ""
    above = next(graph.subjects(fn.code, focus), None)
    names = [
        graph.value(above, fn.column) if above is not None else None,
        *(graph.value(focus, each) for each in (fn.column, fn.local, fn.name)),
    ]
    shown = ", ".join(f"'{name}'" for name in names if name is not None)
    return f"{label} {shown}: " if shown else f"{label}: "
