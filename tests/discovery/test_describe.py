"""`fairnode dataset describe`: what it writes is a record that `fairnode dataset check` and `add` take."""

from __future__ import annotations

import json
import sqlite3
import tomllib
from contextlib import closing

import pytest
from click.testing import CliRunner

from fairnode import errors
from fairnode.cli.main import fairnode
from fairnode.datasets.bindings import read_dataset
from fairnode.metadata.check import check_record

LINES = [
    "Dossiernr;Melddatum;Geslacht;Soort uitbuiting;Eenheid;Notitie",
    *(
        f"d{n};{1 + n % 28:02}-02-{2012 + n % 3};{'man' if n % 3 else 'vrouw'};"
        f"{'seksuele uitbuiting' if n % 2 else 'duister'};Limburg;vrij {n} é"
        for n in range(60)
    ),
]


def run(node, *told: str, answers: str | None = None):
    arguments = ["dataset", *told, "--dir", str(node.config.directory)]
    done = CliRunner().invoke(fairnode, arguments, input=answers)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


@pytest.fixture
def cases(tmp_path):
    path = tmp_path / "Zaken 2012.csv"
    path.write_bytes("\r\n".join(LINES).encode("cp1252"))
    return path


def written(folder) -> tuple[str, dict[str, str]]:
    source = tomllib.loads((folder / "source.toml").read_text())["source"]
    return (folder / "record.ttl").read_text(), source


def test_with_yes_the_proposal_is_a_record_that_check_takes(node, cases, tmp_path) -> None:
    folder = tmp_path / "out"
    told = run(node, "describe", str(cases), "--to", str(folder), "--yes")
    assert "60 rows" in told
    assert "left open: Column 'Notitie' is not recognised" in told
    record, source = written(folder)
    assert (source["kind"], source["encoding"], source["delimiter"]) == ("csv", "cp1252", ";")
    dataset = read_dataset(record)
    assert (dataset.iri, dataset.years) == (f"{node.iri}/dataset/zaken-2012", (2012, 2014))
    assert {"personKey", "identificationDate", "year", "sex", "exploitationForm", "region"} <= {
        binding.variable for binding in dataset.bindings
    }
    check_record(node, record.encode())
    told = run(node, "check", str(folder / "record.ttl"), "--source", str(folder / "source.toml"))
    assert "60 rows; every bound column can be read." in told
    assert "1 codes in 30 rows" in told


def test_a_person_answers_what_is_unsure(node, cases, tmp_path) -> None:
    folder = tmp_path / "out"
    answers = ["labour", "-", "case", "WPG", "desk@home.example", "Cases", "About cases.",
               "", "2013", "", "The desk"]  # fmt: skip
    told = run(node, "describe", str(cases), "--to", str(folder), answers="\n".join(answers) + "\n")
    dataset = read_dataset(written(folder)[0])
    assert "What does 'duister'" in told
    assert dict(dataset.binding("exploitationForm").codes)["duister"] == "labour"
    assert (dataset.unit, dataset.title, dataset.years) == ("case", "Cases", (2012, 2013))
    assert dataset.regime.endswith("#WPG")


def test_a_table_of_a_database_is_described(node, tmp_path) -> None:
    path, folder = tmp_path / "cases.db", tmp_path / "out"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE meldingen (jaar INTEGER, sex TEXT)")
        connection.executemany(
            "INSERT INTO meldingen VALUES (?, ?)", [(2015 + n % 3, "female") for n in range(9)]
        )
        connection.commit()
    told = run(node, "describe", str(path), "--table", "meldingen", "--to", str(folder), "--yes", "--json")
    assert json.loads(told)["check"]["rows"] == 9
    record, source = written(folder)
    assert (source["kind"], source["table"]) == ("sqlite", "meldingen")
    assert read_dataset(record).years == (2015, 2017)


def test_nothing_is_written_over_and_nothing_unreadable_is_described(node, cases, tmp_path) -> None:
    folder = tmp_path / "out"
    run(node, "describe", str(cases), "--to", str(folder), "--yes")
    with pytest.raises(errors.Conflict):
        run(node, "describe", str(cases), "--to", str(folder), "--yes")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(errors.NotValid, match="No column was recognised"):
        run(node, "describe", str(tmp_path / "x.csv"), "--to", str(tmp_path / "o2"), "--yes")
    assert not (tmp_path / "o2").exists()
