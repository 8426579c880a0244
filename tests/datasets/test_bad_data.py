"""Data that do not fit the record: each with its own words, where it is, and no value or path."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from fairnode.datasets.reading import open_rows
from fairnode.errors import Conflict, FairnodeError, NotValid, Unavailable
from fairnode.records.dataset import Source, View

GOOD = "p1;03-02-2012;NL-AM;S;17;g|s;j"
YEAR = View(("year", "exploitationForm"))


def said(error: pytest.ExceptionInfo[FairnodeError]) -> str:
    """All the words that may reach somebody else."""
    return str(error.value)


def test_a_missing_column(dataset, write_csv, make_view) -> None:
    with pytest.raises(NotValid) as wrong:
        make_view(dataset, write_csv(GOOD, header="id;datum;regio;form;leeftijd;dwang;ok"), YEAR)
    assert "column 'vorm': is missing" in said(wrong)
    assert "form'" in wrong.value.internal


def test_a_column_that_is_there_twice(dataset, write_csv, make_view) -> None:
    with pytest.raises(NotValid, match="do not have the columns") as wrong:
        make_view(dataset, write_csv(GOOD, header="id;datum;regio;vorm;vorm;dwang;ok"), YEAR)
    assert "column 'vorm': occurs more than once" in said(wrong)


def test_an_encoding_that_is_not_the_one_named(dataset, write_csv, make_view) -> None:
    source = write_csv(GOOD, "Zoë;03-02-2012;NL-AM;S;17;;j", encoding="windows-1252", declared="utf-8")
    with pytest.raises(NotValid, match="not in the encoding") as wrong:
        make_view(dataset, source, YEAR)
    assert "line 3" in said(wrong)
    assert "Zo" not in said(wrong)


def test_utf8_that_is_called_windows_1252_is_noticed_although_every_byte_is_a_letter(
    dataset, write_csv, make_view
) -> None:
    with pytest.raises(NotValid, match="reads as UTF-8"):
        make_view(dataset, write_csv("Zoë;03-02-2012;NL-AM;S;17;;j", declared="windows-1252"), YEAR)


def test_a_byte_order_mark_is_not_part_of_a_name(dataset, write_csv, make_view) -> None:
    assert make_view(dataset, write_csv(GOOD, encoding="utf-8-sig", declared="utf-8"), YEAR)[0]["rows"] == 1


def test_utf16_is_read_where_it_is_named(dataset, write_csv, make_view) -> None:
    assert make_view(dataset, write_csv(GOOD, encoding="utf-16"), YEAR)[0]["rows"] == 1


def test_dates_that_are_none(dataset, write_csv, make_view) -> None:
    lines = (GOOD, "p2;31-02-2012;;;;;", "p3;gisteren;;;;;", "p4;;;;;;")
    with pytest.raises(NotValid, match="do not fit the bindings") as wrong:
        make_view(dataset, write_csv(*lines), YEAR)
    assert "column 'datum' as ht:identificationDate: 2 rows cannot be read" in said(wrong)
    assert "gisteren" not in said(wrong)


@pytest.mark.parametrize("age", ["121", "-1", "12.5", "jong"])
def test_ages_that_are_none(dataset, write_csv, make_view, age) -> None:
    with pytest.raises(NotValid) as wrong:
        make_view(dataset, write_csv(GOOD, f"p;;;;{age};;"), View(("ageGroup",)))
    assert "column 'leeftijd' as ht:ageGroup: 1 rows" in said(wrong)


def test_a_code_without_a_concept_is_an_error_where_the_binding_is_strict(
    dataset, write_csv, make_view
) -> None:
    bindings = tuple(replace(b, strict=b.variable == "exploitationForm") for b in dataset.bindings)
    source = write_csv(GOOD, "p;;;GEHEIM;;;", "p;;;GEHEIM;;;")
    assert make_view(dataset, source, YEAR)[0]["unmapped"] == {"exploitationForm": 2}
    with pytest.raises(NotValid) as wrong:
        make_view(replace(dataset, bindings=bindings), source, YEAR)
    assert "column 'vorm' as ht:exploitationForm: 2 rows have a code without a concept" in said(wrong)
    assert "GEHEIM" not in said(wrong)
    assert "GEHEIM" in wrong.value.internal


def test_no_rows(dataset, write_csv, make_view) -> None:
    with pytest.raises(NotValid, match="no rows"):
        make_view(dataset, write_csv(), YEAR)


def test_an_empty_file(dataset, make_view, tmp_path) -> None:
    (tmp_path / "cases.csv").touch()
    with pytest.raises(NotValid, match="do not have the columns"):
        make_view(dataset, Source("csv", path=str(tmp_path / "cases.csv")), YEAR)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx", "parquet", "sqlite"])
def test_a_file_that_is_not_there(dataset, make_view, tmp_path, kind) -> None:
    with pytest.raises(Unavailable, match="cannot be read") as wrong:
        make_view(dataset, Source(kind, path=str(tmp_path / "nothing"), table="t"), YEAR)
    assert str(tmp_path) not in said(wrong)
    assert "nothing" in wrong.value.internal


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "sqlite", "jsonl"])
def test_a_file_of_another_type(dataset, make_view, tmp_path, kind) -> None:
    path = tmp_path / "cases"
    path.write_text("Jansen;1990\n" * 200)
    with pytest.raises(NotValid, match="is not") as wrong:
        make_view(dataset, Source(kind, path=str(path), table="t"), YEAR)
    assert "Jansen" not in said(wrong)


@pytest.mark.parametrize(
    ("line", "what"),
    [("p1;03-02-2012;NL-AM", "3 cells instead of 7"), ('p1;"03-02"-2012;;;;;', "is not well-formed"),
     ('p1;"03-02-2012;;;;;', "is not well-formed")],
)  # fmt: skip
def test_a_line_that_breaks_off(dataset, write_csv, make_view, line, what) -> None:
    with pytest.raises(NotValid) as wrong:
        make_view(dataset, write_csv(GOOD, line), YEAR)
    assert f"line 3: {what}" in said(wrong)


def test_a_line_of_json_that_is_no_object(dataset, make_view, tmp_path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"id": "geheim"}\n["geheim"]\n')
    with pytest.raises(NotValid) as wrong:
        make_view(dataset, Source("jsonl", path=str(path)), YEAR)
    assert "line 2" in said(wrong)
    assert "geheim" not in said(wrong)


def test_a_sheet_that_is_not_there(dataset, make_view, tmp_path) -> None:
    path = tmp_path / "cases.xlsx"
    openpyxl.Workbook().save(path)
    with pytest.raises(NotValid, match="does not have the sheet"):
        make_view(dataset, Source("xlsx", path=str(path), sheet="Elders"), YEAR)


def test_a_table_that_is_not_there(dataset, make_view, tmp_path) -> None:
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(NotValid, match="does not have the table"):
        make_view(dataset, Source("sqlite", path=str(tmp_path / "empty.sqlite"), table="t"), YEAR)


def test_a_file_that_is_changed_while_it_is_read(write_csv) -> None:
    source = write_csv(GOOD)

    def read_slowly() -> None:
        with open_rows(source) as (_, batches):
            list(batches)
            Path(source.path).write_text("anders")

    with pytest.raises(Conflict, match="changed while"):
        read_slowly()


def test_too_little_memory_is_said(dataset, write_csv, make_view) -> None:
    lines = [f"p{n};03-02-2012;NL-AM;S;17;g|s;j" for n in range(30_000)]
    with pytest.raises(Unavailable, match="more memory"):
        make_view(dataset, write_csv(*lines), YEAR, limits={"memory_mib": 4})


def test_a_place_that_cannot_be_written_is_said(dataset, write_csv, make_view, tmp_path) -> None:
    with pytest.raises(Unavailable, match="cannot write") as wrong:
        make_view(dataset, write_csv(GOOD), YEAR, companion=str(tmp_path / "no" / "where"), salt="00")
    assert str(tmp_path) not in said(wrong)


def test_a_database_that_somebody_is_writing_to(dataset, make_view, tmp_path) -> None:
    path = tmp_path / "cases.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("CREATE TABLE t (id)")
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable, match="does not answer"):
            make_view(dataset, Source("sqlite", path=str(path), table="t"), YEAR)
