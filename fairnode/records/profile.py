"""A dataset's profile: what may be told of the distribution of each of its variables, after the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

NOT_RECORDED = "not-recorded"
"""Stands for the units without a value, as one more code of each variable."""

SIZE_BASE = 10
"""Published sizes are rounded to this (P8)."""


@dataclass(frozen=True)
class VariableProfile:
    """What is shown of one variable: rounded counts by code, and of units without a value (None: hidden).

    A code that is not in `shown` may or may not occur: nought is hidden like any small number.
    """

    variable: str
    shown: tuple[tuple[str, int], ...]
    missing: int | None = None


@dataclass(frozen=True)
class Profile:
    """What is shown of a dataset. `counted` is person or registration, `records` their number rounded to 10.

    `rules` is the hash of the disclosure rules, `day` when it was made (ISO 8601), `epsilon` the privacy loss
    of counts with noise, empty for counts without.
    """

    counted: str
    records: int
    day: str
    rules: str
    variables: tuple[VariableProfile, ...]
    epsilon: str = ""

    def variable(self, name: str) -> VariableProfile | None:
        """What is shown of that variable, if anything."""
        return next((told for told in self.variables if told.variable == name), None)

    def missing_share(self, told: VariableProfile) -> float | None:
        """The share of units without a value, in hundredths; from rounded numbers only."""
        if told.missing is None or not self.records:
            return None
        return round(min(1.0, told.missing / self.records), 2)


def round_size(count: int) -> int:
    """The nearest multiple of `SIZE_BASE`, halves up."""
    return (count + SIZE_BASE // 2) // SIZE_BASE * SIZE_BASE


def profile_to_json(profile: Profile) -> dict[str, Any]:
    """The profile as a JSON object, for job files and the store."""
    return asdict(profile)


def profile_from_json(told: Mapping[str, Any]) -> Profile:
    """The profile that `profile_to_json` wrote."""
    variables = tuple(
        VariableProfile(v["variable"], tuple((code, n) for code, n in v["shown"]), v["missing"])
        for v in told["variables"]
    )
    return Profile(**{**told, "variables": variables})
