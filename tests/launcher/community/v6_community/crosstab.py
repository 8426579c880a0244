"""A table of two columns; reads its setting from the folder that its Dockerfile names in WORKDIR."""

from pathlib import Path

import pandas as pd
from vantage6.algorithm.tools.decorators import data


@data(1)
def partial_crosstab(df: pd.DataFrame, results_col: str, group_cols: list) -> list:
    """A record per group, with a column per value; small numbers are left out."""
    threshold = int(Path("settings.txt").read_text().partition("=")[2])
    table = pd.crosstab([df[name] for name in group_cols], df[results_col])
    table = table.where(table >= threshold).reset_index()
    return table.to_json(orient="records")
