"""Variables that the node makes from others: regions of countries, spans between events, repetitions.

Their code lists are canonical (P7): bands that a container or a study chose could be laid so that two
tables differ by one person. Life tables count `timeTo...` by `referred`, `decided` or `returned`; what had
not happened by the end of the record's period is censored there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from fairnode import vocabulary
from fairnode.datasets.sql import literal, quoted
from fairnode.records.dataset import Dataset

REGIONS = {f"{of}Region": of for of in ("citizenship",)} | {
    f"{of}Region": f"{of}Country" for of in ("recruitment", "transit", "exploitation")
}
"""Region of the world -> the variable with the country."""

SPANS = {
    **dict.fromkeys(("daysToReferral", "timeToReferral", "referred"), "outgoingReferralDate"),
    **dict.fromkeys(("daysToDecision", "timeToDecision", "decided"), "statusDecisionDate"),
}
"""What happens after identification -> the variable with its date."""

RETURN = "__next"
REPEATED = frozenset(("registrationCount", "daysToReturn", "timeToReturn", "returned"))
"""What is known only when the registrations of a person stand side by side."""


def parents(dataset: Dataset, name: str) -> tuple[str, ...]:
    """The variables that `name` is made from; none where it is not made here, or the dataset lacks one."""
    if name in REGIONS:
        needed: tuple[str, ...] = (REGIONS[name],)
    elif name in SPANS:
        needed = ("identificationDate", SPANS[name])
    elif name in REPEATED:
        needed = ("personKey", "identificationDate")
    else:
        return ()
    ends = name in REGIONS or name == "registrationCount" or dataset.years[1]
    return needed if ends and all(dataset.binding(parent) for parent in needed) else ()


def expression(dataset: Dataset, name: str) -> str:
    """SQL for a region, or for a span from identification to what follows it."""
    if name in REGIONS:
        return _region(name)
    return _span(dataset, name, quoted(SPANS[name]))


def repetitions(dataset: Dataset, names: set[str]) -> Mapping[str, str]:
    """SQL for each of `names` that is about repeated registrations, over rows that have `RETURN` beside them.

    `next_registration` gives that column, and the number of registrations.
    """
    found = {name: _span(dataset, name, quoted(RETURN)) for name in names & REPEATED - {"registrationCount"}}
    if "registrationCount" in names:
        found["registrationCount"] = "CASE WHEN __times >= 5 THEN '5+' ELSE CAST(__times AS VARCHAR) END"
    person = quoted("personKey")
    return {name: f"CASE WHEN {person} IS NOT NULL THEN {sql} END" for name, sql in sorted(found.items())}


def next_registration() -> str:
    """SQL for two columns: the date of the person's next registration, and how many there are in all."""
    person, day = quoted("personKey"), quoted("identificationDate")
    return (
        f"lead({day}) OVER (PARTITION BY {person} ORDER BY {day} NULLS LAST, __row) AS {RETURN}, "
        f"count(*) OVER (PARTITION BY {person}) AS __times"
    )


def band_of_days(days: str) -> str:
    """SQL for the canonical band (`timeBand`) of a number of days."""
    cases = []
    for notation in vocabulary.variable("timeToDecision").notations:
        edges = re.fullmatch(r"(\d+)(?:-(\d+)|\+)", notation)
        assert edges is not None, "every band of time is a range"
        upper = f" AND {edges[2]}" if edges[2] else ""
        test = f"BETWEEN {edges[1]}{upper}" if upper else f">= {edges[1]}"
        cases.append(f"WHEN {days} {test} THEN {literal(notation)}")
    return f"CASE {' '.join(cases)} END"


def _region(name: str) -> str:
    """The region of a country, or of each country of a list, once."""
    country = REGIONS[name]
    pairs = vocabulary.coarser(country, name)
    if not vocabulary.variable(country).multiple:
        return _looked_up(quoted(country), pairs)
    regions = f"list_transform({quoted(country)}, lambda x: {_looked_up('x', pairs)})"
    return f"list_sort(list_distinct({regions}))"


def _looked_up(text: str, pairs: Mapping[str, str]) -> str:
    cases = " ".join(f"WHEN {literal(fine)} THEN {literal(coarse)}" for fine, coarse in pairs.items())
    return f"CASE {text} {cases} END"


def _span(dataset: Dataset, name: str, event: str) -> str:
    """Days, band or fate of the time from identification to `event`; nothing where the order is impossible."""
    start, end = quoted("identificationDate"), f"DATE '{dataset.years[1]:04}-12-31'"
    impossible = f"{start} IS NULL OR {start} > {end} OR {event} < {start}"
    days = f"date_diff('day', {start}, CASE WHEN {event} <= {end} THEN {event} ELSE {end} END)"
    if name.startswith("days"):
        return f"CASE WHEN NOT ({impossible}) AND {event} <= {end} THEN {days} END"
    if name.startswith("time"):
        return f"CASE WHEN NOT coalesce({impossible}, false) THEN {band_of_days(days)} END"
    seen = f"CASE WHEN {event} <= {end} THEN 'happened' ELSE 'not-yet' END"
    return f"CASE WHEN NOT coalesce({impossible}, false) THEN {seen} END"
