"""A record from the core fields of a form, for those who do not write Turtle."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rdflib import RDF, XSD, Graph, Literal, URIRef

from fairnode import errors
from fairnode.errors import Finding
from fairnode.metadata import names as n
from fairnode.metadata.check import SLUG
from fairnode.metadata.rdf import Form, extend, new_graph, write

LICENCES = {
    "https://creativecommons.org/licenses/by/4.0/": "CC BY 4.0",
    "https://creativecommons.org/publicdomain/zero/1.0/": "CC0 (public domain)",
}
LANGUAGES = ("ENG", "NLD", "DEU", "FRA")
COUNTRIES = ("NLD", "BEL", "DEU", "GBR")
REGIMES = ("GDPR", "LED", "WPG", "Mixed", "NoPersonalData")
PURPOSES = ("TraffickingStatistics", "PrevalenceEstimation", "ModusOperandiAnalysis", "CareCoordination")


@dataclass(frozen=True)
class Core:
    """The core fields of a dataset's record, as they were filled in. Years are text of four digits or empty."""

    slug: str
    title: str
    description: str
    contact: str
    email: str
    title_nl: str = ""
    keywords: tuple[str, ...] = ()
    start: str = ""
    end: str = ""
    country: str = "NLD"
    language: str = "NLD"
    regime: str = "GDPR"
    licence: str = next(iter(LICENCES))
    purposes: tuple[str, ...] = ()
    synthetic: bool = False


def compose(base: str, core: Core) -> bytes:
    """The record as Turtle for the node known as `base`.

    Only what the form itself knows is checked here (`NotValid`); `check_record` sees to the rest.
    """
    findings = [*_findings(core)]
    if findings:
        raise errors.NotValid("Some fields are not filled in rightly.", findings=tuple(findings))
    me = URIRef(f"{base}/dataset/{core.slug}")
    graph = extend(
        new_graph(),
        [
            (me, RDF.type, n.DCAT.Dataset),
            (me, n.DCT.title, Literal(core.title, "en")),
            (me, n.DCT.description, Literal(core.description, "en")),
            (me, n.DCT.publisher, URIRef(f"{base}/organisation")),
            (me, n.DCT.spatial, n.EU[f"country/{core.country}"]),
            (me, n.DCT.language, n.EU[f"language/{core.language}"]),
            (me, n.DCT.license, URIRef(core.licence)),
            (me, n.DCT.accessRights, n.EU["access-right/RESTRICTED"]),
            (me, n.DCT.conformsTo, n.DATASET_PROFILE),
            (me, n.DCAT.theme, n.EU["data-theme/JUST"]),
            (me, n.FN.regime, n.HTPOL[core.regime]),
            (me, n.FN.synthetic, Literal(str(core.synthetic).lower(), datatype=XSD.boolean)),
        ],
    )
    if core.title_nl:
        graph.add((me, n.DCT.title, Literal(core.title_nl, "nl")))
    extend(graph, ((me, n.DCAT.keyword, Literal(word, "en")) for word in core.keywords))
    _contact(graph, me, core)
    _period(graph, me, core)
    _policy(graph, me, core)
    return write(graph, Form.TURTLE)


def _findings(core: Core) -> list[Finding]:
    """What the form itself can see."""
    told = [
        ("Short name", "has 1 to 64 of a-z, 0-9 and -", re.fullmatch(SLUG, core.slug)),
        ("Contact address", "is an e-mail address", re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[a-z]+", core.email)),
        ("From", "is a year of four digits", re.fullmatch(r"([12]\d{3})?", core.start)),
        ("To", "is a year of four digits", re.fullmatch(r"([12]\d{3})?", core.end)),
        ("Country", "is one of the list", core.country in COUNTRIES),
        ("Language", "is one of the list", core.language in LANGUAGES),
        ("Legal regime", "is one of the list", core.regime in REGIMES),
        ("Licence", "is one of the list", core.licence in LICENCES),
        ("Purposes", "are of the list", set(core.purposes) <= set(PURPOSES)),
    ]
    return [Finding(where, what) for where, what, fine in told if not fine]


def _contact(graph: Graph, me: URIRef, core: Core) -> None:
    """Whom to ask."""
    desk = URIRef(f"{me}#contact")
    extend(
        graph,
        [
            (me, n.DCAT.contactPoint, desk),
            (desk, RDF.type, n.VCARD.Kind),
            (desk, n.VCARD.fn, Literal(core.contact)),
            (desk, n.VCARD.hasEmail, URIRef(f"mailto:{core.email}")),
        ],
    )


def _period(graph: Graph, me: URIRef, core: Core) -> None:
    """The years that the data are about."""
    if not core.start and not core.end:
        return
    period = URIRef(f"{me}#period")
    graph.add((me, n.DCT.temporal, period))
    graph.add((period, RDF.type, n.DCT.PeriodOfTime))
    for predicate, year in ((n.DCAT.startDate, core.start), (n.DCAT.endDate, core.end)):
        if year:
            graph.add((period, predicate, Literal(year, datatype=XSD.gYear)))


def _policy(graph: Graph, me: URIRef, core: Core) -> None:
    """For the chosen purposes the people of the node are asked; everything else is refused."""
    if not core.purposes:
        return
    offer, rule = URIRef(f"{me}#policy"), URIRef(f"{me}#ask")
    duty, limit = URIRef(f"{me}#approval"), URIRef(f"{me}#purpose")
    extend(
        graph,
        [
            (me, n.ODRL.hasPolicy, offer),
            (offer, RDF.type, n.ODRL.Offer),
            (offer, n.ODRL.permission, rule),
            (rule, n.ODRL.action, n.HTPOL.visit),
            (rule, n.ODRL.duty, duty),
            (duty, n.ODRL.action, n.HTPOL.obtainApproval),
            (rule, n.ODRL.constraint, limit),
            (limit, n.ODRL.leftOperand, n.ODRL.purpose),
            (limit, n.ODRL.operator, n.ODRL.isAnyOf),
        ],
    )
    extend(graph, ((limit, n.ODRL.rightOperand, n.HTPOL[purpose]) for purpose in core.purposes))
