"""A twin has the schema of the view, and shows nothing of fewer than eleven persons."""

from __future__ import annotations

import random

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode.datasets.twins import NOT_RECORDED, draw_column, gate
from fairnode.errors import NotValid
from fairnode.jobs import twin
from fairnode.records.dataset import Column, View, to_json


@pytest.fixture
def make_twin(dataset, write_csv, tmp_path):
    def make(lines, seed=1):
        job = {"dataset": to_json(dataset), "source": to_json(write_csv(*lines)), "seed": seed}
        result = twin.run({**job, "output": str(tmp_path / "twin.parquet")})
        return result, pq.read_table(tmp_path / "twin.parquet")

    return make


def lines(persons: int, region: str = "NL-AM", first: int = 0) -> list[str]:
    return [f"p{first + n};03-02-2012;{region};S;17;g|s;j" for n in range(persons)]


def test_a_twin_has_exactly_the_schema_of_the_view(
    dataset, write_csv, make_view, make_twin, tmp_path
) -> None:
    result, table = make_twin(lines(40))
    wanted = tuple(column["name"] for column in result["schema"])
    view, _ = make_view(dataset, write_csv(*lines(40)), View(wanted, unit="person"))
    assert table.schema.equals(pq.read_schema(tmp_path / "view.parquet"))
    assert view["schema"] == result["schema"]
    assert table.num_rows == result["rows"] == 40


def test_the_same_seed_gives_the_same_twin_and_another_seed_another(make_twin) -> None:
    assert make_twin(lines(40))[0]["sha256"] == make_twin(lines(40))[0]["sha256"]
    assert make_twin(lines(40))[0]["sha256"] != make_twin(lines(40), seed=2)[0]["sha256"]


def test_ten_persons_more_or_less_of_a_rare_code_change_nothing(make_twin) -> None:
    common = lines(104)
    rare = lines(10, "NL-LE", first=200)
    assert make_twin([*common, *rare[:1]])[0]["marginals"]["region"] == {"NL-AM": 100}
    assert make_twin([*common, *rare])[0]["marginals"]["region"] == {"NL-AM": 100}


def test_registrations_of_one_person_are_one(make_twin) -> None:
    many = [f"same;{day:02}-02-2012;NL-RT;S;17;;j" for day in range(1, 20)]
    assert make_twin([*lines(20), *many])[0]["marginals"]["region"] == {"NL-AM": 20}


def test_too_few_persons_have_no_twin(make_twin) -> None:
    with pytest.raises(NotValid, match="too few"):
        make_twin(lines(4))


@given(st.dictionaries(st.sampled_from(["a", "b", "c", NOT_RECORDED]), st.integers(0, 500)))
def test_what_passes_the_gate_is_rounded_and_of_eleven_persons_at_least(counts) -> None:
    shown = gate(counts)
    assert all(counts[code] >= 11 and number % 10 == 0 and abs(number - counts[code]) <= 5
               for code, number in shown.items())  # fmt: skip
    assert set(shown) == {code for code, number in counts.items() if number >= 11}


@given(st.integers(0, 10), st.integers(0, 10), st.integers(0, 2**32))
def test_the_twin_is_the_same_whatever_is_below_the_threshold(few, other, seed) -> None:
    column = Column("region", "coded", ("NL-AM", "NL-RT", "NL-LE"))
    drawn = [
        draw_column(column, gate({"NL-AM": 300, "NL-LE": number}), 50, random.Random(seed))
        for number in (few, other)
    ]
    assert drawn[0] == drawn[1]
