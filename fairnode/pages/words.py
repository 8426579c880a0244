"""Words of records as people say them: codes, IRIs and moments in plain English."""

from __future__ import annotations

from fairnode import errors, vocabulary

_COUNTRIES = {"NLD": "Netherlands", "GBR": "United Kingdom", "BEL": "Belgium", "DEU": "Germany"}
_LANGUAGES = {"ENG": "English", "NLD": "Dutch", "FRA": "French", "DEU": "German"}
_ACCESS = {
    "PUBLIC": "open to everybody",
    "RESTRICTED": "by visit, after approval",
    "NON_PUBLIC": "by visit, after approval",
}


def label(iri: str) -> str:
    """What a term or concept is called; the last part of its IRI where no label is known."""
    if not iri:
        return "not stated"
    try:
        return vocabulary.term(iri).label_en
    except errors.NotFound:
        pass
    try:
        return vocabulary.concept(iri).label_en
    except errors.NotFound:
        return _known(iri)


def _known(iri: str) -> str:
    """The label of an IRI of the EU authority lists, or its last part with spaces."""
    end = iri.rstrip("/").replace("#", "/").rsplit("/", 1)[-1]
    for part, words in (("/country/", _COUNTRIES), ("/language/", _LANGUAGES), ("/access-right/", _ACCESS)):
        if part in iri:
            return words.get(end, end)
    return spaced(end)


def spaced(name: str) -> str:
    """`NoOperationalUse` as "No operational use"."""
    letters = "".join(f" {c.lower()}" if c.isupper() and i else c for i, c in enumerate(name))
    return letters.replace("_", " ").replace("-", " ").strip().capitalize() if " " in letters else letters


def day(moment: str) -> str:
    """The day of a moment."""
    return moment[:10]


def minute(moment: str) -> str:
    """A moment to the minute, in UTC."""
    return f"{moment[:10]} {moment[11:16]} UTC" if len(moment) > 15 else moment
