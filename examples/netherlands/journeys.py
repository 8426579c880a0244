"""How a person was recruited and brought, and what followed upon identification; all of it ASSUMED.

Drawn apart from everything else, so that what was there before stays as it was. The chance and the mean time
of a referral (0.35, 14 days) and all other figures here are assumptions: no public marginals were found.
"""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass

LAST = datetime.date(2015, 12, 31)
REFERRED, REFERRAL_DAYS = 0.35, 14.0
DECIDED, DECISION_DAYS = 0.80, 120.0
RECRUITED_AT_HOME = 0.85
AFRICA = ("NGA", "GIN", "SLE", "ERI", "UGA", "MAR")
THROUGH = {
    **dict.fromkeys(AFRICA, (("ITA", 0.35), ("ESP", 0.15), ("FRA", 0.20), ("BEL", 0.10))),
    **dict.fromkeys(("BGR", "ROU", "HUN", "SVK"), (("AUT", 0.25), ("DEU", 0.45))),
    **dict.fromkeys(("POL", "CZE"), (("DEU", 0.50),)),
    **dict.fromkeys(("VNM", "CHN", "IDN"), (("RUS", 0.30), ("POL", 0.20), ("FRA", 0.15))),
}
METHODS = {
    "partner": (("ThroughFriendsOrSocialEvents", 0.5), ("ThroughOnlineSocialNetworks", 0.4)),
    "family": (("ThroughFamilyOrFamilyEvents", 0.9),),
    "friend": (("ThroughFriendsOrSocialEvents", 0.8), ("ThroughOnlineSocialNetworks", 0.3)),
    "other": (("AtWork", 0.3), ("ThroughAnOnlineAdvertisement", 0.4), ("AtAPlaceOfBusiness", 0.2)),
    "unknown": (("ThroughOnlineSocialNetworks", 0.2), ("ThroughFriendsOrSocialEvents", 0.2), ("AtWork", 0.1)),
}


@dataclass(frozen=True)
class Journey:
    """Country and ways of recruitment, countries of transit, dates of referral and of the decision on status."""

    recruited_in: str
    through: tuple[str, ...]
    methods: tuple[str, ...]
    referred: datetime.date | None
    decided: datetime.date | None


def draw_journey(seed: str, citizenship: str, recruiter: str, identified: datetime.date) -> Journey:
    """The journey of one person; the same one for the same seed."""
    rng = random.Random(f"journey:{seed}")  # noqa: S311 - synthetic data must be reproducible, not secret
    home = rng.random() < RECRUITED_AT_HOME
    country = citizenship if home else "NLD"
    through = [place for place, share in THROUGH.get(country, ()) if rng.random() < share]
    methods = [method for method, share in METHODS[recruiter] if rng.random() < share]
    return Journey(
        country,
        tuple(sorted(through)),
        tuple(sorted(methods)),
        _after(rng, identified, REFERRED, REFERRAL_DAYS),
        _after(rng, identified, DECIDED, DECISION_DAYS),
    )


def _after(
    rng: random.Random, identified: datetime.date, chance: float, mean_days: float
) -> datetime.date | None:
    """A day after identification, None where it never comes or was not seen by the end of the period."""
    happens, days = rng.random() < chance, int(rng.expovariate(1 / mean_days))
    day = identified + datetime.timedelta(days=days)
    return day if happens and day <= LAST else None
