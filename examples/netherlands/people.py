"""Draws the persons behind the published table, with attributes that meet the quotas exactly."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from . import marginals
from .names import Names
from .table import LISTS, published

Value = TypeVar("Value", str, int)


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


def draw_people(seed: int) -> list[Person]:
    """All 8,234 persons in a random order; the same ones for the same seed (and version of Faker)."""
    rng = random.Random(seed)  # noqa: S311 - synthetic data must be reproducible, not secret
    reporters = [
        tuple(LISTS[letter] for letter in pattern)
        for pattern, count in sorted(published().items())
        for _ in range(count)
    ]
    rng.shuffle(reporters)
    everyone = range(len(reporters))
    years = deal(rng, marginals.YEAR, len(reporters), lambda _, __: 1.0)
    forms = deal(rng, marginals.FORM, len(reporters), lambda i, form: _tied(
        (marginals.FORM_OF_REPORTER.get(reporter, {}) for reporter in reporters[i]), form))  # fmt: skip
    sexes = deal(rng, marginals.SEX, len(reporters), lambda i, sex: _tied(
        [marginals.SEX_OF_FORM.get(forms[i], {})], sex))  # fmt: skip
    ages = deal(rng, marginals.AGE, len(reporters), lambda i, age: _tied(
        [marginals.AGE_OF_FORM.get(forms[i], {}), marginals.AGE_OF_YEAR.get(years[i], {})], age))  # fmt: skip
    countries = deal(rng, marginals.CITIZENSHIP, len(reporters), lambda i, country: _tied(
        [marginals.CITIZENSHIP_OF_FORM.get(forms[i], {}),
         *(marginals.CITIZENSHIP_OF_REPORTER.get(reporter, {}) for reporter in reporters[i])], country))  # fmt: skip
    regions = deal(rng, marginals.REGION, len(reporters), lambda _, __: 1.0)
    recruiters = deal(rng, marginals.RECRUITER, len(reporters), lambda _, __: 1.0)
    names = Names(seed)
    people, taken = [], set[tuple[str, str, datetime.date]]()
    for i in everyone:
        identified = _day_of(rng, years[i])
        age = _age_in(rng, ages[i])
        while True:  # names and birth date together are the identity: nobody may share them
            identity = (*names.draw(countries[i], sexes[i]), _born(rng, identified, age))
            if identity not in taken:
                break
        taken.add(identity)
        people.append(Person(i, reporters[i], *identity, sexes[i], countries[i], forms[i], regions[i],
                             identified, age, _means(rng), recruiters[i]))  # fmt: skip
    return people


def deal(
    rng: random.Random,
    quota: Mapping[Value, float],
    persons: int,
    affinity: Callable[[int, Value], float],
) -> list[Value]:
    """One value a person, such that every value is given out exactly as often as its quota says.

    Persons draw one after the other from what is left, with chances proportional to what is left times
    `affinity(person, value)`. `quota` holds counts or shares; shares become counts by largest remainder.
    """
    left = _counts(quota, persons)
    values = list(left)
    dealt: list[Value | None] = [None] * persons
    for person in rng.sample(range(persons), persons):
        weights = [left[value] * affinity(person, value) for value in values]
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


def _tied(tables: Sequence[Mapping[str, float]] | object, value: str) -> float:
    """The product of what each table says about `value`."""
    product = 1.0
    for table in tables:  # type: ignore[attr-defined]
        product *= table.get(value, 1.0)
    return product


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
