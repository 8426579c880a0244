"""The words that all nodes share: variables, their codes and the labels of every term, without parsing RDF.

Everything here is read once, on first use, from `ontology/index.json`, which `python -m ontology.generate`
writes from the Turtle files and `python -m ontology.check` compares with them. So the web process and the
worker know the ontology without loading rdflib.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from fairnode.errors import NotFound

HT = "https://w3id.org/fairnode/ontology#"
CODE = "https://w3id.org/fairnode/code/"
FN = "https://w3id.org/fairnode/node#"
HTPOL = "https://w3id.org/fairnode/policy#"

PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        "adms": "http://www.w3.org/ns/adms#",
        "code": CODE,
        "csvw": "http://www.w3.org/ns/csvw#",
        "dcat": "http://www.w3.org/ns/dcat#",
        "dcatap": "http://data.europa.eu/r5r/",
        "dct": "http://purl.org/dc/terms/",
        "dpv": "https://w3id.org/dpv#",
        "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
        "eu": "http://publications.europa.eu/resource/authority/",
        "fdp-o": "https://w3id.org/fdp/fdp-o#",
        "fn": FN,
        "foaf": "http://xmlns.com/foaf/0.1/",
        "health": "http://healthdataportal.eu/ns/health#",
        "ht": HT,
        "htpol": HTPOL,
        "ldp": "http://www.w3.org/ns/ldp#",
        "obo": "http://purl.obolibrary.org/obo/",
        "odrl": "http://www.w3.org/ns/odrl/2/",
        "owl": "http://www.w3.org/2002/07/owl#",
        "pd": "https://w3id.org/dpv/pd#",
        "prof": "http://www.w3.org/ns/dx/prof/",
        "prov": "http://www.w3.org/ns/prov#",
        "qb": "http://purl.org/linked-data/cube#",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "sdmx-attribute": "http://purl.org/linked-data/sdmx/2009/attribute#",
        "sdmx-code": "http://purl.org/linked-data/sdmx/2009/code#",
        "sector-law": "https://w3id.org/dpv/sector/law#",
        "sh": "http://www.w3.org/ns/shacl#",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "vann": "http://purl.org/vocab/vann/",
        "vcard": "http://www.w3.org/2006/vcard/ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    }
)

Kind = Literal["coded", "integer", "date", "year", "key", "identifier"]


@dataclass(frozen=True)
class Code:
    """A concept of a code list; `notation` is what stands in harmonised views, studies and results.

    `broader` holds the notations of wider concepts of the same list, `also` other words for it (labels in
    use at organisations, codes of other standards), `matches` the concepts of other lists that it is equal
    or close to or falls under (`skos:exactMatch`, `closeMatch`, `broadMatch`) as (kind, IRI).
    """

    notation: str
    iri: str
    label_en: str
    label_nl: str
    broader: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    matches: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Variable:
    """A term that a column may carry; `name` is the column's name in a harmonised view.

    `codes` is in the order of the code list and empty unless `kind` is "coded". `sensitive` marks special
    categories of personal data and what identifies a person (GDPR art. 9 and 10, LED art. 10). `minimum`
    and `maximum` bound the values of kinds "integer" and "year", both included.
    """

    name: str
    iri: str
    kind: Kind
    codes: tuple[Code, ...]
    label_en: str
    label_nl: str
    definition: str
    sensitive: bool
    definition_nl: str = ""
    multiple: bool = False
    minimum: int | None = None
    maximum: int | None = None
    scheme: str = ""

    @property
    def groups(self) -> frozenset[str]:
        """Notations that stand for several codes: to filter on, never a value in a view."""
        return frozenset(wide for code in self.codes for wide in code.broader)

    @property
    def notations(self) -> tuple[str, ...]:
        """Notations that may be a value in a view, in the order of the code list: no two overlap."""
        groups = self.groups
        return tuple(code.notation for code in self.codes if code.notation not in groups)

    def within(self, notation: str) -> tuple[str, ...]:
        """The values that `notation` stands for: itself, or what falls under it when it is a group.

        Raises `NotFound` when the variable has no such code.
        """
        if notation not in {code.notation for code in self.codes}:
            raise NotFound(f"The variable {self.name} has no code '{notation}'.")
        wanted = {notation}
        for _ in self.codes:
            wanted |= {code.notation for code in self.codes if wanted & set(code.broader)}
        return tuple(value for value in self.notations if value in wanted)


@dataclass(frozen=True)
class Term:
    """The words for a class, property or policy term: label and definition in English and Dutch."""

    iri: str
    label_en: str
    label_nl: str
    definition_en: str
    definition_nl: str


def variables() -> Mapping[str, Variable]:
    """Every variable of the ontology by its name."""
    return _vocabulary().variables


def variable(name: str) -> Variable:
    """The variable of that name or IRI. Raises `NotFound` when the ontology has none."""
    found = variables().get(name.removeprefix(HT))
    if found is None:
        raise NotFound(
            f"The ontology has no variable '{name}'.",
            to_do="The documentation of the ontology lists all variables.",
        )
    return found


def schemes() -> Mapping[str, tuple[Code, ...]]:
    """Every code list by its name, those of other standards included (`htcds-...`, `niem-...`)."""
    return _vocabulary().schemes


def concept(iri: str) -> Code:
    """The concept of that IRI. Raises `NotFound` when no code list has it."""
    found = _vocabulary().concepts.get(iri)
    if found is None:
        raise NotFound(
            f"No code list of the ontology has the concept <{iri}>.",
            to_do="The documentation of the ontology lists all codes.",
        )
    return found


def scheme_of(iri: str) -> str:
    """The name of the code list that a concept's IRI belongs to."""
    return iri.removeprefix(CODE).partition("/")[0]


def coarser(fine: str, coarse: str) -> Mapping[str, str]:
    """For each value of the variable `fine` the value of the variable `coarse` that it falls under.

    Raises `NotFound` when `coarse` cannot be derived from `fine` completely, for a derivation that loses
    rows would turn "not recorded" into a figure.
    """
    target = {code.iri: code.notation for code in variable(coarse).codes}
    source = {code.notation: code for code in variable(fine).codes}
    derived = {
        value: target[iri]
        for value in variable(fine).notations
        for kind, iri in source[value].matches
        if kind in ("broad", "exact") and iri in target
    }
    if not derived or set(derived) != set(variable(fine).notations):
        raise NotFound(f"The variable {coarse} cannot be derived from {fine}.")
    return MappingProxyType(derived)


def term(iri: str) -> Term:
    """The words for a class, property or policy term. Raises `NotFound` when it is none of ours."""
    found = _vocabulary().terms.get(iri)
    if found is None:
        raise NotFound(f"The ontology has no term <{iri}>.")
    return found


def terms() -> Mapping[str, Term]:
    """Every class, property and policy term by its IRI."""
    return _vocabulary().terms


def folder() -> Path:
    """Where the ontology's files are: at the root of a source checkout, or inside the installed package."""
    here = Path(__file__).resolve().parent
    places = (here / "_share" / "ontology", here.parent / "ontology")
    return next((place for place in places if (place / "index.json").exists()), places[-1])


@dataclass(frozen=True)
class _Vocabulary:
    variables: Mapping[str, Variable]
    schemes: Mapping[str, tuple[Code, ...]]
    concepts: Mapping[str, Code]
    terms: Mapping[str, Term]


@cache
def _vocabulary() -> _Vocabulary:
    index = json.loads((folder() / "index.json").read_text(encoding="utf-8"))
    lists = {name: tuple(_code(name, row) for row in rows) for name, rows in index["schemes"].items()}
    return _Vocabulary(
        MappingProxyType({name: _variable(name, row, lists) for name, row in index["variables"].items()}),
        MappingProxyType(lists),
        MappingProxyType({code.iri: code for codes in lists.values() for code in codes}),
        MappingProxyType({iri: Term(iri, *words) for iri, words in index["terms"].items()}),
    )


def _code(scheme: str, row: Mapping[str, Any]) -> Code:
    return Code(
        notation=row["notation"],
        iri=f"{CODE}{scheme}/{row['local']}",
        label_en=row["en"],
        label_nl=row["nl"],
        broader=tuple(row.get("broader", ())),
        also=tuple(row.get("also", ())),
        matches=tuple((kind, iri) for kind, iri in row.get("matches", ())),
    )


def _variable(name: str, row: Mapping[str, Any], lists: Mapping[str, tuple[Code, ...]]) -> Variable:
    return Variable(
        name=name,
        iri=HT + name,
        kind=row["kind"],
        codes=lists.get(row["scheme"], ()),
        label_en=row["en"],
        label_nl=row["nl"],
        definition=row["definition_en"],
        sensitive=row["sensitive"],
        definition_nl=row["definition_nl"],
        multiple=row["multiple"],
        minimum=row["minimum"],
        maximum=row["maximum"],
        scheme=row["scheme"],
    )
