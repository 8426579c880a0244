from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from fairnode.jobs import view as view_job
from fairnode.records.dataset import Binding, Dataset, Source, View, to_json

FORMS = (("S", "sexual"), ("A", "labour"), ("A2", "labour"), ("?", "unknown"))
BINDINGS = (
    Binding("id", "personKey"),
    Binding("datum", "identificationDate", format="%d-%m-%Y"),
    Binding("datum", "year", format="%d-%m-%Y", derive="year"),
    Binding("regio", "region"),
    Binding("vorm", "exploitationForm", codes=FORMS, missing=("", "nb")),
    Binding("leeftijd", "ageGroup", derive="ageGroup"),
    Binding("dwang", "meansOfControl", codes=(("g", "physical-abuse"), ("s", "debt-bondage")), separator="|"),
    Binding("ok", "consent", codes=(("j", "yes"), ("n", "no"))),
)
HEADER = "id;datum;regio;vorm;leeftijd;dwang;ok"

MakeView = Callable[..., tuple[dict[str, Any], list[dict[str, Any]]]]


@pytest.fixture
def dataset() -> Dataset:
    return Dataset("https://node.example/dataset/d", "D", "registration", BINDINGS, years=(2010, 2015))


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Source]:
    """A CSV file of lines as a source."""

    def write(*lines: str, encoding: str = "utf-8", header: str = HEADER, declared: str = "") -> Source:
        path = tmp_path / "cases.csv"
        path.write_bytes("".join(f"{line}\r\n" for line in (header, *lines)).encode(encoding))
        return Source("csv", path=str(path), delimiter=";", encoding=declared or encoding)

    return write


@pytest.fixture
def make_view(tmp_path: Path) -> MakeView:
    """Run the view job; its answer and the rows of the Parquet file."""

    def make(
        dataset: Dataset, source: Source, view: View, **more: object
    ) -> tuple[dict[str, Any], list[dict]]:
        output = tmp_path / "view.parquet"
        job = {"dataset": to_json(dataset), "source": to_json(source), "view": to_json(view), **more}
        result = view_job.run({**job, "output": str(output)})
        return result, pq.read_table(output).to_pylist()

    return make
