"""A partial function as the vantage6 documentation writes one; nothing here knows of fairnode."""

from __future__ import annotations

import os
from typing import Any

import pandas as pd
from vantage6.algorithm.tools.decorators import RunMetaData, data, metadata
from vantage6.algorithm.tools.util import info


@metadata
@data(1)
def partial_average(df: pd.DataFrame, told: RunMetaData, column_name: str) -> dict[str, Any]:
    """Sum and number of a column, and what the environment said."""
    info(f"database {os.environ['USER_REQUESTED_DATABASE_LABELS']} of {len(df)} rows")
    column = df[column_name]
    numbers = {"sum": float(column.sum()), "count": int(column.count()), "tasks": told.task_id}
    return {"numbers": numbers}
