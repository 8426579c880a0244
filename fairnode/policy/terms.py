"""What a dataset's policy says beside its rules: conditions for every use, and what lawyers look for.

All of it is bound by an approval (P18). A statement that several offers make differently is kept as often as it
is made; who reads it must fulfil each.
"""

from __future__ import annotations

from dataclasses import dataclass

from rdflib import Graph, Namespace, Node, URIRef

from fairnode.policy.odrl import HTPOL, ODRL

DPV = Namespace("https://w3id.org/dpv#")


@dataclass(frozen=True)
class PolicyTerms:
    """The terms of all offers of one dataset, each sorted; `modifiers` without their namespace.

    `legal_basis` is on what the organisation itself rests when it lets the data be used; `dpia` are identifier
    and version of each impact assessment; `names_dpia`: a study must name one, too.
    """

    modifiers: frozenset[str] = frozenset()
    legal_basis: tuple[str, ...] = ()
    dpia: tuple[tuple[str, str], ...] = ()
    names_dpia: bool = False
    least: tuple[int, ...] = ()
    kept_days: tuple[int, ...] = ()
    kept_until: tuple[str, ...] = ()


def read_terms(graph: Graph, dataset: URIRef) -> PolicyTerms:
    """The terms in a dataset's record."""
    offers = list(graph.objects(dataset, ODRL.hasPolicy))

    def said(predicate: URIRef) -> tuple[str, ...]:
        return tuple(sorted({str(value) for offer in offers for value in graph.objects(offer, predicate)}))

    return PolicyTerms(
        modifiers=frozenset(name.removeprefix(str(HTPOL)) for name in said(HTPOL.modifier)),
        legal_basis=said(DPV.hasLegalBasis),
        dpia=tuple(sorted({pair for offer in offers if (pair := _dpia(graph, offer))[0]})),
        names_dpia=any(_refers(graph, offer) for offer in offers),
        least=tuple(sorted(int(n) for n in said(HTPOL.minimumCellCount) if n.isdecimal())),
        kept_days=tuple(sorted(int(n) for n in said(HTPOL.retentionDays) if n.isdecimal())),
        kept_until=said(HTPOL.retentionUntil),
    )


def _dpia(graph: Graph, offer: Node) -> tuple[str, str]:
    """Identifier and version of the impact assessment that an offer refers to; empty where it has none."""
    found = [graph.value(offer, name) for name in (HTPOL.dpia, HTPOL.dpiaVersion)]
    identifier, version = ("" if value is None else str(value) for value in found)
    return identifier, version


def _refers(graph: Graph, offer: Node) -> bool:
    """Whether a permission obliges who asks to name an impact assessment."""
    duties = [d for p in graph.objects(offer, ODRL.permission) for d in graph.objects(p, ODRL.duty)]
    return any((duty, ODRL.action, HTPOL.referToDPIA) in graph for duty in duties)
