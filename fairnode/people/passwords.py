"""Password hashes (argon2id, RFC 9106's second recommended choice), a few at a time."""

from __future__ import annotations

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fairnode import errors

SHORTEST, LONGEST = 10, 1024

_HASHER = PasswordHasher()
# Each hash takes 64 MiB for a moment: without a queue, a crowd of log-ins would take the machine's memory.
_TURNS = threading.BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """The hash to keep. Raises `NotValid` for a password that is too short or absurdly long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise errors.NotValid(
            f"A password has at least {SHORTEST} and at most {LONGEST} characters.",
            to_do="Several words in a row are easy to remember and hard to guess.",
        )
    with _TURNS:
        return _HASHER.hash(password)


def password_fits(password_hash: str | None, password: str) -> bool:
    """Whether `password` is the hashed one; takes as long when there is no hash (nobody of that name)."""
    with _TURNS:
        try:
            fits = _HASHER.verify(password_hash or _nobodys_hash(), password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
    return fits and password_hash is not None


@cache
def _nobodys_hash() -> str:
    """A hash of a password that nobody has, to spend the same time on unknown names."""
    return _HASHER.hash(secrets.token_hex(32))
