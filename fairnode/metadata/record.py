"""What a dataset's record says, as a light dataclass for pages, search and the documents made from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rdflib import RDF, Graph, Literal, URIRef
from rdflib.term import Node as Term

from fairnode import errors, vocabulary
from fairnode.metadata.names import DCAT, DCT, FN, HT, VCARD

Texts = Mapping[str, str]
"""Words by language tag ("" where none was given)."""


@dataclass(frozen=True)
class Bound:
    """A variable that the dataset holds, with the notations of the codes that its column can mean.

    `codes` is empty where the column holds notations already, or is not coded.
    """

    variable: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contact:
    """Whom to ask."""

    name: str = ""
    email: str = ""
    url: str = ""


@dataclass(frozen=True)
class Record:
    """The parts of a record that people and search look at; the Turtle as received stays the record."""

    iri: str
    titles: Texts
    descriptions: Texts
    keywords: tuple[str, ...]
    themes: tuple[str, ...]
    publisher: str
    contact: Contact
    start: str
    end: str
    spatial: tuple[str, ...]
    languages: tuple[str, ...]
    licence: str
    access_rights: str
    unit: str
    regime: str
    reporting: str
    synthetic: bool
    issued: str
    version: str
    variables: tuple[Bound, ...]

    @property
    def title(self) -> str:
        """The title, in English where there is one."""
        return in_english(self.titles)

    @property
    def description(self) -> str:
        """The description, in English where there is one."""
        return in_english(self.descriptions)

    @property
    def slug(self) -> str:
        """The last part of the IRI."""
        return self.iri.rsplit("/", 1)[-1]

    @property
    def public_variables(self) -> tuple[vocabulary.Variable, ...]:
        """The variables that a visit may ask for: no key of a person, nothing that identifies directly."""
        known = vocabulary.variables()
        found = [known[bound.variable] for bound in self.variables if bound.variable in known]
        return tuple(v for v in found if v.kind not in ("key", "identifier"))


def in_english(texts: Texts) -> str:
    """The English words, else those without a language, else any."""
    for language in ("en", "", "nl"):
        if language in texts:
            return texts[language]
    return next(iter(texts.values()), "")


def read_record(graph: Graph, iri: str) -> Record:
    """The record of the dataset `iri`, lenient: a missing part is empty."""
    of = _Of(graph, URIRef(iri))
    period = graph.value(of.subject, DCT.temporal)
    contact = graph.value(of.subject, DCAT.contactPoint)
    return Record(
        iri=iri,
        titles=of.texts(DCT.title),
        descriptions=of.texts(DCT.description),
        keywords=tuple(sorted({str(o) for o in of.all(DCAT.keyword)})),
        themes=of.iris(DCAT.theme),
        publisher=of.one(DCT.publisher),
        contact=_contact(graph, contact),
        start=_text(graph.value(period, DCAT.startDate)) if period else "",
        end=_text(graph.value(period, DCAT.endDate)) if period else "",
        spatial=of.iris(DCT.spatial),
        languages=of.iris(DCT.language),
        licence=of.one(DCT.license),
        access_rights=of.one(DCT.accessRights),
        unit=of.one(FN.unit),
        regime=of.one(FN.regime),
        reporting=of.one(FN.reportingOrganisationType),
        synthetic=of.one(FN.synthetic) in ("true", "1"),
        issued=of.one(DCT.issued),
        version=of.one(DCAT.version),
        variables=tuple(_bound(graph, node) for node in _in_order(of.all(FN.binding))),
    )


@dataclass(frozen=True)
class _Of:
    """Looks up what a graph says of one subject."""

    graph: Graph
    subject: URIRef

    def all(self, predicate: URIRef) -> list[Any]:
        return list(self.graph.objects(self.subject, predicate))

    def one(self, predicate: URIRef) -> str:
        return min((str(value) for value in self.all(predicate)), default="")

    def iris(self, predicate: URIRef) -> tuple[str, ...]:
        return tuple(sorted(str(v) for v in self.all(predicate) if isinstance(v, URIRef)))

    def texts(self, predicate: URIRef) -> dict[str, str]:
        found = sorted((v.language or "", str(v)) for v in self.all(predicate) if isinstance(v, Literal))
        return dict(reversed(found))


def _in_order(nodes: Iterable[Term]) -> list[Term]:
    """Blank nodes in the order of the text (b2 before b10), others by name."""
    return sorted(nodes, key=lambda n: (int(str(n)[1:]) if str(n)[1:].isdigit() else 0, str(n)))


def _bound(graph: Graph, node: Term) -> Bound:
    """One binding: the variable's name, and the notations its local codes mean."""
    variable = _text(graph.value(node, FN.variable)).removeprefix(str(HT))
    meant = {_text(graph.value(code, FN.concept)) for code in graph.objects(node, FN.code)}
    notations = []
    for iri in sorted(meant):
        try:
            notations.append(vocabulary.concept(iri).notation)
        except errors.NotFound:
            continue  # the check refuses such a record; one that is kept from before is shown without it
    return Bound(variable, tuple(notations))


def _contact(graph: Graph, node: Term | None) -> Contact:
    """The contact point."""
    if node is None:
        return Contact()
    return Contact(
        name=_text(graph.value(node, VCARD.fn)),
        email=_text(graph.value(node, VCARD.hasEmail)).removeprefix("mailto:"),
        url=_text(graph.value(node, VCARD.hasURL)),
    )


def _text(term: Term | None) -> str:
    """A term as text."""
    return "" if term is None else str(term)


def datasets_in(graph: Graph) -> list[Term]:
    """The subjects typed dcat:Dataset."""
    return sorted(set(graph.subjects(RDF.type, DCAT.Dataset)), key=str)
