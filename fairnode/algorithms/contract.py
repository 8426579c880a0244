"""The output contract of a study: exactly which tables a visit may put out, as the container is told it.

Pure: from the manifest, the study's parameters and the code lists. It is part of what an approval signs, so
the same input always gives the same contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairnode import vocabulary
from fairnode.algorithms.manifest import check_parameters
from fairnode.errors import Finding, NotValid
from fairnode.records.algorithm import Manifest, OutputTable

MOST_CELLS = 100_000


def output_contract(
    manifest: Manifest, parameters: Mapping[str, Any], codes: Mapping[str, Sequence[str]], unit: str
) -> dict[str, Any]:
    """The contract `{"tables": [...]}` for a study with these `parameters`.

    `codes` gives the code list of every variable the study may use; `unit` ("registration" or "person") holds
    for tables whose manifest leaves it open. Raises `NotValid` for parameters out of schema, a dimension
    without a code list, one that is named twice, or a table with more than 100,000 cells.
    """
    check_parameters(manifest, parameters)
    return {"tables": [_table(table, parameters, codes, unit) for table in manifest.outputs]}


def _table(
    table: OutputTable, parameters: Mapping[str, Any], codes: Mapping[str, Sequence[str]], unit: str
) -> dict[str, Any]:
    codes = {**codes, **dict(table.own_codes)}
    names = asked_dimensions(table, parameters)
    cells = _check(table, names, codes)
    if cells > MOST_CELLS:
        raise NotValid(
            f"The table {table.id!r} would have {cells} cells; at most {MOST_CELLS} are possible.",
            to_do="Count by fewer variables, or by coarser ones.",
        )
    told: dict[str, Any] = {
        "id": table.id,
        "kind": table.kind.value,
        "unit": table.unit or unit,
        "input": table.input,
        "dimensions": [
            {"variable": name, "codes": list(codes[name]), "sensitive": _is_sensitive(table, name)}
            for name in names
        ],
    }
    if measure := measure_of(table, parameters):
        told["measure"] = measure
    if table.merged:
        told["merged"] = True
    if table.numerator:
        told["numerator"] = {"variable": table.numerator.variable, "in": list(table.numerator.codes)}
    return told


def _is_sensitive(table: OutputTable, name: str) -> bool:
    """Whether the ontology calls the variable sensitive: the gate then hides a code that all of a group have.

    What a manifest names with codes of its own is no variable of the ontology.
    """
    known = vocabulary.variables().get(name)
    return known is not None and known.sensitive and name not in dict(table.own_codes)


def measure_of(table: OutputTable, parameters: Mapping[str, Any]) -> str:
    """The variable whose sum, mean or spread a table holds, by its manifest or by the study."""
    named = parameters.get(table.measure_parameter, "") if table.measure_parameter else table.measure
    if not isinstance(named, str):
        raise NotValid(f"The parameter {table.measure_parameter!r} must name a variable.")
    return named


def asked_dimensions(table: OutputTable, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """The variables of a table's dimensions, by its manifest or by the study. Raises `NotValid`."""
    if not table.dimensions_parameter:
        return table.dimensions
    given = parameters.get(table.dimensions_parameter, [])
    names = (given,) if isinstance(given, str) else tuple(given)
    if not all(isinstance(name, str) for name in names):
        raise NotValid(f"The parameter {table.dimensions_parameter!r} must name variables.")
    return names


def _check(table: OutputTable, names: Sequence[str], codes: Mapping[str, Sequence[str]]) -> int:
    """The number of cells. Raises `NotValid` for a dimension that has no codes or is there twice."""
    findings = [
        Finding(name, "is no coded variable of these datasets") for name in names if not codes.get(name)
    ]
    findings += [Finding(name, "is named twice") for name in sorted({n for n in names if names.count(n) > 1})]
    if findings:
        raise NotValid(f"The table {table.id!r} cannot be made.", findings=tuple(findings))
    cells = 1
    for name in names:
        cells *= len(codes[name])
    return cells
