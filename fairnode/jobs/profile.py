"""Child job: looks at the columns of a source and proposes bindings (`fairnode dataset describe`).

In: `{"source", "iri", "title"}`. Out: `{"rows", "columns", "bindings", "questions", "years", "turtle"}`: profiles
of the columns (node-only: short code lists stand in it as they are), the proposal, the first and last year as
far as they were seen, and a draft of the record.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fairnode.datasets.describe import FORMATS, Profile, draft_record, propose
from fairnode.datasets.expressions import LIST_MARK
from fairnode.datasets.reading import open_rows
from fairnode.jobs.process import main
from fairnode.records.dataset import Binding, source_from

FEW = 60  # distinct values at most that are taken for a list of codes
KEPT = 5_000  # distinct values counted at most; beyond that a column is no list of anything
SEPARATORS = ("|", ";", ",", "+")


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Read the source once. Raises what `open_rows` raises."""
    rows = 0
    with open_rows(source_from(job["source"])) as (table, batches):
        counts: list[Counter[str]] = [Counter() for _ in table.columns]
        recorded = [0] * len(table.columns)
        for batch in batches:
            rows += len(batch)
            for place, column in enumerate(zip(*batch, strict=True)):
                values = [value for value in column if value is not None]
                recorded[place] += len(values)
                if len(counts[place]) < KEPT:
                    counts[place].update(values)
    profiles = [
        profile(name, rows, known, count)
        for name, known, count in zip(table.columns, recorded, counts, strict=True)
    ]
    proposal = propose(profiles)
    return {
        "rows": rows,
        "columns": [asdict(look) for look in profiles],
        "bindings": [asdict(binding) for binding in proposal.bindings],
        "questions": list(proposal.questions),
        "years": years(proposal.bindings, dict(zip(table.columns, counts, strict=True))),
        "turtle": draft_record(job["iri"], job["title"], proposal),
    }


def years(bindings: Sequence[Binding], counts: Mapping[str, Counter[str]]) -> tuple[str, str]:
    """First and last year of identification among the values that were kept; empty where there is none."""
    binding = next((b for b in bindings if b.variable == "identificationDate"), None) or next(
        (b for b in bindings if b.variable == "year"), None
    )
    if binding is None:
        return ("", "")
    form = binding.format or ("%Y" if binding.variable == "year" and not binding.derive else FORMATS[0])
    found = []
    for value in counts[binding.column]:
        try:
            found.append(datetime.datetime.strptime(value, form).year)  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
    return (str(min(found)), str(max(found))) if found else ("", "")


def profile(name: str, rows: int, recorded: int, values: Counter[str]) -> Profile:
    """What the values of a column look like."""
    separator = _separator(values)
    written = () if separator else _date_formats(values)
    kind = "empty" if not values else "date" if written else "integer" if _all_integers(values) else "text"
    items = set(values)
    if separator:
        parts = re.compile("|".join(map(re.escape, (separator, LIST_MARK))))
        items = {item.strip() for value in values for item in parts.split(value)} - {""}
    few = kind in ("text", "integer") and len(items) <= FEW and len(items) < max(recorded, 2)
    return Profile(
        name=name,
        kind=kind,
        rows=rows,
        recorded=recorded,
        distinct=len(items),
        values=tuple(sorted(items)) if few else (),
        formats=written,
        separator="" if separator == LIST_MARK else separator,
    )


def _separator(values: Counter[str]) -> str:
    """What divides cells into a few recurring codes, if anything does."""
    for separator in (LIST_MARK, *SEPARATORS):
        divided = [value for value in values if separator in value]
        items = {item.strip() for value in values for item in value.split(separator)}
        if divided and len(items) <= min(FEW, len(values)):
            return separator
    return ""


def _date_formats(values: Iterable[str]) -> tuple[str, ...]:
    """The formats in which all values are dates of the last two centuries."""
    kept = list(values)
    return tuple(form for form in FORMATS if kept and all(_is_date(value, form) for value in kept))


def _is_date(value: str, form: str) -> bool:
    try:
        parsed = datetime.datetime.strptime(value, form)  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        return False
    return 1850 <= parsed.year <= 2100 and len(value) >= 8


def _all_integers(values: Iterable[str]) -> bool:
    return all(re.fullmatch(r"[+-]?\d{1,9}", value) for value in values)


if __name__ == "__main__":
    main(run)
