"""A dataset as its node knows it: bindings of columns to variables, the private source, the views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Unit = Literal["registration", "case", "victim"]
"""What one row of a dataset is."""

ViewUnit = Literal["registration", "person"]
"""What one row of a view is."""

SourceKind = Literal["csv", "parquet", "xlsx", "jsonl", "sqlite", "postgresql"]


@dataclass(frozen=True)
class Binding:
    """One column of a dataset carries one variable of the ontology.

    `codes` are pairs of local code and notation; where there are none, the column holds notations already.
    Words in `missing` (and the empty cell) mean "not recorded". `format` is how a date is written
    (strptime; ISO 8601 where empty), `separator` what stands between several codes in one cell. `derive` says
    that the variable is computed: the year or month of a date, an age group of an age in years or of a birth
    date. With `strict`, a local code without a concept is an error; without it, it counts as not recorded.
    """

    column: str
    variable: str
    codes: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    format: str = ""
    separator: str = ""
    derive: str = ""
    strict: bool = False


@dataclass(frozen=True)
class Dataset:
    """What the record of a dataset says that a view needs; `reporting` is the notation of who reports.

    `years` are the first and last year of `dct:temporal`, 0 where it is not stated.
    """

    iri: str
    title: str
    unit: Unit
    bindings: tuple[Binding, ...]
    regime: str = ""
    synthetic: bool = False
    reporting: str = ""
    years: tuple[int, int] = (0, 0)

    @property
    def knows_persons(self) -> bool:
        """Whether rows can be put together, or taken, as persons."""
        return self.unit == "victim" or self.binding("personKey") is not None

    def binding(self, variable: str) -> Binding | None:
        """The binding of that variable, if there is one."""
        return next((binding for binding in self.bindings if binding.variable == variable), None)


@dataclass(frozen=True)
class Source:
    """Where the rows are. Private to the node: it never stands in the record, in a message or in an error."""

    kind: SourceKind
    path: str = ""
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    sheet: str = ""
    table: str = ""
    dsn: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a harmonised view: name and kind of its variable, and the values that may occur, if closed.

    `codes` are notations or, for years and months, numbers as text. With `multiple` a cell holds a list.
    """

    name: str
    kind: str
    codes: tuple[str, ...] = ()
    multiple: bool = False


@dataclass(frozen=True)
class View:
    """What a visit may read: these variables of the rows that pass filter and consent rule.

    One row is one `unit`. `filter` holds pairs of variable and admitted codes, which may be
    groups of a code list.
    """

    variables: tuple[str, ...]
    filter: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unit: ViewUnit = "registration"
    consent_required: bool = False


def to_json(record: Dataset | Source | View) -> dict[str, Any]:
    """The record as a JSON object, for job files and the store."""
    return asdict(record)


def dataset_from(told: Mapping[str, Any]) -> Dataset:
    """The dataset that `to_json` wrote."""
    bindings = tuple(
        Binding(**{**row, "codes": _pairs(row["codes"]), "missing": tuple(row["missing"])})
        for row in told["bindings"]
    )
    return Dataset(**{**told, "bindings": bindings, "years": tuple(told["years"])})


def source_from(told: Mapping[str, Any]) -> Source:
    """The source that `to_json` wrote."""
    return Source(**told)


def view_from(told: Mapping[str, Any]) -> View:
    """The view that `to_json` wrote."""
    admitted = tuple((name, tuple(codes)) for name, codes in told["filter"])
    return View(**{**told, "variables": tuple(told["variables"]), "filter": admitted})


def _pairs(rows: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((local, notation) for local, notation in rows)
