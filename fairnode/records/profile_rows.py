"""What a node keeps of profiles and twins: one frozen dataclass for each table, as in `rows`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class KeptProfile:
    """A profile that a custodian published; `id` is also that of what the gate remembers of it (`Earlier`).

    `block` is the Turtle that stands in the record, `sha256` its hash; `envelope` the custodian's signature.
    """

    id: str
    dataset: str
    lineage: str
    block: bytes
    sha256: str
    profile: dict[str, Any]
    envelope: bytes
    person: str
    created: str


@dataclass(frozen=True)
class Twin:
    """The synthetic twin of a dataset (`id`), as files of the node; `basis` names what it was drawn from.

    `files` has for each form (csv, parquet) its size in bytes and its SHA-256.
    """

    id: str
    basis: str
    rows: int
    profiled: bool
    files: dict[str, Any]
    created: str


@dataclass(frozen=True)
class Rehearsal:
    """A study's algorithm on a twin; `id` names image, twin, question and rules, `report` is empty meanwhile."""

    id: str
    report: dict[str, Any]
    created: str
