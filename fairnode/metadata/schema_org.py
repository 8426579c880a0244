"""What search engines read: schema.org JSON-LD for the page of a dataset or the catalogue."""

from __future__ import annotations

from typing import Any

from fairnode.metadata.documents.site import Site
from fairnode.metadata.keep import Described
from fairnode.metadata.names import LICENCE, SUBJECT, known_licence
from fairnode.metadata.variables import sample_csv

CONTEXT = {"@vocab": "https://schema.org/"}  # inside the document: nobody has to fetch one to read it
LEAST_WORDS, MOST_WORDS = 50, 5_000
CONDITIONS = (
    "The data are not downloaded. A study visits them after approval, and only tables that pass "
    "disclosure control leave."
)


def dataset(site: Site, told: Described) -> dict[str, Any]:
    """A dataset as schema.org describes it."""
    record, row = told.record, told.dataset
    about = {
        **_general(site, record.iri, record.title, _long_enough(record.description)),
        "@type": "Dataset",
        "datePublished": record.issued or row.created,
        "dateModified": row.changed,
        "version": record.version or f"{row.version}.0.0",
        "keywords": list(record.keywords) or [SUBJECT],
        "license": known_licence(record.licence or str(LICENCE)),
        "inLanguage": [iri.rsplit("/", 1)[-1].lower() for iri in record.languages] or ["en"],
        "spatialCoverage": [{"@type": "Place", "@id": iri} for iri in record.spatial],
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
    return about | ({"temporalCoverage": f"{record.start}/{record.end}"} if record.start else {})


def _general(site: Site, iri: str, name: str, about: str) -> dict[str, Any]:
    """What is told of everything: its identifier, its name, and who made and publishes it."""
    who = {
        "@type": "Organization",
        "@id": str(site.organisation),
        "name": site.config.organisation.name,
        "url": site.config.organisation.homepage or site.config.iri,
    }
    return {
        "@context": CONTEXT,
        "@id": iri,
        "identifier": iri,
        "url": iri,
        "name": name,
        "description": about,
        "creator": who,
        "publisher": who,
        "isAccessibleForFree": True,
    }


def _long_enough(description: str) -> str:
    """A description of the 50 to 5,000 characters that search engines take."""
    told = description if len(description) >= LEAST_WORDS else f"{description} {CONDITIONS}".strip()
    return told if len(told) <= MOST_WORDS else f"{told[: MOST_WORDS - 1]}…"


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


def catalogue(site: Site, iri: str, name: str, datasets: list[dict[str, str]]) -> dict[str, Any]:
    """A catalogue, or the whole node, as schema.org describes it; `datasets` are pairs of IRI and title."""
    about = f"Descriptions of the data on {SUBJECT} of {site.config.organisation.name}. {CONDITIONS}"
    return {
        **_general(site, iri, name, about),
        "@type": "DataCatalog",
        "datePublished": site.made,
        "dateModified": site.changed,
        "keywords": [SUBJECT],
        "license": str(LICENCE),
        "inLanguage": ["en"],
        "dataset": [{"@type": "Dataset", "@id": d["iri"], "name": d["title"]} for d in datasets],
    }
