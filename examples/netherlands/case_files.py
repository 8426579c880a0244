"""From persons to six case files, each as its own system would export it."""

from __future__ import annotations

import csv
import datetime
import random
from collections.abc import Mapping
from pathlib import Path

from .files import Cell, write_file
from .organisations import ORGANISATIONS, Column, Organisation
from .people import Person, draw_people
from .records import PLACEHOLDER, record, source

SEED = 2015

# Share of registrations with consent recorded as yes, as no, and not recorded: ASSUMED.
CONSENT = (("yes", 0.7), ("no", 0.2), ("", 0.1))


def expand(out: Path, seed: int = SEED) -> dict[str, int]:
    """Write `out/<organisation>/` with case file, `source.toml` and `record.ttl`, and `out/truth.csv`.

    Returns the number of registrations per organisation. The same seed gives the same content; existing
    files are replaced. `truth.csv` says which local keys belong to one person: it exists in no real network
    and is for tests only. `record.ttl` holds the base IRI `{base}` (see `record`).
    """
    people = draw_people(seed)
    truth: list[tuple[str, str, int]] = []
    rows = {}
    for organisation in ORGANISATIONS:
        folder = out / organisation.key
        folder.mkdir(parents=True, exist_ok=True)
        table, keys = _case_file(organisation, people, seed)
        write_file(folder / organisation.file, organisation, table)
        (folder / "source.toml").write_text(source(organisation), encoding="utf-8")
        (folder / "record.ttl").write_text(record(organisation, PLACEHOLDER), encoding="utf-8")
        truth += [(organisation.key, key, person) for key, person in keys]
        rows[organisation.key] = len(table)
    with (out / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("organisation", "key", "person"), *truth])
    return rows


def _case_file(
    organisation: Organisation, people: list[Person], seed: int
) -> tuple[list[list[Cell]], list[tuple[str, int]]]:
    """The rows of the file in order of registration, and which local key is which person."""
    rng = random.Random(f"{seed}:{organisation.key}")  # noqa: S311 - reproducible, not secret
    known = [person for person in people if organisation.key in person.reporters]
    known.sort(key=lambda person: (person.identified, person.number))
    numbers = rng.sample(range(10_000, 10_000 + 7 * len(known)), len(known))
    table, keys = [], []
    for person, number in zip(known, numbers, strict=True):
        key = f"{organisation.letter}{person.identified:%y}-{number}"
        consent = rng.choices([code for code, _ in CONSENT], [share for _, share in CONSENT])[0]
        facts = {**vars(person), **vars(person.journey), "key": key, "consent": consent}
        # what was added later is drawn apart, so that everything else stays as it was
        apart = random.Random(f"{seed}:{key}")  # noqa: S311 - reproducible, not secret
        table.append([_cell(c, facts, apart if c.apart else rng) for c in organisation.columns])
        keys.append((key, person.number))
    return table, keys


def _cell(column: Column, facts: Mapping[str, object], rng: random.Random) -> Cell:
    """What stands in this column for this person; None where the file has nothing."""
    value = facts[column.attribute]
    if value is None:
        return None
    if rng.random() < column.gap:
        return None
    if isinstance(value, tuple):
        return [_local(column, str(item), rng) for item in value]
    if isinstance(value, datetime.date):
        return value.strftime(column.text) if column.text else value
    if isinstance(value, int):
        return value
    return _local(column, str(value), rng) if column.coded else str(value)


def _local(column: Column, notation: str, rng: random.Random) -> str:
    """The local code for a notation; where there are several, any of them; where there is none, no code."""
    if not column.codes:
        return "" if notation == "unknown" else notation
    local = [code for code, stands_for in column.codes if stands_for == notation]
    return rng.choice(local) if local else ""
