"""The estimate as a visit: persons and the organisations that know them in, nine rounded numbers out."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from fairnode_kit import Input, Run, connect, main
from mse.analyse import analyse
from mse.checks import FEW_OVERLAPS, FEW_PERSONS
from mse.result import Estimate, rounded
from mse.settings import Settings
from mse.table import Table

VARIABLE = "reportingOrganisation"
METHODS = ("independence", "stepwise", "dga")
Cells = dict[tuple[str, ...], tuple[int, float]]


def estimates(run: Run) -> dict[str, Cells]:
    """The table `estimates`; every cell is 0 where the answer is "not estimable"."""
    table = overlaps(run.inputs["records"])
    if table is None or table.persons < FEW_PERSONS or sum(table.by_lists[1:]) < FEW_OVERLAPS:
        return {"estimates": {}}
    found = analyse(table, Settings(methods=METHODS, seed=int(run.parameters.get("seed", 1))))
    if len(found.estimates) < len(METHODS):
        return {"estimates": {}}
    return {
        "estimates": {key: cell for e in found.estimates for key, cell in cells(e, table.persons).items()}
    }


def cells(estimate: Estimate, persons: int) -> Cells:
    """Estimate and 95 % limits to two significant figures, with the persons seen to tens."""
    interval = estimate.intervals[0]
    numbers = {"estimate": estimate.estimate, "lower": interval.lower, "upper": interval.upper}
    return {(estimate.method, name): (persons // 10 * 10, rounded(v)) for name, v in numbers.items()}


def overlaps(records: Input) -> Table | None:
    """Persons by the set of organisations that know them; None when there are no three organisations.

    A person is a row, or the rows of one key where the records have a key.
    """
    known: dict[object, set[str]] = defaultdict(set)
    with connect() as database:
        view = database.read_parquet(str(records.path))
        columns = f'"{records.key}", "{VARIABLE}"' if records.key else f'"{VARIABLE}"'
        for number, row in enumerate(view.project(columns).fetchall()):
            known[row[0] if records.key else number] |= _codes(row[-1])
    patterns = Counter(frozenset(codes) for codes in known.values() if codes)
    lists = tuple(sorted(set().union(*patterns)))
    if len(lists) < 3:
        return None
    counts = np.zeros(2 ** len(lists), dtype=np.int64)
    for codes, persons in patterns.items():
        counts[sum(1 << lists.index(code) for code in codes)] += persons
    return Table(lists, counts)


def _codes(value: object) -> set[str]:
    """The organisations in a cell: one code, a list of them, or none."""
    values = value if isinstance(value, list) else [value]
    return {str(code) for code in values if code is not None}


if __name__ == "__main__":
    main(estimates)
