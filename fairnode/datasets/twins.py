"""What a dataset's synthetic twin is drawn from: its record, and nothing else.

A twin has the columns of everything that a study may ask for. Where the record has a profile of a variable
(counts that passed the gate and that a custodian published), its column follows that; all codes that are not
shown, whether they occur or not, share a small weight. Where it has none, the weights are invented. So
anybody who has the record can draw the very same twin, and it tells nothing that the record does not.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fairnode.datasets.description import Description
from fairnode.datasets.views import offered, schema
from fairnode.keys import canonical, digest
from fairnode.records.dataset import Column, View
from fairnode.records.profile import Profile, profile_to_json

MOST_ROWS = 100_000
INVENTED_ROWS = 5_000  # of a twin whose dataset published no size
YEARS = (2010, 2020)  # of dates in a dataset that states no period


@dataclass(frozen=True)
class Recipe:
    """All that a twin is made of. `basis` (hex) names it: another record may well have the same twin."""

    columns: tuple[Column, ...]
    profile: Profile | None
    rows: int
    years: tuple[int, int]
    basis: str

    def job(self) -> dict[str, Any]:
        """The job for `fairnode.jobs.twin`, but for where it writes to."""
        return {
            "columns": [asdict(column) for column in self.columns],
            "profile": profile_to_json(self.profile) if self.profile else None,
            "rows": self.rows,
            "years": list(self.years),
            "seed": int(self.basis[:12], 16),
        }


def recipe(description: Description) -> Recipe | None:
    """What the twin of a dataset is made of; None for one that has nothing to ask for."""
    dataset, profile = description.dataset, description.profile
    names = offered(dataset)
    if not names:
        return None
    columns = schema(dataset, View(names))
    rows = min(profile.records, MOST_ROWS) if profile and profile.records else INVENTED_ROWS
    years = dataset.years if dataset.years[0] else YEARS
    told = {
        "iri": dataset.iri,
        "columns": [asdict(column) for column in columns],
        "profile": profile_to_json(profile) if profile else {},
        "rows": rows,
        "years": list(years),
    }
    return Recipe(columns, profile, rows, years, digest(canonical(told)))
