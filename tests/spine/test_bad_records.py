"""Records and case files that cannot be: one clear sentence each, nothing written, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.netherlands import ORGANISATIONS, record
from tests.factories import URL

pytestmark = pytest.mark.needs_docker

POLICE = next(o for o in ORGANISATIONS if o.key == "police")
RECORD = record(POLICE, URL).replace("/dataset/police-victims", "/dataset/again")
FILE = "slachtoffers.csv"

# what is wrong -> (what is replaced in the record, words that the custodian must read)
RECORDS = {
    "no title": (('  dct:title "', '  rdfs:label "'), ("title",)),
    "no contact": (("dcat:contactPoint", "rdfs:seeAlso"), ("contact",)),
    "an unknown variable": (("ht:exploitationForm", "ht:shoeSize"), ("shoeSize",)),
    "a code without a concept": (("/region/NL-LB", "/region/NL-XX"), ("NL-XX",)),
    "another publisher": ((f"dct:publisher <{URL}", "dct:publisher <http://else.example"), ("publisher",)),
    "not Turtle": (("@prefix dcat:", "prefix dcat"), ("Turtle",)),
}


@pytest.fixture
def add(site, case_files, tmp_path):
    """Try to add the police's dataset once more, with a record and a file that were changed."""

    def go(turtle: str | bytes, rows: bytes | None = None, encoding: str = "windows-1252"):
        (tmp_path / FILE).write_bytes((case_files / "police" / FILE).read_bytes() if rows is None else rows)
        source = f'[source]\nkind = "csv"\npath = "{FILE}"\nencoding = "{encoding}"\ndelimiter = ","\n'
        (tmp_path / "source.toml").write_text(source)
        (tmp_path / "record.ttl").write_bytes(turtle.encode() if isinstance(turtle, str) else turtle)
        where = (str(tmp_path / "record.ttl"), "--source", str(tmp_path / "source.toml"))
        return site.cli("dataset", "add", *where, user="carla", ok=False)

    return go


def region_of(turtle: str) -> str:
    """The concept under which the record binds Limburg."""
    start = turtle.index("/region/")
    return turtle[start : turtle.index(">", start)]


@pytest.mark.parametrize("what", RECORDS)
def test_a_record_that_cannot_be_is_refused_with_field_and_sentence(site, add, what) -> None:
    (old, new), words = RECORDS[what]
    turtle = RECORD.replace(region_of(RECORD) if old == "/region/NL-LB" else old, new)
    assert turtle != RECORD
    before = site.counts()
    done = add(turtle)
    assert done.returncode == 2, done.stderr
    assert all(word.lower() in done.stderr.lower() for word in words), done.stderr
    assert not [word for word in ("sh:", "NodeShape", "Constraint Violation") if word in done.stderr]
    assert site.counts() == before
    assert site.plaintext() == []


def case_file(case_files: Path) -> bytes:
    return (case_files / "police" / FILE).read_bytes()


FILES = {
    "a missing column": (lambda rows: rows.replace(b"eenheid", b"bureau", 1), "eenheid"),
    "dates that are none": (lambda rows: rows.replace(b"-2012", b"-banana"), "datum melding"),
    "no rows": (lambda rows: rows.split(b"\n", 1)[0] + b"\n", "no rows"),
    "nothing at all": (lambda rows: rows[:0], "empty"),
    "another encoding": (lambda rows: rows.decode("windows-1252").encode("utf-16"), "encoding"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_case_file_that_cannot_be_is_refused_before_anything_is_written(
    site, add, case_files, tmp_path, what
) -> None:
    change, word = FILES[what]
    before = site.counts()
    done = add(RECORD, change(case_file(case_files)))
    assert done.returncode == 2, done.stderr
    assert word in done.stderr
    assert str(tmp_path) not in done.stderr
    assert site.counts() == before
    assert site.plaintext() == []


def test_a_file_in_another_encoding_than_declared_is_refused_by_name_of_the_encoding(site, add) -> None:
    before = site.counts()
    done = add(RECORD, encoding="utf-8")
    assert done.returncode == 2
    assert "utf-8" in done.stderr.lower()
    assert site.counts() == before


def test_a_record_that_is_no_text_is_refused(site, add) -> None:
    done = add(b"\xff\xfe" + RECORD.encode())
    assert (done.returncode, "UTF-8" in done.stderr) == (2, True)


def test_a_dataset_is_added_once_and_by_the_custodian_only(site, add) -> None:
    before = site.counts()
    refused = add(RECORD.replace("/dataset/again", "/dataset/police-victims"))
    assert (refused.returncode, "change that one" in refused.stderr.lower()) == (5, True)
    assert site.counts() == before
    assert add(RECORD).returncode == 0
    assert site.counts()["datasets"] == before["datasets"] + 1
