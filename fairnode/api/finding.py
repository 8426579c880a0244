"""Operations on datasets, algorithms, and who asks."""

from __future__ import annotations

from typing import Any

from fairnode import errors
from fairnode.algorithms.fitting import fit, look
from fairnode.algorithms.known import listed, manifest
from fairnode.api.call import Answer, Call, page
from fairnode.discovery.search import Found, Wanted
from fairnode.metadata.find import search
from fairnode.metadata.plain import in_words
from fairnode.records.rows import Algorithm, Dataset


def get_me(call: Call) -> Answer:
    """Who the token belongs to."""
    person = call.person
    return Answer(
        {
            "id": person.id,
            "username": person.username,
            "name": person.name,
            "roles": person.roles,
            "organisation": f"{call.node.iri}/organisation",
        }
    )


def list_datasets(call: Call) -> Answer:
    """The published datasets, all or those that hold the words."""
    rows = call.door.shelf.published()
    if "query" in call.query:
        found = {record.iri for record in search(call.door.shelf, call.query["query"])}
        rows = [row for row in rows if row.iri in found]
    return page(call, rows, lambda row: row.id, _summary)


def _summary(row: Dataset) -> dict[str, Any]:
    """A dataset in a list."""
    return {
        "id": row.id,
        "iri": row.iri,
        "title": row.title,
        "version": row.version,
        "changed": row.changed,
    }


def get_dataset(call: Call) -> Answer:
    """One published dataset."""
    document = call.door.shelf.get(f"/dataset/{call.values['id']}")
    if document is None or document.described is None:
        raise errors.NotFound("This node publishes no such dataset.")
    told = document.described
    return Answer(
        {
            **_summary(told.dataset),
            "description": told.record.description,
            "sha256": told.dataset.sha256,
            "synthetic": told.record.synthetic,
            "variables": [
                {
                    "name": v.name,
                    "label": v.label_en,
                    "kind": v.kind,
                    "sensitive": v.sensitive,
                    "codes": list(v.notations),
                }
                for v in told.record.public_variables
            ],
            "policy": [
                {
                    "effect": rule.effect.value,
                    "rule": rule.sentence or rule.heading,
                    "conditions": list(rule.conditions),
                }
                for rule in in_words(told.graph, told.record.iri).rules
            ],
        }
    )


def search_datasets(call: Call) -> Answer:
    """The datasets of the whole network that fit, with facets."""
    told = call.query
    wanted = Wanted(
        words=tuple(told.get("q", "").split()),
        variables=_several(told.get("variable", "")),
        concepts=_several(told.get("concept", "")),
        places=_several(told.get("place", "")),
        years=tuple(int(year) for year in _several(told.get("year", ""))),
        organisation=told.get("organisation", ""),
        regime=told.get("regime", ""),
        unit=told.get("unit", ""),
        purpose=told.get("purpose", ""),
    )
    found = look(call.node, wanted, told.get("algorithm", ""), told["limit"], told["offset"])
    facets = {
        facet.name: [{"value": value, "count": count} for value, count in facet.values]
        for facet in found.facets
    }
    return Answer({"total": found.number, "items": [_found(one) for one in found.found], "facets": facets})


def get_fit(call: Call) -> Answer:
    """What it would take to visit a dataset of the network, and which algorithms could."""
    told = fit(call.node, call.query["dataset"])
    algorithms = [{"id": row.id, "name": row.name, "lacks": list(lacks)} for row, lacks in told.algorithms]
    return Answer(_found(told.found) | {"policy": list(told.policy), "algorithms": algorithms})


def _several(told: str) -> tuple[str, ...]:
    """The values of a parameter that takes some, with commas between."""
    return tuple(value for value in told.split(",") if value)


def _found(found: Found) -> dict[str, Any]:
    """A dataset of the network."""
    return {
        "iri": found.iri,
        "node": found.node,
        "title": found.title,
        "description": found.description,
        "publisher": found.publisher,
        "organisation": found.organisation,
        "regime": found.regime,
        "years": list(found.years) if found.years[0] else [],
        "variables": list(found.variables),
        "synthetic": found.synthetic,
    }


def list_algorithms(call: Call) -> Answer:
    """The algorithms that a study may name, or of these, those that can visit a dataset."""
    known = [a for a in listed(call.node) if a.state == "known"]
    if "dataset" in call.query:
        fitting = {row.id for row, lacks in fit(call.node, call.query["dataset"]).algorithms if not lacks}
        known = [a for a in known if a.id in fitting]
    return page(call, known, lambda a: a.id, _algorithm)


def get_algorithm(call: Call) -> Answer:
    """One algorithm with its parameters."""
    for algorithm in listed(call.node):
        if algorithm.id == call.values["id"] and algorithm.state == "known":
            told = manifest(algorithm)
            more = {
                "description": told.description,
                "licence": told.licence,
                "source": told.source,
                "parameters": dict(told.parameters),
            }
            return Answer(_algorithm(algorithm) | more)
    raise errors.NotFound("This node knows no such algorithm.")


def _algorithm(row: Algorithm) -> dict[str, Any]:
    """An algorithm in a list."""
    return {
        "id": row.id,
        "name": row.name,
        "version": row.version,
        "title": row.title,
        "identity": row.image,
        "state": row.state,
    }
