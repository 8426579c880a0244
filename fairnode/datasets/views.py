"""Compiles a harmonised view to the SQL that makes it, and to the columns that it will have.

Pure text work, so that the web process can show the query and an approval can bind it (`digest`); only
`fairnode.jobs.view` runs it. The rules, in this order:

1. rows outside the period of the record (`dct:temporal`) are left out: they would be in no table by year;
2. where the policy demands consent, only rows whose consent is "yes" are read;
3. with persons as unit, of each person the earliest registration is kept, whole (by date of identification,
   else year and month, else order in the source); rows without a person key are left out, as nobody can say
   whether they are somebody new. A person thus has the same attributes in every view of the dataset. Where
   each row is a victim and there is no key, rows are persons;
4. the filter is applied;
5. rows are put in the order of their own values, so that their order says nothing.
"""

# ruff: noqa: S608 - all names and texts in these statements went through quoted() or literal()

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from fairnode import vocabulary
from fairnode.datasets import implied
from fairnode.datasets.expressions import key_text, layers, local_codes, misread, offers
from fairnode.datasets.sql import literal, quoted
from fairnode.errors import Finding, NotFound, NotValid
from fairnode.records.dataset import Column, Dataset, View

NEVER_IN_A_VIEW = ("identifier", "key")
"""Kinds of variables that no container ever sees; programs of the node itself may ask for them."""


@dataclass(frozen=True)
class Check:
    """A count of rows whose text in a column could not be understood.

    `kind` is "unmapped" (a local code without a concept) or "unparsable" (not a date, not a number).
    `items` is an expression for the list of local codes in question, empty for "unparsable".
    """

    column: str
    variable: str
    kind: str
    condition: str
    items: str
    fatal: bool


@dataclass(frozen=True)
class Query:
    """A compiled view: what to read, what to check, which steps lead to the rows, and what they look like.

    Each step makes the table of its name from the one before it; the first reads `source`, which holds the
    columns `reads` as text and `__row`, the number of the row. The last table is `view`, in its final order,
    with `__identity` (what makes a row the same row in another view) beside the columns of the schema.
    """

    reads: tuple[str, ...]
    checks: tuple[Check, ...]
    steps: tuple[tuple[str, str], ...]
    schema: tuple[Column, ...]

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the query: an approval binds it, a changed binding or filter changes it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def offered(dataset: Dataset) -> tuple[str, ...]:
    """The variables that a study may ask of this dataset, in the order of the ontology."""
    return tuple(
        name
        for name, variable in vocabulary.variables().items()
        if variable.kind not in NEVER_IN_A_VIEW and offers(dataset, name)
    )


def check_view(dataset: Dataset, view: View, *, identifiers: bool = False) -> None:
    """Raise `NotValid` when the dataset cannot give this view; a finding for each reason."""
    findings = tuple(_wrong(dataset, view, identifiers))
    if findings:
        raise NotValid("The dataset cannot give what the study asks for.", findings=findings)


def schema(dataset: Dataset, view: View) -> tuple[Column, ...]:
    """The columns of the view with their closed code lists; years are those of the record's period."""
    admitted = dict(view.filter)
    return tuple(_column(dataset, name, admitted.get(name)) for name in view.variables)


def compile_view(dataset: Dataset, view: View, *, identifiers: bool = False) -> Query:
    """The query for a view. With `identifiers`, names and keys may be asked for (programs of the node only).

    Raises `NotValid` as `check_view` does.
    """
    check_view(dataset, view, identifiers=identifiers)
    needed = _needed(dataset, view)
    bindings = [binding for binding in dataset.bindings if binding.variable in needed]
    checks = (
        Check(
            column=binding.column,
            variable=binding.variable,
            kind="unmapped" if _is_coded(binding.variable) and not binding.derive else "unparsable",
            condition=condition,
            items=local_codes(binding) if _is_coded(binding.variable) and not binding.derive else "",
            fatal=binding.strict or not _is_coded(binding.variable) or bool(binding.derive),
        )
        for binding in bindings
        if (condition := misread(dataset, binding)) is not None
    )
    return Query(
        # all that is bound, not only what is needed: without a person key, a row is the same row when all is
        reads=tuple(sorted({binding.column for binding in dataset.bindings})),
        checks=tuple(checks),
        steps=tuple(_steps(dataset, view, needed)),
        schema=schema(dataset, view),
    )


def compile_all(dataset: Dataset) -> Query:
    """A query over everything that is bound, for the dry run when a dataset is added."""
    return compile_view(
        dataset, View(tuple(binding.variable for binding in dataset.bindings)), identifiers=True
    )


def _wrong(dataset: Dataset, view: View, identifiers: bool) -> Iterator[Finding]:
    """Why the dataset cannot give the view."""
    if not view.variables:
        yield Finding("variables", "at least one is needed")
    for name in dict.fromkeys((*view.variables, *(name for name, _ in view.filter))):
        variable = vocabulary.variables().get(name)
        if variable is None:
            yield Finding(name, "is no variable of the ontology")
        elif variable.kind in NEVER_IN_A_VIEW and not identifiers:
            yield Finding(name, "identifies a person and never stands in a view")
        elif not offers(dataset, name):
            yield Finding(name, "is not in this dataset")
    for name, codes in view.filter:
        yield from _wrong_codes(name, codes)
    if view.unit == "person" and not dataset.knows_persons:
        yield Finding("unit", "persons cannot be told apart: the dataset has no person key")
    if view.consent_required and dataset.binding("consent") is None:
        yield Finding("consent", "the policy demands it, and the dataset does not record it")


def _wrong_codes(name: str, codes: tuple[str, ...]) -> Iterator[Finding]:
    """Codes of a filter that the variable has not."""
    variable = vocabulary.variables().get(name)
    if variable is None:
        return
    known = {code.notation for code in variable.codes}
    for code in codes:
        fits = code in known if variable.kind == "coded" else _fits(code, variable.minimum, variable.maximum)
        if not fits:
            yield Finding(f"filter on {name}", f"'{code}' is no code of this variable")
    if variable.kind not in ("coded", "integer", "year"):
        yield Finding(f"filter on {name}", "only coded variables, years and months can be filtered on")


def _fits(code: str, minimum: int | None, maximum: int | None) -> bool:
    return code.isdecimal() and (minimum or 0) <= int(code) <= (maximum or int(code))


def _needed(dataset: Dataset, view: View) -> set[str]:
    """The variables that the query touches, those included from which others are derived."""
    needed = {*view.variables, *(name for name, _ in view.filter), "personKey", *_clock(dataset)}
    if view.consent_required:
        needed.add("consent")
    for name in tuple(needed):
        binding = dataset.binding(name)
        if binding is None:
            needed.update(implied.parents(dataset, name))
        if name in ("year", "month") and binding is None:
            needed.add("identificationDate")
        if name.startswith("age"):
            needed |= (
                {"identificationDate"} if binding and binding.derive else {"ageGroup", "identificationDate"}
            )
    return needed


def _clock(dataset: Dataset) -> tuple[str, ...]:
    """The variables that say when a registration was made, finest first."""
    names = ("identificationDate", "year", "month")
    return tuple(name for name in names if offers(dataset, name))


def _steps(dataset: Dataset, view: View, needed: set[str]) -> Iterator[tuple[str, str]]:
    """Name and SELECT of each step."""
    yield "harmonised", _harmonised(dataset, needed)
    before = "harmonised"
    for name, condition in _conditions(dataset, view):
        yield name, f"SELECT * FROM {before} WHERE {condition}"
        before = name
    repeated = implied.repetitions(dataset, {n for n in needed if dataset.binding(n) is None})
    if repeated:
        yield "beside", f"SELECT *, {implied.next_registration()} FROM {before}"
        made = ", ".join(f"{text} AS {quoted(name)}" for name, text in repeated.items())
        yield "repeated", f"SELECT *, {made} FROM beside"
        before = "repeated"
    if view.unit == "person" and dataset.binding("personKey"):
        order = ", ".join((*(f"{quoted(name)} NULLS LAST" for name in _clock(dataset)), "__row"))
        rank = f'row_number() OVER (PARTITION BY "personKey" ORDER BY {order}) = 1'
        yield "persons", f'SELECT * FROM {before} WHERE "personKey" IS NOT NULL QUALIFY {rank}'
        before = "persons"
    if view.filter:
        condition = " AND ".join(_admits(name, codes) for name, codes in view.filter)
        yield "filtered", f"SELECT * FROM {before} WHERE {condition}"
        before = "filtered"
    columns = [quoted(name) for name in view.variables]
    order = ", ".join((*(f"{column} NULLS FIRST" for column in columns), "__identity"))
    yield "view", f"SELECT {', '.join(columns)}, __identity FROM {before} ORDER BY {order}"


def _harmonised(dataset: Dataset, needed: set[str]) -> str:
    """The SELECT that gives all needed variables."""
    select = "source"
    for number, layer in enumerate(layers(dataset, needed)):
        kept = "*" if number else f"__row, {_identity(dataset)} AS __identity"
        values = ", ".join(f"{text} AS {quoted(name)}" for name, text in layer.items())
        select = f"(SELECT {kept}, {values} FROM {select})"
    return f"SELECT * FROM {select}"


def _conditions(dataset: Dataset, view: View) -> Iterator[tuple[str, str]]:
    """The steps that leave out rows before persons are told apart."""
    first, last = dataset.years
    if first and "year" in _clock(dataset):
        yield "period", f'"year" IS NULL OR "year" BETWEEN {first} AND {last}'
    if view.consent_required:
        yield "consent", "\"consent\" = 'yes'"


def _identity(dataset: Dataset) -> str:
    """What makes a row the same row in another view: the person, or else all that the source says."""
    columns = sorted({binding.column for binding in dataset.bindings})
    content = f"'r' || concat_ws(chr(31), {', '.join(f'coalesce({quoted(c)}, chr(30))' for c in columns)})"
    key = key_text(dataset)
    return content if key is None else f"coalesce('p' || {key}, {content})"


def _admits(name: str, codes: tuple[str, ...]) -> str:
    """The condition that a row has one of these codes."""
    variable = vocabulary.variable(name)
    if variable.kind != "coded":
        return f"{quoted(name)} IN ({', '.join(sorted(codes, key=int))})"
    values = sorted({value for code in codes for value in variable.within(code)})
    admitted = ", ".join(literal(value) for value in values)
    return (
        f"list_has_any({quoted(name)}, [{admitted}])"
        if variable.multiple
        else f"{quoted(name)} IN ({admitted})"
    )


def _column(dataset: Dataset, name: str, admitted: tuple[str, ...] | None) -> Column:
    """The column of a variable, its codes narrowed to those that the filter admits."""
    variable = vocabulary.variable(name)
    codes: tuple[str, ...] = variable.notations
    if variable.kind in ("year", "integer"):
        codes = tuple(str(number) for number in _numbers(dataset, name))
    if admitted is not None and not variable.multiple:
        within = {value for code in admitted for value in _values(name, code)}
        codes = tuple(code for code in codes if code in within) if codes else tuple(sorted(within, key=int))
    return Column(name, "integer" if variable.kind == "year" else variable.kind, codes, variable.multiple)


def _values(name: str, code: str) -> tuple[str, ...]:
    variable = vocabulary.variable(name)
    try:
        return variable.within(code) if variable.kind == "coded" else (code,)
    except NotFound:
        return ()


def _numbers(dataset: Dataset, name: str) -> range:
    """The numbers that may occur: the years of the record's period, the months of a year."""
    first, last = dataset.years
    if name == "year":
        return range(first, last + 1) if first else range(0)
    return range(1, 13) if name == "month" else range(0)


def _is_coded(name: str) -> bool:
    return vocabulary.variable(name).kind == "coded"
