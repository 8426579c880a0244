"""Writes a dataset's record as Turtle from what a person said and what was proposed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fairnode import vocabulary
from fairnode.records.dataset import Binding, Source

_RESTRICTED = "http://publications.europa.eu/resource/authority/access-right/RESTRICTED"


@dataclass(frozen=True)
class Details:
    """What a record says beside its bindings. `licence` and `contact` are IRIs (mailto: or a page).

    `years` are the first and the last; `regime` and `unit` prefixed names (`htpol:GDPR`, `ht:Registration`);
    `organisation` the notation of its kind, or empty.
    """

    title: str
    description: str
    years: tuple[str, str]
    licence: str
    contact_name: str
    contact: str
    regime: str
    unit: str = "ht:Registration"
    organisation: str = ""
    synthetic: bool = False


def record_turtle(iri: str, details: Details, bindings: Sequence[Binding], head: str = "") -> str:
    """The record of the dataset `iri`; with the most careful policy, under which people decide on everything."""
    bound = " ,\n    ".join(map(binding_turtle, bindings))
    has = "hasEmail" if details.contact.startswith("mailto:") else "hasURL"
    return f"""{_prefixes()}
{head}
<{iri}> a dcat:Dataset ;
  dct:title {text_turtle(details.title)}@en ;
  dct:description {text_turtle(details.description)}@en ;
  dct:publisher <{iri.rpartition("/dataset/")[0]}/organisation> ;
{_period(details.years)}  dct:accessRights <{_RESTRICTED}> ;
  dct:license <{details.licence}> ;
  dcat:contactPoint [ a vcard:Kind ; vcard:fn {text_turtle(details.contact_name)} ;
    vcard:{has} <{details.contact}> ] ;
  dct:conformsTo <https://w3id.org/fairnode/profile/dataset> ;
{_kind(details)}  fn:unit {details.unit} ;
  fn:regime {details.regime} ;
  # Nothing is granted without asking people; counsel decides which purposes may be asked for.
  odrl:hasPolicy [ a odrl:Offer ;
    odrl:permission [ odrl:action htpol:visit ;
      odrl:constraint [ odrl:leftOperand odrl:purpose ; odrl:operator odrl:isAnyOf ;
        odrl:rightOperand htpol:TraffickingStatistics ] ;
      odrl:duty [ odrl:action htpol:obtainApproval ] ] ;
    odrl:prohibition [ odrl:action htpol:useOperationally , htpol:releaseRecords ] ] ;
  fn:binding
    {bound} .
"""


def _period(years: tuple[str, str]) -> str:
    """The period, where it is known."""
    if not all(years):
        return ""
    return f"""  dct:temporal [ a dct:PeriodOfTime ;
    dcat:startDate "{years[0]}"^^xsd:gYear ; dcat:endDate "{years[1]}"^^xsd:gYear ] ;
"""


def _kind(details: Details) -> str:
    """What kind of organisation reports, and whether the data are invented."""
    lines = "  fn:synthetic true ;\n" if details.synthetic else ""
    kinds = vocabulary.variable("reportingOrganisation").codes
    found = next((code.iri for code in kinds if code.notation == details.organisation), "")
    return f"{lines}  fn:reportingOrganisationType <{found}> ;\n" if found else lines


def source_toml(source: Source) -> str:
    """The description of a source for `fairnode dataset add`: what is not as it usually is."""
    usual = vars(Source(source.kind))
    told = {key: value for key, value in vars(source).items() if key == "kind" or value != usual[key]}
    lines = "".join(f"{key} = {text_turtle(value)}\n" for key, value in told.items())
    return f"# Where the rows are. Private to this node: it never stands in a record.\n[source]\n{lines}"


def binding_turtle(binding: Binding) -> str:
    """One binding as a Turtle blank node."""
    return f"[ a fn:Binding ; {' ; '.join(_parts(binding))} ]"


def _parts(binding: Binding) -> Iterator[str]:
    """The statements about a binding."""
    yield f"fn:column {text_turtle(binding.column)}"
    yield f"fn:variable ht:{binding.variable}"
    for name in ("format", "separator", "derive"):
        if getattr(binding, name):
            yield f"fn:{name} {text_turtle(getattr(binding, name))}"
    if binding.missing:
        yield "fn:missing " + " , ".join(map(text_turtle, binding.missing))
    if binding.strict:
        yield "fn:strict true"
    if binding.codes:
        concepts = {code.notation: code.iri for code in vocabulary.variable(binding.variable).codes}
        yield "fn:code\n        " + " ,\n        ".join(
            f"[ fn:local {text_turtle(local)} ; fn:concept <{concepts[notation]}> ]"
            for local, notation in binding.codes
        )


def text_turtle(text: str) -> str:
    """The text as a Turtle string."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter, letter) for letter in text) + '"'


def _prefixes() -> str:
    names = ("dcat", "dct", "fn", "ht", "htpol", "odrl", "vcard", "xsd")
    return "".join(f"@prefix {name}: <{vocabulary.PREFIXES[name]}> .\n" for name in names)
