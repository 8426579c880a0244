"""Regions, spans of time and repetitions: what the node makes of what is recorded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fairnode.datasets.implied import REPEATED, SPANS
from fairnode.datasets.views import offered
from fairnode.records.dataset import Binding, View
from tests.datasets.conftest import BINDINGS, HEADER

MORE = (
    Binding("land", "recruitmentCountry"),
    Binding("via", "transitCountry", separator="|"),
    Binding("besluit", "statusDecisionDate", format="%d-%m-%Y"),
)


@pytest.fixture
def wide(dataset):
    return replace(dataset, bindings=(*BINDINGS, *MORE))


def rows_of(make_view, write_csv, dataset, lines, *variables, **more):
    source = write_csv(*lines, header=f"{HEADER};land;via;besluit")
    return make_view(dataset, source, View(variables, **more))[1]


def test_countries_become_regions_of_the_world(wide, write_csv, make_view) -> None:
    lines = ["p1;03-02-2012;;;17;;;NGA;ITA|FRA|ESP;", "p2;03-02-2012;;;17;;;stateless;;"]
    rows = rows_of(make_view, write_csv, wide, lines, "recruitmentRegion", "transitRegion")
    assert {
        "recruitmentRegion": "western-africa",
        "transitRegion": ["southern-europe", "western-europe"],
    } in rows
    assert {"recruitmentRegion": "unknown", "transitRegion": None} in rows


@pytest.mark.parametrize(
    ("identified", "decided", "expected"),
    [
        ("01-03-2012", "01-03-2012", (0, "0-6", "happened")),
        ("01-03-2012", "08-03-2012", (7, "7-13", "happened")),
        ("01-03-2012", "01-03-2014", (730, "730+", "happened")),
        ("22-12-2015", "", (None, "7-13", "not-yet")),
        ("22-12-2015", "05-01-2016", (None, "7-13", "not-yet")),  # after the record's period
        ("01-03-2012", "01-02-2012", (None, None, None)),  # decided before it was seen: nobody knows
        ("", "01-03-2012", (None, None, None)),
    ],
)
def test_time_to_a_decision_ends_with_it_or_with_the_period(
    wide, write_csv, make_view, identified, decided, expected
) -> None:
    line = f"p1;{identified};;;17;;;;;{decided}"
    names = ("daysToDecision", "timeToDecision", "decided")
    (row,) = rows_of(make_view, write_csv, wide, [line], *names)
    assert tuple(row[name] for name in names) == expected


def test_repetitions_are_those_of_a_person(wide, write_csv, make_view) -> None:
    days = ("01-01-2012", "05-01-2012", "01-01-2013")
    lines = [f"p1;{day};;;17;;;;;" for day in days] + ["p2;31-12-2015;;;17;;;;;", ";01-01-2012;;;17;;;;;"]
    names = ("registrationCount", "daysToReturn", "timeToReturn", "returned")
    rows = rows_of(make_view, write_csv, wide, lines, *names)
    assert sorted(str(tuple(row.values())) for row in rows) == sorted(
        map(
            str,
            [
                ("3", 4, "0-6", "happened"),
                ("3", 362, "182-364", "happened"),
                ("3", None, "730+", "not-yet"),
                ("1", None, "0-6", "not-yet"),
                (None, None, None, None),
            ],
        )
    )
    persons = rows_of(make_view, write_csv, wide, lines, "registrationCount", "returned", unit="person")
    assert sorted(tuple(row.values()) for row in persons) == [("1", "not-yet"), ("3", "happened")]


def test_the_age_in_years_comes_from_what_the_age_group_comes_from(wide, write_csv, make_view) -> None:
    rows = rows_of(make_view, write_csv, wide, ["p1;;;;17;;;;;", "p2;;;;;;;;;"], "ageInYears")
    assert sorted(str(row["ageInYears"]) for row in rows) == ["17", "None"]


def test_without_a_period_nothing_can_be_said_of_what_has_not_happened(wide) -> None:
    timeless = replace(wide, years=(0, 0))
    assert not {*SPANS, *REPEATED - {"registrationCount"}} & set(offered(timeless))
    assert {"timeToDecision", "registrationCount", "transitRegion"} <= set(offered(wide))
    assert "timeToReferral" not in offered(wide)
