"""The parts of a study that asks for a regression over nodes, from what a researcher says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairnode import errors
from fairnode.studies.regression import NAME

ALGORITHM = "combined-regression"


def regression_over_nodes(
    family: str, outcome: str, values: Sequence[str], levels: Sequence[str]
) -> dict[str, Any]:
    """Parameters, dimensions, stages and openings of the study.

    `values`: lines `code = number` of the outcome; `levels`: lines `variable = code, code`, the reference first.
    Raises `NotValid` for a line that is neither.
    """
    numbers = dict(_value(line) for line in values if line.strip())
    compared = dict(_codes(line) for line in levels if line.strip())
    dimensions = [outcome, *compared]
    return {
        "dimensions": dimensions,
        "parameters": {
            "family": family,
            "outcome": outcome,
            "values": numbers,
            "levels": compared,
            "dimensions": dimensions,
        },
        "stages": [
            {"name": "count", "kind": "visit"},
            {"name": "fit", "kind": "combine", "program": NAME, "inputs": ["count"]},
        ],
        "openings": ["fit"],
    }


def _value(line: str) -> tuple[str, int]:
    code, _, number = line.rpartition("=")
    if not code.strip() or not number.strip().isdecimal():
        raise errors.NotValid(
            f"'{line[:60]}' does not say what a code counts as.",
            to_do="Write 'code = number' for each code of the outcome, such as 'sexual = 1' and 'labour = 0'.",
        )
    return code.strip(), int(number)


def _codes(line: str) -> tuple[str, list[str]]:
    variable, _, codes = line.partition("=")
    if not variable.strip() or not codes.strip():
        raise errors.NotValid(
            f"'{line[:60]}' does not say which codes are compared.",
            to_do="Write 'variable = code, code' for each covariate, the one to compare with first.",
        )
    return variable.strip(), [code.strip() for code in codes.split(",") if code.strip()]
