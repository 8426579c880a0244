"""The document of an algorithm: what its manifest says, found the same way as a dataset."""

from __future__ import annotations

import tomllib
from typing import Any

from rdflib import RDF, Graph, Literal, URIRef

from fairnode.metadata import names as n
from fairnode.metadata.documents.site import Site, add_metadata, add_organisation, moment
from fairnode.metadata.rdf import extend, new_graph
from fairnode.records.rows import Algorithm

_LICENCES = "https://spdx.org/licenses/"


def algorithm(site: Site, row: Algorithm) -> Graph:
    """A known algorithm; its manifest was checked when it was submitted."""
    me = site.iri(f"/algorithm/{row.id}")
    told: dict[str, Any] = tomllib.loads(row.manifest.decode())
    about = told["algorithm"]
    graph = extend(
        new_graph(),
        [
            (me, RDF.type, n.FN.Algorithm),
            (me, RDF.type, n.DCAT.Resource),
            (me, n.FN.name, Literal(row.name)),
            (me, n.DCAT.version, Literal(row.version)),
            (me, n.DCT.title, Literal(row.title, "en")),
            (me, n.DCT.description, Literal(about["description"], "en")),
            (me, n.DCT.license, URIRef(_LICENCES + about["licence"])),
            (me, n.FN.imageIdentity, Literal(row.image)),
            (me, n.DCT.source, URIRef(about["source"])),
            (me, n.DCT.identifier, Literal(str(me))),
            (me, n.DCT.isPartOf, site.iri("/catalogue/algorithms")),
            (me, n.DCT.conformsTo, site.iri("/profile/algorithm")),
            (me, n.DCT.publisher, site.organisation),
            (me, n.DCAT.contactPoint, site.iri("/organisation#contact")),
            (me, n.DCT.issued, moment(row.created)),
        ],
    )
    extend(graph, ((me, n.DCT.creator, Literal(author)) for author in about["authors"]))
    extend(graph, ((me, n.FN.fitsStage, Literal(stage)) for stage in told["stages"]["fits"]))
    extend(graph, ((me, n.FN.program, Literal(name)) for name in told["stages"].get("programs", ())))
    _inputs(graph, me, told)
    _outputs(graph, me, told)
    add_metadata(graph, me, row.created, row.created)
    return add_organisation(graph, site)


def _inputs(graph: Graph, me: URIRef, told: dict[str, Any]) -> None:
    """The variables that it needs or can use."""
    for given in told["inputs"]:
        extend(graph, ((me, n.FN.requiredVariable, n.HT[name]) for name in given.get("required", ())))
        extend(graph, ((me, n.FN.optionalVariable, n.HT[name]) for name in given.get("optional", ())))


def _outputs(graph: Graph, me: URIRef, told: dict[str, Any]) -> None:
    """The tables that may come out of it."""
    for output in told.get("outputs", []):
        node = URIRef(f"{me}#output-{output['id']}")
        extend(
            graph,
            [
                (me, n.FN.output, node),
                (node, RDF.type, n.FN.Output),
                (node, n.FN.name, Literal(output["id"])),
                (node, n.FN.outputKind, Literal(output["kind"])),
                (node, n.FN.outputClass, Literal("B" if output["kind"] == "other" else "A")),
            ],
        )
