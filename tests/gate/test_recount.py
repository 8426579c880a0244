"""The node's own count, by DuckDB in a child process, against a slow and simple one."""

from __future__ import annotations

import math
from dataclasses import replace

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairnode import errors
from fairnode.child import run_child
from fairnode.gate.compare import check_equal
from fairnode.gate.recounts import recount_from_json, recount_to_json
from fairnode.gate.refusals import Refusal, Refused
from fairnode.jobs import recount as job
from fairnode.records.result import Cell, Result, ResultTable
from fairnode.records.result_json import contract_from_json, contract_to_json

REGION = {"variable": "region", "codes": ["A", "B"]}
YEAR = {"variable": "year", "codes": ["2010", "2011"]}
MEANS = {"variable": "means", "codes": ["x", "y"]}


def table(kind, unit, *dimensions, name="t", **more):
    axes = [{**axis, "sensitive": False} for axis in dimensions]
    return {"id": name, "kind": kind, "unit": unit, "input": "records", "dimensions": axes, **more}


def view(path, rows):
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE t (personKey VARCHAR, region VARCHAR, year INTEGER, age INTEGER, means VARCHAR[])"
        )
        if rows:
            database.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)
        database.table("t").write_parquet(str(path))
    return str(path)


def count(path, *tables, person="personKey", **more):
    return job.run(
        {"views": {"records": path}, "contract": {"tables": list(tables)}, "person": person, **more}
    )


def cells(found, position=0):
    return {cell.key: cell for cell in recount_from_json(found["recount"]).tables[position].cells}


ROWS = st.lists(
    st.tuples(
        st.sampled_from([None, "p1", "p2", "p3", "p4"]),
        st.sampled_from([None, "A", "B", "elsewhere"]),
        st.sampled_from([None, 2010, 2011, 1999]),
        st.one_of(st.none(), st.integers(-5, 90)),
        st.one_of(st.none(), st.lists(st.sampled_from(["x", "y", "z"]), max_size=4)),
    ),
    max_size=30,
)


def slow_count(rows, unit):
    """(region, year) -> units, persons."""
    found = {(r, y): [] for r in "AB" for y in ("2010", "2011")}
    for person, region, year, _, _ in rows:
        if (region, str(year)) in found:
            found[region, str(year)].append(person)
    return {
        key: (len({p for p in who if p}) if unit == "person" else len(who), len({p for p in who if p}))
        for key, who in found.items()
    }


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, unit=st.sampled_from(["person", "registration"]))
def test_counts_are_those_of_a_plain_loop(tmp_path, rows, unit):
    path = view(tmp_path / "v.parquet", rows)
    found = count(path, table("count", unit, REGION, YEAR))
    assert {key: (c.n, c.persons) for key, c in cells(found).items()} == slow_count(rows, unit)
    assert recount_from_json(found["recount"]).universe == len({row[0] for row in rows if row[0]})


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_sums_means_and_contributions_are_those_of_a_plain_loop(tmp_path, rows):
    path = view(tmp_path / "v.parquet", rows)
    found = count(
        path,
        table("sum", "registration", name="sum", measure="age"),
        table("mean", "registration", name="mean", measure="age"),
        table("mean", "person", name="person-mean", measure="age"),
    )
    ages = [(row[0], row[3]) for row in rows if row[3] is not None]
    whole = cells(found, 0)[()]
    assert whole.v == sum(age for _, age in ages)
    by_person = {p: [a for q, a in ages if q == p] for p, _ in ages}
    sizes = sorted((sum(map(abs, v)) for v in by_person.values()), reverse=True)
    assert whole.magnitude == sum(sizes)
    assert [whole.top1, whole.top2] == [*sizes, 0, 0][:2]
    if ages:
        assert math.isclose(cells(found, 1)[()].v, sum(a for _, a in ages) / len(ages))
    people = {p: v for p, v in by_person.items() if p}
    of_persons = cells(found, 2)[()]
    assert of_persons.n == len(people)
    if people and None not in by_person:
        assert math.isclose(of_persons.v, sum(sum(v) / len(v) for v in people.values()) / len(people))


def test_several_values_in_one_row_count_in_each_cell_once(tmp_path):
    rows = [
        ("p1", "A", 2010, 20, ["x", "x", "y"]),
        ("p2", "A", 2010, 20, ["y"]),
        ("p3", "A", 2010, 20, []),
        ("p4", "A", 2010, 20, None),
    ]
    path = view(tmp_path / "v.parquet", rows)
    found = count(path, table("count", "registration", REGION, MEANS))
    assert {key: c.n for key, c in cells(found).items()} == {
        ("A", "x"): 1, ("A", "y"): 2, ("B", "x"): 0, ("B", "y"): 0,
    }  # fmt: skip


def test_proportions_count_numerator_and_complement_in_persons(tmp_path):
    rows = [
        ("p1", "A", 2010, 1, ["x"]),
        ("p1", "A", 2010, 1, ["y"]),
        ("p2", "A", 2010, 1, ["y"]),
        ("p3", "B", 2010, 1, None),
    ]
    path = view(tmp_path / "v.parquet", rows)
    part = {"variable": "means", "in": ["x"]}
    found = count(
        path,
        table("proportion", "registration", REGION, name="rows", numerator=part),
        table("proportion", "person", REGION, name="persons", numerator=part),
        table("proportion", "person", name="years", numerator={"variable": "year", "in": ["2010"]}),
    )
    in_rows, in_persons = cells(found, 0)["A",], cells(found, 1)["A",]
    assert (in_rows.n, in_rows.numerator, in_rows.complement) == (3, (1, 1), (2, 2))
    assert math.isclose(in_rows.v, 1 / 3)
    assert (in_persons.n, in_persons.numerator, in_persons.complement) == (2, (1, 1), (1, 1))
    assert cells(found, 0)["B",].n == 0
    assert cells(found, 0)["B",].v is None
    assert cells(found, 2)[()].v == 1.0


def margins(found, position=0):
    table = recount_from_json(found["recount"]).tables[position]
    return {(m.axes, m.key): (m.n, m.numerator) for m in table.margins}


def test_margins_count_rows_whatever_the_other_dimensions_say(tmp_path):
    rows = [
        ("p1", "A", 2010, 1, ["x"]),
        ("p1", "A", None, 1, ["x", "y"]),
        ("p2", "A", 1999, 1, []),
        ("p2", None, 2011, 1, None),
    ]
    path = view(tmp_path / "v.parquet", rows)
    found = count(
        path,
        table("count", "registration", REGION, YEAR, name="rows"),
        table("count", "person", REGION, name="persons"),
        table("count", "registration", REGION, MEANS, name="means"),
        table(
            "proportion", "registration", REGION, name="part", numerator={"variable": "year", "in": ["2010"]}
        ),
    )
    in_rows = margins(found, 0)
    assert in_rows[(), ()] == (4, 0)
    assert in_rows[(0,), ("A",)] == (3, 0)
    assert in_rows[(0,), ("B",)] == (0, 0)
    assert in_rows[(1,), ("2011",)] == (1, 0)
    assert margins(found, 1) == {((), ()): (2, 0)}
    assert margins(found, 2)[(0,), ("A",)] == (3, 0)
    assert margins(found, 2)[(1,), ("x",)] == (2, 0)
    assert margins(found, 3) == {((), ()): (3, 1)}


def test_without_a_person_key_persons_are_unknown_unless_rows_are_persons(tmp_path):
    path = view(tmp_path / "v.parquet", [("p", "A", 2010, 7, None), ("p", "A", 2010, 5, None)])
    found = count(
        path,
        table("count", "registration", REGION, name="rows"),
        table("sum", "person", REGION, name="persons", measure="age"),
        person=None,
    )
    assert (cells(found, 0)["A",].rows, cells(found, 0)["A",].persons) == (2, None)
    assert (cells(found, 1)["A",].n, cells(found, 1)["A",].persons, cells(found, 1)["A",].top1) == (2, 2, 7)


def test_the_job_runs_as_a_child_and_its_answer_survives_json(tmp_path):
    path = view(tmp_path / "v.parquet", [("p1", "A", 2010, 20, ["x"])])
    contract = {"tables": [table("count", "person", REGION)]}
    found = run_child(
        "recount",
        {"views": {"records": path}, "contract": contract, "person": "personKey"},
        spool=tmp_path / "spool",
    )
    recount = recount_from_json(found["recount"])
    assert recount_to_json(recount) == found["recount"]
    assert contract_from_json(contract) == recount.contract
    assert contract_to_json(recount.contract)["tables"][0]["id"] == "t"


def test_a_contract_that_cannot_be_read_is_told_as_an_error(tmp_path):
    with pytest.raises(errors.NotValid):
        run_child("recount", {"views": {}, "contract": {}}, spool=tmp_path / "spool")


def test_a_person_with_many_rows_does_not_dominate_a_number_of_persons(tmp_path):
    rows = [("busy", "A", 2010, 1, None)] * 50 + [("other", "A", 2010, 1, None)]
    path = view(tmp_path / "v.parquet", rows)
    found = count(
        path,
        table("count", "person", REGION, name="persons"),
        table("count", "registration", REGION, name="rows"),
    )
    persons, in_rows = cells(found, 0)["A",], cells(found, 1)["A",]
    assert (persons.magnitude, persons.top1, persons.top2) == (2, 1, 1)
    assert (in_rows.magnitude, in_rows.top1, in_rows.top2) == (51, 50, 1)


def test_a_column_that_is_not_there_or_no_number_is_told_without_its_values(tmp_path):
    path = view(tmp_path / "v.parquet", [("p", "canary", 2010, 1, None)])
    for wrong in [
        table("count", "person", {"variable": "sex", "codes": ["f"]}),
        table("sum", "person", measure="region"),
    ]:
        with pytest.raises(errors.NotValid) as told:
            count(path, wrong)
        assert "canary" not in str(told.value)


# --- the container's numbers beside the node's


def claimed(recount, **change):
    tables = []
    for counted in recount.tables:
        tables.append(ResultTable(counted.spec.id, tuple(Cell(c.key, c.n, c.v) for c in counted.cells)))
    result = Result(tuple(tables))
    if change:
        first = replace(result.tables[0].cells[0], **change)
        changed = replace(result.tables[0], cells=(first, *result.tables[0].cells[1:]))
        result = Result((changed, *result.tables[1:]))
    return result


@pytest.fixture
def ages(tmp_path):
    rows = [("p1", "A", 2010, 20, None), ("p2", "A", 2010, 31, None), ("p3", "A", 2010, -51, None)]
    path = view(tmp_path / "v.parquet", rows)
    return lambda kind, **more: recount_from_json(
        count(path, table(kind, "person", REGION, **more))["recount"]
    )


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("count", {}),
        ("sum", {"measure": "age"}),
        ("mean", {"measure": "age"}),
        ("proportion", {"numerator": {"variable": "year", "in": ["2010"]}}),
    ],
)
def test_equal_numbers_pass_and_a_changed_one_refuses_all(ages, kind, more):
    recount = ages(kind, **more)
    check_equal(claimed(recount), recount)
    for change in [{"n": 4}, *([{"v": 0.5}, {"v": None}] if more else [])]:
        with pytest.raises(Refused) as told:
            check_equal(claimed(recount, **change), recount)
        assert told.value.refusal is Refusal.MISMATCH
        assert told.value.where == ""


def test_the_order_of_adding_does_not_matter_where_a_sum_cancels(ages):
    recount = ages("sum", measure="age")
    assert recount.tables[0].cells[0].v == 0
    check_equal(claimed(recount, v=1e-9), recount)
    with pytest.raises(Refused):
        check_equal(claimed(recount, v=1e-3), recount)


def test_other_cells_or_tables_than_the_nodes_are_a_mismatch(ages):
    recount = ages("count")
    result = claimed(recount)
    short = replace(result.tables[0], cells=result.tables[0].cells[:1])
    other = replace(result.tables[0], cells=(*short.cells, Cell(("Z",), 0)))
    for wrong in [Result(()), Result((short,)), Result((other,))]:
        with pytest.raises(Refused):
            check_equal(wrong, recount)


# --- person sets


def test_person_sets_tell_how_a_later_release_differs(tmp_path):
    rows = [(f"p{i}", "A" if i < 20 else "B", 2010 + i % 2, 20, None) for i in range(60)]
    before, after = (
        view(tmp_path / "a.parquet", rows),
        view(tmp_path / "b.parquet", [*rows[3:], ("q", "A", 2010, 1, None)]),
    )
    tables = [table("count", "person", REGION), table("count", "person", YEAR, name="years")]
    secret = "00" * 16
    count(before, *tables, secret=secret, persons_out=str(tmp_path / "1.parquet"), below=11)
    earlier = [{"release": "1", "path": str(tmp_path / "1.parquet"), "same_query": False}]
    found = count(
        after, *tables, secret=secret, persons_out=str(tmp_path / "2.parquet"), below=11, earlier=earlier
    )
    differ = {(t, c, et, ec): n for t, c, _, et, ec, n in found["differences"]}
    assert differ == {(0, 0, 0, 0): 4, (1, 0, 1, 0): 3, (1, 1, 1, 1): 1}
    assert sorted(map(tuple, found["entered"])) == [(0, 0, "1", 1), (1, 0, "1", 1)]
    assert found["universes"] == [["1", 1, 3]]


def test_for_the_same_query_every_change_is_told(tmp_path):
    rows = [(f"p{i}", "A", 2010, 20, None) for i in range(40)]
    before, after = view(tmp_path / "a.parquet", rows), view(tmp_path / "b.parquet", rows[15:])
    one = table("count", "person", REGION)
    count(before, one, secret="00", persons_out=str(tmp_path / "1.parquet"), below=11)
    earlier = [{"release": "1", "path": str(tmp_path / "1.parquet"), "same_query": True}]
    found = count(after, one, secret="00", persons_out=str(tmp_path / "2.parquet"), below=11, earlier=earlier)
    assert found["differences"] == [[0, 0, "1", 0, 0, 15]]


def test_a_set_file_holds_no_key_of_a_person_and_depends_on_the_nodes_secret(tmp_path):
    path = view(tmp_path / "a.parquet", [("canary-7", "A", 2010, 20, None)])
    one = table("count", "person", REGION)
    for secret in ("00", "01"):
        count(path, one, secret=secret, persons_out=str(tmp_path / f"{secret}.parquet"), below=11)
    first, second = ((tmp_path / f"{secret}.parquet").read_bytes() for secret in ("00", "01"))
    assert b"canary" not in first
    assert first != second
