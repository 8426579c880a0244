"""The composite match keys that a study may name: one a run, because equality must be transitive (P11).

A key is text that two lists derive alike from what they hold on one person. It is never sent: what is
dealt is its fingerprint under a secret of the lists' owners (P12).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fairnode.errors import NotFound
from fairnode.linkage.letters import family, given, soundex

WEAK_MARK = "1JAN:"
"""How a key begins that was made with a birth date of 1 January."""
VARIABLES = ("familyName", "givenName", "birthDate", "sex")
"""What the node reads for any of the keys, whichever are in the key: clusters inside a list use all."""
SEXES = {"male": "1", "female": "2"}
_NO_LETTER, _NO_SEX = "2", "9"


@dataclass(frozen=True)
class Identity:
    """What a record says of who its person is, names in capital letters; "" and None where it says nothing."""

    family: str
    given: str
    born: datetime.date | None
    sex: str

    @classmethod
    def of(
        cls, family_name: str | None, given_name: str | None, born: datetime.date | None, sex: str | None
    ) -> Identity:
        """From a record's own words."""
        return cls(family(family_name or ""), given(given_name or ""), born, sex or "")

    @property
    def defaulted(self) -> bool:
        """Whether the birth date is one that desks fill in where they know the year only."""
        return self.born is not None and (self.born.month, self.born.day) == (1, 1)

    @property
    def usable(self) -> bool:
        """Whether there is a family name, a given name and a birth date: less makes no key."""
        return bool(self.family and self.given and self.born)


@dataclass(frozen=True)
class KeyRule:
    """A kind of composite key. `derive` is asked only for identities that are `usable`."""

    name: str
    about: str
    derive: Callable[[Identity], str]


def key_of(rule: KeyRule, who: Identity) -> str:
    """The key of a person, or "" where there is none.

    1 January is shared by thousands: with it, whole names stand in the key instead of a few letters.
    """
    if not who.usable:
        return ""
    return f"{WEAK_MARK}{_whole_names(who)}" if who.defaulted else rule.derive(who)


def slk581(who: Identity) -> str:
    """SLK-581: letters 2, 3, 5 of the family name, 2, 3 of the given name, DDMMYYYY, sex; 14 characters.

    Statistical linkage key of the Australian Institute of Health and Welfare (METEOR 349510); a missing letter
    is 2, an unknown sex 9.
    """
    letters = _letters(who.family, (2, 3, 5)) + _letters(who.given, (2, 3))
    assert who.born is not None, "asked for usable identities only"
    return f"{letters}{who.born:%d%m%Y}{SEXES.get(who.sex, _NO_SEX)}"


def _letters(word: str, places: tuple[int, ...]) -> str:
    return "".join(word[p - 1] if p <= len(word) else _NO_LETTER for p in places)


def _whole_names(who: Identity) -> str:
    return f"{who.family}:{who.given}:{who.born}"


def _sound(who: Identity) -> str:
    return f"{soundex(who.family)}:{who.given[0]}:{who.born}"


def _initials(who: Identity) -> str:
    return f"{who.family[:2]}:{who.given[:2]}:{who.born}:{SEXES.get(who.sex, _NO_SEX)}"


def _either_order(who: Identity) -> str:
    return ":".join((*sorted((who.family, who.given)), str(who.born)))


def _either_sound(who: Identity) -> str:
    return ":".join((*sorted((soundex(who.family), soundex(who.given))), str(who.born)))


RULES: Mapping[str, KeyRule] = {
    rule.name: rule
    for rule in (
        KeyRule("names", "whole family name, first given name and birth date", _whole_names),
        KeyRule("either-order", "as `names`, whichever of the two names is the family name", _either_order),
        KeyRule("slk-581", "letters 2, 3, 5 and 2, 3 of the names, birth date and sex", slk581),
        KeyRule("sound", "Soundex of the family name, initial of the given name, birth date", _sound),
        KeyRule("either-sound", "Soundex of both names in either order, birth date", _either_sound),
        KeyRule("initials", "two letters of each name, birth date and sex", _initials),
    )
}


def key_rule(name: str) -> KeyRule:
    """The rule of that name. Raises `NotFound`."""
    if name not in RULES:
        raise NotFound(f"There is no linkage key '{name}'.", to_do=f"Keys: {', '.join(sorted(RULES))}.")
    return RULES[name]
