"""SQL expressions (DuckDB) that turn the text in a column into values of a variable.

Every column of a source arrives as trimmed text or NULL. An expression is NULL where nothing was recorded and
where the text cannot be understood; the second is counted by `misread`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from fairnode import vocabulary
from fairnode.datasets import implied
from fairnode.datasets.sql import literal as literal
from fairnode.datasets.sql import quoted as quoted
from fairnode.errors import NotFound
from fairnode.records.dataset import Binding, Dataset

LIST_MARK = "\x1f"
"""Stands between the items of a list that a source (JSON, Parquet) holds as a list."""

OLDEST = 120  # years; an age above is not an age


Layer = dict[str, str]
"""Columns of a SELECT: name -> expression over the columns of the layer below."""


def offers(dataset: Dataset, name: str) -> bool:
    """Whether the dataset holds the variable, or implies it.

    Implied are: the reporting organisation (one for the whole dataset), year and month of the date of
    identification, coarser age groups (`vocabulary.coarser`), the age in years that an age group is derived
    from, and what `fairnode.datasets.implied` makes: regions of countries, spans of time, repetitions.
    """
    if dataset.binding(name) is not None:
        return True
    if implied.parents(dataset, name):
        return True
    if name == "ageInYears":
        return bool(_age_source(dataset))
    if name == "reportingOrganisation":
        return bool(dataset.reporting)
    if name in ("year", "month"):
        return dataset.binding("identificationDate") is not None
    return name.startswith("age") and dataset.binding("ageGroup") is not None and bool(_coarser(name))


def layers(dataset: Dataset, names: Iterable[str]) -> tuple[Layer, ...]:
    """How the variables `names` come about, in layers of SELECTs upon the table `source`.

    First what is read as it stands, then parts of dates and ages in years, then age groups, then coarser
    ones. What a layer reads of another variable must be among `names`.
    """
    wanted = sorted(name for name in set(names) if offers(dataset, name))
    read, parts, groups, coarse = Layer(), Layer(), Layer(), Layer()
    for name in wanted:
        binding = dataset.binding(name)
        if binding is not None and not binding.derive:
            read[name] = _bound(binding)
        elif binding is not None:
            raw, years = quoted(f"__raw_{name}"), f"__years_{name}"
            read[f"__raw_{name}"] = _raw(dataset, binding)
            if name in ("year", "month"):
                parts[name] = f"{name}({raw})"
            else:
                dated = is_date(binding, dataset.bindings)
                parts[years] = _age_on(raw, quoted("identificationDate")) if dated else raw
                groups[name] = _age_group(quoted(years)) if name == "ageGroup" else _age_broad(quoted(years))
        elif implied.parents(dataset, name):
            if name not in implied.REPEATED:
                groups[name] = implied.expression(dataset, name)
        elif name == "ageInYears":
            source = _age_source(dataset)
            assert source is not None, "offers() said that there is one"
            raw = quoted("__raw_ageInYears")
            read["__raw_ageInYears"] = _raw(dataset, source)
            dated = is_date(source, dataset.bindings)
            years = _age_on(raw, quoted("identificationDate")) if dated else raw
            parts[name] = f"CASE WHEN {years} BETWEEN 0 AND {OLDEST} THEN {years} END"
        elif name == "reportingOrganisation":
            read[name] = literal(dataset.reporting)
        elif name in ("year", "month"):
            parts[name] = f'{name}("identificationDate")'
        else:
            coarse[name] = _case(quoted("ageGroup"), _coarser(name))
    return tuple(layer for layer in (read, parts, groups, coarse) if layer)


def misread(dataset: Dataset, binding: Binding) -> str | None:
    """A condition that holds for rows whose text in this column says nothing to us although there is some.

    For codes: a local code without a concept; for numbers and dates: not one. None where all text is fine.
    """
    variable = vocabulary.variable(binding.variable)
    if variable.kind == "coded" and not binding.derive:
        if variable.multiple:
            return f"len(list_filter({_items(binding)}, lambda x: {_mapped('x', binding)} IS NULL)) > 0"
        return f"{_text(binding)} IS NOT NULL AND {_mapped(_text(binding), binding)} IS NULL"
    if is_date(binding, dataset.bindings):
        return f"{_text(binding)} IS NOT NULL AND {_date(binding)} IS NULL"
    if variable.kind in ("integer", "year") or binding.derive:
        return f"{_text(binding)} IS NOT NULL AND {_raw(dataset, binding)} IS NULL"
    return None


def local_codes(binding: Binding) -> str:
    """The local codes of a row as a list, for telling the node's people which of them have no concept."""
    if vocabulary.variable(binding.variable).multiple:
        return f"list_filter({_items(binding)}, lambda x: {_mapped('x', binding)} IS NULL)"
    return f"CASE WHEN {_mapped(_text(binding), binding)} IS NULL THEN [{_text(binding)}] END"


def is_date(binding: Binding, bindings: tuple[Binding, ...]) -> bool:
    """Whether the column of this binding holds dates: it has a date format, or is bound as a date as well."""
    twins = [other for other in bindings if other.column == binding.column]
    return any(other.format or other.variable in ("birthDate", "identificationDate") for other in twins)


def _bound(binding: Binding) -> str:
    """The value that a binding gives as it stands."""
    variable = vocabulary.variable(binding.variable)
    if variable.kind == "coded":
        return _list(binding) if variable.multiple else _mapped(_text(binding), binding)
    if variable.kind == "date" or variable.name == "birthDate":
        return _date(binding)
    if variable.kind in ("integer", "year"):
        return _integer(_text(binding), variable.minimum, variable.maximum)
    return _text(binding)


def _raw(dataset: Dataset, binding: Binding) -> str:
    """What a derivation starts from: a date, or an age in years; for other bindings the value itself."""
    if not binding.derive:
        return _bound(binding)
    return _date(binding) if is_date(binding, dataset.bindings) else _integer(_text(binding), 0, OLDEST)


def key_text(dataset: Dataset) -> str | None:
    """The person key as text, if there is one."""
    binding = dataset.binding("personKey")
    return None if binding is None else _text(binding)


def _text(binding: Binding) -> str:
    """The text of the column, NULL where it is a word for missing."""
    words = [literal(word) for word in binding.missing if word]
    column = quoted(binding.column)
    return f"CASE WHEN {column} NOT IN ({', '.join(words)}) THEN {column} END" if words else column


def _mapped(text: str, binding: Binding) -> str:
    """The notation for a local code; without a list of codes, the text itself where it is a notation."""
    pairs: Mapping[str, str] = dict(binding.codes) or {
        notation: notation for notation in vocabulary.variable(binding.variable).notations
    }
    return _case(text, pairs)


def _case(text: str, pairs: Mapping[str, str]) -> str:
    """`text` looked up in `pairs`."""
    cases = " ".join(f"WHEN {literal(local)} THEN {literal(notation)}" for local, notation in pairs.items())
    return f"CASE {text} {cases} END"


def _items(binding: Binding) -> str:
    """The items of a cell with several codes."""
    text, separator = _text(binding), literal(binding.separator or LIST_MARK)
    split = f"string_split(replace({text}, {literal(LIST_MARK)}, {separator}), {separator})"
    return f"list_filter(list_transform({split}, lambda x: trim(x)), lambda x: x <> '')"


def _list(binding: Binding) -> str:
    """The notations of a cell with several codes, each once and in alphabetical order; NULL when none."""
    notations = f"list_transform({_items(binding)}, lambda x: {_mapped('x', binding)})"
    known = f"list_filter({notations}, lambda x: x IS NOT NULL)"
    return f"nullif(list_sort(list_distinct({known})), [])"


def _date(binding: Binding) -> str:
    """The date, by the binding's format; ISO 8601 where it has none, and where a typed cell was one.

    A time of day after an ISO date is left out, for sources often keep moments.
    """
    text = _text(binding)
    shape = r"'\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?'"
    iso = f"CASE WHEN regexp_full_match({text}, {shape}) THEN try_cast(left({text}, 10) AS DATE)"
    if not binding.format:
        return f"{iso} END"
    parsed = f"CAST(try_strptime({text}, {literal(binding.format)}) AS DATE)"
    return parsed if binding.format.startswith("%Y-") else f"{iso} ELSE {parsed} END"


def _integer(text: str, minimum: int | None, maximum: int | None) -> str:
    """A whole number within bounds; "17.0", as programs write it that hold numbers as fractions, is one."""
    whole = f"regexp_full_match({text}, '[+-]?\\d{{1,9}}(\\.0+)?')"
    number = f"CASE WHEN {whole} THEN try_cast(split_part({text}, '.', 1) AS INTEGER) END"
    if minimum is None or maximum is None:
        return number
    return f"CASE WHEN {number} BETWEEN {minimum} AND {maximum} THEN {number} END"


def _age_on(born: str, day: str) -> str:
    """Completed years on that day; who was born on 29 February is a year older on 1 March."""
    before = f"month({day}) * 100 + day({day}) < month({born}) * 100 + day({born})"
    return f"(year({day}) - year({born}) - CAST({before} AS INTEGER))"


def _age_group(age: str) -> str:
    """The canonical band of an age in years."""
    bands = []
    for notation in vocabulary.variable("ageGroup").notations:
        edges = re.fullmatch(r"(\d+)(?:-(\d+)|(\+))?", notation)
        if edges is None:
            continue  # "unknown"
        low = int(edges[1])
        high = OLDEST if edges[3] else int(edges[2] or low)
        bands.append(f"WHEN {age} BETWEEN {low} AND {high} THEN {literal(notation)}")
    return f"CASE {' '.join(bands)} END"


def _age_broad(age: str) -> str:
    """Minor below 18 years everywhere (Palermo Protocol, art. 3(d))."""
    return (
        f"CASE WHEN {age} BETWEEN 0 AND 17 THEN 'minor' WHEN {age} BETWEEN 18 AND {OLDEST} THEN 'adult' END"
    )


def _age_source(dataset: Dataset) -> Binding | None:
    """The binding that derives age groups, from an age or a birth date: it tells the age in years too."""
    binding = dataset.binding("ageGroup")
    return binding if binding is not None and binding.derive else None


def _coarser(name: str) -> Mapping[str, str]:
    """For each canonical age group the value of the variable `name`; nothing where that cannot be derived."""
    try:
        return vocabulary.coarser("ageGroup", name)
    except NotFound:
        return {}
