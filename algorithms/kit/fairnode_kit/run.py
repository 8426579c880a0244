"""Reads /fairnode/run.json, which says what this visit is asked for."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

# Set outside a container only, to try an algorithm on files of one's own.
ROOT = Path(os.environ.get("FAIRNODE_ROOT", "/fairnode"))


@dataclass(frozen=True)
class Variable:
    """A column of the records: its name, its kind, and its codes where it is coded."""

    name: str
    kind: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Input:
    """A file of records (Parquet) and its columns."""

    name: str
    path: Path
    variables: tuple[Variable, ...]

    def has(self, variable: str) -> bool:
        """Whether the records have this column."""
        return any(v.name == variable for v in self.variables)

    @property
    def key(self) -> str | None:
        """The column that says which person a record is about, if there is one."""
        return next((v.name for v in self.variables if v.kind == "key"), None)


@dataclass(frozen=True)
class Dimension:
    """A side of a table: a variable and every code that has a row or column."""

    variable: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table that must be written, as the study's output contract says."""

    id: str
    kind: str
    unit: str
    input: str
    dimensions: tuple[Dimension, ...]
    terms: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """All that is asked in this visit."""

    study: str
    visit: str
    parameters: Mapping[str, Any]
    inputs: Mapping[str, Input]
    tables: tuple[Table, ...]


def read_run(root: Path = ROOT) -> Run:
    """What is asked, from run.json under `root`."""
    asked = json.loads((root / "run.json").read_text(encoding="utf-8"))
    inputs = (_input(root, told) for told in asked["inputs"])
    return Run(
        study=asked["study"],
        visit=asked["visit"],
        parameters=asked["parameters"],
        inputs={i.name: i for i in inputs},
        tables=tuple(_table(told) for told in asked["contract"]["tables"]),
    )


def connect() -> duckdb.DuckDBPyConnection:
    """DuckDB within the bounds of a visit: one thread, scratch in memory, nothing from outside or on a screen."""
    bounds = {"threads": 1, "autoinstall_known_extensions": False, "temp_directory": tempfile.gettempdir()}
    database = duckdb.connect(config=bounds)
    database.execute("SET enable_progress_bar = false")  # in a notebook DuckDB draws one by itself
    return database


def _input(root: Path, told: Mapping[str, Any]) -> Input:
    variables = (Variable(v["name"], v["kind"], tuple(v.get("codes", ()))) for v in told["variables"])
    path = root / Path(told["path"]).relative_to("/fairnode")
    return Input(told["name"], path, tuple(variables))


def _table(told: Mapping[str, Any]) -> Table:
    named = ("id", "kind", "unit", "input", "dimensions")
    return Table(
        id=told["id"],
        kind=told["kind"],
        unit=told.get("unit", "registration"),
        input=told["input"],
        dimensions=tuple(Dimension(d["variable"], tuple(d["codes"])) for d in told["dimensions"]),
        terms={key: value for key, value in told.items() if key not in named},
    )
