"""Which cells, of this release and of earlier ones, are sums of which others.

A cell is a conjunction of conditions: the study's filter and its own codes. Where every condition of one
cell is implied by another's, the second is part of the first; all parts of a cell in one table add up to
it, but for a rest (persons with nothing recorded, or outside the other's filter) or an overlap (persons
in several parts). An attacker with all releases side by side can write down the same equations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fairnode.disclosure.history import EarlierTable, Finer, History
from fairnode.records.result import (
    Condition,
    Key,
    Kind,
    Recount,
    RecountedTable,
    TableSpec,
)

Conditions = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Item:
    """One true count behind what is or was shown.

    `owner` is (table id, key) of the cell of this release that tells it, None for an earlier cell or a
    rest: those can no longer be hidden. `sensitive` says that it must not be found out; `hidden`, that it
    is not shown. `measure` names the variable whose sum stands beside it, if one does.
    """

    value: int
    owner: tuple[str, Key] | None
    hidden: bool
    sensitive: bool
    measure: str | None = None


@dataclass(frozen=True)
class Relation:
    """`whole` is the sum of `parts` plus `rest` times `sign` (items by position; rest None if it is 0)."""

    whole: int
    parts: tuple[int, ...]
    rest: int | None
    sign: int


@dataclass(frozen=True)
class Links:
    """The equations that hold between all items."""

    items: tuple[Item, ...]
    relations: tuple[Relation, ...]


@dataclass(frozen=True)
class _Counts:
    """The counts that one table tells, each with its conditions: n, or a proportion's numerator."""

    unit: str
    lines: tuple[tuple[Conditions, int], ...]


def link(recount: Recount, hidden: Mapping[tuple[str, Key], str], history: History, k: int) -> Links:
    """All items and equations of this release and the earlier local ones.

    `hidden` has the cells that will not be shown with the rule that hides each; `k` is the threshold.
    """
    items: list[Item] = []
    counts: list[_Counts] = []
    for table in recount.tables:
        counts += _new_counts(table, recount.filter, hidden, history.finer, (items, k))
    for release in history.releases:
        for earlier in release.tables:
            counts += _earlier_counts(earlier, release.filter, history.finer, (items, k))
    relations: list[Relation] = []
    for whole in counts:
        for part in counts:
            if whole is not part and whole.unit == part.unit:
                relations += _relations(whole, part, (items, k))
    return Links(tuple(items), tuple(relations))


# The number beside n is what these rules protect: n itself may be found out.
_VALUE_RULES = {"dominance", "p-percent", "linked-magnitudes"}


def _new_counts(
    table: RecountedTable,
    conditions: tuple[Condition, ...],
    hidden: Mapping[tuple[str, Key], str],
    finer: Finer,
    into: tuple[list[Item], int],
) -> Iterator[_Counts]:
    """The counts of a table of this release; its items are added to `into`."""
    items, k = into
    spec = table.spec
    measured = spec.measure if spec.kind in {Kind.SUM, Kind.MEAN} else None
    lines, numerators = [], []
    for cell in table.cells:
        owner = (spec.id, cell.key)
        rule = hidden.get(owner)
        base = _conditions(spec, cell.key, conditions, finer)
        own = rule is not None and rule not in _VALUE_RULES and rule != "proportion"
        items.append(Item(cell.n, owner, rule is not None, own or 0 < cell.n < k, measured))
        lines.append((base, len(items) - 1))
        if spec.numerator:
            of = cell.numerator[0]
            items.append(Item(of, owner, rule is not None, own or of < k))
            numerators.append((_also(base, spec.numerator, finer), len(items) - 1))
    yield _Counts(spec.unit.value, tuple(lines))
    if numerators:
        yield _Counts(spec.unit.value, tuple(numerators))


def _earlier_counts(
    table: EarlierTable,
    conditions: tuple[Condition, ...],
    finer: Finer,
    into: tuple[list[Item], int],
) -> Iterator[_Counts]:
    """The same for a table of an earlier release."""
    items, k = into
    spec = table.spec
    measured = spec.measure if spec.kind in {Kind.SUM, Kind.MEAN} else None
    lines, numerators = [], []
    for cell in table.cells:
        base = _conditions(spec, cell.key, conditions, finer)
        items.append(Item(cell.n, None, not cell.shown, not cell.shown and cell.n < k, measured))
        lines.append((base, len(items) - 1))
        if spec.numerator:
            of = cell.numerator
            items.append(Item(of, None, not cell.shown, not cell.shown and of < k))
            numerators.append((_also(base, spec.numerator, finer), len(items) - 1))
    yield _Counts(spec.unit.value, tuple(lines))
    if numerators:
        yield _Counts(spec.unit.value, tuple(numerators))


def _conditions(spec: TableSpec, key: Key, filters: tuple[Condition, ...], finer: Finer) -> Conditions:
    """What is true of everybody in a cell. A value that must be recorded is a condition `recorded:x`."""
    found: Conditions = {}
    for condition in filters:
        found = _also(found, condition, finer)
    for axis, code in zip(spec.dimensions, key, strict=True):
        found = _also(found, Condition(axis.variable, frozenset({code})), finer)
    must = spec.measure or (spec.numerator.variable if spec.numerator else None)
    return {**found, f"recorded:{must}": frozenset()} if must else found


def _also(conditions: Conditions, more: Condition, finer: Finer) -> Conditions:
    """`conditions` and one more, in the finest variable that is known for it."""
    variable = more.variable
    codes: set[str] = set()
    for code in more.codes:
        variable, narrower = finer.get((more.variable, code), (more.variable, frozenset({code})))
        codes |= narrower
    both = frozenset(codes) & conditions[variable] if variable in conditions else frozenset(codes)
    return {**conditions, variable: both}


def _relations(whole: _Counts, part: _Counts, into: tuple[list[Item], int]) -> Iterator[Relation]:
    """One equation for each cell of `whole` that has parts in `part`."""
    if not whole.lines or not part.lines:
        return
    variables = tuple(whole.lines[0][0])
    if not all(_implied(variable, part.lines[0][0]) for variable in variables):
        return
    axes = tuple(variable for variable in variables if not variable.startswith("recorded:"))
    buckets: defaultdict[tuple[frozenset[str], ...], list[int]] = defaultdict(list)
    for conditions, index in part.lines:
        buckets[tuple(conditions[axis] for axis in axes)].append(index)
    items, k = into
    for conditions, index in whole.lines:
        parts = _within(tuple(conditions[axis] for axis in axes), buckets)
        if parts:
            rest = items[index].value - sum(items[i].value for i in parts)
            if rest:
                items.append(Item(abs(rest), None, hidden=True, sensitive=abs(rest) < k))
            yield Relation(index, parts, len(items) - 1 if rest else None, 1 if rest > 0 else -1)


def _implied(variable: str, by: Conditions) -> bool:
    """Whether cells with conditions `by` say something about `variable`."""
    return variable in by or variable.removeprefix("recorded:") in by


def _within(
    codes: tuple[frozenset[str], ...], buckets: Mapping[tuple[frozenset[str], ...], list[int]]
) -> tuple[int, ...]:
    """The items whose codes all lie within `codes`."""
    if all(len(each) == 1 for each in codes):
        return tuple(buckets.get(codes, ()))
    return tuple(
        index
        for bucket, indices in buckets.items()
        if all(mine <= theirs for mine, theirs in zip(bucket, codes, strict=True))
        for index in indices
    )
