"""Reads the bindings out of a dataset's record, and says in words what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rdflib import DCAT, DCTERMS, RDF, BNode, Graph, Literal, URIRef
from rdflib.plugins.parsers.notation3 import BadSyntax
from rdflib.term import IdentifiedNode, Node

from fairnode import vocabulary
from fairnode.datasets.expressions import is_date
from fairnode.errors import Finding, NotFound, NotValid
from fairnode.records.dataset import Binding, Dataset, Unit
from fairnode.vocabulary import FN, HT, Variable

DERIVED = {"year", "month", "ageGroup", "ageBroad"}
"""Variables that can be computed from a date or an age."""

UNITS: dict[str, Unit] = {
    f"{HT}Registration": "registration",
    f"{HT}Case": "case",
    f"{HT}Victim": "victim",
}


def read_dataset(turtle: str, *, iri: str | None = None) -> Dataset:
    """The one dataset that the record describes (or the one of that IRI), with its bindings checked.

    Raises `NotValid` with a finding for everything that is wrong: a variable that the ontology has not, a
    code without a concept, a column or variable bound twice, a derivation that does not exist, ...
    """
    graph = _parse(turtle)
    node = _dataset_node(graph, iri)
    unit = str(graph.value(node, URIRef(FN + "unit")) or f"{HT}Registration")
    reporting = graph.value(node, URIRef(FN + "reportingOrganisationType"))
    findings: list[Finding] = []
    if unit not in UNITS:
        findings.append(Finding("fn:unit", "must be ht:Registration, ht:Case or ht:Victim"))
    bindings = _bindings(graph, node, findings)
    findings += check_bindings(bindings)
    notation = "" if reporting is None else _notation("reportingOrganisation", str(reporting), findings)
    years = _years(graph, node, findings)
    if findings:
        raise NotValid(
            "The record's bindings cannot be used.",
            to_do="Correct the record and hand it in again; nothing was written.",
            findings=tuple(findings),
        )
    return Dataset(
        iri=str(node),
        title=str(graph.value(node, DCTERMS.title) or ""),
        unit=UNITS[unit],
        bindings=bindings,
        regime=str(graph.value(node, URIRef(FN + "regime")) or ""),
        synthetic=str(graph.value(node, URIRef(FN + "synthetic"))).lower() in ("true", "1"),
        reporting=notation,
        years=years,
    )


def check_bindings(bindings: tuple[Binding, ...]) -> list[Finding]:
    """What is wrong with the bindings taken together and one by one, as far as no data is needed."""
    found = []
    for variable, times in Counter(binding.variable for binding in bindings).items():
        if times > 1:
            found.append(Finding(f"ht:{variable}", f"is bound {times} times; one column may carry it"))
    plain = Counter(binding.column for binding in bindings if not binding.derive)
    for column, times in plain.items():
        if times > 1:
            found.append(Finding(f"column '{column}'", f"is bound {times} times; derive all but one of them"))
    found += _ambiguous({binding.column for binding in bindings})
    dates = {binding.column for binding in bindings if is_date(binding, bindings)}
    for binding in bindings:
        found += [Finding(_where(binding), what) for what in _wrong(binding, dates, bindings)]
    return found


def _ambiguous(columns: set[str]) -> Iterator[Finding]:
    """Names that a database cannot tell apart or keeps for itself."""
    for name, times in Counter(column.casefold() for column in columns).items():
        if times > 1:
            yield Finding(f"column '{name}'", "is bound in several spellings that differ in capitals only")
        if name in ("__row", "__identity"):
            yield Finding(f"column '{name}'", "has a name that the node uses itself")


def _wrong(binding: Binding, dates: set[str], bindings: tuple[Binding, ...]) -> Iterator[str]:
    """What is wrong with one binding whose variable is known."""
    variable = vocabulary.variables().get(binding.variable)
    if variable is None:
        return
    dated = any(other.variable == "identificationDate" for other in bindings)
    if binding.derive and binding.derive != binding.variable:
        yield f"derives '{binding.derive}' for another variable; it must be '{binding.variable}'"
    elif binding.derive and binding.derive not in DERIVED:
        yield f"'{binding.derive}' cannot be derived; only {', '.join(sorted(DERIVED))}"
    elif binding.derive in ("year", "month") and binding.column not in dates:
        yield f"derives '{binding.derive}' from a column that is not bound as a date and has no fn:format"
    elif binding.derive.startswith("age") and binding.column in dates and not dated:
        yield "derives an age from a birth date, for which ht:identificationDate must be bound too"
    if binding.codes and variable.kind != "coded":
        yield f"has codes, but {variable.name} has no code list"
    if binding.separator and not variable.multiple:
        yield f"has a separator, but {variable.name} holds one value a row"
    yield from _wrong_codes(binding)


def _wrong_codes(binding: Binding) -> Iterator[str]:
    """Local codes that say two things."""
    concepts = Counter(local for local, _ in binding.codes)
    for local, times in concepts.items():
        if times > 1:
            yield f"the local code '{local}' stands for {times} concepts"
        if "\0" in local:
            yield "a local code holds the character U+0000, which no text has"
        if local in binding.missing:
            yield f"the local code '{local}' has a concept and is also said to mean missing"


def _parse(turtle: str) -> Graph:
    """The record as a graph. Raises `NotValid` with the line where the Turtle breaks."""
    try:
        return Graph().parse(data=turtle, format="turtle")
    except BadSyntax as wrong:
        raise NotValid(
            "The record is not well-formed Turtle.",
            findings=(Finding(f"line {wrong.lines + 1}", "cannot be read"),),
            to_do="A Turtle checker shows the place; often a full stop or a quote is missing.",
            internal=str(wrong),
        ) from None


def _dataset_node(graph: Graph, iri: str | None) -> IdentifiedNode:
    """The dataset that is meant. Raises `NotValid` when there is none, or several and none is named."""
    nodes = sorted({node for node in graph.subjects(RDF.type, DCAT.Dataset) if isinstance(node, URIRef)})
    if iri is not None:
        nodes = [node for node in nodes if str(node) == iri]
    if len(nodes) != 1:
        raise NotValid(
            f"The record describes {len(nodes)} datasets where one is expected.",
            to_do="Give one resource with an IRI the type dcat:Dataset.",
        )
    return nodes[0]


def _bindings(graph: Graph, dataset: Node, findings: list[Finding]) -> tuple[Binding, ...]:
    """All bindings, ordered by column and variable, for RDF has no order of its own."""
    nodes = graph.objects(dataset, URIRef(FN + "binding"))
    bindings = [_binding(graph, node, findings) for node in nodes if isinstance(node, URIRef | BNode)]
    return tuple(sorted((b for b in bindings if b is not None), key=lambda b: (b.column, b.variable)))


def _binding(graph: Graph, node: Node, findings: list[Finding]) -> Binding | None:
    """One binding, or None with a finding when it has no column or no known variable."""
    column = _text(graph, node, "column")
    name = str(graph.value(node, URIRef(FN + "variable")) or "").removeprefix(HT)
    if not column or not name:
        findings.append(Finding(f"column '{column}'", "a binding needs fn:column and fn:variable"))
        return None
    variable = vocabulary.variables().get(name)
    if variable is None:
        findings.append(Finding(f"column '{column}'", f"is bound to '{name}', which the ontology has not"))
        return None
    return Binding(
        column=column,
        variable=name,
        codes=_codes(graph, node, f"column '{column}'", variable, findings),
        missing=tuple(sorted({str(word).strip() for word in graph.objects(node, URIRef(FN + "missing"))})),
        format=_text(graph, node, "format"),
        separator=str(graph.value(node, URIRef(FN + "separator")) or ""),
        derive=_text(graph, node, "derive"),
        strict=_text(graph, node, "strict").lower() in ("true", "1"),
    )


def _codes(
    graph: Graph, node: Node, where: str, variable: Variable, findings: list[Finding]
) -> tuple[tuple[str, str], ...]:
    """Pairs of local code and notation, ordered by local code."""
    pairs = set()
    for entry in graph.objects(node, URIRef(FN + "code")):
        local = graph.value(entry, URIRef(FN + "local"))
        concept = graph.value(entry, URIRef(FN + "concept"))
        if not isinstance(local, Literal) or concept is None:
            findings.append(Finding(where, "a code needs fn:local and fn:concept"))
            continue
        notation = _notation(variable.name, str(concept), findings, f"{where}, code '{local}'")
        pairs.add((str(local).strip(), notation))
    return tuple(sorted(pairs))


def _notation(name: str, iri: str, findings: list[Finding], where: str = "") -> str:
    """The notation of a concept that may be a value of the variable; otherwise a finding, and nothing."""
    variable = vocabulary.variable(name)
    where = where or f"ht:{name}"
    notation = next((code.notation for code in variable.codes if code.iri == iri), None)
    if notation is None:
        findings.append(Finding(where, _stranger(iri, variable)))
    elif notation in variable.groups:
        wide = f"<{iri}> stands for several codes of {name}; bind a code that stands for itself"
        findings.append(Finding(where, wide))
    return notation or ""


def _stranger(iri: str, variable: Variable) -> str:
    """Why a concept does not belong to the variable."""
    try:
        vocabulary.concept(iri)
    except NotFound:
        return f"<{iri}> is no concept of the ontology"
    return f"<{iri}> is not in the code list of {variable.name}"


def _years(graph: Graph, dataset: Node, findings: list[Finding]) -> tuple[int, int]:
    """First and last year of `dct:temporal`, or (0, 0)."""
    period = graph.value(dataset, DCTERMS.temporal)
    if period is None:
        return (0, 0)
    ends = [str(graph.value(period, end) or "")[:4] for end in (DCAT.startDate, DCAT.endDate)]
    if not all(end.isdigit() for end in ends) or ends[0] > ends[1]:
        findings.append(Finding("dct:temporal", "needs dcat:startDate and dcat:endDate, in this order"))
        return (0, 0)
    return (int(ends[0]), int(ends[1]))


def _text(graph: Graph, node: Node, name: str) -> str:
    """The literal of `fn:<name>`, without space around it; empty where there is none."""
    return str(graph.value(node, URIRef(FN + name)) or "").strip()


def _where(binding: Binding) -> str:
    return f"column '{binding.column}' as ht:{binding.variable}"
