"""Whether the codes that a study's parameters name are there: the same for regressions, means and quantiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fairnode import errors
from fairnode.records.result import TableSpec


def check_named(spec: TableSpec, asked: Mapping[str, Sequence[str]], what: str) -> None:
    """Raise `NotValid` for codes (by variable) that the study's table has not, by ontology or by its filter."""
    known = {axis.variable: set(axis.codes) for axis in spec.dimensions}
    findings = tuple(
        errors.Finding(f"parameters/{name}", f"'{code}' is no code of it in this study")
        for name, codes in asked.items()
        for code in codes
        if code not in known.get(name, set())
    )
    if findings:
        raise errors.NotValid(f"The {what} names codes that are not there.", findings=findings)
