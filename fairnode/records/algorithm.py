"""An algorithm as its manifest describes it: what it is, needs, takes and puts out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class TableKind(StrEnum):
    """What a cell of an output table holds. All but the last the node recounts itself (class A)."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    PROPORTION = "proportion"
    SPREAD = "spread"
    PAIR = "pair"
    OTHER = "other"


class StageKind(StrEnum):
    """The stages of a study that an algorithm can serve."""

    VISIT = "visit"
    COMBINE = "combine"
    ESTIMATE = "estimate"


TABULATE = "tabulate"
"""The program of a node that counts a study's tables by itself, with no container."""


@dataclass(frozen=True)
class InputNeed:
    """A file of records: the variables it must and may have, by their names in the ontology.

    With `any_dimensions` the study's own dimensions come along, whichever they are.
    """

    name: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    any_dimensions: bool = False


@dataclass(frozen=True)
class Condition:
    """Records whose variable has one of these codes: the numerator of a proportion."""

    variable: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class OutputTable:
    """A table that the algorithm puts out.

    Its dimensions are `dimensions`, or, if `dimensions_parameter` is set, the list that the study gives for
    that parameter. `measure` is the variable of a sum, mean or spread (if `measure_parameter` is set, what the
    study gives for that parameter), `numerator` the condition of a proportion. With `merged`, the node puts
    neighbouring bands of the first dimension together until each cell is large enough.
    `unit` is "registration" or "person", or "" where the study decides. `own_codes` are the closed lists of
    dimensions that are the algorithm's own and no variables (class B).
    """

    id: str
    kind: TableKind
    input: str
    dimensions: tuple[str, ...] = ()
    dimensions_parameter: str = ""
    unit: str = ""
    measure: str = ""
    numerator: Condition | None = None
    own_codes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    measure_parameter: str = ""
    merged: bool = False


@dataclass(frozen=True)
class Resources:
    """What the algorithm asks for; the node's ceiling holds all the same."""

    memory_mib: int = 256
    cpus: float = 1.0
    seconds: int = 120
    pids: int = 64
    output_kib: int = 1024


@dataclass(frozen=True)
class Launcher:
    """How an algorithm of another platform is started, and where in its answer the numbers are.

    `protocol` is "vantage6-4", "vantage6-3" or "run-context", `method` the function that is called, `arguments`
    the study's parameters that it gets by name. `tables` gives for a table the place in the answer from which the
    codes of a cell lead on to its number; `absent` is the number where the answer has none (None: that is an
    error). It is started in `directory`, with the variables in `environment` added.
    """

    protocol: str
    method: str
    arguments: tuple[str, ...] = ()
    tables: tuple[tuple[str, tuple[str, ...]], ...] = ()
    directory: str = "/"
    environment: tuple[tuple[str, str], ...] = ()
    absent: float | None = None


@dataclass(frozen=True)
class Manifest:
    """The content of an `algorithm.toml`. `identity` is "" until the image is built.

    With `node_program` there is no image: a program of the node itself does the work. `tabulate` counts the
    tables of `outputs`; `linkage-keys` makes keys, and it alone may read what identifies a person.
    """

    name: str
    version: str
    title: str
    description: str
    licence: str
    authors: tuple[str, ...]
    source: str
    commit: str
    method: str
    identity: str
    entrypoint: tuple[str, ...]
    inputs: tuple[InputNeed, ...]
    parameters: Mapping[str, Any]
    outputs: tuple[OutputTable, ...]
    stages: tuple[StageKind, ...]
    programs: tuple[str, ...]
    resources: Resources
    node_program: str = ""
    launcher: Launcher | None = None
