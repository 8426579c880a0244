"""Accounts, log-ins, tokens and signatures."""

from __future__ import annotations

import dataclasses
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode import errors, keys, people
from fairnode.ledger import verify_ledger
from fairnode.people.throttle import FREE, GUESSES, Throttle, TooOften
from fairnode.records.rows import LedgerLine, PersonKey, Session, Token

PASSWORD = "correct horse battery staple"


def test_a_signature_made_with_the_password_is_the_persons(house):
    person = house.persons["custodian"]
    signer = people.signer_with_password(house.node, person, PASSWORD)
    assert keys.verify(signer.public, signer.sign(b"content"), b"content")
    assert not keys.verify(signer.public, signer.sign(b"content"), b"other content")
    with house.node.store.read() as reader:
        assert reader.one(PersonKey, person=person.id).public == signer.public


def test_password_and_token_open_the_same_key(house):
    by_password = people.signer_with_password(house.node, house.persons["counsel"], PASSWORD)
    by_token = people.signer_with_token(house.node, house.tokens["counsel"])
    assert by_token.public == by_password.public
    assert by_token.person == by_password.person


def test_nobody_signs_with_a_wrong_password_or_token(house):
    with pytest.raises(errors.NotKnown):
        people.signer_with_password(house.node, house.persons["custodian"], PASSWORD + "x")
    with pytest.raises(errors.NotKnown):
        people.signer_with_token(house.node, house.tokens["custodian"] + "x")


def test_neither_password_nor_token_nor_cookie_nor_private_key_is_in_the_database(fresh):
    cookie = people.log_in(fresh.node, "custodian", PASSWORD)
    person = fresh.persons["custodian"]
    with fresh.node.store.read() as reader:
        sealed = reader.one(PersonKey, person=person.id).sealed
    private = keys.open_with_password(sealed, PASSWORD)
    fresh.node.close()
    folder = fresh.node.config.directory
    content = b"".join(path.read_bytes() for path in folder.glob("node.db*"))
    for secret in (PASSWORD.encode(), fresh.tokens["custodian"].encode(), cookie.encode(), private):
        assert secret not in content


def test_a_session_ends_with_log_out_and_with_a_new_password(fresh):
    node = fresh.node
    first, second = (people.log_in(node, "auditor", PASSWORD) for _ in range(2))
    assert people.who_session(node, first).person.username == "auditor"
    people.log_out(node, first)
    assert people.who_session(node, first) is None
    people.change_password(node, fresh.persons["auditor"], PASSWORD, "another long password")
    assert people.who_session(node, second) is None
    person = people.person_of(node, "auditor")
    assert people.signer_with_password(node, person, "another long password").person.id == person.id


def test_an_expired_session_is_nobody(fresh):
    cookie = people.log_in(fresh.node, "auditor", PASSWORD)
    with fresh.node.store.write() as tx:
        session = tx.get(Session, keys.digest(cookie.encode()))
        tx.change(session, expires="2020-01-01T00:00:00Z")
    assert people.who_session(fresh.node, cookie) is None


def test_a_token_that_is_over_or_taken_back_is_not_known(fresh):
    node, person = fresh.node, fresh.persons["researcher"]
    token = people.make_token(node, person, PASSWORD, "laptop", 1)
    assert people.who_token(node, token) == person
    row = next(t for t in people.tokens_of(node, person) if t.label == "laptop")
    people.revoke_token(node, person, row.id)
    with pytest.raises(errors.NotKnown):
        people.who_token(node, token)
    other = people.make_token(node, person, PASSWORD, "late", 1)
    with node.store.write() as tx:
        found = tx.one(Token, token_hash=keys.digest(other.encode()))
        tx.change(found, expires="2020-01-01T00:00:00Z")
    with pytest.raises(errors.NotKnown):
        people.who_token(node, other)


def test_nobody_takes_back_anothers_token(house):
    with house.node.store.read() as reader:
        row = reader.one(Token, person=house.persons["counsel"].id)
    with pytest.raises(errors.NotFound):
        people.revoke_token(house.node, house.persons["custodian"], row.id)


def test_a_closed_account_logs_in_nowhere(fresh):
    node = fresh.node
    cookie = people.log_in(node, "counsel", PASSWORD)
    people.close_account(node, fresh.persons["counsel"], fresh.persons["operator"].id)
    assert people.who_session(node, cookie) is None
    for attempt in (
        lambda: people.log_in(node, "counsel", PASSWORD),
        lambda: people.who_token(node, fresh.tokens["counsel"]),
    ):
        with pytest.raises(errors.NotKnown):
            attempt()
    with pytest.raises(errors.NotAllowed):
        people.signer_with_password(node, people.person_of(node, "counsel"), PASSWORD)
    assert verify_ledger(node.desk).sound


def test_a_wrong_name_and_a_wrong_password_look_and_take_alike(house):
    def attempt(name: str) -> tuple[str, float]:
        begin = time.process_time()
        with pytest.raises(errors.NotKnown) as caught:
            people.log_in(house.node, name, "a wrong password", "192.0.2.7")
        return caught.value.what, time.process_time() - begin

    attempt("nobody-0")  # makes the hash that unknown names are compared with
    known, unknown = attempt("operator"), attempt("nobody-1")
    assert known[0] == unknown[0]
    assert 0.2 < known[1] / unknown[1] < 5


def test_guessing_is_slowed_down_for_the_name_but_not_for_others():
    throttle = Throttle()
    for _ in range(FREE):
        throttle.check("anna", "192.0.2.1")
        throttle.wrong("anna", "192.0.2.1")
    with pytest.raises(TooOften) as caught:
        throttle.check("anna", "192.0.2.1")
    assert caught.value.http_status == 429
    assert caught.value.wait >= 1
    throttle.check("anna", "192.0.2.2")
    throttle.check("bert", "192.0.2.1")
    throttle.right("anna", "192.0.2.1")
    throttle.check("anna", "192.0.2.1")


def test_guessing_at_a_signature_is_slowed_down_too(fresh):
    person = dataclasses.replace(fresh.persons["custodian"], username="custodian-of-this-test")
    for _ in range(FREE):
        with pytest.raises(errors.NotKnown):
            people.signer_with_password(fresh.node, person, "a wrong password")
    with pytest.raises(TooOften):
        people.signer_with_password(fresh.node, person, PASSWORD)
    GUESSES.right(person.username, "signature")


@pytest.mark.parametrize(
    ("username", "name", "roles", "password", "where"),
    [
        ("Anna", "Anna", ["researcher"], PASSWORD, "username"),
        ("anna", "", ["researcher"], PASSWORD, "name"),
        ("anna", "An\nna", ["researcher"], PASSWORD, "name"),
        ("anna", "Anna", ["king"], PASSWORD, "roles"),
        ("anna", "Anna", ["researcher"], "short", ""),
    ],
)
def test_an_account_without_the_right_form_is_not_made(house, username, name, roles, password, where):
    with pytest.raises(errors.NotValid) as caught:
        people.add_person(house.node, username, name, roles, password)
    assert where in [f.where for f in caught.value.findings] or not where
    assert username not in [person.username for person in people.people_of(house.node)]


def test_a_username_is_taken_once(house):
    with pytest.raises(errors.Conflict):
        people.add_person(house.node, "counsel", "Another", ["counsel"], PASSWORD)


def test_roles_are_checked_in_words(house):
    people.check_role(house.persons["counsel"], "counsel", "custodian")
    assert not people.has_role(None, "counsel")
    with pytest.raises(errors.NotAllowed, match="custodian"):
        people.check_role(house.persons["counsel"], "custodian")
    with pytest.raises(errors.NotKnown):
        people.check_role(None, "custodian")


def test_the_ledger_holds_ids_and_no_names(house):
    with house.node.store.read() as reader:
        from_ledger = [line.body for line in reader.find(LedgerLine)]
    told = b"".join(from_ledger)
    assert house.persons["custodian"].id.encode() in told
    assert b"Robin" not in told


@settings(max_examples=20, deadline=None)
@given(st.text(min_size=0, max_size=60))
def test_a_made_up_cookie_or_token_is_nobody(house, text):
    assert people.who_session(house.node, text) is None
    with pytest.raises(errors.NotKnown):
        people.who_token(house.node, text)
