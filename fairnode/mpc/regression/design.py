"""What a regression study registers: the family, and the public row of covariates of each pattern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairnode.errors import NotValid

LOGISTIC, POISSON = "logistic", "poisson"
MOST_PATTERNS, MOST_COLUMNS, LARGEST_VALUE = 256, 16, 16


@dataclass(frozen=True)
class Design:
    """`rows` (patterns, columns): whole numbers, the first column the intercept, all ones."""

    family: str
    rows: NDArray[np.object_]

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Design:
        """From a study's parameters `family` and `design`. Raises `NotValid` for what is no design."""
        family, told = parameters.get("family"), parameters.get("design")
        if family not in (LOGISTIC, POISSON):
            raise NotValid("The family of a regression is logistic or poisson.")
        if not isinstance(told, list) or not told or not all(isinstance(row, list) for row in told):
            raise NotValid("A design is a list of rows, one for each pattern of covariates.")
        if len({len(row) for row in told}) != 1 or not all(type(v) is int for row in told for v in row):
            raise NotValid("The rows of a design are whole numbers, as many in each.")
        rows = np.array(told, dtype=object)
        _check(rows)
        return cls(str(family), rows)

    @property
    def patterns(self) -> int:
        """Number of patterns of covariates."""
        return len(self.rows)

    @property
    def columns(self) -> int:
        """Number of coefficients."""
        return int(self.rows.shape[1])

    def groups(self) -> list[NDArray[np.bool_]]:
        """The cells of all two-way tables of covariates: which patterns belong to each; no cell twice."""
        levels = [
            [self.rows[:, j] == value for value in sorted(set(self.rows[:, j]))]
            for j in range(1, self.columns)
        ]
        found = [np.ones(self.patterns, bool), *(level for column in levels for level in column)]
        found += [a & b for left, right in combinations(levels, 2) for a in left for b in right]
        kept = {mask.tobytes(): np.asarray(mask, bool) for mask in found if mask.any()}
        return list(kept.values())

    def single_groups(self) -> list[NDArray[np.bool_]]:
        """The cells of one-way tables: all, and each level of each covariate."""
        columns = range(1, self.columns)
        found = [np.ones(self.patterns, bool)]
        found += [self.rows[:, j] == value for j in columns for value in sorted(set(self.rows[:, j]))]
        return [np.asarray(mask, bool) for mask in found]


def _check(rows: NDArray[np.object_]) -> None:
    patterns, columns = rows.shape
    if not 2 <= patterns <= MOST_PATTERNS or not 1 <= columns <= MOST_COLUMNS or patterns < columns:
        raise NotValid(
            f"A design has 2 to {MOST_PATTERNS} patterns, 1 to {MOST_COLUMNS} columns, and not more columns "
            "than patterns."
        )
    if any(value != 1 for value in rows[:, 0]) or abs(rows).max() > LARGEST_VALUE:
        raise NotValid(
            f"The first column of a design is all ones, and no number is over {LARGEST_VALUE}.",
            to_do="Code covariates as zeros and ones, or as small scores.",
        )
    if np.linalg.matrix_rank(rows.astype(float)) < columns:
        raise NotValid(
            "Columns of the design depend on each other, so their coefficients have no values.",
            to_do="Leave out one level of each covariate.",
        )
    if len({tuple(row) for row in rows}) < patterns:
        raise NotValid("Two patterns of the design are the same.")
