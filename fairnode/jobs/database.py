"""Opens DuckDB for the child jobs: in memory, with no extension fetched and nothing printed."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

Setting = str | bool | int | float | list[str]


def open_database(threads: int, settings: Mapping[str, Setting] | None = None) -> duckdb.DuckDBPyConnection:
    """A database in memory with further `settings`, which nobody changes afterwards.

    DuckDB draws a progress bar by itself where it takes the process for one that a person sits at.
    """
    chosen: dict[str, Setting] = {"threads": threads, "autoinstall_known_extensions": False}
    database = duckdb.connect(config={**chosen, **(settings or {})})
    database.execute(
        "SET enable_progress_bar = false"
    )  # belongs to a connection, and is no setting of `config`
    database.execute("SET lock_configuration = true")
    return database
