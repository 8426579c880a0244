"""Differential privacy: the noise is what it is said to be, and nothing else decides what is shown."""

from __future__ import annotations

import json
import statistics

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairnode import errors
from fairnode.disclosure.rules import load_rules
from fairnode.gate.private import noisy_counts, sampled
from fairnode.jobs import blocks, noise
from fairnode.records.result import Recount, RecountedCell, RecountedTable
from fairnode.records.result_json import contract_from_json
from fairnode.studies.privacy import PrivacyTerms, check_privacy

RULES = load_rules()


def contract(kind="other", unit="person", *codes):
    axes = [{"variable": "region", "codes": list(codes or ("a", "b"))}]
    table = {"id": "t", "kind": kind, "unit": unit, "input": "r", "dimensions": axes}
    return contract_from_json({"tables": [table]})


def told(*values):
    cells = [{"k": [code], "v": v} for code, v in zip("ab", values, strict=True)]
    return json.dumps({"type": "fairnode.result/1", "tables": [{"id": "t", "cells": cells}]}).encode()


@pytest.mark.parametrize("counts", [True, False])
def test_noise_has_the_scale_that_sensitivity_and_epsilon_ask_for(counts):
    job = {"values": [1000] * 4000, "epsilon": 500, "sensitivity": 2, "counts": counts}
    noisy = noise.run(job)["values"]
    spread = statistics.fmean(abs(value - 1000) for value in noisy)
    assert 3.6 < spread < 4.4  # the mean absolute size of Laplace noise is its scale, 2 / 0.5
    assert abs(statistics.fmean(noisy) - 1000) < 0.5
    assert counts == all(isinstance(value, int) for value in noisy)


def test_parts_are_brought_within_bounds_and_what_is_no_answer_counts_as_the_middle(tmp_path):
    terms = PrivacyTerms(1_000_000, 20, 0.0, 10.0)  # so little noise that the mean is seen through it
    parts = [told(4, 1e9)] * 15 + [b"", b"{}", told(4, 1e9) + b"x", told(-1e9, 4), b"\xff"]
    (table,) = sampled(parts, contract(), terms, RULES, tmp_path)
    assert [cell.v for cell in table.cells] == [
        (15 * 4 + 4 * 5 + 0) / 20,
        round((15 * 10 + 4 * 5 + 4) / 20, 2),
    ]


def test_every_count_is_shown_and_none_is_below_zero(tmp_path):
    spec = contract("count").tables[0]
    cells = tuple(RecountedCell((code,), n, n, n) for code, n in (("a", 0), ("b", 500)))
    (table,) = noisy_counts(Recount((RecountedTable(spec, cells),), 500), PrivacyTerms(1000), tmp_path)
    assert all(cell.n is not None and cell.n >= 0 for cell in table.cells)
    assert abs(table.cells[1].n - 500) < 40


def test_all_rows_of_a_person_are_in_one_part_and_every_row_is_in_one(tmp_path):
    persons = [n % 300 for n in range(1000)]
    pq.write_table(pa.table({"row": range(1000)}), tmp_path / "view.parquet")
    pq.write_table(pa.table({"person": pa.array(persons, pa.uint64())}), tmp_path / "companion.parquet")
    outputs = [str(tmp_path / f"{n}.parquet") for n in range(20)]
    job = {"view": str(tmp_path / "view.parquet"), "companion": str(tmp_path / "companion.parquet")}
    assert sum(blocks.run({**job, "outputs": outputs})["rows"]) == 1000
    parts = [pq.read_table(path)["row"].to_pylist() for path in outputs]
    assert sorted(row for part in parts for row in part) == list(range(1000))
    where = [{persons[row] for row in part} for part in parts]
    assert sum(len(part) for part in where) == 300
    blocks.run({**job, "outputs": outputs})
    assert parts != [pq.read_table(path)["row"].to_pylist() for path in outputs]


@pytest.mark.parametrize(
    ("terms", "tables", "multiple"),
    [
        (PrivacyTerms(1001), contract("count"), frozenset()),
        (PrivacyTerms(500), contract("count", "registration"), frozenset()),
        (PrivacyTerms(500), contract("count"), frozenset({"region"})),
        (PrivacyTerms(500, 30, 0.0, 1.0), contract("count"), frozenset()),
        (PrivacyTerms(500), contract(), frozenset()),
        (PrivacyTerms(500, 19, 0.0, 1.0), contract(), frozenset()),
        (PrivacyTerms(500, 30, 1.0, 1.0), contract(), frozenset()),
    ],
)
def test_terms_that_would_not_hold_are_refused(terms, tables, multiple):
    with pytest.raises(errors.NotValid, match="differential privacy"):
        check_privacy(terms, tables, multiple, RULES)
    check_privacy(PrivacyTerms(500), contract("count"), frozenset(), RULES)
    check_privacy(PrivacyTerms(500, 20, 0.0, 1.0), contract(), frozenset(), RULES)
