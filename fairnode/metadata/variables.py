"""A dataset's variables for machines: CSVW columns, and an open sample in which every value is invented."""

from __future__ import annotations

import csv
import io
import random
from typing import Any

from rdflib import RDF, RDFS, XSD, Graph, Literal, URIRef

from fairnode.keys import digest
from fairnode.metadata.documents.site import moment
from fairnode.metadata.names import (
    ADMS,
    CSVW,
    DCAT,
    DCATAP,
    DCT,
    EU,
    FN,
    HEALTH,
    LICENCE,
    PROV,
    SPDX,
)
from fairnode.metadata.rdf import extend
from fairnode.metadata.record import Record
from fairnode.records.profile_rows import Twin
from fairnode.vocabulary import Variable

SAMPLE_ROWS = 50
_DATATYPES = {"coded": "string", "integer": "integer", "year": "gYear", "date": "date"}


def variable_triples(graph: Graph, record: Record) -> Graph:
    """The variables as CSVW columns (HealthDCAT-AP's `hasVariables`); keys and identifiers are left out."""
    me, group = URIRef(record.iri), URIRef(f"{record.iri}#variables")
    table = URIRef(f"{record.iri}#table")
    extend(
        graph,
        [
            (me, HEALTH.hasVariables, group),
            (group, RDF.type, CSVW.TableGroup),
            (group, CSVW.table, table),
            (table, RDF.type, CSVW.Table),
            (table, CSVW.url, Literal(f"{record.iri}/csvw.json")),
        ],
    )
    for variable in record.public_variables:
        column = URIRef(f"{record.iri}#variable-{variable.name}")
        extend(
            graph,
            [
                (table, CSVW.column, column),
                (column, RDF.type, CSVW.Column),
                (column, CSVW.name, Literal(variable.name)),
                (column, CSVW.title, Literal(variable.label_en, "en")),
                (column, CSVW.title, Literal(variable.label_nl, "nl")),
                (column, CSVW.datatype, Literal(_DATATYPES[variable.kind])),
                (column, CSVW.propertyUrl, URIRef(variable.iri)),
                (column, DCT.description, Literal(variable.definition, "en")),
            ],
        )
    return graph


def sample_triples(graph: Graph, record: Record, sample: str, size: int) -> Graph:
    """The invented sample (`adms:sample`, never a distribution of the data)."""
    me, node = URIRef(record.iri), URIRef(f"{record.iri}#sample")
    about = "Rows with the columns of a visit in which every value was drawn at random from the code lists."
    return extend(
        graph,
        [
            (me, ADMS.sample, node),
            (node, RDF.type, DCAT.Distribution),
            (node, DCT.title, Literal(f"Invented sample: {record.title}", "en")),
            (node, DCT.description, Literal(about, "en")),
            (node, DCT.license, LICENCE),
            (node, DCAT.accessURL, URIRef(sample)),
            (node, DCAT.byteSize, Literal(str(size), datatype=XSD.nonNegativeInteger)),
            (node, DCT["format"], EU["file-type/CSV"]),
            (node, DCATAP.availability, EU["planned-availability/STABLE"]),
            (node, DCAT.mediaType, URIRef("https://www.iana.org/assignments/media-types/text/csv")),
        ],
    )


_FORMS = {"csv": ("CSV", "text/csv"), "parquet": ("PARQUET", "application/vnd.apache.parquet")}


def twin_triples(graph: Graph, record: Record, twin: Twin, sample: str) -> Graph:
    """The synthetic twin, a sample in each of its forms; `sample` is its address without the ending."""
    me = URIRef(record.iri)
    after = "the published profile" if twin.profiled else "nothing but the code lists, its weights invented"
    about = f"{twin.rows} synthetic rows with the columns of a visit, drawn at random after {after}."
    for form, (kind, media) in _FORMS.items():
        node, told = URIRef(f"{record.iri}#twin-{form}"), twin.files[form]
        checksum = URIRef(f"{node}-checksum")
        extend(
            graph,
            [
                (me, ADMS.sample, node),
                (node, RDF.type, DCAT.Distribution),
                (node, DCT.title, Literal(f"Synthetic twin: {record.title}", "en")),
                (node, DCT.description, Literal(about, "en")),
                (node, DCT.identifier, Literal(str(node))),
                (node, DCT.license, LICENCE),
                (node, DCT.issued, moment(twin.created)),
                (node, DCAT.accessURL, URIRef(f"{sample}.{form}")),
                (node, DCAT.byteSize, Literal(str(told["bytes"]), datatype=XSD.nonNegativeInteger)),
                (node, DCT["format"], EU[f"file-type/{kind}"]),
                (node, DCAT.mediaType, URIRef(f"https://www.iana.org/assignments/media-types/{media}")),
                (node, DCATAP.availability, EU["planned-availability/STABLE"]),
                (node, FN.synthetic, Literal("true", datatype=XSD.boolean)),
                (node, RDFS.seeAlso, URIRef(f"{record.iri}/csvw.json")),
                (node, SPDX.checksum, checksum),
                (checksum, RDF.type, SPDX.Checksum),
                (checksum, SPDX.algorithm, SPDX.checksumAlgorithm_sha256),
                (checksum, SPDX.checksumValue, Literal(told["sha256"], datatype=XSD.hexBinary)),
            ],
        )
        if twin.profiled:
            graph.add((node, PROV.wasDerivedFrom, URIRef(f"{record.iri}#profile")))
    return graph


def csvw_json(record: Record, sample: str) -> dict[str, Any]:
    """The columns of a visit's view as CSVW metadata, in the order of the record."""
    columns = [
        {
            "name": variable.name,
            "titles": {"en": variable.label_en, "nl": variable.label_nl},
            "datatype": _DATATYPES[variable.kind],
            "propertyUrl": variable.iri,
            "dc:description": {"@value": variable.definition, "@language": "en"},
            **({"separator": "|"} if variable.multiple else {}),
        }
        for variable in record.public_variables
    ]
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": sample,
        "dc:title": record.title,
        "dialect": {"commentPrefix": "#"},
        "tableSchema": {"columns": columns},
    }


def sample_csv(record: Record) -> bytes:
    """The invented sample: it depends on the record and the code lists only, never on the data."""
    draw = random.Random(digest(record.iri.encode()))  # noqa: S311 - invented rows need no secret
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([variable.name for variable in record.public_variables])
    for _ in range(SAMPLE_ROWS):
        writer.writerow([_invented(variable, record, draw) for variable in record.public_variables])
    return out.getvalue().encode()


def _invented(variable: Variable, record: Record, draw: random.Random) -> str:
    """One value that the variable could have."""
    first, last = _years(record)
    if variable.kind == "coded":
        return draw.choice(variable.notations)
    if variable.kind == "year":
        return str(draw.randint(first, last))
    if variable.kind == "date":
        return f"{draw.randint(first, last)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
    least = variable.minimum or 0
    return str(draw.randint(least, variable.maximum if variable.maximum is not None else least + 100))


def _years(record: Record) -> tuple[int, int]:
    """The first and last year that the record is about."""
    told = [int(day[:4]) for day in (record.start, record.end) if day[:4].isdigit()]
    return (min(told), max(told)) if told else (2010, 2020)
