"""The dataset record of each organisation as Turtle, and where its node finds the file."""

from __future__ import annotations

from fairnode import vocabulary
from fairnode.datasets.describe import binding_turtle
from fairnode.records.dataset import Binding

from .organisations import Column, Organisation

PLACEHOLDER = "{base}"
"""Stands in `record.ttl` for the address of the node, which is known only when it is set up."""

PREFIXES = """\
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix dpv: <https://w3id.org/dpv#> .
@prefix fn: <https://w3id.org/fairnode/node#> .
@prefix ht: <https://w3id.org/fairnode/ontology#> .
@prefix htpol: <https://w3id.org/fairnode/policy#> .
@prefix odrl: <http://www.w3.org/ns/odrl/2/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
PURPOSES = "htpol:TraffickingStatistics , htpol:PrevalenceEstimation , dpv:ProvideOfficialStatistics , \
dpv:ScientificResearch"


def record(organisation: Organisation, base: str) -> str:
    """The dataset's record with its IRIs below `base`, the address of the organisation's node."""
    iri = f"{base.rstrip('/')}/dataset/{organisation.key}-victims"
    bindings = " ,\n    ".join(
        _binding(column, variable, derive)
        for column in organisation.columns
        for variable, derive in column.binds
    )
    return f"""{PREFIXES}
<{iri}> a dcat:Dataset ;
  dct:title "{organisation.title}, 2010-2015 (synthetic)"@en ;
  dct:description "Registrations behind the published Dutch overlap table of 2010-2015, expanded to case \
records with attributes drawn from public figures. No record is about a real person."@en ;
  dct:publisher <{base.rstrip("/")}/organisation> ;
  dct:creator <{base.rstrip("/")}/organisation> ;
  dct:issued "2026-11-21"^^xsd:date ;
  dct:temporal [ a dct:PeriodOfTime ;
    dcat:startDate "2010"^^xsd:gYear ; dcat:endDate "2015"^^xsd:gYear ] ;
  dct:spatial <http://publications.europa.eu/resource/authority/country/NLD> ;
  dct:language <http://publications.europa.eu/resource/authority/language/NLD> ;
  dct:license <http://publications.europa.eu/resource/authority/licence/CC0> ;
  dct:accessRights <http://publications.europa.eu/resource/authority/access-right/RESTRICTED> ;
  dcat:theme <http://publications.europa.eu/resource/authority/data-theme/JUST> ;
  dcat:keyword "human trafficking"@en , "victims"@en , "mensenhandel"@nl ;
  dct:conformsTo <https://w3id.org/fairnode/profile/dataset> ;
  dcat:contactPoint [ a vcard:Kind ; vcard:fn "Data desk, {organisation.name}" ;
    vcard:hasEmail <mailto:data@{organisation.key}.example> ] ;
  fn:unit ht:Registration ;
  fn:regime htpol:{organisation.regime} ;
  fn:synthetic true ;
  fn:reportingOrganisationType <{_concept("reportingOrganisation", organisation.type)}> ;
  odrl:hasPolicy [ a odrl:Offer ;
    odrl:permission [ odrl:action htpol:visit , htpol:combine , htpol:estimate ;
      rdfs:comment "Statistics on trafficking, after approval by the organisation's own people."@en ;
      odrl:constraint [ odrl:leftOperand odrl:purpose ; odrl:operator odrl:isAnyOf ;
        odrl:rightOperand {PURPOSES} ] ;
      odrl:duty [ odrl:action htpol:obtainApproval ] ] ;
    odrl:prohibition [ odrl:action htpol:useOperationally , htpol:releaseRecords ;
      rdfs:comment "Results may not steer an investigation, and no record leaves."@en ] ;
    dpv:hasLegalBasis {organisation.basis} ;
    htpol:minimumCellCount 11 ;
    htpol:modifier htpol:StatisticsOnly , htpol:AggregateWithK , htpol:NoOperationalUse ,
      htpol:NoPerpetratorData , htpol:ComputePartyAllowed ] ;
  fn:binding
    {bindings} .
"""


def source(organisation: Organisation) -> str:
    """The `source.toml` of the node: where the file is and how it is to be read; never part of the record."""
    lines = [f'kind = "{organisation.kind}"', f'path = "{organisation.file}"']
    lines += [f'{name} = "{value}"' for name, value in organisation.options]
    return "\n".join(["[source]", *lines, ""])


def _binding(column: Column, variable: str, derive: str) -> str:
    """One binding: this column carries this variable."""
    written = column.text if column.attribute in ("birth_date", "identified", "referred", "decided") else None
    return binding_turtle(
        Binding(
            column.name,
            variable,
            codes=column.codes,
            missing=column.missing,
            format="" if written in (None, "%Y-%m-%d") else written,
            separator=column.separator,
            derive=derive,
        )
    )


def _concept(variable: str, notation: str) -> str:
    """The IRI of the concept with that notation in the variable's code list."""
    return next(code.iri for code in vocabulary.variable(variable).codes if code.notation == notation)
