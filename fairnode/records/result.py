"""What a visit may put out, what it put out, what the node counted itself, and what may be shown.

The container writes a `Result`; the node makes a `Recount` of the same tables from the harmonised view;
`fairnode.disclosure` turns the recount into a `Verdict`, whose public tables are all that ever leaves.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

Key = tuple[str, ...]
"""The codes of one cell, in the order of the table's dimensions."""


class Kind(StrEnum):
    """What a table holds: the kinds that a node can recompute (class A), and anything else (class B).

    A spread is the standard deviation of a measure. A pair is a count of units that have both of two codes,
    shown only if each of the four parts of that two-by-two table is large enough.
    """

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    PROPORTION = "proportion"
    SPREAD = "spread"
    PAIR = "pair"
    OTHER = "other"


class Unit(StrEnum):
    """What is counted: rows of the view, or distinct persons."""

    REGISTRATION = "registration"
    PERSON = "person"


class Status(StrEnum):
    """The only two things outsiders learn about a cell (P5)."""

    SHOWN = "shown"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class Dimension:
    """One axis of a table: a variable and its closed list of codes; `multiple` if a unit may have several."""

    variable: str
    codes: tuple[str, ...]
    sensitive: bool = False
    multiple: bool = False


@dataclass(frozen=True)
class Condition:
    """A variable and the codes of it that count: one line of a filter, or a proportion's numerator."""

    variable: str
    codes: frozenset[str]


@dataclass(frozen=True)
class TableSpec:
    """One table of an output contract. `measure` is for sum, mean and spread, `numerator` for proportions.

    With `merged`, neighbouring bands of the first dimension are put together until each cell is large enough.
    """

    id: str
    kind: Kind
    unit: Unit
    input: str
    dimensions: tuple[Dimension, ...]
    measure: str | None = None
    numerator: Condition | None = None
    merged: bool = False

    def keys(self) -> Iterator[Key]:
        """Every cell that a complete table has, the last dimension running fastest."""
        return itertools.product(*(dimension.codes for dimension in self.dimensions))


@dataclass(frozen=True)
class OutputContract:
    """Exactly the tables that a visit may put out."""

    tables: tuple[TableSpec, ...]

    def table(self, table_id: str) -> TableSpec:
        """The table called `table_id`; `KeyError` if there is none."""
        return {table.id: table for table in self.tables}[table_id]

    @property
    def class_b(self) -> bool:
        """Whether the node cannot recompute all that a container puts out under this contract."""
        return any(table.kind is Kind.OTHER for table in self.tables)


@dataclass(frozen=True)
class Cell:
    """A cell as a container claims it: `n` units, and the value `v` beside it unless it is a count.

    A cell of class B has a value only, and `n` is 0.
    """

    key: Key
    n: int
    v: float | None = None


@dataclass(frozen=True)
class ResultTable:
    """A complete table as a container claims it."""

    id: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Result:
    """All that was taken out of a container, read strictly (`fairnode.result/1`)."""

    tables: tuple[ResultTable, ...]


@dataclass(frozen=True)
class RecountedCell:
    """A cell as the node counted it. Never leaves the node.

    `rows` and `persons` count rows and distinct persons (`persons` is None if the view has no person key);
    `magnitude` is the sum over persons of the absolute size of what each contributes, `top1` and `top2` the
    two largest of these. `numerator` and `complement` are (units, persons) of a proportion's two parts; of a
    pair, `complement` is the smallest of the three parts that have not both codes.
    """

    key: Key
    n: int
    rows: int
    persons: int | None
    v: float | None = None
    magnitude: float = 0.0
    top1: float = 0.0
    top2: float = 0.0
    numerator: tuple[int, int | None] = (0, None)
    complement: tuple[int, int | None] = (0, None)


@dataclass(frozen=True)
class TrueMargin:
    """How many units have the codes `key` in the dimensions at `axes`, whatever the others say.

    Never shown; by such a count two tables that share some dimensions are linked.
    """

    axes: tuple[int, ...]
    key: Key
    n: int
    numerator: int = 0


@dataclass(frozen=True)
class RecountedTable:
    """A complete table as the node counted it."""

    spec: TableSpec
    cells: tuple[RecountedCell, ...]
    margins: tuple[TrueMargin, ...] = ()


@dataclass(frozen=True)
class Recount:
    """Every table of a contract counted by the node, over a `universe` of persons (or rows without key).

    `merged` is the same with bands put together, if the contract has tables for which that is done: what the
    container wrote is compared with the first, what may leave is judged by the second.
    """

    tables: tuple[RecountedTable, ...]
    universe: int
    filter: tuple[Condition, ...] = ()
    merged: Recount | None = None

    @property
    def contract(self) -> OutputContract:
        """The contract that these tables fulfil."""
        return OutputContract(tuple(table.spec for table in self.tables))

    @property
    def judged(self) -> Recount:
        """The recount that the disclosure rules look at, and that is released."""
        return self.merged or self


@dataclass(frozen=True)
class PublicCell:
    """A cell for everyone: rounded numbers, or nothing but the word hidden."""

    key: Key
    status: Status
    n: int | None = None
    v: float | None = None


@dataclass(frozen=True)
class Margin:
    """The sum of the shown, rounded cells with `code` of `variable` (of all cells if both are None).

    It is not a true margin: hidden cells are not in it. `n` is None where no cell under it is shown.
    """

    variable: str | None
    code: str | None
    n: int | None


@dataclass(frozen=True)
class PublicTable:
    """What is released of one table."""

    spec: TableSpec
    cells: tuple[PublicCell, ...]
    margins: tuple[Margin, ...]
    base: int


@dataclass(frozen=True)
class CellReason:
    """Why a cell is hidden: the name of a rule of the rule set. For the node's own people only."""

    table: str
    key: Key
    rule: str


class Outcome(StrEnum):
    """What becomes of a result."""

    RELEASED = "released"
    STORED = "stored"
    REFUSED = "refused"


@dataclass(frozen=True)
class Verdict:
    """May this leave? `tables` may (none if refused); `reasons` and `refusals` stay with the node.

    `stored_release` names the earlier release whose answer is given again. `rules` is the hash of the rule
    set that was applied. `notes` are sentences for the custodian about the verdict as a whole.
    """

    outcome: Outcome
    rules: str
    tables: tuple[PublicTable, ...] = ()
    reasons: tuple[CellReason, ...] = ()
    refusals: tuple[str, ...] = ()
    stored_release: str | None = None
    notes: tuple[str, ...] = field(default=())
