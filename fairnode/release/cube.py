"""A gated table as an RDF Data Cube (https://www.w3.org/TR/vocab-data-cube/), written once at release.

Plain Turtle text, so that no RDF library is loaded and the bytes can be signed as they are. A hidden cell
is an observation without a measure, with SDMX confidentiality status N (not for publication) and
observation status M (missing); nothing says which rule hid it (P5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fairnode.records.result import Kind, PublicCell, PublicTable, Status, TableSpec, Unit
from fairnode.release.words import Labels, Provenance

PREFIXES = {
    "code": "https://w3id.org/fairnode/code/",
    "dct": "http://purl.org/dc/terms/",
    "fn": "https://w3id.org/fairnode/node#",
    "ht": "https://w3id.org/fairnode/ontology#",
    "prov": "http://www.w3.org/ns/prov#",
    "qb": "http://purl.org/linked-data/cube#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "sdmx-attribute": "http://purl.org/linked-data/sdmx/2009/attribute#",
    "sdmx-code": "http://purl.org/linked-data/sdmx/2009/code#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_MEASURES = {
    Kind.SUM: "fn:sum",
    Kind.MEAN: "fn:mean",
    Kind.PROPORTION: "fn:proportion",
    Kind.SPREAD: "fn:spread",
    Kind.OTHER: "fn:value",
}
_UNITS = {Unit.PERSON: "ht:Victim", Unit.REGISTRATION: "ht:Registration"}
_NOT_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\]')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def to_cube(tables: Sequence[PublicTable], labels: Labels, provenance: Provenance) -> str:
    """All tables of a release as one Turtle document."""
    lines = [f"@prefix {prefix}: <{iri}> ." for prefix, iri in PREFIXES.items()]
    lines += ["", *_definitions(), "", *activity(provenance)]
    for table in tables:
        base = f"{provenance.release}#{table.spec.id}"
        lines += [
            "",
            *_described(base, provenance, labels.language, _facts(table)),
            "",
            *_structure(table.spec, base, labels),
        ]
        lines += _code_lists(table.spec, base, labels)
        for position, cell in enumerate(table.cells):
            lines.append(_observation(cell, position, table.spec, (base, labels)))
    return "\n".join(lines) + "\n"


def iri(text: str) -> str:
    """`text` as an IRI in Turtle, characters that may not stand in one percent-encoded."""
    return "<" + _NOT_IN_IRI.sub(lambda found: f"%{ord(found.group()):02X}", text) + ">"


def literal(text: str, suffix: str = "") -> str:
    """`text` as a literal in Turtle, with a language tag or datatype."""
    return '"' + "".join(_ESCAPES.get(character, character) for character in text) + '"' + suffix


def _definitions() -> Iterator[str]:
    """The measures, so that the cube can be read without anything else."""
    yield 'fn:count a qb:MeasureProperty ; rdfs:label "rounded count"@en, "afgerond aantal"@nl .'
    yield 'fn:sum a qb:MeasureProperty ; rdfs:label "sum"@en, "som"@nl .'
    yield 'fn:mean a qb:MeasureProperty ; rdfs:label "mean"@en, "gemiddelde"@nl .'
    yield 'fn:proportion a qb:MeasureProperty ; rdfs:label "proportion"@en, "aandeel"@nl .'
    yield 'fn:spread a qb:MeasureProperty ; rdfs:label "standard deviation"@en, "standaardafwijking"@nl .'
    yield 'fn:value a qb:MeasureProperty ; rdfs:label "value, reviewed"@en, "waarde, beoordeeld"@nl .'


def activity(provenance: Provenance) -> Iterator[str]:
    """The visit, or the combination with each part of it, by which a release was made: what it used, and what is
    known of it.
    """
    used = ", ".join(iri(dataset) for dataset in provenance.datasets)
    yield f"{iri(provenance.visit)} a prov:Activity ; prov:used {used} ;"
    for term, text in provenance.facts:
        yield f"    fn:{term} {literal(text)} ;"
    for number in range(len(provenance.parts)):
        yield f"    prov:wasInformedBy {iri(_part(provenance, number))} ;"
    yield f"    prov:wasAssociatedWith {iri(provenance.publisher)} ."
    for number, part in enumerate(provenance.parts):
        yield f"{iri(_part(provenance, number))} a prov:Activity ; prov:used {iri(part.dataset)} ;"
        yield from (f"    fn:{term} {literal(text)} ;" for term, text in part.facts)
        yield f"    prov:wasAssociatedWith {iri(part.publisher)} ."


def _part(provenance: Provenance, number: int) -> str:
    """The name of one organisation's part of a combination."""
    return f"{provenance.release}#part-{number}"


def _facts(table: PublicTable) -> tuple[str, str]:
    return f"sdmx-attribute:unitMeasure {_UNITS[table.spec.unit]}", f"fn:roundedTo {table.base}"


def head(
    base: str, provenance: Provenance, dimension: str, measures: Sequence[str], *facts: str
) -> list[str]:
    """How a cube of one data set begins whose observations are by one dimension and have these measures.

    `facts` are further predicates of the data set, each with its object.
    """
    return [
        *(f"@prefix {prefix}: <{name}> ." for prefix, name in PREFIXES.items()),
        "",
        *activity(provenance),
        *_described(base, provenance, "en", facts),
        f"{iri(base + '-structure')} a qb:DataStructureDefinition ;",
        f"    qb:component [ qb:dimension {dimension} ; qb:order 1 ] ;",
        *(f"    qb:component [ qb:measure {measure} ] ;" for measure in measures),
        "    qb:component [ qb:attribute sdmx-attribute:obsStatus ] ;",
        "    qb:component [ qb:attribute sdmx-attribute:confStatus ; qb:componentRequired true ] .",
    ]


def _described(base: str, provenance: Provenance, language: str, facts: Sequence[str]) -> Iterator[str]:
    derived = ", ".join(iri(dataset) for dataset in (*provenance.datasets, provenance.study))
    yield f"{iri(base)} a qb:DataSet, prov:Entity ;"
    yield f"    dct:title {literal(provenance.title, '@' + language)} ;"
    yield f'    dct:issued "{provenance.issued}"^^xsd:date ;'
    yield f"    dct:publisher {iri(provenance.publisher)} ;"
    if provenance.licence:
        yield f"    dct:license {iri(provenance.licence)} ;"
    yield f"    prov:wasGeneratedBy {iri(provenance.visit)} ;"
    yield f"    prov:wasDerivedFrom {derived} ;"
    yield from (f"    {fact} ;" for fact in facts)
    yield f"    fn:disclosureRules {literal('sha256:' + provenance.rules)} ;"
    yield from (f"    fn:disclosureCheck {iri(check)} ;" for check in provenance.checks)
    yield f"    qb:structure {iri(base + '-structure')} ."


def _structure(spec: TableSpec, base: str, labels: Labels) -> Iterator[str]:
    yield f"{iri(base + '-structure')} a qb:DataStructureDefinition ;"
    for order, axis in enumerate(spec.dimensions, start=1):
        yield f"    qb:component [ qb:dimension {iri(_variable(axis.variable))} ; qb:order {order} ] ;"
    if spec.kind is not Kind.OTHER:
        yield "    qb:component [ qb:measure fn:count ] ;"
    if spec.kind in _MEASURES:
        yield f"    qb:component [ qb:measure {_MEASURES[spec.kind]} ] ;"
    yield (
        "    qb:component [ qb:attribute sdmx-attribute:unitMeasure ; "
        "qb:componentRequired true ; qb:componentAttachment qb:DataSet ] ;"
    )
    yield "    qb:component [ qb:attribute sdmx-attribute:obsStatus ] ;"
    yield "    qb:component [ qb:attribute sdmx-attribute:confStatus ; qb:componentRequired true ] ."
    for axis in spec.dimensions:
        label = literal(labels.variable(axis.variable), "@" + labels.language)
        coded = any((axis.variable, code) in labels.concepts for code in axis.codes)
        listed = f", qb:CodedProperty ; qb:codeList {iri(_list(base, axis.variable))}" if coded else ""
        yield f"{iri(_variable(axis.variable))} a qb:DimensionProperty{listed} ; rdfs:label {label} ."


def _code_lists(spec: TableSpec, base: str, labels: Labels) -> Iterator[str]:
    """The codes of each coded dimension as a SKOS collection, with notation and label."""
    for axis in spec.dimensions:
        coded = [code for code in axis.codes if (axis.variable, code) in labels.concepts]
        if not coded:
            continue
        members = ", ".join(iri(labels.concepts[axis.variable, code]) for code in coded)
        yield f"{iri(_list(base, axis.variable))} a skos:Collection ; skos:member {members} ."
        for code in coded:
            label = literal(labels.code(axis.variable, code), "@" + labels.language)
            concept = iri(labels.concepts[axis.variable, code])
            yield f"{concept} a skos:Concept ; skos:notation {literal(code)} ; skos:prefLabel {label} ."


def _observation(cell: PublicCell, position: int, spec: TableSpec, of: tuple[str, Labels]) -> str:
    base, labels = of
    parts = [f"{iri(f'{base}-{position}')} a qb:Observation ; qb:dataSet {iri(base)}"]
    for axis, code in zip(spec.dimensions, cell.key, strict=True):
        parts.append(f"{iri(_variable(axis.variable))} {_code(axis.variable, code, labels)}")
    if cell.status is Status.SHOWN:
        if cell.n is not None:
            parts.append(f"fn:count {cell.n}")
        if cell.v is not None:
            parts.append(f'{_MEASURES[spec.kind]} "{cell.v!r}"^^xsd:double')
        parts.append("sdmx-attribute:confStatus sdmx-code:confStatus-F")
    else:
        parts.append("sdmx-attribute:obsStatus sdmx-code:obsStatus-M")
        parts.append("sdmx-attribute:confStatus sdmx-code:confStatus-N")
    return " ; ".join(parts) + " ."


def _variable(name: str) -> str:
    return PREFIXES["ht"] + name


def _list(base: str, variable: str) -> str:
    return f"{base}-codes-{variable}"


def _code(variable: str, code: str, labels: Labels) -> str:
    """The concept of a code, or a literal where the variable has no code list."""
    concept = labels.concepts.get((variable, code))
    if concept is not None:
        return iri(concept)
    datatype = labels.datatypes.get(variable)
    return literal(code, f"^^{iri(datatype)}" if datatype else "")
