"""The mean or the quantile that a study asks for over nodes: what codes count as, and what a node deals for it.

Parameters of the study: `outcome`, a variable; `values`, the whole number that each of its codes counts as; for
`mean-variance` also `groups`, for each group variable the codes that are told apart; for `quantile` `order`, in
per cent. Records with other codes are left out. Neither program has inputs for persons who changed since an
earlier table, so that nothing may have been opened of these data before (P6).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairnode import errors
from fairnode.mpc.programs.mean_variance import MEAN_VARIANCE
from fairnode.mpc.programs.quantile import QUANTILE
from fairnode.records.result import TableSpec
from fairnode.studies.codes import check_named

MEAN, PART = MEAN_VARIANCE.name, QUANTILE.name
SUMMARIES = (MEAN, PART)
PERSONS, LARGEST = 1 << 20, 100_000
"""At one organisation, and the largest number that a code may count as."""
DOMINANCE = 10
"""Per cent: so close to the largest value the second largest person must not come (p % rule)."""
UNCOMPARED = (
    "refused where a combined table of these data was opened before: the program takes no changed persons"
)


@dataclass(frozen=True)
class Summary:
    """`values`: code of the outcome -> number; `groups`: codes of each group variable; `order`: 0 for a mean."""

    program: str
    outcome: str
    values: Mapping[str, int]
    groups: Mapping[str, tuple[str, ...]]
    order: int = 0

    @classmethod
    def of(cls, program: str, parameters: Mapping[str, Any], dimensions: Sequence[str]) -> Summary:
        """From a study's parameters and dimensions. Raises `NotValid` with a finding for each fault."""
        findings = tuple(_faults(program, parameters, dimensions))
        if findings:
            raise errors.NotValid(f"This {program} cannot be made.", findings=findings)
        groups = {name: tuple(codes) for name, codes in sorted(parameters.get("groups", {}).items())}
        order = int(parameters.get("order", 0))
        return cls(program, parameters["outcome"], dict(parameters["values"]), groups, order)

    @property
    def cells(self) -> list[tuple[str, ...]]:
        """The groups: one code of each group variable, by the variables' names; without any one of no code."""
        return list(itertools.product(*self.groups.values()))

    @property
    def grid(self) -> list[int]:
        """The numbers that codes count as, rising."""
        return sorted(set(self.values.values()))

    def shape(self) -> dict[str, Any]:
        """The program's parameters that are of the question."""
        if self.program == PART:
            return {"grid": self.grid, "order": self.order, "persons": PERSONS}
        return {
            "cells": len(self.cells),
            "codes": len(self.grid),
            "largest": max(self.grid),
            "persons": PERSONS,
            "dominance": DOMINANCE,
        }

    def check_codes(self, spec: TableSpec) -> None:
        """Raise `NotValid` for codes that the table of the study has not, by ontology or by its filter."""
        check_named(spec, {self.outcome: tuple(self.values), **self.groups}, self.program)

    def columns(self, spec: TableSpec, counts: Sequence[int]) -> list[list[int]]:
        """From a node's counts by cell of `spec`: what the program takes, by group or up to each number."""
        found = self._by_value(spec, counts)
        if self.program == PART:
            return [list(itertools.accumulate(row[0] for row in found))]
        return [*_moments(self.grid, found), *found]

    def _by_value(self, spec: TableSpec, counts: Sequence[int]) -> list[list[int]]:
        """For each number of the grid a row: how many count as it, by group."""
        place = {axis.variable: i for i, axis in enumerate(spec.dimensions)}
        column = {cell: i for i, cell in enumerate(self.cells)}
        row = {value: i for i, value in enumerate(self.grid)}
        found = [[0] * len(column) for _ in row]
        for key, n in zip(spec.keys(), counts, strict=True):
            group = column.get(tuple(key[place[name]] for name in self.groups))
            value = self.values.get(key[place[self.outcome]])
            if group is not None and value is not None:
                found[row[value]][group] += n
        return found


def _moments(grid: Sequence[int], found: Sequence[Sequence[int]]) -> list[list[int]]:
    """By group: persons, sum, sum of squares, and the two largest values (0 where there is none)."""
    groups = [list(zip(grid, numbers, strict=True)) for numbers in zip(*found, strict=True)]
    tops = [_largest(group) for group in groups]
    return [
        *([sum(n * value**power for value, n in group) for group in groups] for power in (0, 1, 2)),
        [top[0] for top in tops],
        [top[1] for top in tops],
    ]


def _largest(group: Sequence[tuple[int, int]]) -> list[int]:
    """The two largest values of a group, given as values (rising) with how many have them."""
    falling = [value for value, n in reversed(group) for _ in range(min(n, 2))]
    return [*falling, 0, 0][:2]


def _faults(
    program: str, parameters: Mapping[str, Any], dimensions: Sequence[str]
) -> Iterator[errors.Finding]:
    """What is wrong with the parameters, each of which has its form by the manifest's schema."""
    values, groups, order = parameters.get("values"), parameters.get("groups", {}), parameters.get("order")
    if not isinstance(values, dict) or not isinstance(groups, dict):
        yield errors.Finding("parameters", "need outcome and values, and groups in their form")
        return
    if {parameters.get("outcome"), *groups} != set(dimensions) or parameters.get("outcome") in groups:
        yield errors.Finding("dimensions", "are the outcome and the variables that have groups")
    if not all(type(v) is int and 0 <= v <= LARGEST for v in values.values()):
        yield errors.Finding("parameters/values", f"are whole numbers from 0 to {LARGEST}")
    elif len(set(values.values())) < 2:
        yield errors.Finding("parameters/values", "are all the same: there is nothing to summarise")
    for name, codes in groups.items():
        if not isinstance(codes, list) or not codes or len(set(map(str, codes))) != len(codes):
            yield errors.Finding(f"parameters/groups/{name}", "needs codes, each once")
    yield from _fault_of_program(program, groups, order)


def _fault_of_program(program: str, groups: Mapping[str, Any], order: object) -> Iterator[errors.Finding]:
    """What only one of the two programs takes."""
    if program == MEAN and order is not None:
        yield errors.Finding("parameters/order", "is of a quantile; a mean has none")
    if program == PART and not (type(order) is int and 1 <= order <= 99):
        yield errors.Finding("parameters/order", "is missing: the quantile in per cent, from 1 to 99")
    if program == PART and groups:
        yield errors.Finding("parameters/groups", "are of a mean; a quantile is over all")
