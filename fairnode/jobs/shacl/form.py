"""Has the record the form that the shapes ask for?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pyshacl
from rdflib import DCAT, ODRL2, QB, RDF, RDFS, SH, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from fairnode import vocabulary
from fairnode.jobs.shacl.reading import RELATIVE
from fairnode.jobs.shacl.telling import Told, fn, in_language, place

fdp = Namespace(vocabulary.PREFIXES["fdp-o"])


@dataclass(frozen=True)
class Rules:
    """Which files of shapes hold for a kind of record, and which types the record itself may have."""

    files: tuple[str, ...]
    types: tuple[URIRef, ...]


_CONTACT = ("contact", "rules-contact")
_DESCRIPTION = ("dataset", *_CONTACT, "distribution", "policy", "rules-dataset", "rules-policy")
SHAPES = {
    "root": Rules(("root", *_CONTACT), (fdp.FAIRDataPoint, fdp.MetadataService)),
    "catalogue": Rules(("catalogue", *_CONTACT), (DCAT.Catalog,)),
    "dataset": Rules((*_DESCRIPTION, "visitable", "binding"), (DCAT.Dataset,)),
    "description": Rules(_DESCRIPTION, (DCAT.Dataset,)),
    "distribution": Rules(("distribution",), (DCAT.Distribution,)),
    "binding": Rules(("binding",), (fn.Binding,)),
    "policy": Rules(("policy", "rules-policy"), (ODRL2.Offer, ODRL2.Set)),
    "algorithm": Rules(("algorithm",), (fn.Algorithm,)),
    "study": Rules(("study", "rules-study"), (fn.Study,)),
    "agreement": Rules(("agreement", "rules-agreement"), (fn.Agreement,)),
    "release": Rules(("release", "rules-release"), (fn.Release, QB.DataSet)),
}
"""What can be checked. "description" is a dataset that nobody can visit: it needs no unit and no bindings."""

PARTS = ("binding", "policy")
"""What is part of a record and so needs no address of its own."""

ADDRESS = re.compile(
    r"((https?|tls)://[^/\s]|urn:[a-z0-9]|mailto:|tel:|info:|doi:|did:)[^\s<>\"{}|\\^`]*", re.I
)


def check(graph: Graph, shape: str) -> Iterator[Told]:
    """Everything in which the record departs from its shapes."""
    yield from _record(graph, shape)
    addresses = list(_addresses(graph))
    told = {RELATIVE + each.value for each in addresses} | {each.value for each in addresses}
    yield from addresses
    yield from (each for each in _shapes(graph, SHAPES[shape]) if each.value not in told)


def _record(graph: Graph, shape: str) -> Iterator[Told]:
    """A document about something else would pass every shape, for none would apply to it."""
    types = SHAPES[shape].types
    records = {node for kind in types for node in graph.subjects(RDF.type, kind)}
    if not records:
        names = " / ".join(f"<{kind}>" for kind in types)
        yield Told(
            where="type",
            what=f"The document describes no {shape}: nothing in it has the type {names}.",
            where_nl="type",
            nl=f"Het document beschrijft geen {shape}: niets erin heeft het type {names}.",
        )
    elif len(records) > 1 and DCAT.Dataset in types:
        yield Told(
            where="type",
            what=f"The document describes {len(records)} datasets. Hand in one at a time.",
            where_nl="type",
            nl=f"Het document beschrijft {len(records)} datasets. Lever er één tegelijk aan.",
        )
    if shape not in PARTS and any(not isinstance(record, URIRef) for record in records):
        yield Told(
            where="identifier",
            what=f"The {shape} has no address (IRI) of its own.",
            where_nl="kenmerk",
            nl=f"Het onderdeel '{shape}' heeft geen eigen adres (IRI).",
        )


def _addresses(graph: Graph) -> Iterator[Told]:
    """Addresses that mean nothing elsewhere, or lead into this machine."""
    for iri in sorted({node for triple in graph for node in triple if isinstance(node, URIRef)}):
        if not ADDRESS.fullmatch(iri):
            shown = str(iri).removeprefix(RELATIVE)
            yield Told(
                where="address",
                what=f"<{shown}> is not a complete web address. Write it out, beginning with https://.",
                where_nl="adres",
                nl=f"<{shown}> is geen volledig webadres. Schrijf het voluit, te beginnen met https://.",
                value=shown,
            )


@cache
def _load(files: tuple[str, ...]) -> Graph:
    """The shapes of these files; kept, because a job may check many records."""
    shapes = Graph()
    for name in files:
        shapes.parse(vocabulary.folder() / "shapes" / f"{name}.ttl", format="turtle")
    return shapes


def _shapes(graph: Graph, rules: Rules) -> list[Told]:
    """What SHACL finds, in the order in which people read a record."""
    shapes = _load(rules.files)
    _, report, _ = pyshacl.validate(graph, shacl_graph=shapes, inplace=True)
    results = [
        (int(str(shapes.value(shape, SH.order) or 0)), _told(graph, shapes, report, result, shape))
        for result in report.subjects(RDF.type, SH.ValidationResult)
        for shape in report.objects(result, SH.sourceShape)
    ]
    return [told for _, told in sorted(results, key=lambda pair: (pair[1].focus, pair[0], pair[1].where))]


def _told(graph: Graph, shapes: Graph, report: Graph, result: Node, shape: Node) -> Told:
    focus, value = report.value(result, SH.focusNode), report.value(result, SH.value)
    record = next(shapes.subjects(SH.property, shape), shape)
    where = {
        language: place(graph, focus, in_language(shapes, record, RDFS.label, language))
        + in_language(shapes, shape, SH.name, language)
        for language in ("en", "nl")
    }
    return Told(
        where=where["en"],
        what=in_language(shapes, shape, SH.message, "en"),
        where_nl=where["nl"],
        nl=in_language(shapes, shape, SH.message, "nl"),
        focus=str(focus) if isinstance(focus, URIRef) else "",
        value=str(value)[:200] if isinstance(value, URIRef | Literal) and value != focus else "",
    )
