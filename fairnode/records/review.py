"""What is kept of a review; a row like those of `fairnode.records.rows`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Review:
    """One person's signed opinion on a result that the node cannot recount; `id` is visit#person."""

    id: str
    visit: str
    person: str
    role: str
    opinion: str
    result: str
    note: str
    envelope: bytes
    created: str


@dataclass(frozen=True)
class Rerun:
    """A further run of a visit of class B: on the rows in another order, or on a part of them.

    `id` is its name on the engine, `state` running, ended or failed. `result` is what it wrote, until it was
    used: it is never shown or released.
    """

    id: str
    visit: str
    state: str
    deadline: str
    result: bytes
    created: str
