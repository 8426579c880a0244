"""An opened table beside the combined tables that were opened here before, over the same datasets (P5, P6)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fairnode.combine.question import plan_filter
from fairnode.combine.told import public_tables
from fairnode.disclosure.opened import Limit, Opened, kept_back
from fairnode.disclosure.rules import load_rules
from fairnode.gate.audit_child import child_audit
from fairnode.gate.finer import finer
from fairnode.mpc.programs.suppressed_sum import SUM
from fairnode.node import Node
from fairnode.records.result import Condition
from fairnode.records.result_json import contract_from_json, tables_from_json
from fairnode.records.rows import Computation, Release, Study
from fairnode.store.database import Reader
from fairnode.studies.document import read_study_bytes


def without_remainders(node: Node, row: Computation, table: Mapping[str, Any]) -> dict[str, Any]:
    """The opened table without the cells that would tell a hidden one together with earlier tables.

    Before anybody here sees it. `table` is that of the program (`cells` in the contract's order, None: hidden).
    Other programs' tables are given back as they are: the contributors refuse those beside tables of cells.
    """
    if row.facts["program"]["name"] != SUM.name:
        return dict(table)
    contract = contract_from_json(row.facts["contract"])
    with node.store.read() as reader:
        earlier = list(_opened_before(reader, row))
        conditions = _filter(reader, row.study)
    if not earlier:
        return dict(table)
    now = Opened(public_tables(contract, table["cells"], int(table["base"])), conditions)
    limit = Limit(int(table["bound"]), load_rules().number("complementary.seconds"))
    closed = kept_back(now, earlier, limit, finer(), child_audit(node.config.spool))
    owners = [(spec.id, key) for spec in contract.tables for key in list(spec.keys())]
    cells = [None if owner in closed else n for owner, n in zip(owners, table["cells"], strict=True)]
    return {**table, "cells": cells}


def _opened_before(reader: Reader, row: Computation) -> Iterator[Opened]:
    """The combined tables of the same datasets that were released here, each once."""
    datasets = sorted(contributor["dataset"] for contributor in row.facts["contributors"])
    for release in reader.find(Release, order="created"):
        if release.facts.get("datasets") == datasets and release.study != row.study:
            told = json.loads(release.table)
            if told["combined"]["program"] == SUM.name and "answerOf" not in told:
                yield Opened(tables_from_json(told), _filter(reader, release.study))


def _filter(reader: Reader, study: str) -> tuple[Condition, ...]:
    found = reader.get(Study, study)
    return plan_filter(read_study_bytes(found.document)) if found else ()
