"""Slows down guessing: after a few wrong passwords a name must wait, longer each time.

Kept in the memory of the web process and bounded; a restart forgets it, which an attacker cannot cause.
Counted for a name from one address and, more generously, for the name from everywhere, so that a stranger
who guesses from one address does not lock the person out.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from fairnode import errors

FREE, FREE_ANYWHERE = 5, 50  # wrong passwords before the waiting starts
LONGEST_WAIT = 900.0  # seconds
REMEMBERED = 10_000  # names


class TooOften(errors.FairnodeError):
    """Too many wrong passwords for this name; `wait` says in how many seconds to try again."""

    code = "too-often"
    title = "Too many attempts"
    http_status = 429
    exit_code = 4

    def __init__(self, wait: float) -> None:
        super().__init__(
            "There were too many wrong passwords for this name.",
            to_do=f"Try again in {int(wait) + 1} seconds.",
        )
        self.wait = int(wait) + 1


@dataclass(frozen=True)
class _Count:
    wrong: int
    until: float


class Throttle:
    """Counts wrong passwords by name and address."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, name: str, address: str) -> None:
        """Raise `TooOften` while this name must wait."""
        now = time.monotonic()
        with self._lock:
            untils = [c.until for key in _keys(name, address) if (c := self._counts.get(key))]
        wait = max(untils, default=0.0) - now
        if wait > 0:
            raise TooOften(wait)

    def wrong(self, name: str, address: str) -> None:
        """Remember a wrong password."""
        now = time.monotonic()
        with self._lock:
            for key in _keys(name, address):
                count = self._counts.pop(key, _Count(0, 0.0)).wrong + 1
                over = count - (FREE if key[1] else FREE_ANYWHERE)
                wait = min(2.0 ** min(over, 20), LONGEST_WAIT) if over >= 0 else 0.0
                self._counts[key] = _Count(count, now + wait)
            while len(self._counts) > REMEMBERED:
                self._counts.popitem(last=False)

    def right(self, name: str, address: str) -> None:
        """Forget what was wrong before."""
        with self._lock:
            for key in _keys(name, address):
                self._counts.pop(key, None)


def _keys(name: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """A name from one address, and from everywhere."""
    return (name, address or "?"), (name, "")


GUESSES = Throttle()  # of this process
