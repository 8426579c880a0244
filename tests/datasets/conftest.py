from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
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


DAY = datetime.date
NAMES = ("id", "datum", "regio", "vorm", "leeftijd", "dwang", "ok")
TYPED = [
    ("p1", DAY(2012, 2, 3), "NL-AM", "S", 17, "g|s", "j"),
    ("p2", DAY(2013, 5, 5), "NL-RT", None, 48, None, "n"),
    ("p3", None, None, "nb", None, "s", None),
]

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


def parquet(path: Path) -> Source:
    columns = dict(zip(NAMES, zip(*TYPED, strict=True), strict=True))
    lists = [None if cell is None else cell.split("|") for cell in columns["dwang"]]
    pq.write_table(pa.table({**{k: list(v) for k, v in columns.items()}, "dwang": lists}), path)
    return Source("parquet", path=str(path))


def xlsx(path: Path) -> Source:
    book = openpyxl.Workbook()
    book.create_sheet("Meldingen")
    for row in [(*NAMES, None), *TYPED, (None,) * 7]:
        book["Meldingen"].append(row)
    book.save(path)
    return Source("xlsx", path=str(path), sheet="Meldingen")


def jsonl(path: Path) -> Source:
    cases = [{name: cell for name, cell in zip(NAMES, row, strict=True) if cell is not None} for row in TYPED]
    for case in cases:
        if "dwang" in case:
            case["dwang"] = case["dwang"].split("|")
    path.write_text("\n".join(json.dumps(case, default=str) for case in cases) + "\n\n")
    return Source("jsonl", path=str(path))


def sqlite(path: Path) -> Source:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('CREATE TABLE "mijn ""tabel" (id, datum, regio, vorm, leeftijd REAL, dwang, ok)')
        texts = [[str(cell) if isinstance(cell, DAY) else cell for cell in row] for row in TYPED]
        connection.executemany('INSERT INTO "mijn ""tabel" VALUES (?, ?, ?, ?, ?, ?, ?)', texts)
        connection.commit()
    return Source("sqlite", path=str(path), table='mijn "tabel')


def tsv(path: Path) -> Source:
    lines = ["\t".join(NAMES), *("\t".join("" if c is None else str(c) for c in row) for row in TYPED)]
    path.write_bytes("\n".join(lines).encode("utf-16"))
    return Source("csv", path=str(path), delimiter="\t", encoding="utf-16")


@pytest.fixture
def write_source(tmp_path: Path) -> Callable[[str], Source]:
    """The same three rows as a file of the type that is asked for."""
    makers = {"parquet": parquet, "xlsx": xlsx, "jsonl": jsonl, "sqlite": sqlite, "tsv": tsv}

    def write(kind: str) -> Source:
        (tmp_path / "source").unlink(missing_ok=True)
        return makers[kind](tmp_path / "source")

    return write


@pytest.fixture(scope="session")
def typed_rows() -> list[tuple]:
    """The rows that `write_source` writes."""
    return TYPED
