"""The parts of a study that asks how many nobody sees, from what a researcher says of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fairnode import errors
from fairnode.linkage import program as linkage
from fairnode.linkage.keys import VARIABLES
from fairnode.studies.combination import ESTIMATE, OVERLAP

INDEPENDENT = "independent"


def read_model(text: str) -> list[list[int]]:
    """A model as a researcher writes it, lists counted from 1: `independent`, or `1-4, 4-5` for pairs that
    depend on each other (`1-2-3` for three). The answer counts from 0. Raises `NotValid`.
    """
    wanted = text.strip()
    if wanted == INDEPENDENT:
        return []
    terms = [term.strip() for term in wanted.split(",")]
    if not all(re.fullmatch(r"[1-6](-[1-6])+", term) for term in terms):
        raise errors.NotValid(
            f"'{wanted[:60]}' is no model.",
            to_do=f"Write '{INDEPENDENT}', or pairs of lists with commas between them, such as '1-4, 4-5'.",
        )
    return [[int(number) - 1 for number in term.split("-")] for term in terms]


def hidden_population(key: str, bound: int, models: Sequence[str]) -> dict[str, Any]:
    """Parameters, stages and openings of the study: keys, then the overlap, then the registered models.

    `bound` is the longest list that may take part, in persons. Raises `NotValid` for a model that is none.
    """
    estimate = {"models": [read_model(model) for model in models], "standardErrors": True}
    return {
        "dimensions": [],
        "filter": [],
        "parameters": {"key": key, "variables": list(VARIABLES)},
        "stages": [
            {"name": "keys", "kind": "visit", "program": linkage.NAME},
            {
                "name": "overlap",
                "kind": "combine",
                "program": OVERLAP,
                "inputs": ["keys"],
                "options": {"bound": bound},
            },
            {
                "name": "estimate",
                "kind": "estimate",
                "program": ESTIMATE,
                "inputs": ["overlap"],
                "options": estimate,
            },
        ],
        "openings": ["estimate"],
    }
