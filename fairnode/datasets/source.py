"""Reads `source.toml`, in which an operator says where a dataset's rows are."""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from fairnode.errors import Finding, NotFound, NotValid
from fairnode.records.dataset import Source, SourceKind

KINDS = get_args(SourceKind)
SUFFIXES = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".parquet": "parquet", ".xlsx": "xlsx",
            ".jsonl": "jsonl", ".ndjson": "jsonl", ".sqlite": "sqlite", ".db": "sqlite"}  # fmt: skip
_LOOK = 64 * 1024
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
NEEDED = {"sqlite": ("path", "table"), "postgresql": ("dsn", "table")}


def read_source(toml: str, folder: Path) -> Source:
    """The source that the table `[source]` describes; a relative path counts from `folder`.

    Raises `NotValid` with a finding for each key that is unknown, missing or of no use.
    """
    try:
        table = tomllib.loads(toml).get("source", {})
    except tomllib.TOMLDecodeError as wrong:
        raise NotValid("The description of the source is not TOML.", internal=str(wrong)) from None
    if not isinstance(table, dict):
        raise NotValid("`source` is a table, [source], in the description of the source.")
    findings = tuple(_findings(table))
    if findings:
        raise NotValid("The description of the source is not complete.", findings=findings)
    if table.get("path"):
        table = {**table, "path": str((folder / table["path"]).resolve())}
    return Source(**table)


def guess_source(path: Path) -> Source:
    """A source for a data file, from the ending of its name only. Raises `NotValid` for an unknown ending."""
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise NotValid(
            "The ending of the file's name does not say what type of file it is.",
            to_do=f"Known endings: {', '.join(SUFFIXES)}; or describe the source in a TOML file.",
        )
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    return Source(kind=kind, path=str(path), delimiter=delimiter)  # type: ignore[arg-type]


def look_at_text(path: Path) -> tuple[str, str]:
    """Encoding and delimiter of a CSV file, guessed from its beginning. Raises `NotFound`."""
    try:
        with path.open("rb") as file:
            start = file.read(_LOOK)
    except OSError as error:
        raise NotFound("The file cannot be read.", internal=str(error)) from error
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    try:
        codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeDecodeError:
        encoding = "cp1252"  # what a spreadsheet on Windows writes
    header = start.decode(encoding, "replace").partition("\n")[0]
    return encoding, max(",;\t|", key=header.count)


def _findings(table: Mapping[str, Any]) -> list[Finding]:
    """Everything that is wrong with the table, so that all can be corrected at once."""
    known = {field.name for field in fields(Source)}
    kind = table.get("kind", "")
    found = [Finding(f"source.{key}", "this key is not known") for key in sorted(set(table) - known)]
    found += [
        Finding(f"source.{key}", "must be a text") for key in sorted(table) if not isinstance(table[key], str)
    ]
    if kind not in KINDS:
        found.append(Finding("source.kind", f"must be one of {', '.join(KINDS)}"))
    found += [
        Finding(f"source.{key}", "is needed")
        for key in NEEDED.get(str(kind), ("path",))
        if not table.get(key)
    ]
    return found + _csv_findings(table)


def _csv_findings(table: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with encoding, delimiter and quote."""
    found = []
    for key in ("delimiter", "quote"):
        if key in table and len(str(table[key])) != 1:
            found.append(Finding(f"source.{key}", "must be one character"))
    try:
        "".encode(str(table.get("encoding", "utf-8")))  # refuses codecs that are not about text as well
    except (LookupError, UnicodeError):
        found.append(Finding("source.encoding", "is not the name of a known encoding"))
    return found
