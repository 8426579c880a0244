"""Reads the tables from which the generated Turtle files are made."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

TABLES = Path(__file__).resolve().parents[1] / "tables"
CODELISTS = TABLES.parent / "codelists"


@dataclass(frozen=True)
class Source:
    """A standard or publication that terms come from."""

    key: str
    iri: str
    title: str
    licence: str


@dataclass(frozen=True)
class Words:
    """Label and definition in both languages; a definition may be empty."""

    en: str
    nl: str
    definition_en: str
    definition_nl: str
    source: tuple[str, ...]


@dataclass(frozen=True)
class Scheme:
    """A code list as a whole."""

    name: str
    words: Words


@dataclass(frozen=True)
class Code:
    """A concept of a code list; `broader` are local names, `matches` (kind, "scheme/Local")."""

    scheme: str
    local: str
    notation: str
    words: Words
    broader: tuple[str, ...]
    also: tuple[str, ...]
    matches: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Variable:
    """A variable: what kind of values it has, and of which class it describes the members."""

    name: str
    kind: str
    scheme: str
    multiple: bool
    sensitive: bool
    minimum: str
    maximum: str
    of: str
    words: Words
    htcds: tuple[str, ...]
    ctdc: tuple[str, ...]


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of `tables/<name>.csv`; a row of another width than the heading stops the build."""
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=";", strict=True):
            if None in row or None in row.values():
                raise ValueError(f"{name}.csv: the row {row} does not have the columns of its heading")
            yield row


def sources() -> dict[str, Source]:
    """All sources by key."""
    return {row["key"]: Source(**row) for row in rows("sources")}


def schemes() -> list[Scheme]:
    """All code lists, in the order of the table."""
    return [Scheme(row["scheme"], _words(row)) for row in rows("schemes")]


def codes() -> list[Code]:
    """All concepts, each list's in the order in which people expect to read them."""
    written = [_code(row) for row in rows("codes")]
    return [_matched(each) for each in (*written, *_countries(), *_mirrored("htcds"), *_mirrored("niem"))]


def variables() -> list[Variable]:
    """All variables."""
    return [_variable(row) for row in rows("variables")]


def _words(row: dict[str, str]) -> Words:
    return Words(
        row["en"], row["nl"], row["definition_en"], row["definition_nl"], tuple(row["source"].split())
    )


def _code(row: dict[str, str]) -> Code:
    matches = [(kind, match) for kind in ("exact", "close", "broad") for match in row[kind].split()]
    return Code(
        row["scheme"],
        row["local"],
        row["notation"],
        _words(row),
        tuple(row["broader"].split()),
        tuple(filter(None, row["also"].split("|"))),
        tuple(matches),
    )


@cache
def _matches() -> dict[str, list[tuple[str, str]]]:
    """What `matches.csv` says of each concept, written "scheme/Local"."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows("matches"):
        found.setdefault(row["concept"], []).append((row["kind"], row["target"]))
    return found


def _matched(code: Code) -> Code:
    more = _matches().get(f"{code.scheme}/{code.local}", [])
    return replace(code, matches=(*code.matches, *more))


def _mirrored(standard: str) -> Iterator[Code]:
    """Every value of the code lists of another standard, under its own name there, with our Dutch label."""
    dutch = {(row["field"], row["value"]): row["nl"] for row in rows(f"{standard}_nl")}
    for field, value, label in published(standard):
        words = Words(label, dutch[field, value], "", "", (standard,))
        yield Code(f"{standard}-{field}", local_name(value), value, words, (), (), ())


def published(standard: str) -> Iterator[tuple[str, str, str]]:
    """Field, value and label of a standard's code lists as published, from `codelists/`."""
    name = {"htcds": "htcds_2.0_values.csv", "niem": "niem6_hs_codes.csv"}[standard]
    with (CODELISTS / name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if standard == "htcds":
                yield row["field"], row["value_name"], row["value_label"]
            else:
                yield row["scheme"], row["code"], row["code"]


def local_name(value: str) -> str:
    """A name for an IRI: the words of the value run together, unless it is one word already."""
    words = re.findall("[A-Za-z0-9_]+", value)
    return value if words == [value] else "".join(word[0].upper() + word[1:] for word in words)


def _countries() -> Iterator[Code]:
    for row in rows("countries"):
        words = Words(row["en"], row["nl"], "", "", ("iso3166", "cldr"))
        also, region = (row["alpha2"], row["numeric"]), (("broad", f"worldRegion/{row['region']}"),)
        yield Code("country", row["alpha3"], row["alpha3"], words, (), also, region)
    for local, en, nl, definition_en, definition_nl in (
        (
            "Stateless",
            "stateless",
            "staatloos",
            "Not considered a national by any state.",
            "Door geen enkele staat als onderdaan beschouwd.",
        ),
        (
            "Unknown",
            "country unknown",
            "land onbekend",
            "It was asked and could not be established.",
            "Er is naar gevraagd en het kon niet worden vastgesteld.",
        ),
    ):
        words = Words(en, nl, definition_en, definition_nl, ("own",))
        also = {"Stateless": ("XXA",), "Unknown": ("XXX", "onbekend")}[local]
        yield Code("country", local, local.lower(), words, (), also, (("broad", "worldRegion/Unknown"),))


def _variable(row: dict[str, str]) -> Variable:
    return Variable(
        name=row["name"],
        kind=row["kind"],
        scheme=row["scheme"],
        multiple=row["multiple"] == "yes",
        sensitive=row["sensitive"] == "yes",
        minimum=row["minimum"],
        maximum=row["maximum"],
        of=row["of"],
        words=_words(row),
        htcds=tuple(row["htcds"].split()),
        ctdc=tuple(row["ctdc"].split()),
    )


@dataclass(frozen=True)
class Term:
    """A class, property or policy term; IRIs are written `prefix:name`, `matches` as (kind, IRI)."""

    curie: str
    kind: str
    parents: tuple[str, ...]
    domain: str
    range: str
    matches: tuple[tuple[str, str], ...]
    words: Words


def terms(name: str) -> list[Term]:
    """The terms of `tables/terms_<name>.csv`."""
    return [
        Term(
            row["term"],
            row["kind"],
            tuple(row["parents"].split()),
            row["domain"],
            row["range"],
            tuple(_match(match) for match in row["match"].split()),
            _words(row),
        )
        for row in rows(f"terms_{name}")
    ]


def _match(text: str) -> tuple[str, str]:
    """`exact:obo:X` as ("exact", "obo:X"); without a kind before two colons the match is close."""
    kind, colon, curie = text.partition(":")
    return (kind, curie) if ":" in curie and colon else ("close", text)


@dataclass(frozen=True)
class Shape:
    """A kind of record or part of one; `targets` say which nodes it is for."""

    name: str
    file: str
    targets: tuple[str, ...]
    en: str
    nl: str


@dataclass(frozen=True)
class Property:
    """What a shape asks of one property: how often, of which form, and the hint for who gets it wrong."""

    shape: str
    path: str
    en: str
    nl: str
    minimum: str
    maximum: str
    kind: str
    value: str
    help_en: str
    help_nl: str


def shapes() -> list[Shape]:
    """All shapes; the first of a file is the record itself."""
    return [
        Shape(row["shape"], row["file"], tuple(row["targets"].split()), row["en"], row["nl"])
        for row in rows("shapes")
    ]


def properties() -> list[Property]:
    """All properties of all shapes."""
    renamed = {"min": "minimum", "max": "maximum"}
    return [
        Property(**{renamed.get(key, key): text for key, text in row.items()}) for row in rows("properties")
    ]
