"""How well each match key links six lists with errors in names and dates, and what that does to the estimate.

`python -m benchmarks.linkage` prints the table that stands in docs/linkage.md.
"""

from __future__ import annotations

import datetime
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from examples.netherlands import ORGANISATIONS, SEED
from examples.netherlands.errors import Written, written_lists
from examples.netherlands.people import draw_people
from fairnode.linkage.keys import RULES, Identity, KeyRule
from fairnode.linkage.persons import Record, cluster, key_of_person
from fairnode.mpc.estimate.models import Model
from fairnode.mpc.estimate.plain import hidden_number
from fairnode.mpc.overlap.shape import patterns

MODELS = {"independent": [], "lists 1 and 6": [[0, 5]]}
LEAST_PRECISION = 0.995


@dataclass(frozen=True)
class Measured:
    """One key on all lists: links between lists and inside them against the truth, and the estimates."""

    precision: float
    recall: float
    inside_precision: float
    inside_recall: float
    dropped: float
    hidden: Mapping[str, float]


def measure(lists: Mapping[str, list[Written]], rule: KeyRule) -> Measured:
    """Link the lists by a key, and compare with who is who."""
    owners: list[dict[str, int]] = []
    inside = Counter[str]()
    records = 0
    for organisation in ORGANISATIONS:
        written = lists[organisation.key]
        records += len({w.person for w in written})
        owners.append(_linked(written, rule, inside))
    found = [(a[key], b[key]) for a, b in combinations(owners, 2) for key in a.keys() & b.keys()]
    true = sum(
        len({w.person for w in lists[a.key]} & {w.person for w in lists[b.key]})
        for a, b in combinations(ORGANISATIONS, 2)
    )
    right = sum(a == b for a, b in found)
    cells = _cells(owners)
    return Measured(
        precision=right / len(found),
        recall=right / true,
        inside_precision=inside["right"] / max(inside["found"], 1),
        inside_recall=inside["right"] / max(inside["true"], 1),
        dropped=1 - sum(map(len, owners)) / records,
        hidden={name: hidden_number(cells, Model.of(6, terms)) for name, terms in MODELS.items()},
    )


def _linked(written: list[Written], rule: KeyRule, inside: Counter[str]) -> dict[str, int]:
    """Key -> the person whom most of its records are about; counts pairs of records put together."""
    records = [Record("", Identity.of(w.family_name, w.given_name, w.birth_date, w.sex)) for w in written]
    inside["true"] += sum(n * (n - 1) // 2 for n in Counter(w.person for w in written).values())
    keys: dict[str, list[int]] = defaultdict(list)
    for members in cluster(records):
        about = Counter(written[i].person for i in members)
        inside["found"] += len(members) * (len(members) - 1) // 2
        inside["right"] += sum(n * (n - 1) // 2 for n in about.values())
        key = key_of_person([records[i].who for i in members], rule)
        if key:
            keys[key].append(about.most_common(1)[0][0])
    return {key: persons[0] for key, persons in keys.items() if len(persons) == 1}


def _cells(owners: list[dict[str, int]]) -> list[int]:
    """The overlap table that the keys give."""
    on: dict[str, list[int]] = defaultdict(list)
    for place, keys in enumerate(owners):
        for key in keys:
            on[key].append(place)
    counted = Counter(tuple(places) for places in on.values())
    return [counted.get(pattern, 0) for pattern in patterns(len(owners))]


def measured() -> tuple[Measured, dict[str, Measured]]:
    """Without errors by whole names, and with errors by each key."""
    people = draw_people(SEED)
    clean = measure(written_lists(people, SEED, 0.0), RULES["names"])
    lists = written_lists(people, SEED)
    return clean, {name: measure(lists, rule) for name, rule in RULES.items()}


def same_date(lists: Mapping[str, list[Written]]) -> float:
    """The share of true pairs between lists whose birth date is the same on both: no key with it finds more."""
    dates = [_dates(lists[organisation.key]) for organisation in ORGANISATIONS]
    pairs = [a[who] & b[who] for a, b in combinations(dates, 2) for who in a.keys() & b.keys()]
    return sum(map(bool, pairs)) / len(pairs)


def _dates(written: list[Written]) -> dict[int, set[datetime.date]]:
    found: dict[int, set[datetime.date]] = defaultdict(set)
    for record in written:
        found[record.person].update([record.birth_date] if record.birth_date else [])
    return found


def rows() -> list[dict[str, Any]]:
    """Rows {name, ours, peer, ratio, goal, unit, holds}: precision has a goal, the rest is for the record."""
    clean, by_key = measured()
    made = []
    for name, m in by_key.items():
        goal = LEAST_PRECISION
        made.append(_row(f"linkage.{name}.precision", m.precision, None, goal, "share", m.precision >= goal))
        made.append(_row(f"linkage.{name}.recall", m.recall, None, None, "share", None))
        ours, true = m.hidden["independent"], clean.hidden["independent"]
        made.append(_row(f"linkage.{name}.hidden", round(ours), round(true), None, "persons", None))
    return made


def _row(
    name: str, ours: float, peer: float | None, goal: float | None, unit: str, holds: bool | None
) -> dict[str, Any]:
    ratio = None if peer is None else ours / peer
    return {
        "name": name, "ours": ours, "peer": peer, "ratio": ratio, "goal": goal, "unit": unit, "holds": holds,
    }  # fmt: skip


def markdown() -> str:
    """The table for the documentation."""
    clean, by_key = measured()
    names = list(MODELS)
    lines = [
        f"| key | precision | recall | left out | {' | '.join(f'n0, {name}' for name in names)} |",
        "|---|---:|---:|---:|" + "---:|" * len(names),
        f"| no errors | 1.0000 | 1.000 | 0.0 % | {_figures(clean, clean)} |",
    ]
    lines += [
        f"| `{name}` | {m.precision:.4f} | {m.recall:.3f} | {100 * m.dropped:.1f} % | {_figures(m, clean)} |"
        for name, m in by_key.items()
    ]
    one = next(iter(by_key.values()))
    inside = (
        f"Inside the lists: {one.inside_precision:.4f} of the pairs put together are of one person, "
        f"{one.inside_recall:.3f} of the true pairs are found. "
        f"{same_date(written_lists(draw_people(SEED), SEED)):.3f} of the true pairs between lists have one date."
    )
    return "\n".join([*lines, "", inside])


def _figures(m: Measured, clean: Measured) -> str:
    return " | ".join(f"{m.hidden[n]:,.0f} (x {m.hidden[n] / clean.hidden[n]:.2f})" for n in MODELS)


if __name__ == "__main__":
    sys.stdout.write(markdown() + "\n")
