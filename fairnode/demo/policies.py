"""What two organisations of the demo grant by themselves, and what one refuses: offers beside the record's own."""

from __future__ import annotations

from fairnode.algorithms.own import own_programs
from fairnode.linkage.keys import VARIABLES as KEYED

GRANTING = ("kmar", "labour")
REFUSING = "shelters"
SENTENCE = "Citizenship could tell who is in a shelter: these data are not counted by citizenship."
STATISTICS, PREVALENCE = "TraffickingStatistics", "PrevalenceEstimation"
VARIABLES = ("exploitationForm", "sex", "ageBroad", "region", "year")

_PREFIXES = """
@prefix odrl: <http://www.w3.org/ns/odrl/2/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix ht: <https://w3id.org/fairnode/ontology#> . @prefix htpol: <https://w3id.org/fairnode/policy#> .
"""


def with_policy(record: str, key: str, dataset: str, asking: str, algorithm: str) -> str:
    """The record (Turtle) of the organisation `key` with what its policy says beside it.

    `asking` is the IRI of the organisation that is trusted, `algorithm` the identity of the image.
    """
    if key in GRANTING:
        own = {name: program.identity for name, program in own_programs().items()}
        tables = [granting_offer(dataset, asking, each) for each in (algorithm, own["combined-regression"])]
        return record + "".join(tables) + hidden_offer(dataset, asking, own["linkage-keys"])
    return record + refusing_offer(dataset) if key == REFUSING else record


def hidden_offer(dataset: str, asking: str, algorithm: str) -> str:
    """A permission for the study of how many nobody sees, by the node's own program of this identity."""
    return granting_offer(dataset, asking, algorithm, KEYED, ("visit", "combine", "estimate"), PREVALENCE)


def granting_offer(
    dataset: str,
    asking: str,
    algorithm: str,
    variables: tuple[str, ...] = VARIABLES,
    actions: tuple[str, ...] = ("visit", "combine"),
    purpose: str = STATISTICS,
) -> str:
    """A permission that names everything, so that no person is asked (design 4.5)."""
    allowed = " , ".join(f"htpol:{name}" for name in actions)
    named = " , ".join(f"ht:{name}" for name in variables)
    return f"""{_PREFIXES}
<{dataset}> odrl:hasPolicy [ a odrl:Offer ;
  odrl:permission [ odrl:action {allowed} ;
    rdfs:comment "Statistics of this network's home node, by one algorithm."@en ;
    odrl:assignee <{asking}> ;
    odrl:constraint
      [ odrl:leftOperand odrl:purpose ; odrl:operator odrl:isAnyOf ;
        odrl:rightOperand htpol:{purpose} ] ,
      [ odrl:leftOperand odrl:recipient ; odrl:operator odrl:isAnyOf ; odrl:rightOperand <{asking}> ] ,
      [ odrl:leftOperand htpol:algorithm ; odrl:operator odrl:eq ; odrl:rightOperand "{algorithm}" ] ,
      [ odrl:leftOperand htpol:variable ; odrl:operator odrl:isAnyOf ; odrl:rightOperand {named} ] ] ] .
"""


def refusing_offer(dataset: str) -> str:
    """A prohibition, with the sentence that the researcher may see."""
    return f"""{_PREFIXES}
<{dataset}> odrl:hasPolicy [ a odrl:Offer ;
  odrl:prohibition [ odrl:action htpol:visit , htpol:combine , htpol:estimate ;
    rdfs:comment "{SENTENCE}"@en ;
    odrl:constraint [ odrl:leftOperand htpol:variable ; odrl:operator odrl:isAnyOf ;
      odrl:rightOperand ht:citizenship ] ] ] .
"""
