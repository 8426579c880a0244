"""How often what occurs: the public figures that the attributes are drawn from.

Each constant says whether it is PUBLISHED (read in the source named) or ASSUMED by us. Quotas count persons
and are met exactly; affinities only say which combinations are likelier, and are all ASSUMED.
"""

from __future__ import annotations

PERSONS = 8234

# PUBLISHED: 1,222 in 2011; "over 1,700" in 2012 (taken as 1,700); 1,561 in 2014; 1,321 in 2015 [Monitor
# 2011-2015]. What the 8,234 leave for 2010 and 2013 together, 2,430, is split by us (ASSUMED).
YEAR = {2010: 993, 2011: 1222, 2012: 1700, 2013: 1437, 2014: 1561, 2015: 1321}

# PUBLISHED: 66 % in the sex industry, 2011-2015. ASSUMED: how the rest divides.
FORM = {
    "sexual": 0.66, "labour": 0.18, "criminal": 0.045, "domestic": 0.02, "begging": 0.012,
    "marriage": 0.002, "organ": 0.001, "other": 0.01, "unknown": 0.07,
}  # fmt: skip

# PUBLISHED: 72 % female, 27 % male, 1 % unknown (of the 958 victims of 2017).
SEX = {"female": 0.72, "male": 0.27, "unknown": 0.01}

# PUBLISHED: 16 % minors in 2011-2014 and a quarter in 2015 -> 17.4 %; 45.9 % under 23 in 2013-2017.
AGE = {"minor": 0.174, "adolescent": 0.285, "adult": 0.541}
AGE_YOUNG = 39 / 218  # PUBLISHED: of the 218 minors of 2014, 39 were 14 or younger

# PUBLISHED: 33 % Dutch in 2015; "other frequent" Bulgarian, Romanian, Polish, Hungarian; further named:
# Nigeria, Guinea, Eritrea, Sierra Leone, Uganda, Vietnam. ASSUMED: every share but the first.
CITIZENSHIP = {
    "NLD": 0.33, "BGR": 0.10, "ROU": 0.10, "POL": 0.09, "HUN": 0.085, "NGA": 0.06, "GIN": 0.025,
    "SLE": 0.02, "ERI": 0.015, "UGA": 0.012, "VNM": 0.012, "CHN": 0.025, "SVK": 0.02, "CZE": 0.015,
    "TUR": 0.012, "MAR": 0.012, "SUR": 0.012, "IDN": 0.01, "BEL": 0.008, "DEU": 0.007, "unknown": 0.03,
}  # fmt: skip

# ASSUMED: proportional to the population of the ten police units; 1.3 % at the national unit.
REGION = {
    "NL-NN": 0.107, "NL-ON": 0.18, "NL-MN": 0.075, "NL-NH": 0.09, "NL-AM": 0.085, "NL-DH": 0.11,
    "NL-RT": 0.105, "NL-ZWB": 0.09, "NL-OB": 0.08, "NL-LB": 0.065, "NL-LE": 0.013,
}  # fmt: skip

# PUBLISHED (shape only): share of records with each means, CTDC records of North America; CTDC publishes
# merged groups, the split inside a group is ASSUMED to be even.
MEANS_GROUPS = (
    (("psychological-abuse", "physical-abuse", "sexual-abuse"), 0.296),
    (("threats", "uses-children", "threat-of-law-enforcement"), 0.244),
    (
        (
            "restricts-financial-access",
            "restricts-movement",
            "restricts-medical-care",
            "withholds-necessities",
        ),
        0.211,
    ),
    (("debt-bondage", "takes-earnings"), 0.159),
    (("psychoactive-substances",), 0.110),
    (("excessive-working-hours",), 0.062),
    (("false-promises",), 0.054),
    (("withholds-documents",), 0.046),
)

# PUBLISHED (shape only): relation to the recruiter in the same records; the rest is not known.
RECRUITER = {"partner": 0.078, "family": 0.077, "friend": 0.028, "other": 0.121, "unknown": 0.696}

# ASSUMED, all of what follows: > 1 makes a combination likelier, < 1 rarer; missing = 1.
FORM_OF_REPORTER = {
    "labour": {"sexual": 0.02, "labour": 12.0, "criminal": 0.2, "begging": 0.2},
    "kmar": {"sexual": 1.3, "criminal": 0.5, "labour": 0.8},
    "shelters": {"sexual": 1.2, "domestic": 2.0, "labour": 0.7},
    "coordinators": {"criminal": 1.4},
    "others": {"labour": 1.2, "domestic": 1.5},
}
SEX_OF_FORM = {
    "sexual": {"male": 0.22},
    "labour": {"male": 6.0},
    "criminal": {"male": 3.0},
    "domestic": {"male": 0.3},
}
AGE_OF_FORM = {
    "labour": {"minor": 0.25, "adolescent": 0.5},
    "domestic": {"adolescent": 0.7},
    "criminal": {"minor": 3.0},
    "begging": {"minor": 3.0},
}
AGE_OF_YEAR = {2015: {"minor": 1.8}}
CITIZENSHIP_OF_FORM = {
    "labour": {"NLD": 0.2, "HUN": 0.6, "NGA": 0.2, "POL": 2.5, "CHN": 2.5, "IDN": 4.0},
    "criminal": {"NLD": 1.5, "VNM": 4.0},
    "begging": {"ROU": 5.0, "BGR": 3.0},
    "domestic": {"IDN": 5.0, "MAR": 3.0},
}
CITIZENSHIP_OF_REPORTER = {"kmar": {"NLD": 0.1, "HUN": 2.5, "ROU": 1.8, "BGR": 1.8, "NGA": 1.5}}
