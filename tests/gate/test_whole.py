"""From a view and a container's bytes to what is released, with the heavy parts in child processes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date

import duckdb
import pytest

from fairnode.child import run_child
from fairnode.disclosure.history import query_of, remember
from fairnode.disclosure.rules import load_rules
from fairnode.gate.audit_child import child_audit
from fairnode.gate.histories import history_of, release_from_json, release_to_json
from fairnode.gate.order import pass_gate
from fairnode.gate.recounts import recount_from_json
from fairnode.gate.refusals import Refusal, Refused
from fairnode.records.result import Outcome
from fairnode.records.result_json import conditions_from_json, contract_from_json
from fairnode.release.tables import to_csv

REGION = {"variable": "region", "codes": ["NL-AM", "NL-RT"]}
YEAR = {"variable": "year", "codes": ["2010", "2011"]}


class Node:
    """One node's dataset, its releases, and what a container claims about it."""

    def __init__(self, folder, rows):
        self.folder, self.rows, self.releases = folder, rows, []
        with duckdb.connect() as database:
            database.execute("CREATE TABLE t (personKey VARCHAR, region VARCHAR, year INTEGER)")
            database.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
            database.table("t").write_parquet(str(folder / "view.parquet"))

    def claim(self, contract, lie=0):
        tables = []
        for spec in contract.tables:
            of = [axis.variable for axis in spec.dimensions]
            counts = dict.fromkeys(spec.keys(), 0)
            for _, region, year in self.rows:
                counts[tuple({"region": region, "year": str(year)}[name] for name in of)] += 1
            cells = [{"k": list(key), "n": n} for key, n in counts.items()]
            cells[0]["n"] += lie
            tables.append({"id": spec.id, "cells": cells})
        return json.dumps({"type": "fairnode.result/1", "tables": tables}).encode()

    def ask(self, *axes, lie=0):
        told = {
            "tables": [
                {
                    "id": "t",
                    "kind": "count",
                    "unit": "registration",
                    "input": "records",
                    "dimensions": list(axes),
                }
            ]
        }
        contract = contract_from_json(told)
        query = query_of(contract, conditions_from_json([]))
        sets = self.folder / f"sets-{len(self.releases)}"
        earlier = [
            {"release": r.id, "path": str(self.folder / f"sets-{i}"), "same_query": r.query == query}
            for i, r in enumerate(self.releases)
        ]
        job = {
            "views": {"records": str(self.folder / "view.parquet")}, "contract": told, "filter": [],
            "person": "personKey", "secret": "aa" * 16, "below": 11, "persons_out": str(sets),
            "earlier": earlier,
        }  # fmt: skip
        found = run_child("recount", job, spool=self.folder / "spool")
        recount = recount_from_json(found["recount"])
        history = history_of(contract, self.releases, found)
        audit = child_audit(self.folder / "spool")
        verdict = pass_gate(self.claim(contract, lie), contract, recount, load_rules(), history, audit)
        if verdict.outcome is Outcome.RELEASED:
            release = remember(
                recount,
                verdict,
                release=str(len(self.releases)),
                requester="r",
                nodes=frozenset({"n"}),
                day=date(2026, 11, 21),
            )
            self.releases.append(release_from_json(json.loads(json.dumps(release_to_json(release)))))
        return verdict


@pytest.fixture
def node(tmp_path):
    sizes = {("NL-AM", 2010): 83, ("NL-AM", 2011): 4, ("NL-RT", 2010): 31, ("NL-RT", 2011): 42}
    rows = [(f"{r}{y}{i}", r, y) for (r, y), n in sizes.items() for i in range(n)]
    return Node(tmp_path, rows)


def test_two_studies_of_one_dataset_and_the_same_again(node):
    first = node.ask(REGION)
    assert to_csv(first.tables[0]).splitlines() == ["region,status,n", "NL-AM,shown,85", "NL-RT,shown,75"]
    second = node.ask(REGION, YEAR)
    assert to_csv(second.tables[0]).splitlines() == [
        "region,year,status,n",
        "NL-AM,2010,hidden,",
        "NL-AM,2011,hidden,",
        "NL-RT,2010,shown,30",
        "NL-RT,2011,shown,40",
    ]
    again = node.ask(REGION)
    assert (again.outcome, again.stored_release) == (Outcome.STORED, "0")


def test_a_container_that_adds_one_gets_nothing(node):
    with pytest.raises(Refused) as told:
        node.ask(REGION, lie=1)
    assert told.value.refusal is Refusal.MISMATCH
    assert node.releases == []


def test_the_gate_loads_no_heavy_library(tmp_path):
    code = (
        "import sys, fairnode.gate.order, fairnode.gate.audit_child, fairnode.gate.histories, "
        "fairnode.release.cube, fairnode.release.chart, fairnode.release.tables\n"
        "heavy = {'numpy', 'scipy', 'duckdb', 'pyarrow', 'rdflib', 'rocrate'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    import_check = tmp_path / "check.py"
    import_check.write_text(code)
    subprocess.run([sys.executable, "-I", str(import_check)], check=True)
