"""`python -m ontology.check`: is the ontology whole, consistent, and what its tables say?

Every check returns sentences about what is wrong; none means that it holds. Exit code 1 if any does not.
"""

from __future__ import annotations

import csv
import filecmp
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import owlrl
import pyshacl
from rdflib import (
    DCAT,
    DCTERMS,
    FOAF,
    ODRL2,
    OWL,
    PROV,
    QB,
    RDF,
    RDFS,
    SH,
    SKOS,
    VANN,
    XSD,
    BNode,
    Graph,
    Literal,
    URIRef,
)
from rdflib.term import Node

from fairnode.vocabulary import CODE, FN, HT, HTPOL, PREFIXES
from ontology.generate import index, tables, write_all
from ontology.generate.turtle import ROOT, ht

SHAPE = "https://w3id.org/fairnode/shape#"
OWN = (HT, FN, HTPOL, CODE, SHAPE)
CLOSED = (DCAT, DCTERMS, FOAF, ODRL2, OWL, PROV, QB, RDF, RDFS, SH, SKOS, VANN, XSD)
TERMS = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty, OWL.NamedIndividual)
LABELLED = (*TERMS, SKOS.Concept, SKOS.ConceptScheme, SH.NodeShape, OWL.Ontology)
# What stands for a vocabulary as a whole, and terms of DCAT 3 that rdflib does not know yet.
WHOLE = {*map(str, CLOSED), "https://w3id.org/dpv", f"{PREFIXES['obo']}duo.owl", f"{DCAT}version"}
ERROR = URIRef("http://www.daml.org/2002/03/agents/agent-ont#error")
FILES = ("core", "node", "policy", "variables", "axioms")
MATCHES = (SKOS.exactMatch, SKOS.closeMatch, SKOS.broadMatch, SKOS.narrowMatch)


def parses() -> Iterator[str]:
    """Every Turtle and JSON-LD file can be read."""
    for path in sorted(ROOT.rglob("*.ttl")):
        try:
            Graph().parse(path, format="turtle")
        except SyntaxError as wrong:
            yield f"{path.relative_to(ROOT)}: {wrong}"
    for path in sorted(ROOT.rglob("*.jsonld")):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as wrong:
            yield f"{path.relative_to(ROOT)}: {wrong}"


def one_meaning_per_prefix() -> Iterator[str]:
    """A prefix stands for the same namespace in every file."""
    agreed = {**PREFIXES, "shape": SHAPE}
    for path in sorted(ROOT.rglob("*.ttl")):
        for prefix, iri in re.findall(r"^@prefix ([^:]*): <([^>]*)>", path.read_text("utf-8"), re.MULTILINE):
            if agreed.get(prefix) != iri:
                yield f"{path.relative_to(ROOT)}: {prefix}: is not <{iri}>"


def up_to_date() -> Iterator[str]:
    """The generated files are what the tables say, byte for byte."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "ontology")
        for part in ("codes", "shapes"):
            (copy / part).mkdir(parents=True)
        shutil.copy(ROOT / "axioms.ttl", copy)
        write_all(copy)
        made = {path.relative_to(copy) for path in copy.rglob("*.*")}
        for path in sorted(made):
            if not (ROOT / path).exists() or not filecmp.cmp(copy / path, ROOT / path, shallow=False):
                yield f"{path} differs from the tables: run `python -m ontology.generate`"
        for path in (ROOT / "codes").glob("*.ttl"):
            if path.relative_to(ROOT) not in made:
                yield f"{path.relative_to(ROOT)} is in no table"


def no_undefined_term() -> Iterator[str]:
    """Every term that is used is defined: by us, by a vocabulary that rdflib knows, or in `codelists/`."""
    whole = index.whole_graph(ROOT)
    shapes = _graph(ROOT / "shapes")
    defined = {str(each) for each in (whole + shapes).subjects(RDF.type, None)}
    known = {
        *_column("dpv_2.3_selected.csv", "iri"),
        *_column("dpv_2.3_more.csv", "iri"),
        *(_duo(code) for code in _column("duo.csv", "id")),
    }
    examples = [_graph(ROOT / "examples", "pass-*.ttl"), *map(_context_terms, sorted(ROOT.glob("context/*")))]
    for graph in (whole, shapes, *examples):
        for iri in sorted({node for triple in graph for node in triple if isinstance(node, URIRef)}):
            yield from _undefined(str(iri), defined, known)


def _undefined(iri: str, defined: set[str], known: set[str]) -> Iterator[str]:
    if iri.startswith(OWN) and iri not in defined and iri not in OWN:
        yield f"<{iri}> is used but not defined"
    if iri.startswith(("https://w3id.org/dpv", PREFIXES["obo"])) and iri not in known | WHOLE:
        yield f"<{iri}> is not in codelists/"
    for namespace in CLOSED:
        if iri.startswith(str(namespace)) and iri not in WHOLE and URIRef(iri) not in namespace:
            yield f"<{iri}> does not exist in that vocabulary"


def _duo(code: str) -> str:
    return PREFIXES["obo"] + code.replace(":", "_")


def _context_terms(path: Path) -> Graph:
    """The terms that a context names, as statements without meaning."""
    graph = Graph()
    context = json.loads(path.read_text(encoding="utf-8"))["@context"]
    for iri in _iris(context, {key: value for key, value in context.items() if isinstance(value, str)}):
        graph.add((BNode(), RDFS.seeAlso, URIRef(iri)))
    return graph


def _iris(value: object, prefixes: dict[str, str]) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _iris(inner, prefixes)
    elif isinstance(value, str) and ":" in value:
        prefix, _, name = value.partition(":")
        iri = prefixes[prefix] + name if prefix in prefixes else value
        if not iri.endswith(("#", "/")):
            yield iri


def labelled_in_both_languages() -> Iterator[str]:
    """Every class, property, concept, code list and shape has exactly one label in English and in Dutch."""
    graph = index.whole_graph(ROOT) + _graph(ROOT / "shapes", "[!r]*.ttl")
    for each in _instances(graph, LABELLED):
        for language in ("en", "nl"):
            texts = [*graph.objects(each, SKOS.prefLabel), *graph.objects(each, RDFS.label)]
            count = sum(isinstance(text, Literal) and text.language == language for text in texts)
            if count != 1:
                yield f"<{each}> has {count} labels in '{language}'"
    for each in _instances(graph, (*TERMS, SKOS.ConceptScheme)):
        languages = {
            text.language for text in graph.objects(each, SKOS.definition) if isinstance(text, Literal)
        }
        if languages != {"en", "nl"}:
            yield f"<{each}> has definitions in {sorted(map(str, languages))}, not in English and Dutch"


def code_lists_are_sound() -> Iterator[str]:
    """In a list no two codes are written alike, and what is broader is in the same list and not a circle."""
    graph = index.whole_graph(ROOT)
    for scheme in _instances(graph, (SKOS.ConceptScheme,)):
        members = set(graph.subjects(SKOS.inScheme, scheme))
        notations = [str(graph.value(member, SKOS.notation)) for member in members]
        if not members or len(set(notations)) != len(members):
            yield f"<{scheme}> has {len(members)} codes and {len(set(notations))} notations"
        for member in members:
            above = set(graph.transitive_objects(member, SKOS.broader)) - {member}
            if not above <= members:
                yield f"<{member}> has a broader code in another list"
            if any(member in graph.transitive_objects(wide, SKOS.broader) for wide in above):
                yield f"<{member}> is broader than itself"
    for narrow, wide in graph.subject_objects(SKOS.broadMatch):
        if (narrow, SKOS.exactMatch, wide) in graph:
            yield f"<{narrow}> both equals <{wide}> and is narrower"


def crosswalks_arrive() -> Iterator[str]:
    """Every match leads to a code of a list, and the lists of other standards are complete and exact."""
    graph = index.whole_graph(ROOT)
    concepts = set(graph.subjects(RDF.type, SKOS.Concept))
    for predicate in MATCHES:
        for each, other in graph.subject_objects(predicate):
            if str(each).startswith(CODE) and other not in concepts:
                yield f"<{each}> matches <{other}>, which is in no code list"
    for standard in ("htcds", "niem"):
        for field, value, _ in tables.published(standard):
            concept = URIRef(f"{CODE}{standard}-{field}/{tables.local_name(value)}")
            if str(graph.value(concept, SKOS.notation)) != value:
                yield f"{standard} {field} has a value '{value}' that the ontology has not"
    for predicate, file, column in (
        (ht.htcdsField, "htcds_2.0_fields.csv", "field"),
        (ht.ctdcVariable, "ctdc_2024_variables.csv", "variable"),
    ):
        published = set(_column(file, column))
        for each, name in graph.subject_objects(predicate):
            if str(name) not in published:
                yield f"<{each}> names {name}, which is not in {file}"


def reasoner_finds_no_contradiction() -> Iterator[str]:
    """The OWL 2 RL closure holds no error, also when every class has a member."""
    yield from contradictions(Graph())


def contradictions(facts: Graph, files: tuple[str, ...] = FILES) -> list[str]:
    """What the OWL 2 RL reasoner objects to in the ontology's terms together with `facts`."""
    graph = Graph()
    for name in files:
        graph.parse(ROOT / f"{name}.ttl", format="turtle")
    for each in _instances(graph, (OWL.Class,)):
        if str(each).startswith((HT, FN, HTPOL)):
            graph.add((URIRef(f"{each}-example"), RDF.type, each))
    for triple in facts:
        graph.add(triple)
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    errors = [str(message) for message in graph.objects(None, ERROR)]
    return [*errors, *(f"{each} is nothing" for each in graph.subjects(RDF.type, OWL.Nothing))]


def shapes_are_valid() -> Iterator[str]:
    """The shapes keep the rules that SHACL has for shapes."""
    _, _, report = pyshacl.validate(Graph(), shacl_graph=_graph(ROOT / "shapes"), meta_shacl=True)
    if "Conforms: True" not in report:
        yield report


def shapes_are_plain() -> Iterator[str]:
    """Shapes do without SPARQL, and every reason has its name and sentence in both languages."""
    graph = _graph(ROOT / "shapes")
    if any(str(node).startswith(f"{SH}sparql") for triple in graph for node in triple):
        yield "a shape uses SPARQL"
    for reason in {*graph.subjects(SH.message, None), *graph.subjects(SH.name, None)}:
        for predicate in (SH.message, SH.name):
            texts = graph.objects(reason, predicate)
            if {text.language for text in texts if isinstance(text, Literal)} != {"en", "nl"}:
                yield f"<{reason}> lacks {predicate.fragment} in English or Dutch"


CHECKS: tuple[Callable[[], Iterable[str]], ...] = (
    parses,
    one_meaning_per_prefix,
    up_to_date,
    no_undefined_term,
    labelled_in_both_languages,
    code_lists_are_sound,
    crosswalks_arrive,
    reasoner_finds_no_contradiction,
    shapes_are_valid,
    shapes_are_plain,
)


def _graph(folder: Path, pattern: str = "*.ttl") -> Graph:
    graph = Graph()
    for path in sorted(folder.rglob(pattern)):
        graph.parse(path, format="turtle")
    return graph


def _instances(graph: Graph, kinds: Iterable[Node]) -> list[URIRef]:
    """The named members of any of the classes."""
    found = {each for kind in kinds for each in graph.subjects(RDF.type, kind) if isinstance(each, URIRef)}
    return sorted(found)


def _column(file: str, column: str) -> list[str]:
    with (ROOT / "codelists" / file).open(encoding="utf-8", newline="") as rows:
        return [row[column] for row in csv.DictReader(rows)]


def main() -> int:
    """Run every check, say what holds and what does not; 1 if anything does not."""
    failed = 0
    for check in CHECKS:
        wrong = list(check())
        failed += bool(wrong)
        name = check.__name__.replace("_", " ")
        sys.stdout.write(f"{'does NOT hold' if wrong else 'holds':14}{name}\n")
        for sentence in wrong[:20]:
            sys.stdout.write(f"{'':14}  {sentence}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
