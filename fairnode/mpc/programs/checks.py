"""What the programs have in common when they look at their parameters and at a contributor's numbers."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

from fairnode.errors import Finding, NotValid
from fairnode.mpc.openings import rule
from fairnode.mpc.programs.contract import Columns, Parameters

ENGINES = ("mpyc",)
COMMON: Mapping[str, Container[object]] = {
    "k": range(3, 1001),
    "lists": (rule.DISJOINT, rule.OVERLAPPING),
    "engine": ENGINES,
}
"""Values that the parameters every program has may take."""


def check_parameters(program: str, parameters: Parameters, ranges: Mapping[str, Container[object]]) -> None:
    """Raise NotValid with one finding for each parameter that is missing, unknown or out of range."""
    wanted = {**COMMON, **ranges}
    findings = [
        Finding(name, "is missing or not a value that this program takes")
        for name, values in wanted.items()
        if isinstance(parameters.get(name), bool) or parameters.get(name) not in values
    ]
    unknown = sorted(set(parameters) - set(wanted))
    findings += [Finding(name, "is not a parameter of this program") for name in unknown]
    if findings:
        raise NotValid(f"The parameters of `{program}` are not complete.", findings=tuple(findings))


def check_columns(columns: Columns, lists: int, cells: int, largest: Callable[[int], int]) -> None:
    """Raise NotValid unless there are `lists` lists of `cells` numbers, those of list i in 0..largest(i)."""
    if len(columns) != lists or any(len(column) != cells for column in columns):
        raise NotValid(f"This study asks for {lists} lists of {cells} numbers from each contributor.")
    for i, column in enumerate(columns):
        if any(not 0 <= int(value) <= largest(i) for value in column):
            raise NotValid(f"List {i + 1} has a number that is negative or over {largest(i)}.")


def bound(parameters: Parameters) -> int:
    """K of the opening rule."""
    return rule.bound(int(parameters["k"]), str(parameters["lists"]))
