"""What is kept of earlier releases, as JSON for the node's store, and made into the history of a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from fairnode.disclosure.history import (
    Difference,
    EarlierCell,
    EarlierRelease,
    EarlierTable,
    Entered,
    Finer,
    History,
    UniverseDifference,
)
from fairnode.gate.recounts import margins_from_json, margins_to_json
from fairnode.records.result import OutputContract, TableSpec
from fairnode.records.result_json import (
    conditions_from_json,
    conditions_to_json,
    contract_from_json,
    contract_to_json,
)


def release_to_json(release: EarlierRelease) -> dict[str, Any]:
    """An earlier release for the store. Internal: it holds true counts."""
    contract = OutputContract(tuple(table.spec for table in release.tables))
    return {
        "id": release.id,
        "requester": release.requester,
        "nodes": sorted(release.nodes),
        "day": release.day.isoformat(),
        "query": release.query,
        "filter": conditions_to_json(release.filter),
        "contract": contract_to_json(contract),
        "cells": [[[list(c.key), c.n, c.shown, c.numerator] for c in t.cells] for t in release.tables],
        "margins": [margins_to_json(table.margins) for table in release.tables],
    }


def release_from_json(told: Mapping[str, Any]) -> EarlierRelease:
    """The release that `release_to_json` wrote."""
    contract = contract_from_json(told["contract"])
    tables = tuple(
        EarlierTable(
            spec,
            tuple(EarlierCell(tuple(k), n, shown, part) for k, n, shown, part in cells),
            margins_from_json(margins),
        )
        for spec, cells, margins in zip(contract.tables, told["cells"], told["margins"], strict=True)
    )
    return EarlierRelease(
        id=told["id"],
        requester=told["requester"],
        nodes=frozenset(told["nodes"]),
        day=date.fromisoformat(told["day"]),
        query=told["query"],
        filter=conditions_from_json(told["filter"]),
        tables=tables,
    )


def history_of(
    contract: OutputContract,
    releases: Iterable[EarlierRelease],
    found: Mapping[str, Any],
    finer: Finer | None = None,
) -> History:
    """The history for a verdict on `contract`, with what the recount job `found` of differences.

    `finer` says of which codes a broader concept consists (from the ontology's SKOS narrower).
    """
    known = tuple(releases)
    keys = [list(spec.keys()) for spec in contract.tables]
    specs = {release.id: [table.spec for table in release.tables] for release in known}
    differences = tuple(
        Difference(
            contract.tables[table].id,
            keys[table][cell],
            release,
            specs[release][then].id,
            _key(specs[release][then], then_cell),
            persons,
        )
        for table, cell, release, then, then_cell, persons in found.get("differences", ())
    )
    entered = tuple(
        Entered(contract.tables[table].id, keys[table][cell], release, persons)
        for table, cell, release, persons in found.get("entered", ())
    )
    universes = tuple(UniverseDifference(*line) for line in found.get("universes", ()))
    return History(known, differences, entered, universes, finer or {})


def _key(spec: TableSpec, position: int) -> tuple[str, ...]:
    """The key of the cell at `position` in a table's order."""
    return list(spec.keys())[position]
