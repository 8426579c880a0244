"""A twin has the schema of the view, and shows nothing but what the record tells."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode.datasets.description import Description
from fairnode.datasets.twins import recipe
from fairnode.jobs import twin
from fairnode.jobs.twin_columns import Size, draw_column
from fairnode.records.dataset import Column, View
from fairnode.records.profile import Profile, VariableProfile

TOLD = Profile(
    "person",
    3000,
    "2026-11-21",
    "",
    (
        VariableProfile("region", (("NL-AM", 1500), ("NL-RT", 900)), 300),
        VariableProfile("meansOfControl", (("threats", 1500),)),
        VariableProfile("year", (("2012", 2000), ("2013", 900))),
    ),
)


@pytest.fixture
def make_twin(dataset, tmp_path):
    def make(profile=None, **more):
        made_of = recipe(Description(dataset, None, frozenset(), profile))
        job = {**made_of.job(), "output": str(tmp_path / "twin.parquet"), **more}
        return twin.run(job), pq.read_table(tmp_path / "twin.parquet")

    return make


def test_a_twin_has_exactly_the_schema_of_the_view(
    dataset, write_csv, make_view, make_twin, tmp_path
) -> None:
    result, table = make_twin(TOLD)
    wanted = tuple(column["name"] for column in result["schema"])
    lines = [f"p{n};03-02-2012;NL-AM;S;17;g|s;j" for n in range(40)]
    view, _ = make_view(dataset, write_csv(*lines), View(wanted, unit="person"))
    assert table.schema.equals(pq.read_schema(tmp_path / "view.parquet"))
    assert view["schema"] == result["schema"]
    assert table.num_rows == result["rows"] == 3000


def test_both_files_say_that_they_are_synthetic_and_hold_the_same_rows(make_twin, tmp_path) -> None:
    _, table = make_twin(TOLD, csv=str(tmp_path / "twin.csv"))
    with (tmp_path / "twin.csv").open() as file:
        assert file.readline().startswith("# synthetic")
        lines = list(csv.DictReader(file))
    assert table.schema.metadata[b"fairnode.synthetic"] == b"true"
    assert len(lines) == table.num_rows
    for line, row in zip(lines[:50], table.slice(0, 50).to_pylist(), strict=True):
        assert line["meansOfControl"] == "|".join(row["meansOfControl"] or [])
        assert line["region"] == (row["region"] or "")


def test_the_same_record_gives_the_same_twin_and_another_profile_another(make_twin) -> None:
    assert make_twin(TOLD)[0]["files"] == make_twin(TOLD)[0]["files"]
    assert make_twin(TOLD)[0]["files"] != make_twin()[0]["files"]


def test_columns_follow_the_published_counts(make_twin) -> None:
    _, table = make_twin(TOLD)
    regions = table["region"].to_pylist()
    assert 1200 < regions.count("NL-AM") < 1800
    assert 150 < regions.count(None) < 450
    assert sum("threats" in (codes or []) for codes in table["meansOfControl"].to_pylist()) > 1200
    assert set(table["year"].to_pylist()) <= {None, *range(2010, 2016)}


def test_a_filter_leaves_only_its_rows(make_twin) -> None:
    result, table = make_twin(
        TOLD, filter=[["meansOfControl", ["threats"]], ["year", ["2012"]]], variables=["year"]
    )
    assert table.column_names == ["year"]
    assert set(table["year"].to_pylist()) == {2012}
    assert 0 < result["rows"] < 2000


def test_more_columns_change_no_other(make_twin) -> None:
    whole, part = make_twin(TOLD)[1], make_twin(TOLD, variables=["region"])[1]
    assert whole["region"].equals(part["region"])


CODES = ("NL-AM", "NL-RT", "NL-LE", "NL-DH")


@given(
    st.dictionaries(st.sampled_from(CODES), st.integers(1, 50).map(lambda n: 5 * n)), st.integers(0, 2**32)
)
def test_codes_that_are_not_shown_are_all_drawn_alike(shown, seed) -> None:
    """Nothing of what is hidden goes in: which of two hidden codes occurs in the data cannot be seen."""
    column = Column("region", "coded", CODES)
    told = VariableProfile("region", tuple(shown.items()))
    drawn = draw_column(column, told, Size(4000, (2010, 2015)), np.random.default_rng(seed)).to_pylist()
    hidden = [drawn.count(code) for code in (*CODES, None) if code not in shown]
    if shown:
        assert sum(hidden) < 0.1 * 4000
    assert max(hidden, default=0) - min(hidden, default=0) < 400


@pytest.mark.parametrize("kind", ["date", "integer"])
def test_a_column_without_codes_has_values_within_its_bounds(kind) -> None:
    column = Column("identificationDate" if kind == "date" else "ageInYears", kind)
    drawn = draw_column(column, None, Size(500, (2011, 2012)), np.random.default_rng(1)).to_pylist()
    values = [value for value in drawn if value is not None]
    assert 400 < len(values) < 500
    if kind == "date":
        assert {value.year for value in values} == {2011, 2012}
    else:
        assert min(values) >= 0
        assert max(values) <= 120
