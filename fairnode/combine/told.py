"""What is told of an opened combination: its tables or estimates, and how the computation went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairnode.combine.made import made_parts
from fairnode.disclosure.rounding import margins
from fairnode.disclosure.rules import load_rules
from fairnode.network.agreement import Agreement
from fairnode.records.result import OutputContract, PublicCell, PublicTable, Status
from fairnode.records.result_json import contract_from_json, tables_to_json
from fairnode.records.rows import Computation
from fairnode.studies.combination import party_members
from fairnode.studies.regression import NAME as REGRESSION
from fairnode.studies.summary import SUMMARIES

MOST_CHARACTERS = 100


def told_of(row: Computation, agreement: Agreement, table: Mapping[str, Any]) -> dict[str, Any]:
    """What was opened as it is released, with who contributed, who computed, and what that took."""
    public: tuple[PublicTable, ...] = ()
    summary = row.facts["program"]["name"] in SUMMARIES
    if "cells" in table and not summary:
        contract = contract_from_json(row.facts["contract"])
        public = public_tables(contract, table["cells"], int(table["base"]))
    if "numbers" in table:
        public = public_numbers(contract_from_json(row.facts["contract"]), table["numbers"])
    program = row.facts["program"]
    combined = {
        "contributors": [c["node"] for c in row.facts["contributors"]],
        "computeParties": [m.node for _, m in party_members(agreement)],
        "program": program["name"],
        "programDigest": program["digest"],
        "runs": row.facts["runs"],
        "attempt": row.facts["attempt"],
        "made": made_parts(row.facts),
        "measured": [
            {**outcome["statistics"], "party": int(number)}
            for number, outcome in sorted(row.facts["outputs"].items())
        ],
        **{name: table[name] for name in ("bound", "lists", "clip", "noise") if name in table},
    }
    told = tables_to_json(public, release="", rules=load_rules().hash) | {"combined": combined}
    if summary:
        return told | {"summary": {"question": row.facts["asked"], "told": dict(table)}}
    if "cells" in table or "numbers" in table:
        return told | ({"class": "B"} if "numbers" in table else {})
    if program["name"] == REGRESSION:
        return told | {"regression": {"question": row.facts["asked"], "told": dict(table)}}
    datasets = [c["dataset"] for c in row.facts["contributors"]]
    asked = {"lists": datasets, "models": program["parameters"].get("models", [])}
    return told | {"estimate": {**asked, "key": row.facts["key"], "told": table}}


def public_tables(contract: OutputContract, cells: list[int | None], base: int) -> tuple[PublicTable, ...]:
    """The opened cells (in the contract's order; None: hidden) as released tables."""
    tables, start = [], 0
    for spec in contract.tables:
        keys = list(spec.keys())
        public = tuple(
            PublicCell(key, Status.HIDDEN if n is None else Status.SHOWN, n)
            for key, n in zip(keys, cells[start : start + len(keys)], strict=True)
        )
        start += len(keys)
        tables.append(PublicTable(spec, public, margins(spec, public), base))
    return tuple(tables)


def public_numbers(contract: OutputContract, numbers: list[float]) -> tuple[PublicTable, ...]:
    """Noisy sums of what containers computed (in the contract's order) as released tables."""
    tables, left = [], list(numbers)
    for spec in contract.tables:
        keys = list(spec.keys())
        public = tuple(PublicCell(key, Status.SHOWN, None, left.pop(0)) for key in keys)
        tables.append(PublicTable(spec, public, (), 0))
    return tuple(tables)


def whole(statistics: Mapping[str, Any]) -> dict[str, Any]:
    """Statistics as canonical JSON takes them, none of them long: they come from another node."""
    return {
        str(name)[:MOST_CHARACTERS]: value[:MOST_CHARACTERS] if isinstance(value, str) else value
        for name, value in list(statistics.items())[:20]
        if isinstance(value, int | float | str)
    }
