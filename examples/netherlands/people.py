"""Draws the persons behind the published table, with attributes that meet the quotas exactly."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeVar

from . import marginals
from .journeys import Journey, draw_journey
from .names import Names
from .table import LISTS, published

Value = TypeVar("Value", str, int)
Key = TypeVar("Key", str, int)
Affinity = Mapping[str, float]


@dataclass(frozen=True)
class Person:
    """One victim, with the same identity and attributes on every list he or she is on."""

    number: int
    reporters: tuple[str, ...]
    family_name: str
    given_name: str
    birth_date: datetime.date
    sex: str
    citizenship: str
    form: str
    region: str
    identified: datetime.date
    age: int
    means: tuple[str, ...]
    recruiter: str
    journey: Journey


def draw_people(seed: int) -> list[Person]:
    """All 8,234 persons in a random order; the same ones for the same seed (and version of Faker)."""
    rng = random.Random(seed)  # noqa: S311 - synthetic data must be reproducible, not secret
    reporters = [
        tuple(LISTS[letter] for letter in pattern)
        for pattern, count in sorted(published().items())
        for _ in range(count)
    ]
    rng.shuffle(reporters)
    drawn = _draw_attributes(rng, reporters)
    names = Names(seed)
    taken: set[Identity] = set()
    return [_person(rng, names, (seed, i), reporters[i], traits, taken) for i, traits in enumerate(drawn)]


@dataclass(frozen=True)
class Traits:
    """What is drawn by quota."""

    year: int
    form: str
    sex: str
    age_group: str
    citizenship: str
    region: str
    recruiter: str


Identity = tuple[str, str, datetime.date]


def _draw_attributes(rng: random.Random, reporters: Sequence[tuple[str, ...]]) -> list[Traits]:
    """The attributes of all persons, each quota met exactly."""
    persons = len(reporters)
    years = deal(rng, marginals.YEAR, persons)
    forms = deal(rng, marginals.FORM, persons, lambda i: _at(marginals.FORM_OF_REPORTER, *reporters[i]))
    sexes = deal(rng, marginals.SEX, persons, lambda i: _at(marginals.SEX_OF_FORM, forms[i]))
    ages = deal(
        rng,
        marginals.AGE,
        persons,
        lambda i: _at(marginals.AGE_OF_FORM, forms[i]) + _at(marginals.AGE_OF_YEAR, years[i]),
    )
    countries = deal(
        rng,
        marginals.CITIZENSHIP,
        persons,
        lambda i: (
            _at(marginals.CITIZENSHIP_OF_FORM, forms[i])
            + _at(marginals.CITIZENSHIP_OF_REPORTER, *reporters[i])
        ),
    )
    regions = deal(rng, marginals.REGION, persons)
    recruiters = deal(rng, marginals.RECRUITER, persons)
    columns = (years, forms, sexes, ages, countries, regions, recruiters)
    return [Traits(*values) for values in zip(*columns, strict=True)]


def _person(
    rng: random.Random,
    names: Names,
    which: tuple[int, int],
    reporters: tuple[str, ...],
    traits: Traits,
    taken: set[Identity],
) -> Person:
    """The person with these traits; names and birth date together are an identity that nobody shares.

    `which` is the seed and the number of the person.
    """
    identified = _day_of(rng, traits.year)
    age = _age_in(rng, traits.age_group)
    while (identity := (*names.draw(traits.citizenship, traits.sex), _born(rng, identified, age))) in taken:
        pass
    taken.add(identity)
    seed, number = which
    journey = draw_journey(f"{seed}:{number}", traits.citizenship, traits.recruiter, identified)
    return Person(
        number, reporters, *identity, traits.sex, traits.citizenship, traits.form, traits.region,
        identified, age, _means(rng), traits.recruiter, journey,
    )  # fmt: skip


def deal(
    rng: random.Random,
    quota: Mapping[Value, float],
    persons: int,
    affinities: Callable[[int], list[Affinity]] = lambda _: [],
) -> list[Value]:
    """One value a person, such that every value is given out exactly as often as its quota says.

    Persons draw one after the other from what is left, with chances proportional to what is left times what
    each table of `affinities(person)` says about the value. `quota` holds counts or shares; shares become
    counts by largest remainder.
    """
    left = _counts(quota, persons)
    values = list(left)
    dealt: list[Value | None] = [None] * persons
    for person in rng.sample(range(persons), persons):
        tables = affinities(person)
        weights = [left[value] * prod(table.get(str(value), 1.0) for table in tables) for value in values]
        value = rng.choices(values, weights if any(weights) else list(left.values()))[0]
        left[value] -= 1
        dealt[person] = value
    return [value for value in dealt if value is not None]


def _counts(quota: Mapping[Value, float], persons: int) -> dict[Value, int]:
    """Shares or counts as counts that add up to `persons` (largest remainder)."""
    total = sum(quota.values())
    exact = {value: share * persons / total for value, share in quota.items()}
    counts = {value: int(share) for value, share in exact.items()}
    by_remainder = sorted(exact, key=lambda value: counts[value] - exact[value])
    for value in by_remainder[: persons - sum(counts.values())]:
        counts[value] += 1
    return counts


def _at(tables: Mapping[Key, Affinity], *keys: Key) -> list[Affinity]:
    """The tables that there are for these keys."""
    return [tables[key] for key in keys if key in tables]


def _day_of(rng: random.Random, year: int) -> datetime.date:
    """A day of that year."""
    first = datetime.date(year, 1, 1)
    return first + datetime.timedelta(days=rng.randrange((datetime.date(year + 1, 1, 1) - first).days))


def _age_in(rng: random.Random, group: str) -> int:
    """An age in whole years inside the group; within the group the spread is assumed."""
    if group == "minor":
        return rng.choice((10, 11, 12, 13, 13, 14, 14)) if rng.random() < marginals.AGE_YOUNG \
            else rng.choice((15, 16, 16, 17, 17))  # fmt: skip
    if group == "adolescent":
        return rng.randint(18, 22)
    return min(23 + int(rng.expovariate(1 / 9)), 67)


def _born(rng: random.Random, identified: datetime.date, age: int) -> datetime.date:
    """A birth date with which the person is `age` years old on the day of identification."""
    day = identified - datetime.timedelta(days=rng.randrange(1, 365))
    # 28 February stands in for the 29th, which most years do not have
    return day.replace(year=day.year - age, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _means(rng: random.Random) -> tuple[str, ...]:
    """The means of control that were recorded, in alphabetical order; often none."""
    return tuple(sorted(rng.choice(group) for group, share in marginals.MEANS_GROUPS if rng.random() < share))
