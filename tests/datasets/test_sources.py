"""The same rows give the same view, whatever type of source they are in."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pg8000.dbapi
import pytest

from fairnode.demo.members import free_ports
from fairnode.errors import NotValid, Unavailable
from fairnode.records.dataset import Source, View

WANTED = View(("region", "year", "exploitationForm", "ageGroup", "meansOfControl"))
EXPECTED = [
    {"region": None, "year": None, "exploitationForm": None, "ageGroup": None,
     "meansOfControl": ["debt-bondage"]},
    {"region": "NL-AM", "year": 2012, "exploitationForm": "sexual", "ageGroup": "15-17",
     "meansOfControl": ["debt-bondage", "physical-abuse"]},
    {"region": "NL-RT", "year": 2013, "exploitationForm": None, "ageGroup": "48+", "meansOfControl": None},
]  # fmt: skip
POSTGRES = Path("/usr/lib/postgresql/15/bin")


@pytest.mark.parametrize("kind", ["parquet", "xlsx", "jsonl", "sqlite", "tsv"])
def test_every_type_of_source_gives_the_same_view(dataset, make_view, write_source, kind) -> None:
    assert make_view(dataset, write_source(kind), WANTED)[1] == EXPECTED


@pytest.fixture(scope="module")
def postgres(typed_rows) -> Iterator[str]:
    """The address of a real PostgreSQL server of Debian's packages, with a table `zaken.melding`."""
    if not (POSTGRES / "postgres").exists():
        pytest.skip("PostgreSQL 15 is not installed")
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    os.chown(folder, user.pw_uid, user.pw_gid)
    become = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    (folder / "password").write_text("geheim")
    subprocess.run(
        [POSTGRES / "initdb", "-D", folder / "data", "-U", "beheer", "-A", "scram-sha-256", "--no-sync",
         "--pwfile", folder / "password", "--locale", "C.UTF-8"],
        check=True, capture_output=True, cwd=folder, **become,
    )  # fmt: skip
    (port,) = free_ports(1)
    server = subprocess.Popen(
        [POSTGRES / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, "-c", "fsync=off",
         "-h", "127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **become,
    )  # fmt: skip
    try:
        fill(port, typed_rows)
        yield f"postgresql://beheer:geheim@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(timeout=30)
        shutil.rmtree(folder)


def fill(port: int, rows: list[tuple]) -> None:
    with closing(connect(port)) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE SCHEMA zaken")
        cursor.execute(
            "CREATE TABLE zaken.melding (id text, datum date, regio varchar(9), vorm char(4), "
            "leeftijd numeric, dwang text[], ok text)"
        )
        for row in rows:
            dwang = None if row[5] is None else row[5].split("|")
            insert = "INSERT INTO zaken.melding VALUES (%s, %s, %s, %s, %s, %s, %s)"
            cursor.execute(insert, (*row[:5], dwang, row[6]))
        series = "SELECT 'p' || n AS id, 'NL-AM' AS regio FROM generate_series(1, 25000) n"
        cursor.execute(f"CREATE TABLE public.groot AS {series}")
        connection.commit()


def connect(port: int) -> pg8000.dbapi.Connection:
    for _ in range(100):
        try:
            return pg8000.dbapi.connect(
                "beheer", host="127.0.0.1", port=port, password="geheim", database="postgres"
            )
        except (pg8000.dbapi.Error, pg8000.exceptions.InterfaceError):
            time.sleep(0.1)
    raise AssertionError("PostgreSQL did not start")


def test_a_table_of_postgresql_gives_the_same_view(dataset, make_view, postgres) -> None:
    source = Source("postgresql", dsn=postgres, table="zaken.melding")
    assert make_view(dataset, source, WANTED)[1] == EXPECTED


def test_a_table_larger_than_one_fetch_is_read_whole(dataset, make_view, postgres) -> None:
    less = replace(dataset, bindings=tuple(b for b in dataset.bindings if b.column in ("id", "regio")))
    result, _ = make_view(less, Source("postgresql", dsn=postgres, table="groot"), View(("region",)))
    assert (result["rows"], result["persons"]) == (25_000, 25_000)


def test_what_postgresql_does_not_have_is_said_without_its_address(dataset, make_view, postgres) -> None:
    with pytest.raises(NotValid, match="does not have the table"):
        make_view(dataset, Source("postgresql", dsn=postgres, table="zaken.elders"), WANTED)
    with pytest.raises(NotValid, match="do not have the columns"):
        make_view(dataset, Source("postgresql", dsn=postgres, table="groot"), WANTED)
    with pytest.raises(Unavailable, match="does not let the source's user in") as wrong:
        make_view(
            dataset, Source("postgresql", dsn=postgres.replace("geheim", "fout"), table="groot"), WANTED
        )
    assert "127.0.0.1" not in str(wrong.value)
    elsewhere = postgres.removesuffix("postgres") + "elders"
    with pytest.raises(Unavailable, match="has no database of the name"):
        make_view(dataset, Source("postgresql", dsn=elsewhere, table="groot"), WANTED)
    with pytest.raises(Unavailable, match="No database server answers"):
        make_view(dataset, Source("postgresql", dsn="postgresql://a:b@127.0.0.1:1/c", table="groot"), WANTED)


@pytest.mark.parametrize(
    "address",
    ["geen adres", "postgresql://...", "postgresql://a:geheim@h:poort/d", "postgresql:///d", "postgresql://a@h",
     "mysql://a:geheim@h/d", f"postgresql://a:geheim@{'h' * 70}/d"],
)  # fmt: skip
def test_what_is_no_address_of_a_database_is_refused_and_not_repeated(dataset, make_view, address) -> None:
    with pytest.raises(NotValid, match="how to reach") as wrong:
        make_view(dataset, Source("postgresql", dsn=address, table="groot"), WANTED)
    assert address not in str(wrong.value)
    assert "geheim" not in str(wrong.value)
