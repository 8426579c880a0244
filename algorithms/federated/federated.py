"""One round of federated training: the clipped, noisy mean gradient of a logistic model with one predictor."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence

from fairnode_kit import Input, Run, connect, main

Groups = dict[str, tuple[int, float]]
"""Code of the predictor -> records, and how many of them have a positive outcome."""


def federated(run: Run) -> dict[str, dict[tuple[str, ...], float]]:
    """The step for each weight; noise is drawn for codes without records too, so that nothing shows there."""
    (table,) = (table for table in run.tables if table.id == "step")
    codes, weights = table.dimensions[0].codes, run.parameters["weights"]
    if len(weights) != len(codes) + 1:
        raise SystemExit(f"{len(codes) + 1} weights are needed: the intercept and one for each code")
    groups = grouped(run.inputs["records"], table.dimensions[0].variable, run)
    clip = float(run.parameters.get("clip", 1))
    total = gradient(groups, codes, weights, clip)
    # under sharing each organisation's whole step is cut and hidden, by people who do not trust this program
    spread = 0.0 if run.parameters.get("combined") else float(run.parameters.get("noise", 10)) * clip
    noise = secrets.SystemRandom()
    # the true number of records would tell of one; in hundreds it rarely does
    size = max(100.0, round(sum(n for n, _ in groups.values()), -2))
    steps = [(0.0 - value - noise.gauss(0.0, spread)) / size for value in total]  # never minus zero
    return {
        "intercept": {("step",): steps[0]},
        "step": {(code,): step for code, step in zip(codes, steps[1:], strict=True)},
    }


def gradient(groups: Groups, codes: Sequence[str], weights: Sequence[float], clip: float) -> list[float]:
    """The sum of the records' gradients, each cut to the length `clip`: intercept first, then each code.

    A record has two entries, both (chance - outcome): at the intercept and at its code.
    """
    total = [0.0] * len(weights)
    for place, code in enumerate(codes, 1):
        n, positive = groups.get(code, (0, 0.0))
        chance = 1 / (1 + math.exp(-(weights[0] + weights[place])))
        for times, outcome in ((positive, 1), (n - positive, 0)):
            error = chance - outcome
            length = math.sqrt(2) * abs(error)
            error *= min(1.0, clip / length) if length else 0.0
            total[0] += times * error
            total[place] += times * error
    return total


def grouped(records: Input, predictor: str, run: Run) -> Groups:
    """Records by code of the predictor; where predictor or outcome is not recorded, a record is left out."""
    outcome, name = quoted(run.parameters["variables"][0]), quoted(predictor)
    with connect() as database:
        rows = database.execute(
            f"SELECT CAST({name} AS VARCHAR), count(*), "  # noqa: S608 - quoted
            f"count(*) FILTER (CAST({outcome} AS VARCHAR) IN (SELECT unnest(?))) FROM read_parquet(?) "
            f"WHERE {name} IS NOT NULL AND {outcome} IS NOT NULL GROUP BY ALL",
            [run.parameters["positive"], str(records.path)],
        ).fetchall()
    return {str(code): (int(n), float(positive)) for code, n, positive in rows}


def quoted(column: str) -> str:
    """A column's name for SQL."""
    return '"' + column.replace('"', '""') + '"'


if __name__ == "__main__":
    main(federated)
