"""Numbers about columns; how many rows there must be is set in the environment, as by a node's configuration."""

import os

import pandas as pd
from vantage6.algorithm.tools.decorators import data
from vantage6.algorithm.tools.util import info

LEAST = "SUMMARY_MINIMUM_NUM_ROWS"


@data(1)
def partial_summary(df: pd.DataFrame, columns: list, is_numeric: list) -> dict:
    """Per numeric column count, missing, sum and squares; per other column a count of each value."""
    least = int(os.environ.get(LEAST, "3"))
    info(f"at least {least} rows")
    if len(df) < least:
        raise ValueError(f"fewer than {least} rows")
    numeric = {
        name: {
            "count": int(df[name].count()),
            "missing": int(df[name].isna().sum()),
            "sum": float(df[name].sum()),
            "squares": float((df[name] ** 2).sum()),
        }
        for name, wanted in zip(columns, is_numeric, strict=True)
        if wanted
    }
    others = {
        name: df[name].value_counts().to_dict()
        for name, wanted in zip(columns, is_numeric, strict=True)
        if not wanted
    }
    return {"numeric": numeric, "categorical": others, "num_complete_rows_per_node": len(df.dropna())}
