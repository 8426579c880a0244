"""What left before, as far as a new verdict depends on it (P6). Holds true counts: stays at the node."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import rfc8785

from fairnode.records.result import (
    Condition,
    Key,
    OutputContract,
    Recount,
    Status,
    TableSpec,
    TrueMargin,
    Verdict,
)


@dataclass(frozen=True)
class EarlierCell:
    """A cell of an earlier release: its true count then (and numerator), and whether it was shown."""

    key: Key
    n: int
    shown: bool
    numerator: int = 0


@dataclass(frozen=True)
class EarlierTable:
    """A table of an earlier release."""

    spec: TableSpec
    cells: tuple[EarlierCell, ...]
    margins: tuple[TrueMargin, ...] = ()


@dataclass(frozen=True)
class EarlierRelease:
    """A release of the same data lineage. `nodes` are the nodes it was over: one if it was local.

    Of a combined release the node knows no true counts: its `tables` have specifications, no cells.
    """

    id: str
    requester: str
    nodes: frozenset[str]
    day: date
    query: str
    filter: tuple[Condition, ...] = ()
    tables: tuple[EarlierTable, ...] = ()

    @property
    def local(self) -> bool:
        """Whether it was over this node alone."""
        return len(self.nodes) == 1


@dataclass(frozen=True)
class Difference:
    """How many persons are in one of two cells only: a cell of this recount and one of an earlier release."""

    table: str
    key: Key
    release: str
    earlier_table: str
    earlier_key: Key
    persons: int


@dataclass(frozen=True)
class Entered:
    """How many persons of a cell were nowhere in the data of an earlier release."""

    table: str
    key: Key
    release: str
    persons: int


@dataclass(frozen=True)
class UniverseDifference:
    """How many persons this study has that an earlier release had not, and the other way round."""

    release: str
    only_now: int
    only_then: int


Finer = Mapping[tuple[str, str], tuple[str, frozenset[str]]]
"""(variable, code) of a broader concept -> the variable and codes it consists of (SKOS narrower)."""


@dataclass(frozen=True)
class History:
    """All earlier releases of the lineage, by any requester, and how this recount differs from them."""

    releases: tuple[EarlierRelease, ...] = ()
    differences: tuple[Difference, ...] = ()
    entered: tuple[Entered, ...] = ()
    universes: tuple[UniverseDifference, ...] = ()
    finer: Finer = field(default_factory=dict)

    def release(self, release_id: str) -> EarlierRelease:
        """The release called `release_id`; `KeyError` if there is none."""
        return {release.id: release for release in self.releases}[release_id]


def query_of(contract: OutputContract, conditions: tuple[Condition, ...]) -> str:
    """The SHA-256 (hex) by which the same question is recognised when it is asked again."""
    tables: list[Any] = [
        [
            [table.kind, table.unit, table.measure or ""],
            _condition(table.numerator) if table.numerator else [],
            [[axis.variable, list(axis.codes)] for axis in table.dimensions],
        ]
        for table in contract.tables
    ]
    asked: dict[str, Any] = {"tables": tables, "filter": sorted(_condition(line) for line in conditions)}
    return hashlib.sha256(rfc8785.dumps(asked)).hexdigest()


def remember(
    recount: Recount, verdict: Verdict, *, release: str, requester: str, nodes: frozenset[str], day: date
) -> EarlierRelease:
    """What to keep of a local release for the verdicts after it."""
    shown = {
        (table.spec.id, cell.key): cell.status is Status.SHOWN
        for table in verdict.tables
        for cell in table.cells
    }
    tables = tuple(
        EarlierTable(
            table.spec,
            tuple(
                EarlierCell(cell.key, cell.n, shown[table.spec.id, cell.key], cell.numerator[0])
                for cell in table.cells
            ),
            table.margins,
        )
        for table in recount.tables
    )
    query = query_of(recount.contract, recount.filter)
    return EarlierRelease(release, requester, nodes, day, query, recount.filter, tables)


def narrows(conditions: tuple[Condition, ...], earlier: tuple[Condition, ...]) -> bool:
    """Whether everybody who meets `conditions` meets `earlier` too, as far as the filters alone say."""
    return all(
        any(mine.variable == theirs.variable and mine.codes <= theirs.codes for mine in conditions)
        for theirs in earlier
    )


def _condition(condition: Condition) -> list[Any]:
    return [condition.variable, sorted(condition.codes)]
