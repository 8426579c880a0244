"""What search engines read: schema.org JSON-LD for the page of a dataset or the catalogue."""

from __future__ import annotations

from typing import Any

from fairnode.metadata.documents.site import Site
from fairnode.metadata.keep import Described
from fairnode.metadata.names import LICENCE
from fairnode.metadata.variables import sample_csv

CONTEXT = "https://schema.org/"
CONDITIONS = (
    "The data are not downloaded. A study visits them after approval, and only tables that pass "
    "disclosure control leave."
)


def dataset(site: Site, told: Described) -> dict[str, Any]:
    """A dataset as schema.org describes it."""
    record, row = told.record, told.dataset
    who = {
        "@type": "Organization",
        "@id": str(site.organisation),
        "name": site.config.organisation.name,
        "url": site.config.organisation.homepage or site.config.iri,
    }
    return {
        "@context": CONTEXT,
        "@type": "Dataset",
        "@id": record.iri,
        "identifier": record.iri,
        "url": record.iri,
        "name": record.title,
        "description": record.description,
        "creator": who,
        "publisher": who,
        "datePublished": record.issued or row.created,
        "dateModified": row.changed,
        "version": record.version or f"{row.version}.0.0",
        "keywords": list(record.keywords),
        "license": record.licence or str(LICENCE),
        "inLanguage": [iri.rsplit("/", 1)[-1].lower() for iri in record.languages],
        "temporalCoverage": f"{record.start}/{record.end}" if record.start else "..",
        "spatialCoverage": [{"@type": "Place", "@id": iri} for iri in record.spatial],
        "isAccessibleForFree": True,
        "distribution": _sample(site, told),
        "conditionsOfAccess": CONDITIONS,
        "includedInDataCatalog": {"@type": "DataCatalog", "@id": f"{site.config.iri}/catalogue/data"},
        "variableMeasured": [
            {
                "@type": "PropertyValue",
                "propertyID": variable.iri,
                "name": variable.name,
                "description": variable.definition,
            }
            for variable in record.public_variables
        ],
    }


def _sample(site: Site, told: Described) -> list[dict[str, str]]:
    """The only thing that can be downloaded: the invented sample, named as such."""
    if not told.record.public_variables:
        return []
    return [
        {
            "@type": "DataDownload",
            "name": "Invented sample: no value in it is real",
            "contentUrl": f"{site.config.iri}/sample/{told.dataset.id}.csv",
            "encodingFormat": "text/csv",
            "contentSize": str(len(sample_csv(told.record))),
        }
    ]


def catalogue(site: Site, datasets: list[dict[str, str]]) -> dict[str, Any]:
    """The catalogue as schema.org describes it; `datasets` are pairs of IRI and title."""
    return {
        "@context": CONTEXT,
        "@type": "DataCatalog",
        "@id": f"{site.config.iri}/catalogue/data",
        "name": f"Datasets of {site.config.organisation.name}",
        "license": str(LICENCE),
        "dataset": [{"@type": "Dataset", "@id": d["iri"], "name": d["title"]} for d in datasets],
    }
