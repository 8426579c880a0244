"""Whatever stands in a file: counting the view is counting the file by hand."""

from __future__ import annotations

import csv
import datetime
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairnode.jobs import view as view_job
from fairnode.records.dataset import Binding, Dataset, Source, View, to_json

FORM = {"S": "sexual", "A": "labour", "arbeid, zwart": "labour", "?": "unknown"}
MEANS = {"g": "physical-abuse", "s": "debt-bondage", "d": "threats"}
REGIONS = ("NL-AM", "NL-RT", "NL-LE")
DATASET = Dataset(
    "https://node.example/dataset/d",
    "D",
    "registration",
    (
        Binding("id", "personKey"),
        Binding("datum", "identificationDate", format="%d/%m/%Y"),
        Binding("regio", "region", missing=("nb",)),
        Binding("vorm", "exploitationForm", codes=tuple(FORM.items())),
        Binding("leeftijd", "ageGroup", derive="ageGroup"),
        Binding("dwang", "meansOfControl", codes=tuple(MEANS.items()), separator="|"),
        Binding("ok", "consent", codes=(("j", "yes"), ("n", "no"))),
    ),
    years=(2011, 2014),
)
VARIABLES = ("region", "year", "exploitationForm", "ageGroup", "meansOfControl")


class Case(NamedTuple):
    id: str
    datum: datetime.date | None
    regio: str
    vorm: str
    leeftijd: int | None
    dwang: tuple[str, ...]
    ok: str


cases = st.builds(
    Case,
    id=st.sampled_from(["", "p1", "p2", "p3", "p4"]),
    datum=st.none() | st.dates(datetime.date(2010, 1, 1), datetime.date(2015, 12, 31)),
    regio=st.sampled_from([*REGIONS, "", "nb", " NL-AM ", "nl-am", "elders"]),
    vorm=st.sampled_from([*FORM, "", "zz", 'met "aanhaling"', "twee\nregels"]),
    leeftijd=st.none() | st.integers(0, 120),
    dwang=st.lists(st.sampled_from([*MEANS, "", "zz", " g"]), max_size=4).map(tuple),
    ok=st.sampled_from(["j", "n", ""]),
)


def by_hand(rows: list[Case], view: View) -> Counter:
    """The rules of `fairnode.datasets.views`, said again in plain Python."""
    kept = [
        (place, row) for place, row in enumerate(rows) if row.datum is None or 2011 <= row.datum.year <= 2014
    ]
    if view.consent_required:
        kept = [(place, row) for place, row in kept if row.ok == "j"]
    if view.unit == "person":
        kept = [(place, row) for place, row in kept if row.id]
        kept.sort(key=lambda pair: (pair[1].datum is None, pair[1].datum or datetime.date.max, pair[0]))
        earliest: dict[str, Case] = {}
        for _, row in kept:
            earliest.setdefault(row.id, row)
        kept = [(0, row) for row in earliest.values()]
    return Counter(cells for _, row in kept if admitted(cells := harmonised(row), view))


def harmonised(row: Case) -> tuple:
    region = row.regio.strip()
    means = sorted({MEANS[m.strip()] for m in row.dwang if m.strip() in MEANS})
    return (
        region if region in REGIONS else None,
        row.datum.year if row.datum else None,
        FORM.get(row.vorm),
        None if row.leeftijd is None else band(row.leeftijd),
        tuple(means) or None,
    )


def band(age: int) -> str:
    starts = {0: "0-8", 9: "9-11", 12: "12-14", 15: "15-17", 18: "18-20", 21: "21-22", 23: "23", 24: "24-26",
              27: "27-29", 30: "30-38", 39: "39-47", 48: "48+"}  # fmt: skip
    return starts[max(start for start in starts if start <= age)]


def admitted(cells: tuple, view: View) -> bool:
    for name, codes in view.filter:
        value = cells[VARIABLES.index(name)]
        values = value if isinstance(value, tuple) else (str(value),)
        wide = {"minor": ("0-8", "9-11", "12-14", "15-17")}
        if not set(values) & {fine for code in codes for fine in wide.get(code, (code,))}:
            return False
    return True


views = st.builds(
    View,
    variables=st.just(VARIABLES),
    filter=st.lists(
        st.sampled_from([("year", ("2012", "2013")), ("ageGroup", ("minor", "18-20")), ("region", ("NL-AM",)),
                         ("meansOfControl", ("threats", "debt-bondage"))]),
        unique=True, max_size=2,
    ).map(tuple),
    unit=st.sampled_from(["registration", "person"]),
    consent_required=st.booleans(),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(cases, min_size=1, max_size=40), view=views)
def test_counts_of_a_view_are_those_of_the_file(tmp_path: Path, rows: list[Case], view: View) -> None:
    path, output = tmp_path / "cases.csv", tmp_path / "view.parquet"
    with path.open("w", encoding="windows-1252", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Case._fields)
        for row in rows:
            datum = f"{row.datum:%d/%m/%Y}" if row.datum else ""
            writer.writerow(row._replace(datum=datum, dwang="|".join(row.dwang)))
    job = {
        "dataset": to_json(DATASET),
        "source": to_json(Source("csv", path=str(path), encoding="windows-1252")),
        "view": to_json(view), "output": str(output),
    }  # fmt: skip
    result = view_job.run(job)
    counted = Counter(
        tuple(tuple(cell) if isinstance(cell, list) else cell for cell in row.values())
        for row in pq.read_table(output).to_pylist()
    )
    assert counted == by_hand(rows, view)
    assert result["rows"] == sum(counted.values())
    assert result["rows"] + sum(result["dropped"].values()) == len(rows)
