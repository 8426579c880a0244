"""Log-ins of a browser: a random cookie of which the node keeps only the hash."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from fairnode import clock, errors
from fairnode.keys import digest
from fairnode.node import Node
from fairnode.people.passwords import password_fits
from fairnode.people.throttle import GUESSES
from fairnode.records.rows import Person, Session

SECONDS = 12 * 3600.0


@dataclass(frozen=True)
class Visitor:
    """Somebody who is logged in: the person, and the word that each of their forms must carry."""

    person: Person
    csrf: str


def log_in(node: Node, username: str, password: str, address: str = "") -> str:
    """The value for the session cookie of a new log-in.

    Raises `NotKnown` for a wrong name or password alike, `TooOften` after too many of them from `address`.
    """
    username = username.strip().lower()[:64]
    GUESSES.check(username, address)
    with node.store.read() as reader:
        person = reader.one(Person, username=username)
    if not password_fits(person.password_hash if person else None, password) or not (
        person and person.active
    ):
        GUESSES.wrong(username, address)
        raise errors.NotKnown("This name and password do not belong together.")
    GUESSES.right(username, address)
    cookie, now = secrets.token_urlsafe(32), clock.now()
    session = Session(
        digest(cookie.encode()), person.id, secrets.token_urlsafe(24), now, clock.later(SECONDS)
    )
    with node.store.write() as tx:
        for old in tx.find(Session, {"person": person.id}):
            if old.expires <= now:
                tx.remove(old)
        tx.add(session)
    return cookie


def who_session(node: Node, cookie: str) -> Visitor | None:
    """Who this cookie belongs to; None when it is unknown or over."""
    if not cookie:
        return None
    with node.store.read() as reader:
        session = reader.get(Session, digest(cookie.encode()))
        person = reader.get(Person, session.person) if session else None
    if session is None or person is None or not person.active or session.expires <= clock.now():
        return None
    return Visitor(person, session.csrf)


def check_csrf(visitor: Visitor, word: str) -> None:
    """Raise `NotAllowed` unless a form came from a page that this log-in was shown."""
    if not hmac.compare_digest(visitor.csrf.encode(), word.encode()):
        raise errors.NotAllowed(
            "This form is not from a page of your present log-in.",
            to_do="Go back, load the page again and send it once more.",
        )


def log_out(node: Node, cookie: str) -> None:
    """End this log-in."""
    with node.store.write() as tx:
        session = tx.get(Session, digest(cookie.encode()))
        if session:
            tx.remove(session)
