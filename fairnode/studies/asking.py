"""The parts of a study that asks for something over nodes, from what a researcher says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairnode import errors
from fairnode.mpc.programs.noisy_sum import NOISY_SUM
from fairnode.studies.regression import NAME
from fairnode.studies.summary import PART

ALGORITHM = "combined-regression"
SUMMARY = "combined-summary"
SUM, NOISY = "sum", NOISY_SUM.name


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


def summary_over_nodes(
    program: str, outcome: str, values: Sequence[str], groups: Sequence[str], order: int
) -> dict[str, Any]:
    """The same of a mean or a quantile: `program` is that of the network which makes it.

    `values` as above, `groups` of a mean as `levels`; `order` of a quantile in per cent. What one of them has no
    use for is left out. Raises `NotValid` for a line that is neither.
    """
    told = {} if program == PART else dict(_codes(line) for line in groups if line.strip())
    dimensions = [outcome, *told]
    parameters: dict[str, Any] = {
        "outcome": outcome,
        "values": dict(_value(line) for line in values if line.strip()),
        "dimensions": dimensions,
    }
    parameters |= {"order": order} if program == PART else {"groups": told} if told else {}
    return {"dimensions": dimensions, "parameters": parameters, **combined(program)}


def combined(program: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Stages and openings: a visit, and `program` over all that it left; without a program the visit alone."""
    visit = {"name": "count", "kind": "visit"}
    if not program:
        return {"stages": [visit], "openings": []}
    stage = {"name": "combine", "kind": "combine", "program": program, "inputs": ["count"]}
    return {"stages": [visit, stage | ({"options": options} if options else {})], "openings": ["combine"]}


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
