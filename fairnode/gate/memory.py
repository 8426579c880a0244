"""What the node remembers of earlier releases, as JSON in the release's own facts; it never travels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from fairnode.disclosure.history import (
    Difference,
    EarlierCell,
    EarlierRelease,
    EarlierTable,
    Entered,
    History,
    UniverseDifference,
)
from fairnode.records.result import OutputContract, TableSpec
from fairnode.records.result_json import (
    conditions_from_json,
    conditions_to_json,
    contract_from_json,
    contract_to_json,
)


def earlier_to_json(release: EarlierRelease) -> dict[str, Any]:
    """A remembered release as JSON."""
    specs = OutputContract(tuple(table.spec for table in release.tables))
    return {
        "id": release.id,
        "requester": release.requester,
        "nodes": sorted(release.nodes),
        "day": release.day.isoformat(),
        "query": release.query,
        "filter": conditions_to_json(release.filter),
        "contract": contract_to_json(specs),
        "cells": [
            [[list(c.key), c.n, c.shown, c.numerator] for c in table.cells] for table in release.tables
        ],
    }


def earlier_from_json(told: Mapping[str, Any]) -> EarlierRelease:
    """What `earlier_to_json` wrote."""
    specs = contract_from_json(told["contract"]).tables
    tables = tuple(
        EarlierTable(spec, tuple(EarlierCell(tuple(k), n, shown, part) for k, n, shown, part in cells))
        for spec, cells in zip(specs, told["cells"], strict=True)
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
    releases: tuple[EarlierRelease, ...], counted: Mapping[str, Any], contract: OutputContract
) -> History:
    """The history for a verdict: earlier releases, and how the recount job found them to differ."""
    specs = contract.tables
    earlier = {release.id: release for release in releases}

    def then(release: str, table: int, cell: int) -> tuple[str, tuple[str, ...]]:
        spec = earlier[release].tables[table].spec
        return spec.id, _key(spec, cell)

    differences = tuple(
        Difference(specs[t].id, _key(specs[t], c), release, *then(release, t2, c2), persons)
        for t, c, release, t2, c2, persons in counted["differences"]
    )
    entered = tuple(
        Entered(specs[t].id, _key(specs[t], c), release, persons)
        for t, c, release, persons in counted["entered"]
    )
    universes = tuple(UniverseDifference(*line) for line in counted["universes"])
    return History(releases, differences, entered, universes)


def _key(spec: TableSpec, position: int) -> tuple[str, ...]:
    """The key of the cell at a position in the table's own order."""
    return list(spec.keys())[position]
