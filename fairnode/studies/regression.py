"""The regression that a study asks for over nodes: which codes are compared, and what a node deals for it.

Parameters of the study: `family`; `outcome`, a variable; `values`, what each of its codes counts as; `levels`, for
each covariate the codes that are compared, the first being the reference. Records with other codes are left out.
Each covariate has its own coefficients; there are no products of covariates, so that the counts that the
opening rule looks at are those that the fit is made of.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairnode import errors
from fairnode.mpc.programs.regression import MOST_EVENTS
from fairnode.mpc.regression.design import LOGISTIC, POISSON
from fairnode.records.result import TableSpec
from fairnode.studies.codes import check_named

NAME = "regression"
Term = tuple[str, str]
"""A covariate and its code; of the intercept both are empty."""
INTERCEPT: Term = ("", "")


@dataclass(frozen=True)
class Question:
    """`values`: code of the outcome -> number; `levels`: codes of each covariate, the reference first."""

    family: str
    outcome: str
    values: Mapping[str, int]
    levels: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, parameters: Mapping[str, Any], dimensions: Sequence[str]) -> Question:
        """From a study's parameters and dimensions. Raises `NotValid` with a finding for each fault."""
        findings = [*_faults(parameters, dimensions)]
        if findings:
            raise errors.NotValid("This regression cannot be made.", findings=tuple(findings))
        levels = {name: tuple(codes) for name, codes in parameters["levels"].items()}
        return cls(parameters["family"], parameters["outcome"], dict(parameters["values"]), levels)

    @property
    def terms(self) -> tuple[Term, ...]:
        """What each coefficient is of, in the order of the design's columns."""
        others = [(name, code) for name, codes in self._ordered for code in codes[1:]]
        return (INTERCEPT, *others)

    @property
    def _ordered(self) -> list[tuple[str, tuple[str, ...]]]:
        """Covariates by name: the order of keys in a document means nothing."""
        return sorted(self.levels.items())

    @property
    def patterns(self) -> list[tuple[str, ...]]:
        """The combinations of codes, one code of each covariate, in the order of the design's rows."""
        return list(itertools.product(*(codes for _, codes in self._ordered)))

    def design(self) -> list[list[int]]:
        """The rows of the design: 1, then for each code but the reference whether it is the pattern's."""
        levels = [codes for _, codes in self._ordered]
        return [
            [1, *(int(code == own) for own, codes in zip(pattern, levels, strict=True) for code in codes[1:])]
            for pattern in self.patterns
        ]

    def check_codes(self, spec: TableSpec) -> None:
        """Raise `NotValid` for codes that the table of the study has not, by ontology or by its filter."""
        check_named(spec, {self.outcome: tuple(self.values), **self.levels}, NAME)

    def columns(self, spec: TableSpec, counts: Sequence[int]) -> list[list[int]]:
        """From a node's counts by cell of `spec`: persons and events by pattern, for a Poisson fit also persons
        with an event.
        """
        place = {axis.variable: i for i, axis in enumerate(spec.dimensions)}
        order = {pattern: i for i, pattern in enumerate(self.patterns)}
        persons, events, affected = ([0] * len(order) for _ in range(3))
        for key, n in zip(spec.keys(), counts, strict=True):
            row = order.get(tuple(key[place[name]] for name, _ in self._ordered))
            value = self.values.get(key[place[self.outcome]])
            if row is not None and value is not None:
                persons[row] += n
                events[row] += value * n
                affected[row] += n if value else 0
        return [persons, events] if self.family == LOGISTIC else [persons, events, affected]


def _faults(parameters: Mapping[str, Any], dimensions: Sequence[str]) -> list[errors.Finding]:
    """What is wrong with the parameters, each of which has its form by the manifest's schema."""
    family, levels, values = parameters.get("family"), parameters.get("levels"), parameters.get("values")
    if family not in (LOGISTIC, POISSON) or not isinstance(levels, dict) or not isinstance(values, dict):
        return [errors.Finding("parameters", "need family, outcome, values and levels, each in its form")]
    found = []
    if {parameters.get("outcome"), *levels} != set(dimensions) or parameters.get("outcome") in levels:
        found.append(errors.Finding("dimensions", "are the outcome and the covariates that have levels"))
    found += [
        errors.Finding(
            f"parameters/levels/{name}", "needs two codes or more, each once: one alone is compared with none"
        )
        for name, codes in levels.items()
        if not isinstance(codes, list) or len(set(map(str, codes))) != len(codes) or len(codes) < 2
    ]
    most = 1 if family == LOGISTIC else MOST_EVENTS
    if not all(type(v) is int and 0 <= v <= most for v in values.values()):
        found.append(errors.Finding("parameters/values", f"are whole numbers from 0 to {most}"))
    elif len(set(values.values())) < 2:
        found.append(errors.Finding("parameters/values", "are all the same: the outcome has one category"))
    return found
