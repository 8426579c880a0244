"""What the value of a property may look like: the limits in SHACL and the words in both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rdflib import RDF, SH, XSD, Literal, URIRef
from rdflib.term import Node

from fairnode.vocabulary import CODE, HT, HTPOL, PREFIXES
from ontology.generate.terms import iri


@dataclass(frozen=True)
class Kind:
    """Limits on a value; `en` and `nl` finish the sentence "the field must ...".

    `datatypes` are alternatives; `lists` are limits that take a list; `inverse` names values it may not be.
    """

    en: str
    nl: str
    limits: tuple[tuple[URIRef, Node], ...] = ()
    lists: tuple[tuple[URIRef, tuple[Node, ...]], ...] = ()
    inverse: tuple[Node, ...] = ()
    datatypes: tuple[URIRef, ...] = ()


def _pattern(en: str, nl: str, pattern: str, kind: URIRef = SH.Literal) -> Kind:
    return Kind(en, nl, ((SH.nodeKind, kind), (SH.pattern, Literal(pattern))))


def _typed(en: str, nl: str, *datatypes: URIRef, pattern: str = "") -> Kind:
    """One of several datatypes, which SHACL says with a list of alternatives."""
    limits = ((SH.pattern, Literal(pattern)),) if pattern else ()
    if len(datatypes) == 1:
        return Kind(en, nl, ((SH.datatype, datatypes[0]), *limits))
    return Kind(en, nl, limits, datatypes=datatypes)


def _one_of(value: str) -> Kind:
    names = ", ".join(value.split())
    return Kind(
        f"be one of {names}", f"een zijn van {names}", lists=((SH["in"], tuple(map(iri, value.split()))),)
    )


def _word(value: str) -> Kind:
    names, words = ", ".join(value.split()), tuple(Literal(word) for word in value.split())
    return Kind(f"be one of {names}", f"een zijn van {names}", lists=((SH["in"], words),))


def _has(value: str) -> Kind:
    names = " and ".join(value.split())
    limits = tuple((SH.hasValue, iri(each)) for each in value.split())
    return Kind(f"be {names}", names.replace(" and ", " en ") + " zijn", limits)


def _has_not(value: str) -> Kind:
    return Kind(f"not be {value}", f"niet {value} zijn", inverse=tuple(map(iri, value.split())))


def _always(kind: Kind) -> Callable[[str], Kind]:
    return lambda _: kind


SOME = r"\S"
WEB = "^(https?://|urn:)"
ACTION = f"^({PREFIXES['odrl']}|{HTPOL})[A-Za-z]"
MEDIA = "^https?://www.iana.org/assignments/media-types/"
# "<" is allowed in text unless a tag begins there.
MARKUP = _pattern(
    "not hold markup", "geen opmaakcodes bevatten", "^([^<]|<[^A-Za-z/!?])*<?$", SH.IRIOrLiteral
)

KINDS: dict[str, Callable[[str], Kind]] = {
    "langtext": _always(
        _typed(
            'be text with its language, like "..."@en',
            'tekst met taalaanduiding zijn, zoals "..."@nl',
            RDF.langString,
            pattern=SOME,
        )
    ),
    "text": _always(_typed("be text", "tekst zijn", XSD.string, RDF.langString, pattern=SOME)),
    "string": _always(
        _typed("be text without a language", "tekst zonder taalaanduiding zijn", XSD.string, pattern=SOME)
    ),
    "anystring": _always(
        _typed("be text without a language", "tekst zonder taalaanduiding zijn", XSD.string)
    ),
    "anytext": _always(
        Kind("be text or an address", "tekst of een adres zijn", ((SH.nodeKind, SH.IRIOrLiteral),))
    ),
    "iri": _always(
        _pattern(
            "be an address (IRI) that begins with https://, http:// or urn:",
            "een adres (IRI) zijn dat begint met https://, http:// of urn:",
            WEB,
            SH.IRI,
        )
    ),
    "mailto": _always(
        _pattern(
            "be an e-mail address like <mailto:data@example.org>",
            "een e-mailadres zijn zoals <mailto:data@example.org>",
            r"^mailto:[^@\s]+@[^@\s]+$",
            SH.IRI,
        )
    ),
    "tls": _always(
        _pattern(
            "be a host and port like <tls://node.example:9443>",
            "een host en poort zijn zoals <tls://node.example:9443>",
            "^tls://[^/]+:[0-9]+$",
            SH.IRI,
        )
    ),
    "node": _always(
        Kind(
            "be a thing with fields of its own, not a text",
            "iets met eigen velden zijn, geen tekst",
            ((SH.nodeKind, SH.BlankNodeOrIRI),),
        )
    ),
    "date": _always(
        _typed(
            'be a date like "2026-11-21"^^xsd:date',
            'een datum zijn zoals "2026-11-21"^^xsd:date',
            XSD.date,
            XSD.dateTime,
            XSD.gYear,
            XSD.gYearMonth,
        )
    ),
    "datetime": _always(
        _typed(
            'be a moment like "2026-11-21T09:00:00Z"^^xsd:dateTime',
            'een moment zijn zoals "2026-11-21T09:00:00Z"^^xsd:dateTime',
            XSD.dateTime,
        )
    ),
    "boolean": _always(_typed("be true or false", "true of false zijn", XSD.boolean)),
    "positive": _always(
        _pattern("be a whole number of at least 1", "een geheel getal van ten minste 1 zijn", "^[1-9][0-9]*$")
    ),
    "eleven": _always(
        _pattern(
            "be a whole number of at least 11",
            "een geheel getal van ten minste 11 zijn",
            "^(1[1-9]|[2-9][0-9]|[1-9][0-9][0-9]+)$",
        )
    ),
    "count": _always(
        _pattern("be a whole number of at least 0", "een geheel getal van ten minste 0 zijn", "^[0-9]+$")
    ),
    "tens": _always(
        _pattern(
            "be a whole number rounded to 10, as every size that is made public",
            "een op 10 afgerond geheel getal zijn, zoals elke omvang die openbaar wordt",
            "^(0|[1-9][0-9]*0)$",
        )
    ),
    "decimal": _always(_pattern("be a number", "een getal zijn", r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$")),
    "oneof": _one_of,
    "word": _word,
    "has": _has,
    "hasnot": _has_not,
    "concept": _always(
        _pattern(
            "be a concept of a code list of the ontology",
            "een begrip uit een codelijst van de ontologie zijn",
            f"^{CODE}[^/]+/[^/]+$",
            SH.IRI,
        )
    ),
    "in-ht": _always(
        _pattern(
            "be a variable of the ontology, like ht:year",
            "een variabele van de ontologie zijn, zoals ht:year",
            f"^{HT}[a-z]",
            SH.IRI,
        )
    ),
    "in-htpol": _always(
        _pattern(
            "be a condition of the policy terms, like htpol:StatisticsOnly",
            "een voorwaarde uit de beleidstermen zijn, zoals htpol:StatisticsOnly",
            f"^{HTPOL}[A-Z]",
            SH.IRI,
        )
    ),
    "action": _always(
        _pattern(
            "be a term of ODRL or of the policy terms, like htpol:visit",
            "een term van ODRL of van de beleidstermen zijn, zoals htpol:visit",
            ACTION,
            SH.IRI,
        )
    ),
    "matches": lambda value: _pattern(f"have the form {value}", f"de vorm {value} hebben", value),
    "digest": _always(
        _pattern(
            "be sha256: and 64 hexadecimal digits",
            "sha256: en 64 hexadecimale cijfers zijn",
            "^sha256:[0-9a-f]{64}$",
        )
    ),
    "hex": _always(_pattern("be 64 hexadecimal digits", "64 hexadecimale cijfers zijn", "^[0-9a-f]{64}$")),
    "key": _always(
        _pattern(
            "be a key of 32 bytes in base64",
            "een sleutel van 32 bytes in base64 zijn",
            "^[A-Za-z0-9+/_-]{43}=?$",
        )
    ),
    "media": _always(
        _pattern(
            "be a media type registered with IANA", "een bij IANA geregistreerd mediatype zijn", MEDIA, SH.IRI
        )
    ),
}
