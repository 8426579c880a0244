"""One changed byte in rows, lines or heads is found by `ledger verify`; honest work is not complained about."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from fairnode.ledger import verify_ledger
from fairnode.records.rows import LedgerLine, Person, Request, Visit
from tests.factories import Site

pytestmark = pytest.mark.needs_docker

TAMPERED = {
    "a row of a visit": "UPDATE visits SET state = 'refused'",
    "a person's role": "UPDATE people SET roles = '[\"custodian\", \"counsel\"]' WHERE username = 'carla'",
    "an approval's envelope": "UPDATE approvals SET envelope = substr(envelope, 1, 40) || 'A' "
    "|| substr(envelope, 42)",
    "a released table": 'UPDATE releases SET "table" = replace("table", \'"n":15\', \'"n":20\')',
    "a dataset's record": "UPDATE datasets SET record = record || ' '",
    "the text of a line": "UPDATE ledger SET body = replace(body, 'visit.released', 'visit.RELEASED')",
    "the column of a line": "UPDATE ledger SET subject = 'x' WHERE id = 3",
    "the hash of a line": "UPDATE ledger SET leaf = '00' || substr(leaf, 3) WHERE id = 4",
    "a head's root": "UPDATE heads SET root = 'ff' || substr(root, 3) WHERE id = (SELECT max(id) FROM heads)",
    "a head's signature": "UPDATE heads SET signature = '00' || substr(signature, 3) WHERE id = 2",
    "a head's time": "UPDATE heads SET at = '2020-01-01T00:00:00Z' WHERE id = 2",
    "the last line cut off": "DELETE FROM ledger WHERE id = (SELECT max(id) FROM ledger)",
    "last line and head cut off": "DELETE FROM ledger WHERE id >= (SELECT max(id) FROM heads); "
    "DELETE FROM heads WHERE id = (SELECT max(id) FROM heads)",
    "an approval taken away": "DELETE FROM approvals WHERE role = 'counsel'",
    "a token slipped in": "INSERT INTO tokens SELECT 't-0', person, 'x', sealed, label, created, expires, revoked "
    "FROM tokens LIMIT 1",
    "a message of the outbox": "UPDATE outbox SET kind = 'share' WHERE id = 1",
}


@pytest.fixture(scope="session")
def finished(story, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The node of the story, copied, whose database may be spoilt and put back."""
    folder = tmp_path_factory.mktemp("spoilt") / "police"
    shutil.copytree(story.site.directory, folder)
    return Site(folder)


@pytest.fixture
def database(finished: Site):
    path = finished.config.database
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = path.with_suffix(".kept")
    shutil.copy(path, kept)
    yield path
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    kept.replace(path)


def problems(site: Site) -> list[str]:
    with site.open() as node:
        return list(verify_ledger(node.desk).problems)


def drop_triggers(connection: sqlite3.Connection) -> None:
    """What somebody with the file in hand would do first."""
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")


@pytest.mark.parametrize("change", ["UPDATE ledger SET kind = 'x'", "DELETE FROM ledger"])
def test_the_database_itself_refuses_to_rewrite_the_ledger(database, change) -> None:
    with (
        closing(sqlite3.connect(database)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(change)


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_behind_the_ledger_is_found(finished, database, what) -> None:
    assert problems(finished) == []
    with closing(sqlite3.connect(database)) as connection:
        drop_triggers(connection)
        connection.executescript(TAMPERED[what])
        assert connection.total_changes > 0
    assert problems(finished)


def test_the_command_ends_with_one_and_says_what_is_wrong(finished, database) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE studies SET title = 'Another'")
        connection.commit()
    done = finished.cli("ledger", "verify", ok=False)
    assert done.returncode == 1
    assert "studies/" in done.stdout
    assert "1 problems found" in done.stdout


def test_the_ledger_names_nobody_and_no_view_by_a_hash_that_could_be_guessed(finished: Site) -> None:
    """P21: opaque ids, and keyed hashes of what is small; who is who is told by rows that can be erased."""
    with finished.open() as node, node.store.read() as reader:
        lines = [line.body.decode() for line in reader.find(LedgerLine)]
        people, visits = reader.find(Person), reader.find(Visit)
        requests = [json.loads(request.document) for request in reader.find(Request)]
        assert len(node.keys.secret) * 8 >= 128
    names = {word for person in people for word in (person.name, person.username)}
    names |= {request["requester"]["name"] for request in requests}
    snapshots = {visit.snapshot for visit in visits} - {""}
    assert len(names) > 6
    assert snapshots
    told = "\n".join(lines)
    assert [name for name in names if f'"{name}"' in told or name in told.split('"')] == []
    assert [plain for plain in snapshots if plain in told] == []
    assert any(person.id in told for person in people)
