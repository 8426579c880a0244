"""What the index knows of a dataset, taken from its record: the facts that people search by, and its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyoxigraph import NamedNode

from fairnode import errors, vocabulary
from fairnode.datasets.bindings import UNITS
from fairnode.datasets.expressions import offers
from fairnode.datasets.views import NEVER_IN_A_VIEW
from fairnode.discovery.reading import Statements, Subject, name, read
from fairnode.keys import digest
from fairnode.records.dataset import Binding, Dataset

DATASET = name("dcat:Dataset")
_MARKUP = re.compile(r"<\s*[a-zA-Z!/?][^>]*>")
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2069\\ufeff]")
_LONGEST_TITLE = 300
_LONGEST_TEXT = 4_000
_REGIMES = (("gdpr", "htpol:GDPR"), ("2016/679", "htpol:GDPR"), ("2016/680", "htpol:LED"))


@dataclass(frozen=True)
class Entry:
    """A dataset as it is found. `node` is the address of who publishes it.

    `organisation`, `unit` and `variables` are words of the ontology; `concepts` are `variable=notation` for
    each value that occurs and each wider concept above it, or `variable=*` where all may occur. `years` is
    (0, 0) where nothing is said. `purposes` are the IRIs that its policy names; `asks` tells whether people
    decide on studies, `grants` whether some are granted without asking.
    """

    iri: str
    node: str
    sha256: str
    title: str
    description: str = ""
    publisher: str = ""
    organisation: str = ""
    unit: str = ""
    regime: str = ""
    access: str = ""
    years: tuple[int, int] = (0, 0)
    variables: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    asks: bool = False
    grants: bool = False
    synthetic: bool = False
    persons: bool = False
    text: str = ""


def read_entry(content: bytes, iri: str, node: str) -> Entry:
    """The entry of the dataset `iri` from its record as received.

    Raises `NotValid` when the record is no RDF, does not describe that dataset, or has no usable title.
    """
    told, subject = read(content, iri), NamedNode(iri)
    if iri not in told.typed(DATASET):
        raise errors.NotValid(f"The record does not describe <{iri}> as a dataset.")
    title = _plain(told.text(subject, name("dct:title")))[:_LONGEST_TITLE]
    if not title or _MARKUP.search(title):
        raise errors.NotValid("The dataset has no title." if not title else "The title holds markup (HTML).")
    held = _dataset(told, subject)
    variables = _variables(told, held)
    policy = list(_policy(told, subject))
    entry = Entry(
        iri=iri,
        node=node,
        sha256=digest(content),
        title=title,
        description=_plain(told.text(subject, name("dct:description")))[:_LONGEST_TEXT],
        publisher=_publisher(told, subject),
        organisation=held.reporting,
        unit=held.unit if held.bindings else "",
        regime=_regime(told, subject),
        access=_local(next(iter(told.iris(subject, name("dct:accessRights"))), "")),
        years=held.years,
        variables=variables,
        concepts=tuple(_concepts(held, variables)),
        places=tuple(sorted({_local(i) for i in told.iris(subject, name("dct:spatial"))})),
        keywords=tuple(sorted({_plain(o.value)[:80] for o in told.objects(subject, name("dcat:keyword"))})),
        purposes=tuple(sorted({p for _, purposes in policy for p in purposes})),
        asks=any(asks for asks, _ in policy),
        grants=any(not asks for asks, _ in policy),
        synthetic=told.text(subject, name("fn:synthetic")) in ("true", "1"),
        persons=held.knows_persons,
    )
    return Entry(**{**vars(entry), "text": _words(told, subject, entry)})


def _plain(text: str) -> str:
    """Words in one line, without control characters and those that turn the direction of writing."""
    return " ".join(_CONTROL.sub(" ", text).split())


def _local(iri: str) -> str:
    """The last part of an IRI."""
    return re.split(r"[/#]", iri.rstrip("/#"))[-1]


def _dataset(told: Statements, subject: Subject) -> Dataset:
    """Bindings and period, as far as they can be understood: a stranger's mistake hides no dataset."""
    bindings = []
    for node in told.objects(subject, name("fn:binding")):
        if isinstance(node, Subject):
            variable = told.text(node, name("fn:variable")).removeprefix(vocabulary.HT)
            codes = tuple(_codes(told, node, variable))
            bindings.append(Binding("", variable, codes, derive=told.text(node, name("fn:derive"))))
    return Dataset(
        iri="",
        title="",
        unit=UNITS.get(told.text(subject, name("fn:unit")), "registration"),
        bindings=tuple(b for b in bindings if b.variable in vocabulary.variables()),
        reporting=_notation(told.text(subject, name("fn:reportingOrganisationType"))),
        years=_years(told, subject),
    )


def _codes(told: Statements, binding: Subject, variable: str) -> Iterator[tuple[str, str]]:
    """The notations that the local codes of a binding mean; the local codes themselves are of no use here."""
    prefix = f"{vocabulary.CODE}{getattr(vocabulary.variables().get(variable), 'scheme', '?')}/"
    for node in told.objects(binding, name("fn:code")):
        if isinstance(node, Subject):
            meant = told.text(node, name("fn:concept"))
            notation = _notation(meant) if meant.startswith(prefix) else ""
            if notation:
                yield "", notation


def _notation(iri: str) -> str:
    """The notation of a concept; empty when the ontology does not have it."""
    try:
        return vocabulary.concept(iri).notation if iri else ""
    except errors.NotFound:
        return ""


def _variables(told: Statements, held: Dataset) -> tuple[str, ...]:
    """What a study may ask for: what is bound or implied, or what columns (CSVW) are said to carry."""
    described = {iri.removeprefix(vocabulary.HT) for iri in told.linked(name("csvw:propertyUrl"))}
    return tuple(
        word
        for word, variable in vocabulary.variables().items()
        if variable.kind not in NEVER_IN_A_VIEW and (offers(held, word) or word in described)
    )


def _concepts(held: Dataset, variables: Iterable[str]) -> Iterator[str]:
    """The concepts that may occur, with all wider ones."""
    for word in variables:
        variable, binding = vocabulary.variable(word), held.binding(word)
        if variable.kind != "coded":
            continue
        if binding is None or not binding.codes:
            yield f"{word}=*"
        else:
            found = _with_wider(variable, {notation for _, notation in binding.codes})
            yield from (f"{word}={notation}" for notation in sorted(found))


def _with_wider(variable: vocabulary.Variable, notations: set[str]) -> set[str]:
    """The notations and those of all wider concepts."""
    wider = {code.notation: code.broader for code in variable.codes}
    found: set[str] = set()
    waiting = list(notations)
    while waiting:
        notation = waiting.pop()
        if notation not in found:
            found.add(notation)
            waiting += wider.get(notation, ())
    return found


def _years(told: Statements, subject: Subject) -> tuple[int, int]:
    """First and last year of the period, (0, 0) where it is not said or makes no sense."""
    for period in told.objects(subject, name("dct:temporal")):
        if isinstance(period, Subject):
            ends = [told.text(period, name(f"dcat:{end}"))[:4] for end in ("startDate", "endDate")]
            if all(end.isascii() and end.isdigit() for end in ends) and ends[0] <= ends[1]:
                return int(ends[0]), int(ends[1])
    return (0, 0)


def _publisher(told: Statements, subject: Subject) -> str:
    """The name of the publisher."""
    for node in told.objects(subject, name("dct:publisher")):
        if isinstance(node, Subject):
            return _plain(told.text(node, name("foaf:name")))[:200]
    return ""


def _regime(told: Statements, subject: Subject) -> str:
    """The legal regime: as our records say it, or as applicable legislation names it."""
    stated = told.text(subject, name("fn:regime"))
    laws = " ".join(told.iris(subject, name("dcatap:applicableLegislation"))).lower()
    return stated or next((name(regime) for mark, regime in _REGIMES if mark in laws), "")


def _policy(told: Statements, subject: Subject) -> Iterator[tuple[bool, tuple[str, ...]]]:
    """For each permission: whether people are asked, and the purposes that it names."""
    for offer in told.objects(subject, name("odrl:hasPolicy")):
        rules = told.objects(offer, name("odrl:permission")) if isinstance(offer, Subject) else ()
        for rule in rules:
            if not isinstance(rule, Subject):
                continue
            duties = [d for d in told.objects(rule, name("odrl:duty")) if isinstance(d, Subject)]
            asks = any(name("htpol:obtainApproval") in told.iris(d, name("odrl:action")) for d in duties)
            yield asks, tuple(_purposes(told, rule))


def _purposes(told: Statements, rule: Subject) -> Iterator[str]:
    """The purposes that a rule is for."""
    for constraint in told.objects(rule, name("odrl:constraint")):
        if isinstance(constraint, Subject) and name("odrl:purpose") in told.iris(
            constraint, name("odrl:leftOperand")
        ):
            yield from told.iris(constraint, name("odrl:rightOperand"))


def _words(told: Statements, subject: Subject, entry: Entry) -> str:
    """All words by which the dataset may be looked for, in every language that it or the ontology has."""
    titles = [o.value for o in told.objects(subject, name("dct:title"))]
    descriptions = [o.value for o in told.objects(subject, name("dct:description"))]
    known = (vocabulary.variable(word) for word in entry.variables)
    labels = [f"{v.name} {v.label_en} {v.label_nl}" for v in known]
    kinds = {c.notation: f"{c.label_en} {c.label_nl}" for c in _kinds()}
    parts: Iterable[str] = (
        *titles,
        *descriptions,
        *entry.keywords,
        entry.publisher,
        *labels,
        kinds.get(entry.organisation, ""),
        *entry.places,
        _local(entry.iri),
    )
    return _plain(" ".join(parts))[: 4 * _LONGEST_TEXT]


def _kinds() -> tuple[vocabulary.Code, ...]:
    """The kinds of organisations."""
    return vocabulary.variable("reportingOrganisation").codes
