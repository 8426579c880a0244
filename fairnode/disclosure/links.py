"""Which cells, of this release and of earlier ones, are sums of which others.

A cell is a conjunction of conditions: the study's filter and its own codes. Where every condition of one
cell is implied by another's, the second is part of the first; all parts of a cell in one table add up to
it, but for a rest (persons with nothing recorded, or outside the other's filter) or an overlap (persons
in several parts). A proportion tells three counts: its denominator is the sum of its numerator and of the
rest, which is a cell like any other (those with one of the other codes). An attacker with all releases side
by side can write down the same equations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from fairnode.disclosure.conditions import Conditions, finest, named_codes
from fairnode.disclosure.history import EarlierRelease, EarlierTable, Finer, History
from fairnode.disclosure.told import OWN_RULES, stands_alone
from fairnode.records.result import (
    Condition,
    Key,
    Kind,
    Recount,
    RecountedTable,
    TableSpec,
    TrueMargin,
)

Lines = tuple[tuple[Conditions, int], ...]


@dataclass(frozen=True)
class Item:
    """One true count behind what is or was shown.

    `owner` is (table id, key) of the cell of this release that tells it, None for an earlier cell or a
    rest: those can no longer be hidden. `sensitive` says that it must not be found out; `hidden`, that it
    is not shown. `measure` names the variable whose sum stands beside it, if one does. `guarded` is hidden
    for the sake of another, as what the audit adds is.
    """

    value: int
    owner: tuple[str, Key] | None
    hidden: bool
    sensitive: bool
    measure: str | None = None
    guarded: bool = False


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
    """The counts that one table tells, each with its conditions: n, or both sides of a proportion.

    `snapshot` is the release; `source` is the same for counts that follow from each other; `margin` says that
    nobody was told them.
    """

    unit: str
    snapshot: str
    source: str
    lines: Lines
    margin: bool = False


def link(recount: Recount, hidden: Mapping[tuple[str, Key], str], history: History, k: int) -> Links:
    """All items and equations of this release and the earlier local ones.

    `hidden` has the cells that will not be shown with the rule that hides each; `k` is the threshold.
    """
    if stands_alone(recount, history):
        return Links((), ())
    told = _Told(history.finer, k, named_codes(recount, history))
    for table in recount.tables:
        told.add_table(table, recount.filter, hidden)
    for release in history.releases:
        for earlier in release.tables:
            told.add_earlier(earlier, release)
    relations = told.relations()
    return Links(tuple(told.items), tuple(relations))


_OTHER = ""
"""Stands for the codes of a variable of which no table tells anything."""


@dataclass
class _Told:
    """Everything that is or was told, collected table by table."""

    finer: Finer
    k: int
    codes: Conditions
    items: list[Item] = field(default_factory=list)
    counts: list[_Counts] = field(default_factory=list)
    known: dict[tuple[str, str, frozenset[tuple[str, frozenset[str]]]], int] = field(default_factory=dict)

    def add_table(
        self,
        table: RecountedTable,
        conditions: tuple[Condition, ...],
        hidden: Mapping[tuple[str, Key], str],
    ) -> None:
        """The counts of a table of this release."""
        spec = table.spec
        measured = _measured(spec)
        lines: list[tuple[Conditions, int]] = []
        sides: list[tuple[Conditions, int]] = []
        for cell in table.cells:
            owner = (spec.id, cell.key)
            rule = hidden.get(owner)
            base = self._conditions(spec, cell.key, conditions)
            if _nobody(base, spec):
                continue
            own = rule in OWN_RULES
            guarded = rule == "differencing"
            item = Item(cell.n, owner, rule is not None, own or 0 < cell.n < self.k, measured, guarded)
            lines.append((base, self._item(item)))
            for side, (of, persons) in zip(
                self._sides(spec, base), (cell.numerator, cell.complement), strict=False
            ):
                few = min(of, of if persons is None else persons) < self.k
                sides += self._side(side, Item(of, owner, rule is not None, own or few))
        self._count(spec, "", lines, sides)
        self._margins(spec, "", table.margins, conditions)

    def add_earlier(self, table: EarlierTable, release: EarlierRelease) -> None:
        """The counts of a table of an earlier release."""
        spec = table.spec
        measured = _measured(spec)
        lines: list[tuple[Conditions, int]] = []
        sides: list[tuple[Conditions, int]] = []
        for cell in table.cells:
            base = self._conditions(spec, cell.key, release.filter)
            if _nobody(base, spec):
                continue
            unseen = not cell.shown
            item = Item(cell.n, None, unseen, unseen and cell.n < self.k, measured, guarded=unseen)
            lines.append((base, self._item(item)))
            parts = (cell.numerator, cell.n - cell.numerator)
            for side, of in zip(self._sides(spec, base), parts, strict=False):
                sides += self._side(side, Item(of, None, unseen, unseen and of < self.k))
        self._count(spec, release.id, lines, sides)
        self._margins(spec, release.id, table.margins, release.filter)

    def relations(self) -> list[Relation]:
        """All equations, each once; those of a margin only if it links two tables or more."""
        found: dict[tuple[int, tuple[int, ...]], Relation] = {}
        for whole in self.counts:
            of_whole = [
                (relation, part.source)
                for part in self.counts
                if whole is not part and whole.unit == part.unit and not (part.margin and not whole.margin)
                for relation in self._relations(whole, part)
            ]
            sources: defaultdict[int, set[str]] = defaultdict(set)
            for relation, source in of_whole:
                sources[relation.whole].add(source)
            for relation, _ in of_whole:
                if not whole.margin or len(sources[relation.whole]) > 1:
                    found.setdefault((relation.whole, relation.parts), relation)
        return list(found.values())

    def _item(self, item: Item) -> int:
        self.items.append(item)
        return len(self.items) - 1

    def _sides(self, spec: TableSpec, base: Conditions) -> tuple[Conditions, ...]:
        """What is true of a proportion's numerator and of the rest; nothing if it is no proportion."""
        if spec.numerator is None:
            return ()
        variable, codes = finest(spec.numerator, self.finer)
        others = {name: told for name, told in base.items() if name != f"recorded:{variable}"}
        possible = base.get(variable, self.codes[variable] | {_OTHER})
        rest = possible - codes
        if len(rest) > 1:
            rest -= {_OTHER}  # else a rest would be part of no count of the other codes
        return {**others, variable: possible & codes}, {**others, variable: rest}

    def _side(self, side: Conditions, item: Item) -> Lines:
        """One side of a proportion; nothing if no code is left for it, so that everybody knows that it is 0."""
        return ((side, self._item(item)),) if all(side[v] for v in side if not _recorded(v)) else ()

    def _count(
        self,
        spec: TableSpec,
        snapshot: str,
        lines: list[tuple[Conditions, int]],
        sides: list[tuple[Conditions, int]],
    ) -> None:
        source = f"{snapshot} {spec.id}"
        for each in (tuple(lines), tuple(sides)):
            if each:
                self.counts.append(_Counts(spec.unit.value, snapshot, source, each))
                self.counts += [
                    _Counts(spec.unit.value, snapshot, f"{source} {number}", part)
                    for number, part in enumerate(_one_by_one(spec, each))
                ]

    def _margins(
        self,
        spec: TableSpec,
        snapshot: str,
        margins: tuple[TrueMargin, ...],
        conditions: tuple[Condition, ...],
    ) -> None:
        """The margins of a table, one item for each although several tables may have it."""
        grouped: defaultdict[tuple[tuple[int, ...], bool], Lines] = defaultdict(tuple)
        for margin in margins:
            smaller = replace(spec, dimensions=tuple(spec.dimensions[axis] for axis in margin.axes))
            base = self._conditions(smaller, margin.key, conditions)
            parts = (margin.numerator, margin.n - margin.numerator)
            grouped[margin.axes, False] += self._margin(spec, snapshot, base, margin.n)
            for side, of in zip(self._sides(spec, base), parts, strict=False):
                grouped[margin.axes, True] += self._margin(spec, snapshot, side, of)
        source = f"{snapshot} {spec.id}"
        self.counts += [
            _Counts(spec.unit.value, snapshot, source, lines, True) for lines in grouped.values() if lines
        ]

    def _margin(self, spec: TableSpec, snapshot: str, conditions: Conditions, n: int) -> Lines:
        """One count of a margin; nothing if another table has it as well."""
        name = (spec.unit.value, snapshot, frozenset(conditions.items()))
        if name in self.known:
            return ()
        found = self._side(conditions, Item(n, None, hidden=True, sensitive=False))
        self.known |= {(*name[:2], frozenset(side.items())): index for side, index in found}
        return found

    def _conditions(self, spec: TableSpec, key: Key, filters: tuple[Condition, ...]) -> Conditions:
        """What is true of everybody in a cell. A value that must be recorded is a condition `recorded:x`."""
        found: Conditions = {}
        for condition in filters:
            found = _also(found, condition, self.finer)
        for axis, code in zip(spec.dimensions, key, strict=True):
            found = _also(found, Condition(axis.variable, frozenset({code})), self.finer)
        must = spec.measure or (finest(spec.numerator, self.finer)[0] if spec.numerator else None)
        return {**found, f"recorded:{must}": frozenset()} if must else found

    def _relations(self, whole: _Counts, part: _Counts) -> Iterator[Relation]:
        """One equation for each cell of `whole` that has parts in `part`.

        Margins are parts of margins only where they are the same count at another time, or its two sides.
        """
        variables = set(whole.lines[0][0])
        others = set(part.lines[0][0])
        if not all(_implied(variable, others) for variable in variables):
            return
        same = {_plain(variable) for variable in variables} == {_plain(other) for other in others}
        if part.margin and not (same and (others != variables or part.snapshot != whole.snapshot)):
            return
        axes = tuple(sorted(v for v in variables if not _recorded(v)))
        buckets: defaultdict[tuple[frozenset[str], ...], list[int]] = defaultdict(list)
        for conditions, index in part.lines:
            buckets[tuple(conditions[axis] for axis in axes)].append(index)
        for conditions, index in whole.lines:
            parts = _within(tuple(conditions[axis] for axis in axes), buckets)
            itself = parts == (index,)
            if parts and not itself:
                yield self._relation(index, parts)

    def _relation(self, whole: int, parts: tuple[int, ...]) -> Relation:
        rest = self.items[whole].value - sum(self.items[i].value for i in parts)
        if not rest:
            return Relation(whole, parts, None, -1)
        item = Item(abs(rest), None, hidden=True, sensitive=abs(rest) < self.k)
        return Relation(whole, parts, self._item(item), 1 if rest > 0 else -1)


def _measured(spec: TableSpec) -> str | None:
    """What a number beside the counts is of: sums and means of a variable follow from each other."""
    if spec.kind is Kind.SPREAD:
        return f"{spec.measure} squared"
    return spec.measure if spec.kind in {Kind.SUM, Kind.MEAN} else None


def _one_by_one(spec: TableSpec, lines: Lines) -> Iterator[Lines]:
    """The lines of each code of the dimensions of which a unit may have several codes.

    Those codes do not add up to a whole; each of them and the rest without it do.
    """
    axes = [axis.variable for axis in spec.dimensions if axis.multiple]
    if not axes:
        return
    groups: defaultdict[tuple[frozenset[str], ...], list[tuple[Conditions, int]]] = defaultdict(list)
    for line in lines:
        groups[tuple(line[0][axis] for axis in axes)].append(line)
    yield from (tuple(group) for group in groups.values())


def _also(conditions: Conditions, more: Condition, finer: Finer) -> Conditions:
    """`conditions` and one more, in the finest variable that is known for it."""
    variable, codes = finest(more, finer)
    return {**conditions, variable: codes & conditions.get(variable, codes)}


def _implied(variable: str, by: set[str]) -> bool:
    """Whether cells with conditions `by` say something about `variable`."""
    return variable in by or _plain(variable) in by


def _recorded(variable: str) -> bool:
    """Whether this stands for the condition that a value is recorded, whichever it is."""
    return variable.startswith("recorded:")


def _nobody(conditions: Conditions, spec: TableSpec) -> bool:
    """Whether a cell contradicts the filter, so that everybody knows that it is empty: no secret and no count."""
    lists = {axis.variable for axis in spec.dimensions if axis.multiple}
    return any(not codes for name, codes in conditions.items() if not _recorded(name) and name not in lists)


def _plain(variable: str) -> str:
    return variable.removeprefix("recorded:")


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
