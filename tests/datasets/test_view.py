"""A harmonised view holds the wanted variables of the admitted rows, in the words of the ontology."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from fairnode.child import run_child
from fairnode.datasets.views import offered
from fairnode.errors import NotValid
from fairnode.jobs import view as view_job
from fairnode.records.dataset import Binding, View, to_json

ROWS = (
    "p1;03-02-2012;NL-AM;S;17;g|s;j",
    "p1;01-01-2011;NL-RT;A;16;;j",
    "p2;05-05-2013;NL-AM;A2;48;s|g|s;n",
    "p3;06-06-2014;;nb;23;zz;",
    ";07-07-2014;NL-LE;?;21;g;j",
)


def test_local_codes_become_notations_and_nothing_else_is_in_the_view(dataset, write_csv, make_view) -> None:
    wanted = ("region", "year", "exploitationForm", "ageGroup", "meansOfControl")
    result, rows = make_view(dataset, write_csv(*ROWS), View(wanted))
    assert [list(row) for row in rows] == [list(wanted)] * 5
    assert {tuple(map(str, row.values())) for row in rows} == {
        ("NL-AM", "2012", "sexual", "15-17", "['debt-bondage', 'physical-abuse']"),
        ("NL-RT", "2011", "labour", "15-17", "None"),
        ("NL-AM", "2013", "labour", "48+", "['debt-bondage', 'physical-abuse']"),
        ("None", "2014", "None", "23", "None"),
        ("NL-LE", "2014", "unknown", "21-22", "['physical-abuse']"),
    }
    assert result["rows"] == 5
    assert result["persons"] == 3
    assert result["unmapped"] == {"meansOfControl": 1}
    assert result["schema"][1] == {
        "name": "year", "kind": "integer", "multiple": False,
        "codes": ("2010", "2011", "2012", "2013", "2014", "2015"),
    }  # fmt: skip


def test_persons_are_counted_once_with_their_earliest_registration(dataset, write_csv, make_view) -> None:
    result, rows = make_view(dataset, write_csv(*ROWS), View(("region", "year"), unit="person"))
    assert rows == [
        {"region": None, "year": 2014},
        {"region": "NL-AM", "year": 2013},
        {"region": "NL-RT", "year": 2011},
    ]
    assert result["dropped"] == {"period": 0, "persons": 2}


def test_a_person_has_the_same_attributes_whatever_the_filter(dataset, write_csv, make_view) -> None:
    in_2012 = View(("region",), filter=(("year", ("2012",)),), unit="person")
    assert make_view(dataset, write_csv(*ROWS), in_2012)[1] == []


def test_rows_are_persons_where_each_row_is_a_victim(dataset, write_csv, make_view) -> None:
    victims = replace(dataset, unit="victim", bindings=dataset.bindings[1:])
    result, rows = make_view(victims, write_csv(*ROWS), View(("region",), unit="person"))
    assert (result["persons"], len(rows)) == (5, 5)


def test_only_rows_with_consent_are_read_where_the_policy_demands_it(dataset, write_csv, make_view) -> None:
    result, rows = make_view(dataset, write_csv(*ROWS), View(("year",), consent_required=True))
    assert [row["year"] for row in rows] == [2011, 2012, 2014]
    assert result["dropped"]["consent"] == 2


def test_a_filter_on_a_wider_code_admits_what_falls_under_it(dataset, write_csv, make_view) -> None:
    minors = View(("year", "ageGroup"), filter=(("ageGroup", ("minor",)),))
    result, rows = make_view(dataset, write_csv(*ROWS), minors)
    assert [row["year"] for row in rows] == [2011, 2012]
    assert result["schema"][1]["codes"] == ("0-8", "9-11", "12-14", "15-17")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ageBroad", ["adult", "adult", "adult", "minor", "minor"]),
        ("ageGroupNL", ["18-22", "23+", "23+", "minor", "minor"]),
        ("month", [1, 2, 5, 6, 7]),
        ("reportingOrganisation", ["police"] * 5),
    ],
)
def test_what_follows_from_other_variables_is_offered_too(
    dataset, write_csv, make_view, name, values
) -> None:
    of_police = replace(dataset, reporting="police")
    assert name in offered(of_police)
    assert [row[name] for row in make_view(of_police, write_csv(*ROWS), View((name,)))[1]] == values


def test_a_filter_on_a_list_admits_rows_with_one_of_the_codes(dataset, write_csv, make_view) -> None:
    beaten = View(("year",), filter=(("meansOfControl", ("physical-abuse",)),))
    assert [row["year"] for row in make_view(dataset, write_csv(*ROWS), beaten)[1]] == [2012, 2013, 2014]


def test_rows_outside_the_period_of_the_record_are_left_out(dataset, write_csv, make_view) -> None:
    result, rows = make_view(replace(dataset, years=(2012, 2015)), write_csv(*ROWS), View(("region",)))
    assert (len(rows), result["dropped"]["period"]) == (4, 1)


def test_the_order_of_rows_says_nothing_and_bytes_are_the_same(dataset, write_csv, make_view) -> None:
    view = View(("region", "exploitationForm"))
    first = make_view(dataset, write_csv(*ROWS), view)[0]
    second = make_view(dataset, write_csv(*reversed(ROWS)), view)[0]
    assert first["sha256"] == second["sha256"]
    assert first["source_sha256"] != second["source_sha256"]


@pytest.mark.parametrize(
    "text", ["2012-02-03", "2012-02-03T14:05:00Z", "2012-02-03 23:59:59.5+01:00", "03-02-2012"]
)
def test_a_date_may_carry_a_time_of_day(dataset, write_csv, make_view, text) -> None:
    assert make_view(dataset, write_csv(f"a;{text};;;;;"), View(("month",)))[1] == [{"month": 2}]


@pytest.mark.parametrize("text", ["17", "17.0", "+17", " 17 ", "017"])
def test_a_whole_number_may_be_written_as_a_fraction(dataset, write_csv, make_view, text) -> None:
    assert make_view(dataset, write_csv(f"a;;;;{text};;"), View(("ageGroup",)))[1] == [{"ageGroup": "15-17"}]


def test_an_age_is_that_on_the_day_of_identification(dataset, write_csv, make_view) -> None:
    born = Binding("leeftijd", "birthDate", format="%d-%m-%Y")
    derived = Binding("leeftijd", "ageGroup", format="%d-%m-%Y", derive="ageGroup")
    bindings = (*(b for b in dataset.bindings if b.variable != "ageGroup"), born, derived)
    lines = ("a;04-05-2012;;;05-05-1994;;", "b;05-05-2012;;;05-05-1994;;", "c;28-02-2013;;;29-02-1992;;",
             "d;01-03-2013;;;29-02-1992;;")  # fmt: skip
    rows = make_view(replace(dataset, bindings=bindings), write_csv(*lines), View(("ageGroup",)))[1]
    assert sorted(row["ageGroup"] for row in rows) == ["15-17", "18-20", "18-20", "21-22"]


def test_the_companion_says_which_rows_are_about_one_person_and_not_who(
    dataset, write_csv, make_view, tmp_path
) -> None:
    companion = tmp_path / "companion.parquet"
    source, more = write_csv(*ROWS), {"companion": str(companion), "salt": "ab" * 16}
    make_view(dataset, source, View(("year",)), **more)
    people = pq.read_table(companion).to_pylist()
    by_year = pq.read_table(tmp_path / "view.parquet").to_pylist()
    assert [row["year"] for row in by_year] == [2011, 2012, 2013, 2014, 2014]
    assert [row["year"] for row in people] == [2011, 2012, 2013, 2014, 2014]
    assert people[0]["person"] == people[1]["person"]
    assert len({row["person"] for row in people}) == 4
    make_view(dataset, source, View(("region",)), **more)
    assert {row["person"] for row in pq.read_table(companion).to_pylist()} == {
        row["person"] for row in people
    }


@pytest.mark.parametrize(
    ("view", "where"),
    [
        (View(("familyName",)), "familyName"),
        (View(("personKey",)), "personKey"),
        (View(("sex",)), "sex"),
        (View(("nothing",)), "nothing"),
        (View(("year",), filter=(("region", ("NL-XX",)),)), "filter on region"),
        (View(("year",), filter=(("year", ("20x2",)),)), "filter on year"),
        (View(()), "variables"),
    ],
)
def test_what_a_dataset_cannot_give_is_refused_by_name(dataset, write_csv, make_view, view, where) -> None:
    with pytest.raises(NotValid) as refused:
        make_view(dataset, write_csv(*ROWS), view)
    assert refused.value.findings[0].where == where


def test_persons_and_consent_are_refused_where_the_dataset_does_not_know_them(
    dataset, write_csv, make_view
) -> None:
    less = replace(dataset, bindings=dataset.bindings[3:4])
    with pytest.raises(NotValid) as refused:
        make_view(less, write_csv(*ROWS), View(("region",), unit="person", consent_required=True))
    assert {finding.where for finding in refused.value.findings} == {"unit", "consent"}


def test_without_a_person_key_equal_rows_are_the_same_row_in_every_view(
    dataset, write_csv, make_view, tmp_path
) -> None:
    less = replace(dataset, bindings=dataset.bindings[1:])
    companion, more = tmp_path / "companion.parquet", {}
    for view in (View(("region",)), View(("year",))):
        more = {"companion": str(companion), "salt": "00"}
        result = make_view(less, write_csv(*ROWS), view, **more)[0]
        seen = {row["person"] for row in pq.read_table(companion).to_pylist()}
        more.setdefault("seen", seen)
        assert seen == more["seen"]
    assert result["persons"] is None


@pytest.mark.parametrize(
    "reach",
    [
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "COPY (SELECT 1) TO '/tmp/out.csv'",
        "ATTACH '/tmp/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM read_csv('https://example.org/a.csv')",
        "SET enable_external_access = true",
        "SELECT * FROM secret",
    ],
)
def test_the_database_reaches_nothing_outside_itself(reach) -> None:
    secret = 1  # a variable of the program must not become a table
    with view_job.connect(64) as database, pytest.raises(duckdb.Error):
        database.execute(reach).fetchall()
    assert secret


def test_a_cell_is_text_and_never_a_part_of_the_query(dataset, write_csv, make_view) -> None:
    evil = "x'); DROP TABLE source; --"
    tricky = replace(
        dataset, bindings=(Binding('re"gio', "region", codes=((evil, "NL-AM"),), missing=("'",)),)
    )
    source = write_csv(f'"{evil}"', "'", header='"re""gio"')
    assert make_view(tricky, source, View(("region",)))[1] == [{"region": None}, {"region": "NL-AM"}]


def test_more_rows_than_the_node_allows_are_refused(dataset, write_csv, make_view) -> None:
    with pytest.raises(NotValid, match="more than 3 rows"):
        make_view(dataset, write_csv(*ROWS), View(("year",)), limits={"rows": 3})


def test_it_runs_as_a_child_and_leaves_only_the_view(dataset, write_csv, tmp_path) -> None:
    job = {
        "dataset": to_json(dataset), "source": to_json(write_csv(*ROWS)), "view": to_json(View(("year",))),
        "output": str(tmp_path / "out.parquet"),
    }  # fmt: skip
    spool = tmp_path / "spool"
    result = run_child("view", job, spool=spool, seconds=60)
    assert json.loads(json.dumps(result["rows"])) == 5
    assert [path for path in spool.rglob("*") if not path.is_dir()] == []
    assert Path(job["output"]).stat().st_mode & 0o077 == 0
    with pytest.raises(NotValid, match="no rows"):
        run_child("view", {**job, "source": to_json(write_csv())}, spool=spool, seconds=60)
