"""Codes as their positions in the contract's lists, in SQL: numbers are grouped faster than texts."""

from __future__ import annotations

import hashlib

import duckdb

from fairnode.jobs.person_sets import quoted
from fairnode.records.result import Dimension


def column_of(axis: Dimension) -> str:
    """The name of the column that holds the positions of a dimension's codes."""
    codes = hashlib.sha256("\0".join(axis.codes).encode()).hexdigest()[:16]
    return quoted(f"{axis.variable}#{codes}")


def position(axis: Dimension, value: str) -> str:
    """SQL for the position (from 1) of `value` in a dimension's list of codes; null if it is not in it."""
    codes = ", ".join("'" + code.replace("'", "''") + "'" for code in axis.codes)
    return f"list_position([{codes}]::VARCHAR[], CAST({value} AS VARCHAR))"


def list_columns(database: duckdb.DuckDBPyConnection, name: str) -> set[str]:
    """The columns of a view that hold lists of codes."""
    described = database.execute(f"DESCRIBE {quoted(name)}").fetchall()
    return {row[0] for row in described if str(row[1]).endswith("[]")}
