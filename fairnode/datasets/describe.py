"""Proposes bindings for the columns of a data file, and drafts the dataset's record as Turtle.

A proposal is a guess from names and short code lists; a person checks it. What could not be guessed becomes a
question. The draft is complete but for what stands between `<<` and `>>`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, takewhile

from fairnode import vocabulary
from fairnode.datasets.drafting import Details, binding_turtle, record_turtle, text_turtle
from fairnode.records.dataset import Binding
from fairnode.vocabulary import Variable

__all__ = ["Profile", "Proposal", "binding_turtle", "draft_record", "propose", "text_turtle"]

FORMATS = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y%m%d", "%m/%d/%Y")
"""Ways to write a date that are tried, in this order."""

WORDS = {
    "personKey": "dossiernummer dossiernr dossier zaaknummer zaaknr casenummer caseid casenumber clientid "
    "clientnummer personid registratienr registratienummer casenr",
    "familyName": "achternaam familienaam naam surname lastname familyname secondname",
    "givenName": "voornaam voornamen roepnaam firstname givenname forename",
    "birthDate": "geboren geboortedatum gebdatum birthdate dateofbirth dob geborenop",
    "identificationDate": "datum datummelding melddatum meldingsdatum datumintake instroom "
    "identificationdate reportedon registrationdate incomingreferraldate",
    "year": "jaar meldjaar year yearofregistration",
    "month": "maand meldmaand month",
    "sex": "geslacht sekse gender sex mv mvx",
    "ageGroup": "leeftijdsgroep leeftijdscategorie agegroup ageband leeftijd age leeftijdbijintake",
    "citizenship": "nationaliteit nationality citizenship land herkomst",
    "region": "regio eenheid politieeenheid policeunit district zorgregio region plaats",
    "exploitationForm": "uitbuitingsvorm soortuitbuiting vorm exploitation typeofexploitation "
    "exploitationform problematiek",
    "meansOfControl": "dwangmiddelen dwang control methodsofcontrol meansofcontrol",
    "recruiterRelation": "relatieronselaar ronselaar recruiterrelation relationshiptotrafficker",
    "consent": "toestemming consent",
}
"""Names of columns in use at organisations (ours, HTCDS 2.0, CTDC), folded as `fold` does."""


@dataclass(frozen=True)
class Profile:
    """What a look at a column showed; node-only, for `values` and `samples` are what stands in the data.

    `kind` is "empty", "integer", "date" or "text"; `formats` are the ways in which all its dates can be read;
    `distinct` is a lower bound where it is large; `values` are the distinct values where they are few;
    `separator` what stands between several codes in a cell, if anything.
    """

    name: str
    kind: str
    rows: int
    recorded: int
    distinct: int
    values: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    separator: str = ""


@dataclass(frozen=True)
class Proposal:
    """Bindings that look right, and questions about what does not."""

    bindings: tuple[Binding, ...]
    questions: tuple[str, ...]


def propose(profiles: Sequence[Profile]) -> Proposal:
    """Bindings for the columns that can be recognised by their name; each variable at most once."""
    bindings: list[Binding] = []
    questions: list[str] = []
    taken: set[str] = set()
    for profile in profiles:
        variable = _recognise(profile.name)
        if variable is None or variable.name in taken:
            why = "is not recognised" if variable is None else f"looks like a second {variable.name}"
            questions.append(f"Column '{profile.name}' {why}: which variable is it, if any?")
            continue
        found, asked = _bind(profile, variable)
        bindings += [binding for binding in found if binding.variable not in taken]
        taken |= {binding.variable for binding in found}
        questions += asked
    bindings += _derived_age(bindings, taken)
    questions += [
        f"No column was found for {name}: is there none?" for name in _wished() if name not in taken
    ]
    return Proposal(tuple(bindings), tuple(questions))


def _derived_age(bindings: Sequence[Binding], taken: set[str]) -> list[Binding]:
    """The age group by birth date on the day of identification, where both are there and no age is."""
    born = next((binding for binding in bindings if binding.variable == "birthDate"), None)
    if born is None or "ageGroup" in taken or "identificationDate" not in taken:
        return []
    taken.add("ageGroup")
    return [Binding(born.column, "ageGroup", format=born.format, derive="ageGroup")]


LEAST_ALIKE = 4  # letters


def fold(text: str) -> str:
    """The text without case, accents, spaces and signs: what two spellings have in common."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return re.sub(r"[^a-z0-9]", "", plain)


def match_code(variable: Variable, local: str) -> str | None:
    """The notation that a local code stands for, by notation, label or crosswalk; None when not sure."""
    wanted = fold(local)
    hits = {
        code.notation
        for code in variable.codes
        if code.notation not in variable.groups
        and wanted in map(fold, (code.notation, code.label_en, code.label_nl, *code.also))
    }
    return hits.pop() if wanted and len(hits) == 1 else None


def likely_code(variable: Variable, local: str) -> str | None:
    """The notation that a person is asked about first: the one with a word that begins most like the code.

    Never taken without asking; None when nothing begins alike, or two begin alike equally.
    """
    words = [fold(word) for word in local.split()]
    best: dict[str, int] = {}
    for code in variable.codes:
        if code.notation not in variable.groups:
            known = [
                fold(word) for text in (code.label_en, code.label_nl, *code.also) for word in text.split()
            ]
            alike = (_alike(one, other) for one in words for other in known)
            best[code.notation] = max(alike, default=0)
    most = max(best.values(), default=0)
    found = [notation for notation, length in best.items() if length == most]
    return found[0] if most >= LEAST_ALIKE and len(found) == 1 else None


def _alike(one: str, other: str) -> int:
    """With how many letters two words begin alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _recognise(column: str) -> Variable | None:
    """The variable that the name of a column suggests."""
    name = fold(re.sub(r"^[a-z]{3}_", "", column))  # HTCDS prefixes: prs_, vic_, cas_, con_
    for variable in vocabulary.variables().values():
        labels = map(fold, (variable.name, variable.label_en, variable.label_nl))
        if name in chain(WORDS.get(variable.name, "").split(), labels):
            return variable
    return None


def _wished() -> tuple[str, ...]:
    """The variables that nearly every study needs."""
    return ("exploitationForm", "sex", "ageGroup", "citizenship", "region", "year")


def _bind(profile: Profile, variable: Variable) -> tuple[list[Binding], list[str]]:
    """Bindings of one recognised column, and what remains to be asked about it."""
    if variable.kind == "date" or variable.name == "birthDate":
        return _bind_date(profile, variable)
    if variable.name == "ageGroup" and profile.kind == "integer":
        return [Binding(profile.name, "ageGroup", derive="ageGroup")], []
    if variable.kind == "coded":
        return _bind_codes(profile, variable)
    return [Binding(profile.name, variable.name)], []


def _bind_date(profile: Profile, variable: Variable) -> tuple[list[Binding], list[str]]:
    """A date, with year and month of the date of identification."""
    if profile.kind != "date":
        return [], [f"Column '{profile.name}' looks like {variable.name}: how are its dates written?"]
    written = "" if profile.formats[0] == FORMATS[0] else profile.formats[0]
    bindings = [Binding(profile.name, variable.name, format=written)]
    if variable.name == "identificationDate":
        bindings += [Binding(profile.name, part, format=written, derive=part) for part in ("year", "month")]
    ways = " or ".join(profile.formats)
    asked = [f"Column '{profile.name}' can be read as {ways}: which?"] if len(profile.formats) > 1 else []
    return bindings, asked


def _bind_codes(profile: Profile, variable: Variable) -> tuple[list[Binding], list[str]]:
    """A column of codes; local codes that are not recognised are asked about."""
    if set(profile.values) <= set(variable.notations):
        return [Binding(profile.name, variable.name, separator=profile.separator)], []
    pairs = [(local, match_code(variable, local)) for local in profile.values]
    known = tuple((local, notation) for local, notation in pairs if notation is not None)
    unknown = ", ".join(f"'{local}'" for local, notation in pairs if notation is None)
    questions = []
    if unknown:
        questions.append(
            f"Column '{profile.name}' ({variable.name}): which concepts are the codes {unknown}?"
        )
    if not profile.values:
        questions.append(
            f"Column '{profile.name}' ({variable.name}) has too many values for a list of codes."
        )
    return [Binding(profile.name, variable.name, known, separator=profile.separator)], questions


def draft_record(iri: str, title: str, proposal: Proposal) -> str:
    """The dataset's record as Turtle: bindings filled in, all else to be filled in by a person."""
    details = Details(
        title=title,
        description="<<what the records are about, who keeps them and why>>",
        years=("<<2015>>", "<<2024>>"),
        licence="<IRI of the licence>",
        contact_name="<<who answers questions>>",
        contact="mailto:<<address>>",
        regime="<<htpol:GDPR or htpol:WPG>>",
    )
    # what stands in the data must not end the comment
    questions = "\n".join(f"# ? {' '.join(question.split())}" for question in proposal.questions)
    head = f"# Draft. Fill in what stands between << and >>, and answer:\n{questions}\n"
    return record_turtle(iri, details, proposal.bindings, head)


def bind_as(profile: Profile, name: str) -> tuple[list[Binding], list[str]]:
    """The bindings of a column whose variable a person named, and what remains to be asked.

    Raises `NotFound` for a variable that the ontology has not.
    """
    return _bind(profile, vocabulary.variable(name))
