"""The six organisations and what their case files look like: each its own columns, codes, gaps and type.

One table a file says both how a column is written and how it is bound to the shared variables, so that file
and dataset record cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import codes

Codes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Column:
    """A column of a case file.

    `attribute` names what is written (of `people.Person`, or `key`, `age`, `consent`); `codes` are pairs of
    local code and notation; `gap` is the share of cells left out although the person has a value; `binds` are
    the variables, each with what has to be derived ("" = as it is). `text` is how dates are written; where it
    is None the file type has dates of its own. What belongs to the journey is drawn `apart`.
    """

    name: str
    attribute: str
    binds: tuple[tuple[str, str], ...] = ()
    codes: Codes = ()
    missing: tuple[str, ...] = ()
    separator: str = ""
    text: str | None = "%Y-%m-%d"
    gap: float = 0.0
    coded: bool = False
    apart: bool = False


@dataclass(frozen=True)
class Organisation:
    """Who holds a case file, under which regime and legal basis, and what the file looks like."""

    key: str
    letter: str
    name: str
    name_nl: str
    type: str
    regime: str
    basis: str
    title: str
    file: str
    kind: str
    options: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]


DATE = (("identificationDate", ""), ("year", "year"), ("month", "month"))
BORN = (("birthDate", ""),)
BORN_AND_AGE = (("birthDate", ""), ("ageGroup", "ageGroup"))
KEY, FAMILY, GIVEN = (("personKey", ""),), (("familyName", ""),), (("givenName", ""),)


def _coded(name: str, attribute: str, variable: str, local: Codes, **more: object) -> Column:
    """A column of codes for one variable."""
    return Column(name, attribute, ((variable, ""),), local, coded=True, **more)  # type: ignore[arg-type]


POLICE = Organisation(
    "police", "P", "National Police", "Nationale Politie",
    "police", "WPG", "htpol:Wpg-A22",
    "Presumed victims of trafficking reported by the police",
    "slachtoffers.csv", "csv", (("encoding", "windows-1252"), ("delimiter", ",")),
    (
        Column("dossiernummer", "key", KEY),
        Column("achternaam", "family_name", FAMILY),
        Column("voornaam", "given_name", GIVEN),
        Column("geboren", "birth_date", BORN, text="%d-%m-%Y"),
        _coded("geslacht", "sex", "sex", (("M", "male"), ("V", "female")), missing=("", "onb")),
        Column("leeftijd", "age", (("ageGroup", "ageGroup"),), gap=0.02),
        _coded("nationaliteit", "citizenship", "citizenship", codes.COUNTRY_NL, missing=("", "onbekend"),
               gap=0.01),
        _coded("eenheid", "region", "region", codes.UNIT_NAME),
        Column("datum melding", "identified", DATE, text="%d-%m-%Y"),
        _coded("uitbuitingsvorm", "form", "exploitationForm", codes.FORM_NL, missing=("", "nb")),
        _coded("dwangmiddelen", "means", "meansOfControl", codes.MEANS_NL, separator="|", gap=0.10),
        _coded("relatie ronselaar", "recruiter", "recruiterRelation", codes.RECRUITER_NL),
        _coded("land werving", "recruited_in", "recruitmentCountry", (), gap=0.05, apart=True),
        _coded("doorreis", "through", "transitCountry", (), separator="|", gap=0.05, apart=True),
        _coded("wervingswijze", "methods", "recruitmentMethod", (), separator="|", gap=0.10, apart=True),
        Column("doorverwezen op", "referred", (("outgoingReferralDate", ""),), text="%d-%m-%Y", apart=True),
        Column("besluit op", "decided", (("statusDecisionDate", ""),), text="%d-%m-%Y", apart=True),
    ),
)  # fmt: skip

KMAR = Organisation(
    "kmar", "K", "Royal Marechaussee (border police)", "Koninklijke Marechaussee",
    "border-police", "WPG", "htpol:Wpg-A22",
    "Presumed victims of trafficking reported at the border",
    "meldingen.csv", "csv", (("encoding", "utf-8"), ("delimiter", ";")),
    (
        Column("Registratienr", "key", KEY),
        Column("Naam", "family_name", FAMILY),
        Column("Voornamen", "given_name", GIVEN),
        Column("Geb.datum", "birth_date", BORN_AND_AGE, text="%Y%m%d"),
        _coded("Sekse", "sex", "sex", (("man", "male"), ("vrouw", "female"), ("?", "unknown"))),
        _coded("Nationaliteit", "citizenship", "citizenship", (), missing=("", "XXX")),
        _coded("District", "region", "region", codes.UNIT_NUMBER, gap=0.04),
        Column("Melddatum", "identified", DATE, text="%Y%m%d"),
        _coded("Vorm", "form", "exploitationForm", codes.FORM_SHORT, missing=("", "ONB")),
        _coded("Land van werving", "recruited_in", "recruitmentCountry", (), gap=0.02, apart=True),
        _coded("Via", "through", "transitCountry", (), separator=" ", gap=0.02, apart=True),
        Column("Doorverwezen", "referred", (("outgoingReferralDate", ""),), text="%Y%m%d", apart=True),
    ),
)  # fmt: skip

LABOUR = Organisation(
    "labour", "I", "Labour Inspectorate", "Inspectie SZW",
    "labour-inspectorate", "LED", "htpol:BpgBod-A2-2",
    "Presumed victims of trafficking met by the labour inspectorate",
    "cases.parquet", "parquet", (),
    (
        Column("case_id", "key", KEY),
        Column("surname", "family_name", FAMILY),
        Column("first_name", "given_name", GIVEN),
        Column("date_of_birth", "birth_date", BORN_AND_AGE, text=None),
        _coded("gender", "sex", "sex", (("1", "male"), ("2", "female")), missing=("", "9")),
        _coded("nationality", "citizenship", "citizenship", codes.ALPHA2, gap=0.03),
        _coded("police_unit", "region", "region", codes.UNIT_ABBREVIATION),
        Column("reported_on", "identified", DATE, text=None),
        _coded("exploitation", "form", "exploitationForm", codes.FORM_NUMBER),
        _coded("control", "means", "meansOfControl", codes.MEANS_SHORT, separator=",", gap=0.20),
    ),
)  # fmt: skip

COORDINATORS = Organisation(
    "coordinators", "R", "Regional care coordinators", "Zorgcoördinatie mensenhandel",
    "regional-coordinator", "GDPR", "htpol:UAVG-A24",
    "Presumed victims of trafficking known to the regional coordinators",
    "meldingen.xlsx", "xlsx", (("sheet", "Meldingen"),),
    (
        Column("Casenr", "key", KEY),
        Column("Achternaam cliënt", "family_name", FAMILY),
        Column("Voornaam cliënt", "given_name", GIVEN),
        Column("Geboren op", "birth_date", BORN, text=None),
        _coded("M/V/X", "sex", "sex", (("m", "male"), ("v", "female"), ("x", "unknown"))),
        Column("Leeftijd bij intake", "age", (("ageGroup", "ageGroup"),), gap=0.05),
        _coded("Herkomst", "citizenship", "citizenship", codes.COUNTRY_EN, missing=("", "n.v.t.")),
        _coded("Zorgregio", "region", "region", codes.CITY),
        Column("Datum intake", "identified", DATE, text=None),
        _coded("Soort uitbuiting", "form", "exploitationForm", codes.FORM_EN, gap=0.05),
        _coded("Ronselaar", "recruiter", "recruiterRelation", codes.RECRUITER_EN, missing=("", "-")),
        _coded("Toestemming", "consent", "consent", (("ja", "yes"), ("nee", "no"))),
    ),
)  # fmt: skip

SHELTERS = Organisation(
    "shelters", "O", "Shelters and residential treatment", "Opvanginstellingen",
    "shelter", "GDPR", "htpol:UAVG-A24",
    "Presumed victims of trafficking in shelters and residential treatment",
    "clienten.sqlite", "sqlite", (("table", "clienten"),),
    (
        Column("client_id", "key", KEY),
        Column("achternaam", "family_name", FAMILY),
        Column("roepnaam", "given_name", GIVEN),
        Column("geboortedatum", "birth_date", BORN_AND_AGE),
        _coded("geslacht", "sex", "sex", (("1", "male"), ("2", "female"), ("0", "unknown"))),
        _coded("land", "citizenship", "citizenship", codes.ALPHA2),
        _coded("plaats", "region", "region", codes.CITY, gap=0.03),
        Column("instroom", "identified", DATE),
        _coded("problematiek", "form", "exploitationForm", codes.FORM_LETTER),
        _coded("dwang", "means", "meansOfControl", codes.MEANS_SHORT, separator="+", gap=0.05),
        _coded("toestemming", "consent", "consent", (("1", "yes"), ("0", "no"))),
    ),
)  # fmt: skip

OTHERS = Organisation(
    "others", "Z", "Ambulatory care, legal services and others", "Overige instanties",
    "other", "GDPR", "htpol:UAVG-A24",
    "Presumed victims of trafficking known to ambulatory care, legal services and others",
    "cases.jsonl", "jsonl", (),
    (
        Column("cas_CaseNumber", "key", KEY),
        Column("prs_SecondName", "family_name", FAMILY),
        Column("prs_FirstName", "given_name", GIVEN),
        Column("prs_Birthdate", "birth_date", BORN_AND_AGE),
        _coded("prs_Gender", "sex", "sex", codes.SEX_HTCDS),
        _coded("prs_Citizenship", "citizenship", "citizenship", codes.ALPHA2),
        _coded("policeUnit", "region", "region", ()),
        Column("cas_IncomingReferralDate", "identified", DATE),
        _coded("vic_TypeOfExploitation", "form", "exploitationForm", codes.FORM_HTCDS),
        _coded("vic_MethodsOfControl", "means", "meansOfControl", codes.MEANS_HTCDS, separator=";"),
        _coded("vic_RelationshipToTrafficker", "recruiter", "recruiterRelation", codes.RECRUITER_EN),
        _coded("con_Consent", "consent", "consent", (("true", "yes"), ("false", "no"))),
        _coded("vic_MethodOfRecruitment", "methods", "recruitmentMethod", (), separator=";", apart=True),
        Column("cas_OutgoingReferralDate", "referred", (("outgoingReferralDate", ""),), apart=True),
    ),
)  # fmt: skip

ORGANISATIONS = (POLICE, KMAR, LABOUR, COORDINATORS, SHELTERS, OTHERS)
