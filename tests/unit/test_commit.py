"""`commit`: a change, its line and its messages, or none of them; and `verify_ledger` over what it wrote."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairnode import clock, errors
from fairnode.keys import verify
from fairnode.ledger import verify_ledger
from fairnode.ledger.commit import Entry, Outgoing, commit, head_bytes, message_bytes
from fairnode.records.rows import Head, LedgerLine, Message, PeerRecord, Person, Quarantine, Session
from fairnode.store.database import open_store

ENTRY = Entry("test.kept", "x", "node", facts={"n": 1})


def kept(name: str, verdict: dict | None = None) -> Quarantine:
    return Quarantine(name, b"\x00\xff", "0" * 64, verdict or {}, clock.now())


def size(node) -> int:
    with node.store.read() as reader:
        return reader.count(LedgerLine)


def test_row_line_head_and_message_come_together(node) -> None:
    before = size(node)
    commit(
        node.desk,
        lambda tx: tx.add(kept("a")),
        ENTRY,
        (Outgoing("http://o.example", "study", "s", {"b": 1}),),
    )
    with node.store.read() as reader:
        line, head, message = reader.last(LedgerLine), reader.last(Head), reader.last(Message)
        assert reader.get(Quarantine, "a") == kept("a") or reader.get(Quarantine, "a").result == b"\x00\xff"
    told = json.loads(line.body)
    assert (line.id, head.id) == (before + 1, before + 1)
    assert set(told["rows"]) == {"quarantines/a", f"outbox/{message.id}"}
    assert verify(node.keys.public, bytes.fromhex(head.signature), head_bytes(head.id, head.root, head.at))
    assert verify(node.keys.public, bytes.fromhex(message.signature), message_bytes(message, node.iri))
    assert verify_ledger(node.desk).sound


FAILING = {
    "the change": (lambda tx: tx.get(Person, 1 / 0), ENTRY, ()),
    "the entry": (lambda tx: tx.add(kept("b")), lambda _: 1 / 0, ()),
    "the messages": (lambda tx: tx.add(kept("b")), ENTRY, lambda *_: 1 / 0),
    "an entry that is no JSON": (lambda tx: tx.add(kept("b")), Entry("k", "s", "a", facts={"x": {1}}), ()),
    "a message that is no JSON": (
        lambda tx: tx.add(kept("b")),
        ENTRY,
        (Outgoing("r", "k", "s", {"x": {1}}),),
    ),
}


@pytest.mark.parametrize("what", FAILING)
def test_whatever_goes_wrong_undoes_everything(node, what) -> None:
    change, entry, messages = FAILING[what]
    before = size(node)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is
        commit(node.desk, change, entry, messages)
    assert size(node) == before
    with node.store.read() as reader:
        assert reader.get(Quarantine, "b") is None
        assert reader.count(Message) == 0
    assert verify_ledger(node.desk).sound


def test_what_was_handed_in_before_is_a_conflict(node) -> None:
    commit(node.desk, lambda tx: tx.add(kept("a")), ENTRY)
    before = size(node)
    with pytest.raises(errors.Conflict, match="handed in before"):
        commit(node.desk, lambda tx: tx.add(kept("a")), ENTRY)
    assert size(node) == before


def test_what_somebody_else_took_away_meanwhile_is_a_conflict(node) -> None:
    row = commit(node.desk, lambda tx: tx.add(kept("a")), ENTRY)
    commit(node.desk, lambda tx: tx.remove(row), ENTRY)
    with pytest.raises(errors.Conflict, match="in the meantime"):
        commit(node.desk, lambda tx: tx.change(row, verdict={"x": 1}), ENTRY)
    assert verify_ledger(node.desk).sound


def test_commits_from_many_threads_queue_up_and_none_is_lost(node) -> None:
    before = size(node)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: commit(node.desk, lambda tx: tx.add(kept(f"t{n}")), ENTRY), range(24)))
    assert size(node) == before + 24
    report = verify_ledger(node.desk)
    assert report.sound
    assert report.lines == before + 24


actions = st.lists(
    st.tuples(st.sampled_from(["add", "change", "remove"]), st.sampled_from("abc")), max_size=8
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions)
def test_any_honest_work_leaves_a_sound_ledger(node, work) -> None:
    for action, key in work:
        with node.store.read() as reader:
            row = reader.get(Quarantine, key)
        if action == "add" and row is None:
            commit(node.desk, lambda tx, k=key: tx.add(kept(k)), ENTRY)
        elif action == "change" and row:
            commit(node.desk, lambda tx, r=row: tx.change(r, verdict={"n": len(r.verdict)}), ENTRY)
        elif action == "remove" and row:
            commit(node.desk, lambda tx, r=row: tx.remove(r), ENTRY)
    assert verify_ledger(node.desk).problems == ()


def test_log_ins_come_and_go_without_a_line(node) -> None:
    before = size(node)
    with node.store.write() as tx:
        session = tx.add(Session("s", "p", "c", clock.now(), clock.now()))
    with node.store.write() as tx:
        tx.remove(session)
        tx.add(PeerRecord("x", "n", "t", b"r", "h", "published", clock.now()))
    assert size(node) == before
    assert verify_ledger(node.desk).sound


def test_a_guarded_row_written_without_a_line_is_found(node) -> None:
    with node.store.write() as tx:
        tx.add(kept("sneaked in"))
    assert verify_ledger(node.desk).problems == (
        "quarantines/sneaked in: it is not what the ledger says was written",
    )


def test_a_file_that_is_no_database_any_more_is_found(node) -> None:
    node.close()
    content = bytearray(node.config.database.read_bytes())
    content[4096:16384] = b"\x55" * 12288
    node.config.database.write_bytes(content)
    report = verify_ledger(node.desk)
    assert not report.sound
    assert report.problems[0].startswith("database file:")


def test_lines_that_cannot_be_read_any_more_are_problems_not_a_crash(node) -> None:
    spoilt = ("body = 'text'", "body = x'ff'", "body = x'5b5d'", "subject = x'ff'", "leaf = 3")
    for change in spoilt:
        with node.store.write() as tx:
            tx._connection.exec_driver_sql("DROP TRIGGER IF EXISTS ledger_refuses_update")
            tx._connection.exec_driver_sql(f"UPDATE ledger SET {change}")
        assert not verify_ledger(node.desk).sound, change


@pytest.mark.parametrize(
    "change", ["peaks = 'x'", "peaks = '[1]'", "signature = 5", "signature = x'00'", "root = 5"]
)
def test_heads_that_cannot_be_read_any_more_are_problems_not_a_crash(node, change) -> None:
    with node.store.write() as tx:
        tx._connection.exec_driver_sql(f"UPDATE heads SET {change}")
    assert not verify_ledger(node.desk).sound


def test_records_are_found_in_order_and_page_by_page(node) -> None:
    for name in "bca":
        commit(node.desk, lambda tx, n=name: tx.add(kept(n, {"n": n})), ENTRY)
    with node.store.read() as reader:
        assert [q.id for q in reader.find(Quarantine)] == ["a", "b", "c"]
        assert [q.id for q in reader.find(Quarantine, order="-id")] == ["c", "b", "a"]
        assert [q.id for q in reader.find(Quarantine, order="-id", after="c", limit=1)] == ["b"]
        assert [q.id for q in reader.find(Quarantine, after="a")] == ["b", "c"]
        assert [q.id for q in reader.find(Quarantine, {"id": ("a", "c")})] == ["a", "c"]
        assert reader.one(Quarantine, id="b").verdict == {"n": "b"}
        assert reader.last(Quarantine).id == "c"
        assert reader.get(Quarantine, "z") is None
        assert reader.count(Quarantine) == 3


def test_a_database_of_another_version_is_not_opened(node) -> None:
    with node.store.write() as tx:
        tx._connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(errors.Conflict, match="another version"):
        open_store(node.config.database)


def test_a_database_that_is_not_there_is_said_to_be_missing(tmp_path) -> None:
    with pytest.raises(errors.Unavailable, match="no node database"):
        open_store(tmp_path / "node.db")


def test_a_copy_made_while_the_node_is_open_is_whole(node, tmp_path) -> None:
    commit(node.desk, lambda tx: tx.add(kept("a")), ENTRY)
    node.store.back_up(tmp_path / "copy.db")
    copy = open_store(tmp_path / "copy.db")
    with copy.read() as reader:
        assert reader.get(Quarantine, "a") is not None
        assert reader.count(LedgerLine) == size(node)
    copy.close()
