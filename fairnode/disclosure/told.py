"""Every count that is or was told, as a sum of atoms: what an attacker with all releases side by side knows.

An atom is a combination of codes of all variables that a table or filter names; every told count is the sum of
the atoms that meet its conditions, and no atom is negative. Codes that nothing tells apart are one category;
each variable has one more for codes that no table names, unless one table names all, and one for nothing recorded,
unless the recount found that there are none. A variable of which a unit may have several codes is a question of
yes or no for each of them. A proportion tells its denominator, its numerator and so the rest. What contradicts a
filter is no atom at all: that nobody is there is known and no secret.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from fairnode.disclosure.conditions import Conditions, all_specs, finest, named_codes
from fairnode.disclosure.history import EarlierCell, EarlierRelease, EarlierTable, Finer, History
from fairnode.records.profile import NOT_RECORDED
from fairnode.records.result import (
    Condition,
    Key,
    Recount,
    RecountedCell,
    RecountedTable,
    TableSpec,
)

Owner = tuple[str, Key]
"""The table and key of a cell of this release."""

OWN_RULES = frozenset({"threshold", "class-disclosure"})
"""The rules that protect the count itself; differencing protects the difference, which is a count of its own;
the others protect the number that stands beside the count."""

_OTHER = ""  # stands for the codes of a variable that no table or filter names
_RECORDED = frozenset[str]()  # stands for the question whether a list has anything in it
_TOGETHER = 6  # so many codes of a list have one law: who has one of them has this, that, ...


@dataclass(frozen=True)
class Told:
    """A count: its conditions (variable and the categories of it that count), its true value, who tells it.

    `owner` is the cell of this release that tells it; None for earlier ones. `asked` says that nobody may find it
    out if it is not `shown`.
    """

    where: tuple[tuple[int, tuple[int, ...]], ...]
    n: int
    owner: Owner | None
    shown: bool
    asked: bool


@dataclass(frozen=True)
class Joint:
    """All counts of one unit: how many categories each variable has, and what was told of them."""

    sizes: tuple[int, ...]
    counts: tuple[Told, ...]

    @property
    def matters(self) -> bool:
        """Whether something must not be found out and this release shows something."""
        return any(c.asked and not c.shown for c in self.counts) and any(
            c.shown and c.owner is not None for c in self.counts
        )


@dataclass(frozen=True)
class _Where:
    """Conditions: codes of plain variables; of lists whether they have any of some codes."""

    plain: tuple[tuple[str, frozenset[str]], ...]
    lists: frozenset[tuple[str, frozenset[str], bool]] = frozenset()


@dataclass(frozen=True)
class _Statement:
    """A count before variables and codes have numbers."""

    where: _Where
    n: int
    owner: Owner | None
    shown: bool
    asked: bool


def tell(recount: Recount, hidden: Mapping[Owner, str], history: History, k: int) -> tuple[Joint, ...]:
    """What this release and the earlier local ones tell, a joint for each unit that is counted.

    `hidden` has the cells that will not be shown with the rule that hides each; `k` is the threshold.
    """
    if stands_alone(recount, history):
        return ()
    teller = _Teller(recount, history, k)
    found: defaultdict[str, list[_Statement]] = defaultdict(list)
    for release in history.releases:
        for earlier in release.tables:
            found[earlier.spec.unit] += teller.earlier(earlier, release)
    units = {table.spec.unit for table in recount.tables}
    for table in recount.tables:
        found[table.spec.unit] += teller.table(table, recount.filter, hidden)
    joints = (_joint(found[unit], teller.codes) for unit in sorted(units))
    return tuple(joint for joint in joints if joint.matters)


def stands_alone(recount: Recount, history: History) -> bool:
    """Whether there is one table of one number a cell and nothing else, so that nothing adds up to anything."""
    earlier = any(table.cells for release in history.releases for table in release.tables)
    if earlier or len(recount.tables) != 1:
        return False
    spec = recount.tables[0].spec
    nested = any((axis.variable, code) in history.finer for axis in spec.dimensions for code in axis.codes)
    return spec.numerator is None and not nested and not any(axis.multiple for axis in spec.dimensions)


class _Teller:
    """Makes statements of tables."""

    def __init__(self, recount: Recount, history: History, k: int) -> None:
        self._finer, self._k = history.finer, k
        specs = all_specs(recount, history)
        self._lists = {
            finest(Condition(axis.variable, frozenset(axis.codes)), self._finer)[0]
            for spec in specs
            for axis in spec.dimensions
            if axis.multiple
        }
        named = named_codes(recount, history)
        complete = _complete(recount, history, named)
        closed = _closed(specs, named, self._finer)
        self.codes: Conditions = {
            variable: codes
            | (set() if variable in closed else {_OTHER})
            | (set() if variable in complete else {NOT_RECORDED})
            for variable, codes in named.items()
        }

    def table(
        self, table: RecountedTable, filters: tuple[Condition, ...], hidden: Mapping[Owner, str]
    ) -> Iterator[_Statement]:
        """What a table of this release tells."""
        for cell in table.cells:
            owner = (table.spec.id, cell.key)
            rule = hidden.get(owner)
            own = rule in OWN_RULES
            asked = (own or 0 < cell.n < self._k or rule == "differencing", *self._few(cell, own=own))
            counts = (cell.n, cell.numerator[0], cell.complement[0])
            for where, n, secret in zip(
                self._counts(table.spec, cell.key, filters), counts, asked, strict=False
            ):
                if where is not None:
                    yield _Statement(where, n, owner, rule is None, secret)

    def earlier(self, table: EarlierTable, release: EarlierRelease) -> Iterator[_Statement]:
        """What a table of an earlier release told: of what it hid, all counts of cells, and small sides."""
        for cell in table.cells:
            counts = (cell.n, cell.numerator, cell.n - cell.numerator)
            asked = (True, *(n < self._k for n in counts[1:]))
            for where, n, secret in zip(
                self._counts(table.spec, cell.key, release.filter), counts, asked, strict=False
            ):
                if where is not None:
                    yield _Statement(where, n, None, cell.shown, secret)

    def _few(self, cell: RecountedCell, *, own: bool) -> tuple[bool, bool]:
        """Whether each side of a proportion must not be found out."""
        few = (min(n, n if p is None else p) < self._k for n, p in (cell.numerator, cell.complement))
        numerator, complement = (own or side for side in few)
        return numerator, complement

    def _counts(self, spec: TableSpec, key: Key, filters: tuple[Condition, ...]) -> Iterator[_Where | None]:
        """The conditions of the count of a cell, of its numerator and of the rest; None where nobody can be."""
        axes = zip(spec.dimensions, key, strict=True)
        lines = [*filters, *(Condition(axis.variable, frozenset({code})) for axis, code in axes)]
        part = spec.numerator
        needed = finest(part, self._finer)[0] if part else spec.measure
        yield self._where(lines, needed)
        if part is not None:
            yield self._where([*lines, part], needed)
            yield self._where(lines, needed, part)

    def _where(
        self, lines: Iterable[Condition], needed: str | None, but: Condition | None = None
    ) -> _Where | None:
        """What meets all lines, has `needed` recorded and does not meet `but`; None if nothing can."""
        plain: dict[str, frozenset[str]] = {}
        lists: set[tuple[str, frozenset[str], bool]] = set()
        asked = [(finest(line, self._finer), True) for line in lines]
        asked += [(finest(but, self._finer), False)] if but else []
        asked += [((needed, frozenset({NOT_RECORDED})), False)] if needed else []
        for (variable, codes), yes in asked:
            if variable in self._lists:
                lists.add(_question(variable, codes, yes=yes))
            else:
                every = plain.get(variable, self.codes.get(variable, _UNNAMED))
                plain[variable] = every & codes if yes else every - codes
        return _Where(tuple(sorted(plain.items())), frozenset(lists)) if all(plain.values()) else None


_UNNAMED = frozenset({_OTHER, NOT_RECORDED})  # what a variable has of which no code is named: a measure


def _question(variable: str, codes: frozenset[str], *, yes: bool) -> tuple[str, frozenset[str], bool]:
    """A question to a list. Whether nothing is recorded in it is the question whether something is."""
    return (variable, _RECORDED, not yes) if codes == {NOT_RECORDED} else (variable, codes, yes)


def _closed(specs: Iterable[TableSpec], named: Conditions, finer: Finer) -> set[str]:
    """The variables of which one table names all codes that any names: the list is public, there are no others."""
    told = (
        finest(Condition(axis.variable, frozenset(axis.codes)), finer)
        for spec in specs
        for axis in spec.dimensions
    )
    return {variable for variable, codes in told if codes | {NOT_RECORDED} >= named[variable]}


def _complete(recount: Recount, history: History, named: Conditions) -> set[str]:
    """The variables of which every unit has a code that is named: what an attacker may well know.

    A variable is one of them if in each table that names all its codes, and does not filter by it, nobody is left
    over. `named` are the codes of each variable.
    """
    left: defaultdict[str, set[bool]] = defaultdict(set)
    tables: list[tuple[RecountedTable | EarlierTable, tuple[Condition, ...]]] = [
        (table, recount.filter) for table in recount.tables
    ]
    tables += [(table, release.filter) for release in history.releases for table in release.tables]
    for table, filters in tables:
        filtered = {finest(line, history.finer)[0] for line in filters}
        for place, axis in enumerate(table.spec.dimensions):
            variable, codes = finest(Condition(axis.variable, frozenset(axis.codes)), history.finer)
            if variable not in filtered and codes | {NOT_RECORDED} >= named[variable]:
                left[variable].add(_leaves_over(table, place))
    return {variable for variable, found in left.items() if found == {False}}


def _leaves_over(table: RecountedTable | EarlierTable, place: int) -> bool:
    """Whether the cells along a dimension do not add up to the margin without it, or nobody knows."""
    others = tuple(axis for axis in range(len(table.spec.dimensions)) if axis != place)
    sums: defaultdict[Key, int] = defaultdict(int)
    cells: Sequence[RecountedCell | EarlierCell] = table.cells
    for cell in cells:
        sums[cell.key[:place] + cell.key[place + 1 :]] += cell.n
    whole = {margin.key: margin.n for margin in table.margins if margin.axes == others}
    return not whole or any(sums[key] != n for key, n in whole.items())


def _joint(statements: Sequence[_Statement], codes: Conditions) -> Joint:
    """Statements of one unit with numbers for variables and categories; `codes` are all of each variable."""
    sizes: list[int] = []
    categories: dict[str, tuple[int, dict[str, int]]] = {}
    for variable, groups in _groups(statements, codes):
        categories[variable] = (len(sizes), {code: n for n, group in enumerate(groups) for code in group})
        sizes.append(len(groups))
    questions = sorted(
        {question[:2] for each in statements for question in each.where.lists},
        key=lambda question: (question[0], sorted(question[1])),
    )
    place = {question: len(sizes) + number for number, question in enumerate(questions)}
    sizes += [2] * len(questions)

    def numbered(where: _Where) -> Iterator[tuple[int, tuple[int, ...]]]:
        for variable, met in where.plain:
            if variable in categories:
                number, of = categories[variable]
                numbers = {of[code] for code in met}
                if len(numbers) < sizes[number]:
                    yield number, tuple(sorted(numbers))
        for name, met, yes in where.lists:
            yield place[name, met], (int(yes),)

    counts = (Told(tuple(sorted(numbered(s.where))), s.n, s.owner, s.shown, s.asked) for s in statements)
    return Joint(tuple(sizes), (*_laws(place), *_each_once(counts)))


def _groups(statements: Sequence[_Statement], codes: Conditions) -> Iterator[tuple[str, list[list[str]]]]:
    """Each plain variable with its codes, together where nothing tells them apart; not if they all are."""
    told: defaultdict[str, set[frozenset[str]]] = defaultdict(set)
    for statement in statements:
        for variable, met in statement.where.plain:
            told[variable].add(met)
    for variable, sets in sorted(told.items()):
        alike: defaultdict[frozenset[frozenset[str]], list[str]] = defaultdict(list)
        for code in sorted(codes.get(variable, _UNNAMED)):
            alike[frozenset(met for met in sets if code in met)].append(code)
        if len(alike) > 1:
            yield variable, list(alike.values())


def _laws(place: Mapping[tuple[str, frozenset[str]], int]) -> Iterator[Told]:
    """What cannot be: to have one of fewer codes but none of more, or one of several but none of each."""
    for (one, fewer), (other, more) in permutations(place, 2):
        if one == other and fewer and (more > fewer or more == _RECORDED):
            yield _never({place[one, fewer]: 1, place[other, more]: 0})
    for (variable, codes), number in place.items():
        each = [place.get((variable, frozenset({code}))) for code in codes]
        if 1 < len(codes) <= _TOGETHER and None not in each:
            yield _never({number: 1, **{one: 0 for one in each if one is not None}})


def _never(answers: Mapping[int, int]) -> Told:
    return Told(
        tuple(sorted((number, (answer,)) for number, answer in answers.items())),
        0,
        None,
        shown=True,
        asked=False,
    )


def _each_once(counts: Iterable[Told]) -> Iterator[Told]:
    """Counts without those that say what an earlier release said, or ask what is asked already."""
    said: set[tuple[object, ...]] = set()
    for count in counts:
        name = (count.where, count.n) if count.shown else (count.where,)
        if name in said or not (count.shown or count.asked):
            continue
        yield count
        if count.owner is None or not count.shown:
            said.add(name)
