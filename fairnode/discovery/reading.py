"""Reads RDF of strangers: Turtle or JSON-LD as it came, within limits, without fetching anything it names.

`pyoxigraph` parses as a stream, without recursion and without the network (a remote `@context` is refused),
so a bomb of blank nodes or brackets costs no more than its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse

from fairnode import errors, vocabulary

LARGEST = 2 * 1024 * 1024
MOST_STATEMENTS = 20_000

Term = NamedNode | BlankNode | Literal
Subject = NamedNode | BlankNode

TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_USELESS = ("file:", "javascript:", "vbscript:", "data:", "blob:", "about:")


@dataclass(frozen=True)
class Statements:
    """What a document says: subject -> predicate -> objects, in the order of the text."""

    about: Mapping[Subject, Mapping[str, tuple[Term, ...]]]

    def objects(self, subject: Subject, predicate: str) -> tuple[Term, ...]:
        """The objects of a subject and a predicate (its IRI)."""
        return self.about.get(subject, {}).get(predicate, ())

    def iris(self, subject: Subject, predicate: str) -> tuple[str, ...]:
        """The objects that are IRIs."""
        return tuple(o.value for o in self.objects(subject, predicate) if isinstance(o, NamedNode))

    def text(self, subject: Subject, predicate: str) -> str:
        """The object as text: in English where there is one, else without a language, else any."""
        found = self.objects(subject, predicate)
        return next((o.value for o in sorted(found, key=_by_language)), "")

    def typed(self, *kinds: str) -> list[str]:
        """The IRIs of the subjects that have one of these types."""
        return [
            subject.value
            for subject, told in self.about.items()
            if isinstance(subject, NamedNode)
            and any(isinstance(o, NamedNode) and o.value in kinds for o in told.get(TYPE, ()))
        ]

    def linked(self, predicate: str) -> list[str]:
        """The IRIs that any subject points to by this predicate, each once."""
        found = (o.value for told in self.about.values() for o in told.get(predicate, ())
                 if isinstance(o, NamedNode))  # fmt: skip
        return list(dict.fromkeys(found))


def _by_language(term: Term) -> tuple[int, str]:
    """English first, then words without a language."""
    language = term.language or "" if isinstance(term, Literal) else ""
    return {"en": 0, "": 1, "nl": 2}.get(language.partition("-")[0], 3), term.value


def is_json(content: bytes) -> bool:
    """Whether a document is JSON-LD; no Turtle begins with `{` or `[{`."""
    return re.match(rb"\s*(?:\{|\[\s*\{)", content) is not None


def quads(content: bytes, base: str, graph: NamedNode | None = None) -> Iterator[Quad]:
    """The statements one by one, in the graph `graph` when one is given.

    Raises `NotValid` for what is no RDF, is too large, or names addresses that mean nothing to others.
    """
    if len(content) > LARGEST:
        raise errors.NotValid(f"The record is larger than {LARGEST // 1024} KiB.")
    form = RdfFormat.JSON_LD if is_json(content) else RdfFormat.TURTLE
    number = 0
    try:
        for quad in parse(content, form, base_iri=base, rename_blank_nodes=graph is not None):
            number += 1
            if number > MOST_STATEMENTS:
                raise errors.NotValid(f"The record makes more than {MOST_STATEMENTS} statements.")
            _check_names(quad)
            yield quad if graph is None else Quad(quad.subject, quad.predicate, quad.object, graph)
    except (SyntaxError, ValueError, UnicodeDecodeError) as error:
        where = f"line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else "the record"
        raise errors.NotValid(
            "The record is not Turtle or JSON-LD.",
            findings=(errors.Finding(where, re.sub(r"\s+", " ", str(error))[:200]),),
        ) from error


def _check_names(quad: Quad) -> None:
    """Raise `NotValid` for an IRI that means nothing, or something bad, to whoever reads it elsewhere."""
    for term in (quad.subject, quad.object):
        if isinstance(term, NamedNode) and term.value[:11].lower().startswith(_USELESS):
            kind = term.value.partition(":")[0]
            raise errors.NotValid(f"The record holds an IRI of the kind '{kind}:', which means nothing here.")


def read(content: bytes, base: str) -> Statements:
    """What a document says; relative IRIs count from `base`. Raises `NotValid` as `quads` does."""
    about: dict[Subject, dict[str, list[Term]]] = {}
    for quad in quads(content, base):
        if isinstance(quad.subject, NamedNode | BlankNode) and isinstance(
            quad.object, NamedNode | BlankNode | Literal
        ):
            about.setdefault(quad.subject, {}).setdefault(quad.predicate.value, []).append(quad.object)
    return Statements({s: {p: tuple(o) for p, o in told.items()} for s, told in about.items()})


@cache
def name(short: str) -> str:
    """The IRI of a prefixed name, such as `dct:title`."""
    prefix, _, local = short.partition(":")
    return vocabulary.PREFIXES[prefix] + local
