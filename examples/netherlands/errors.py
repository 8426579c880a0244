"""What real lists do to names and birth dates, at assumed rates: to measure how well keys link.

Applied to the persons of the example, once for each list that a person is on; the case files themselves are
without errors, so that they count to the published table.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .names import Names
from .organisations import ORGANISATIONS
from .people import Person

RATES: Mapping[str, float] = {
    "typo": 0.03,
    "transliteration": 0.10,  # of those whose names come from another script
    "order": 0.03,
    "alias": 0.05,
    "alias at the police": 0.08,
    "no birth date": 0.06,
    "day and month swapped": 0.01,
    "1 January": 0.12,  # of those from outside the European Union
    "year one off": 0.02,
    "other sex": 0.003,
    "twice on a list": 0.08,
}
"""Share of records with this error: ASSUMED, every one of them."""
OTHER_SCRIPT = frozenset({"BGR", "ERI", "CHN", "MAR", "VNM"})
EUROPEAN = frozenset({"NLD", "BEL", "DEU", "POL", "ROU", "HUN", "BGR", "SVK", "CZE"})
VARIANTS = (
    ("sh", "ch"), ("ts", "c"), ("zh", "j"), ("ya", "ia"), ("yu", "iu"), ("kh", "h"), ("ou", "u"), ("ph", "f"),
    ("th", "t"), ("ch", "tch"), ("v", "w"), ("y", "i"), ("k", "c"), ("i", "y"), ("a", "e"),
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What one record of a list says of who somebody is."""

    person: int
    family_name: str
    given_name: str
    birth_date: datetime.date | None
    sex: str


def written_lists(people: list[Person], seed: int, scale: float = 1.0) -> dict[str, list[Written]]:
    """The records of each list by organisation; `scale` multiplies every rate (0: no errors)."""
    rates = {name: rate * scale for name, rate in RATES.items()}
    return {
        organisation.key: list(_list(organisation.key, people, rates, seed)) for organisation in ORGANISATIONS
    }


def _list(key: str, people: list[Person], rates: Mapping[str, float], seed: int) -> Iterator[Written]:
    rng, names = random.Random(f"{seed}:{key}:errors"), Names(seed)  # noqa: S311 - reproducible, not secret
    alias = rates["alias at the police" if key == "police" else "alias"]
    for person in people:
        if key not in person.reporters:
            continue
        yield _record(person, {**rates, "alias": alias}, rng, names)
        if rng.random() < rates["twice on a list"]:
            yield _record(person, {**rates, "alias": alias}, rng, names)


def _record(person: Person, rates: Mapping[str, float], rng: random.Random, names: Names) -> Written:
    """One record, each error drawn by itself."""
    family, given = person.family_name, person.given_name
    if rng.random() < rates["alias"]:
        family, given = names.draw(person.citizenship, person.sex)
    if person.citizenship in OTHER_SCRIPT and rng.random() < rates["transliteration"]:
        family, given = _variant(family, rng), _variant(given, rng)
    if rng.random() < rates["typo"]:
        family, given = (_typo(family, rng), given) if rng.random() < 0.5 else (family, _typo(given, rng))
    if rng.random() < rates["order"]:
        family, given = given, family
    sex = person.sex
    if rng.random() < rates["other sex"] and sex in ("male", "female"):
        sex = "male" if sex == "female" else "female"
    return Written(person.number, family, given, _birth_date(person, rates, rng), sex)


def _birth_date(person: Person, rates: Mapping[str, float], rng: random.Random) -> datetime.date | None:
    born = person.birth_date
    if rng.random() < rates["no birth date"]:
        return None
    if person.citizenship not in EUROPEAN and rng.random() < rates["1 January"]:
        return born.replace(month=1, day=1)
    if born.day <= 12 and rng.random() < rates["day and month swapped"]:
        born = born.replace(month=born.day, day=born.month)
    if rng.random() < rates["year one off"]:
        born = born.replace(year=born.year + rng.choice((-1, 1)), day=min(born.day, 28))
    return born


def _variant(name: str, rng: random.Random) -> str:
    """The name as another desk brings it into Latin letters."""
    found = [(old, new) for old, new in VARIANTS if old in name.lower()]
    if not found:
        return name
    old, new = rng.choice(found)
    return name.lower().replace(old, new, 1).capitalize()


def _typo(name: str, rng: random.Random) -> str:
    """One letter left out, doubled, swapped with the next or replaced."""
    if len(name) < 3:
        return name
    at = rng.randrange(1, len(name) - 1)
    return rng.choice(
        (
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[:at] + name[at + 1] + name[at] + name[at + 2 :],
            name[:at] + rng.choice("aeinrst") + name[at + 1 :],
        )
    )
